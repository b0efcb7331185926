//! What a rule would have done in the past. Reads one state of the database, and writes nothing.

use entity::event;
use serde_json::Value;
use uuid::Uuid;

use super::{
    Action, DryRun, DryRunInput, DryRunItem, Outcome, Rule, RuleTrialInput, When, changes,
    commands,
    condition::Condition,
    reaction,
    repository::{self, Past},
    task_creation,
};
use crate::{
    actor::Actor,
    error::{Error, Result},
    idempotency::WriteOnce,
    input::Deferred,
    money::{category, expense::Status},
    resource::Changeable,
    store::{Tx, stored},
};

/// How many events are looked at, at most.
const MAX_EVENTS: u64 = 5000;
/// How many events are read at once.
const BATCH_SIZE: u64 = 500;
/// How many events are shown if nobody says.
const DEFAULT_SHOWN: u64 = 50;

/// What a rule would have done.
pub async fn dry_run(
    store: WriteOnce<'_, DryRun>,
    actor: &Actor,
    id: Uuid,
    over: Deferred<DryRunInput>,
) -> Result<DryRun> {
    let actor = actor.clone();
    let ran = store.snapshot(async move |tx| {
        let rule = Rule::find(tx, &actor, id).await?;
        let DryRunInput { from, to, limit } = over.read()?;
        let trial = RuleTrialInput { when: rule.when, then: rule.then, from, to, limit };
        run(tx, &actor, trial).await
    });
    store.record(ran.await?).await
}

/// What a rule would have done that is not made yet.
pub async fn try_out(
    store: WriteOnce<'_, DryRun>,
    actor: &Actor,
    trial: RuleTrialInput,
) -> Result<DryRun> {
    let actor = actor.clone();
    let ran = store.snapshot(async move |tx| {
        let set = trial.then.iter().filter_map(|action| match action {
            Action::SetCategory(id) => Some(*id),
            _ => None,
        });
        let set: Vec<_> = set.collect();
        if !set.is_empty() {
            let missing =
                category::repository::find_missing_ids(tx, actor.organization_id, set).await?;
            if !missing.is_empty() {
                return Err(commands::unknown_category(&trial.then));
            }
        }
        task_creation::ensure_references_exist(tx, actor.organization_id, &[], &trial.then).await?;
        run(tx, &actor, trial.clone()).await
    });
    store.record(ran.await?).await
}

async fn run(tx: &Tx, actor: &Actor, trial: RuleTrialInput) -> Result<DryRun> {
    let RuleTrialInput { when: When { kind, condition }, then, from, to, limit } = trial;
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        return Err(Error::invalid("/to", "order", "must not be before from"));
    }
    let condition = condition.as_ref().map(Condition::read).transpose();
    let condition = condition.map_err(|violation| Error::Invalid(vec![violation]))?;
    let start_of = |day| actor.settings.start_of(day);
    let past = Past {
        organization_id: actor.organization_id,
        kind,
        from: from.map(start_of),
        until: to.and_then(|day| day.succ_opt()).map(start_of),
    };
    let mut ran = DryRun::default();
    let mut before = i64::MAX;
    loop {
        let events = repository::past(tx, &past, before, BATCH_SIZE).await?;
        let read = events.len() as u64;
        before = events.last().and_then(|event| event.position).unwrap_or_default();
        for event in events {
            ran.looked_at += 1;
            let Some(data) = &event.data else { continue };
            if condition.as_ref().is_none_or(|condition| condition.holds(data)) {
                ran.add(actor, &event, data, &then, limit.unwrap_or(DEFAULT_SHOWN))?;
            }
        }
        ran.complete = read < BATCH_SIZE;
        if ran.complete || ran.looked_at >= MAX_EVENTS {
            return Ok(ran);
        }
    }
}

impl DryRun {
    fn add(
        &mut self,
        actor: &Actor,
        event: &event::Model,
        data: &Value,
        then: &[Action],
        limit: u64,
    ) -> Result<()> {
        let mut changes = changes(data, then);
        let mut tasks: Vec<_> =
            task_creation::tasks(then).map(|task| task.after(actor, event)).collect();
        let status: Status = stored::json(event::Column::Data, event.id, data["status"].clone())?;
        let changed = then.iter().any(Action::is_change);
        let outcome = if changed && reaction::changeable(status, actor).is_err() {
            changes.clear();
            tasks.clear();
            Outcome::Skipped
        } else if changes.is_empty() {
            Outcome::Unchanged
        } else {
            Outcome::Changed
        };
        self.matched += 1;
        self.tasks += tasks.len() as u64;
        match outcome {
            Outcome::Changed => self.changed += 1,
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Skipped => self.skipped += 1,
        }
        if self.items.len() as u64 >= limit {
            return Ok(());
        }
        self.items.push(DryRunItem {
            event_id: event.id,
            at: event.at.to_utc(),
            entity_id: event.entity_id,
            entity_version: event.entity_version,
            outcome,
            changes,
            tasks,
        });
        Ok(())
    }
}

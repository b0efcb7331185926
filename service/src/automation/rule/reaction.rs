//! What rules do: the consumer.
//!
//! Whether a rule applies is said by the event; what it changes besides making tasks is the expense
//! as it is by now, under today's rules for changes. Where those do not allow it, the rule passes
//! over the expense and an event says so. Rules do not react to what rules or steward itself have
//! done, so that no two of them go on for ever.

use std::collections::{HashMap, hash_map::Entry};

use entity::{event, rule};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Action, Rule, changes, condition::Condition, repository, task_creation};
use crate::{
    actor::{Actor, Author},
    consumer::{Consumer, Start},
    error::{Error, Result},
    event::{Effect, Verb},
    input::{Change, FromBody},
    money::expense::{self, Expense, Status},
    resource::Changeable,
    store::{Tx, stored, versioned::Expected},
};

/// Whose doings rules do not react to.
pub(super) const NOT_REACTED_TO: [&str; 2] = ["rule", "system"];

/// The consumer. No rule is older than it, and none looks at what is older than the rule.
pub(crate) const CONSUMER: Consumer = Consumer {
    name: "rules",
    kinds: super::KINDS,
    start: Start::Beginning,
    relevant_to: |connection, organizations| {
        Box::pin(repository::having_any(connection, organizations))
    },
    react: |tx, actor, events| Box::pin(react(tx, actor, events)),
};

async fn react(tx: &Tx, actor: &Actor, events: &[event::Model]) -> Result<()> {
    let mut waiting: HashMap<&str, Vec<rule::Model>> = HashMap::new();
    for event in events {
        let effect: Effect = stored::word(event::Column::Effect, event.id, &event.effect)?;
        if effect != Effect::Written || NOT_REACTED_TO.contains(&&*event.author) {
            continue;
        }
        let Some(data) = &event.data else { continue };
        let rules = match waiting.entry(&event.kind) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown
                .insert(repository::waiting_for(tx, event.organization_id, &event.kind).await?),
        };
        for row in rules {
            // What had happened before a rule was made does not concern it.
            if row.created_at <= event.at && applies(row, data)? {
                apply(tx, actor, Rule::try_from(row.clone())?, event).await?;
            }
        }
    }
    Ok(())
}

fn applies(row: &rule::Model, expense: &Value) -> Result<bool> {
    let Some(condition) = &row.condition else { return Ok(true) };
    let condition = Condition::read(condition)
        .map_err(|_| Error::Internal(format!("the condition of rule {} is none", row.id)))?;
    Ok(condition.holds(expense))
}

async fn apply(tx: &Tx, actor: &Actor, rule: Rule, event: &event::Model) -> Result<()> {
    let by = Actor { author: Author::Rule(rule.id), ..actor.clone() };
    let changed = tx.savepoint(async |tx| act(tx, &by, &rule, event).await).await?;
    let error = match changed {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let Some(code) = refusal(&error) else { return Err(error) };
    let data = json!({
        "id": rule.id,
        "name": rule.name,
        "event_id": event.id,
        "entity": event.entity,
        "entity_id": event.entity_id,
        "code": code,
        "detail": error.to_string(),
    });
    tx.record_notice::<Rule>(&(&by).into(), Verb::Skipped, (rule.id, rule.version), data).await
}

/// All that the rule says, or nothing.
async fn act(tx: &Tx, by: &Actor, rule: &Rule, event: &event::Model) -> Result<()> {
    change(tx, by, rule, event.entity_id).await?;
    task_creation::create_tasks(tx, by, &rule.then, event).await
}

async fn change(tx: &Tx, by: &Actor, rule: &Rule, id: Uuid) -> Result<()> {
    let current = Expense::find(tx, by, id).await?;
    if !rule.then.iter().any(Action::is_change) {
        return Ok(());
    }
    changeable(current.status, by)?;
    let version = current.version;
    let shown = serde_json::to_value(current)
        .map_err(|error| Error::Internal(format!("a resource cannot be shown: {error}")))?;
    let changes = changes(&shown, &rule.then);
    if changes.is_empty() {
        return Ok(());
    }
    let change = Change::from_body(changes.into())?;
    Expense::change(tx, by, id, Expected::Version(version), &change).await.map(drop)
}

/// Whether a rule may change an expense: as a person may, but for a rejected one, which would be a
/// draft again.
pub(super) fn changeable(status: Status, actor: &Actor) -> Result<()> {
    if status == Status::Rejected {
        return Err(Error::state("wrong_status", "a rule cannot change a rejected expense"));
    }
    expense::rules::changeable(status, actor.settings.approval_required)
}

/// The code of an error that would be the same however often one tries: the change is not to be had.
fn refusal(error: &Error) -> Option<&'static str> {
    match error {
        Error::State { code, .. } | Error::Forbidden { code, .. } => Some(code),
        Error::Invalid(_) => Some("invalid"),
        Error::NotFound(_) => Some("not_found"),
        Error::Reference => Some("reference"),
        _ => None,
    }
}

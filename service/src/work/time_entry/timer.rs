//! Timers: entries that have begun and not ended. A member has one at most.

use uuid::Uuid;
use validator::Validate;

use super::{
    StopInput, TimeEntry, TimeEntryInput, TimerInput, repository,
    rules::{self, MAX_DURATION},
    write,
};
use crate::{
    actor::Actor,
    error::{Error, Result, violations},
    event::Verb,
    idempotency::WriteOnce,
    input::{Create, TransitionBody},
    resource::{Changeable, Writable},
    store::{Tx, versioned::Expected},
    work::timecard,
};

/// Starts a timer.
pub async fn start(
    store: WriteOnce<'_, TimeEntry>,
    actor: &Actor,
    new: Create<TimerInput>,
) -> Result<TimeEntry> {
    let (connection, now) = (store.read(), store.now());
    let written = {
        let (actor, new) = (actor.clone(), new.clone());
        store
            .read_committed()
            .write(async move |tx| {
                let input = new.input.clone().entry(tx.now());
                TimeEntry::create(tx, &actor, &Create { id: new.id, input }).await
            })
            .await
    };
    match written {
        Err(Error::Reference) => {
            let input = new.input.entry(now);
            Err(TimeEntry::unknown_reference(connection, actor, &input).await?)
        }
        other => other,
    }
}

/// Stops a timer.
pub async fn stop(
    store: WriteOnce<'_, TimeEntry>,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: TransitionBody<StopInput>,
) -> Result<TimeEntry> {
    let actor = actor.clone();
    store
        .read_committed()
        .write(async move |tx| {
            let row = repository::get(tx, actor.organization_id, id).await?;
            let current = TimeEntry::try_from(row.clone())?;
            rules::may_record(&actor, row.member_id)?;
            expected.check(row.version, &current)?;
            let StopInput { ended_at } = body.input()?;
            if !current.running {
                return Err(Error::state("not_running", "the timer is not running"));
            }
            let now = tx.now_after(row.started_at.to_utc());
            let ended_at = Some(ended_at.unwrap_or(now));
            let input = TimeEntryInput { ended_at, ..current.input() };
            input.validate().map_err(|errors| ends_badly(violations(&errors)))?;
            write::update(tx, &actor, Verb::Stopped, &row, &current, input).await
        })
        .await
}

/// Whatever is wrong with the entry now, the end is: the rest of it was right before.
fn ends_badly(mut found: crate::error::Violations) -> Error {
    for violation in &mut found {
        if violation.pointer != "/ended_at" {
            violation.message = "must not be before the end of a break".into();
            violation.pointer = "/ended_at".into();
        }
    }
    Error::Invalid(found)
}

/// Stops the timer of a member, if one runs, whatever it says: now, or 31 days after its start if that was
/// earlier; breaks are cut there.
pub(crate) async fn stop_of(tx: &Tx, actor: &Actor, member_id: Uuid) -> Result<Option<TimeEntry>> {
    timecard::lock_members(tx, actor.organization_id, [member_id]).await?;
    let Some(row) = repository::running_of(tx, actor.organization_id, member_id).await? else {
        return Ok(None);
    };
    let current = TimeEntry::try_from(row.clone())?;
    let start = row.started_at.to_utc();
    let end = tx.now_after(start).min(start + MAX_DURATION);
    let mut input = TimeEntryInput { ended_at: Some(end), ..current.input() };
    input.breaks.retain(|pause| pause.started_at < end);
    for pause in &mut input.breaks {
        pause.ended_at = pause.ended_at.min(end);
    }
    write::update(tx, actor, Verb::Stopped, &row, &current, input).await.map(Some)
}

//! Offboards a member: their open tasks go to somebody else, their timer stops, their open timecards are
//! submitted, and last of all their API keys and their access end.
//!
//! Only the last step cannot be undone, and so all of it is one: while access can still be refused to end,
//! no key has. Until then the member works on, so it begins with what they were given since.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::OffboardingInput;
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::{self, Visibility},
    idempotency::WriteOnce,
    identity::member::{self, Member},
    input::{Change, FromBody, TransitionBody},
    resource::{Changeable, Resource},
    saga::{self, Kind, Run, Saga, StepKind, StepResult, Work, repository, undo_unless_changed},
    store::{
        Tx,
        versioned::{self, Expected},
    },
    work::{
        task::{self, Task},
        time_entry,
        timecard::{self, Timecard},
    },
};

/// How many tasks one transaction gives away, or back.
const BATCH_SIZE: u64 = 50;

pub(crate) const KIND: Kind = Kind {
    name: "offboarding",
    steps: &[
        StepKind {
            name: "check",
            run: Run::Local(|_, _, _| Box::pin(async { Ok(StepResult::Done) })),
            undo: None,
        },
        StepKind {
            name: "tasks",
            run: Run::Local(|tx, actor, work| Box::pin(reassign_tasks(tx, actor, work))),
            undo: Some(|tx, actor, work| Box::pin(return_tasks(tx, actor, work))),
        },
        // A timer that was stopped stays so: what was worked until then was worked.
        StepKind {
            name: "timer",
            run: Run::Local(|tx, actor, work| Box::pin(stop_timer(tx, actor, work))),
            undo: None,
        },
        StepKind {
            name: "timecards",
            run: Run::Local(|tx, actor, work| Box::pin(submit(tx, actor, work))),
            undo: Some(|tx, actor, work| Box::pin(reopen(tx, actor, work))),
        },
        StepKind {
            name: "access",
            run: Run::Local(|tx, actor, work| Box::pin(end_access(tx, actor, work))),
            undo: None,
        },
    ],
    pivot: 4,
};

/// What an offboarding knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct OffboardingData {
    reassign_to_member_id: Option<Uuid>,
    note: Option<String>,
}

impl OffboardingData {
    fn of(work: &Work) -> Result<Self> {
        serde_json::from_value(work.data.clone())
            .map_err(|error| Error::Internal(format!("a saga's data cannot be read: {error}")))
    }
}

/// Begins to offboard a member whose role is not above one's own.
pub async fn offboard(
    store: WriteOnce<'_, Saga>,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: TransitionBody<OffboardingInput>,
) -> Result<Saga> {
    let actor = actor.clone();
    store.write(async move |tx| begin(tx, &actor, id, expected.clone(), &body).await).await
}

async fn begin(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: &TransitionBody<OffboardingInput>,
) -> Result<Saga> {
    let organization_id = actor.organization_id;
    let row = member::repository::get(tx, organization_id, id).await?;
    member::ensure_may_manage(actor, &row)?;
    expected.check(row.version, &Member::try_from(row.clone())?.redacted_for(actor))?;
    let OffboardingInput { reassign_to_member_id, note } = body.input()?;
    if reassign_to_member_id == Some(id) {
        return Err(refused("same", "must identify another member"));
    }
    match ensure_successor_active(tx, organization_id, reassign_to_member_id).await {
        Err(Error::NotFound(_)) => {
            return Err(refused("unknown", "must identify a member of the organization"));
        }
        Err(Error::State { .. }) => {
            return Err(refused("inactive", "must identify an active member"));
        }
        other => other?,
    }
    member::ensure_not_last_owner(tx, &row).await?;
    // Of two that begin at once, the second waits here, and then sees the first.
    versioned::lock::<entity::member::Entity>(tx, &row).await?;
    if repository::is_under_way(tx, organization_id, KIND.name, id).await? {
        return Err(Error::state(
            "offboarding_under_way",
            "an offboarding of the member is in progress",
        ));
    }
    let data = OffboardingData { reassign_to_member_id, note };
    saga::start(tx, actor, &KIND, (tx.new_id(), id), json!(data)).await
}

fn refused(code: &'static str, message: &'static str) -> Error {
    Error::invalid("/reassign_to_member_id", code, message)
}

/// Whether whoever takes the tasks is there to do so.
async fn ensure_successor_active(tx: &Tx, organization_id: Uuid, id: Option<Uuid>) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    if member::repository::get(tx, organization_id, id).await?.active {
        return Ok(());
    }
    Err(Error::state("taker_inactive", "the member who takes over the tasks is not active"))
}

async fn reassign_tasks(tx: &Tx, actor: &Actor, work: &Work) -> Result<StepResult> {
    let OffboardingData { reassign_to_member_id: to, .. } = OffboardingData::of(work)?;
    ensure_successor_active(tx, actor.organization_id, to).await?;
    let given = task::reassign_some(tx, actor, (work.subject_id, to), BATCH_SIZE).await?;
    record_writes(tx, actor, work, &given).await?;
    Ok(done_or_more(given.len()))
}

/// What is done of a step, after so much in one transaction.
fn done_or_more(count: usize) -> StepResult {
    if (count as u64) < BATCH_SIZE { StepResult::Done } else { StepResult::More }
}

async fn record_writes<R: Resource>(
    tx: &Tx,
    actor: &Actor,
    work: &Work,
    written: &[R],
) -> Result<()> {
    let of = (actor.organization_id, work.saga_id);
    let written = written.iter().map(|resource| (resource.id(), resource.version()));
    repository::record_writes(tx, of, R::ENTITY, written).await
}

/// Makes each task that nobody has touched since what it was before.
async fn return_tasks(tx: &Tx, actor: &Actor, work: &Work) -> Result<StepResult> {
    let of = (actor.organization_id, work.saga_id);
    let given = repository::take_writes(tx, of, Task::ENTITY, BATCH_SIZE).await?;
    for (id, version) in given.iter().copied() {
        let body = TransitionBody::from_body(json!({ "to_version": version - 1 }))?;
        undo_unless_changed(tx, async |tx| {
            let (seen, log) = (Visibility::unscoped(), actor.organization_id);
            let back = event::revert_to::<Task, _>(tx, &seen, log, id, &body).await?;
            Task::change(tx, actor, id, Expected::Version(version), &back).await.map(drop)
        })
        .await?;
    }
    Ok(done_or_more(given.len()))
}

async fn stop_timer(tx: &Tx, actor: &Actor, work: &Work) -> Result<StepResult> {
    time_entry::stop_of(tx, actor, work.subject_id).await?;
    Ok(StepResult::Done)
}

async fn submit(tx: &Tx, actor: &Actor, work: &Work) -> Result<StepResult> {
    let submitted = timecard::submit_all(tx, actor, work.subject_id).await?;
    record_writes(tx, actor, work, &submitted).await?;
    Ok(StepResult::Done)
}

/// Opens each timecard again that nobody has decided since.
async fn reopen(tx: &Tx, actor: &Actor, work: &Work) -> Result<StepResult> {
    let of = (actor.organization_id, work.saga_id);
    let submitted = repository::take_writes(tx, of, Timecard::ENTITY, BATCH_SIZE).await?;
    for card in submitted.iter().copied() {
        undo_unless_changed(tx, async |tx| {
            timecard::reopen_submitted(tx, actor, card, work.reason.clone()).await.map(drop)
        })
        .await?;
    }
    Ok(done_or_more(submitted.len()))
}

/// Ends what lets the member in; before that, all once more that they have come to have since.
async fn end_access(tx: &Tx, actor: &Actor, work: &Work) -> Result<StepResult> {
    if reassign_tasks(tx, actor, work).await? == StepResult::More {
        return Ok(StepResult::More);
    }
    stop_timer(tx, actor, work).await?;
    submit(tx, actor, work).await?;
    let row = member::repository::get(tx, actor.organization_id, work.subject_id).await?;
    if row.active {
        let inactive = Change::from_body(json!({ "active": false }))?;
        Member::change(tx, actor, row.id, Expected::Version(row.version), &inactive).await?;
    } else {
        member::end_access(tx, actor, &row, false).await?;
    }
    Ok(StepResult::Done)
}

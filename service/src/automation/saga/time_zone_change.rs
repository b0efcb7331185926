//! Puts the open tasks of an organization in their places after it has changed its time zone, where they are more
//! than one transaction takes: some at a time, so that nobody waits.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    actor::Actor,
    error::{Error, Result},
    saga::{self, Kind, Run, StepKind, StepResult, Work, repository},
    store::Tx,
    work::task,
    zone::Zone,
};

pub(crate) const KIND: Kind = Kind {
    name: "time_zone_change",
    steps: &[
        StepKind {
            name: "change",
            run: Run::Local(|_, _, _| Box::pin(async { Ok(StepResult::Done) })),
            undo: None,
        },
        StepKind {
            name: "tasks",
            run: Run::Local(|tx, actor, work| Box::pin(tasks(tx, actor, work))),
            undo: None,
        },
    ],
    pivot: 0,
};

/// What it knows.
#[derive(Debug, Serialize, Deserialize)]
struct TimeZoneChangeData {
    /// Where the tasks go on.
    cursor: String,
}

/// Puts the first open tasks in their places in another time zone, and begins to do so with the others, if there are
/// any.
pub(crate) async fn begin(tx: &Tx, actor: &Actor, zone: Zone) -> Result<()> {
    let organization_id = actor.organization_id;
    if let Some(cursor) = task::rezone(tx, organization_id, zone, None).await? {
        let data = json!(TimeZoneChangeData { cursor });
        saga::start(tx, actor, &KIND, (tx.new_id(), organization_id), data).await?;
    }
    Ok(())
}

/// In the time zone of now: that it is changed once more meanwhile is another saga.
async fn tasks(tx: &Tx, actor: &Actor, work: &Work) -> Result<StepResult> {
    let TimeZoneChangeData { cursor } = serde_json::from_value(work.data.clone())
        .map_err(|error| Error::Internal(format!("a saga's data cannot be read: {error}")))?;
    let (organization_id, zone) = (actor.organization_id, actor.settings.time_zone);
    let next = task::rezone(tx, organization_id, zone, Some(cursor)).await?;
    let Some(cursor) = next else { return Ok(StepResult::Done) };
    repository::update_data(
        tx,
        (organization_id, work.saga_id),
        json!(TimeZoneChangeData { cursor }),
    )
    .await?;
    Ok(StepResult::More)
}

//! Asks the managers to look at a meter whose value has passed a limit: once for each excursion, since the log tells of
//! each once.

use entity::event;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    actor::Actor,
    consumer::{Consumer, Start},
    error::{Error, Result},
    input::{Create, FromBody},
    meter::meter::{Meter, repository},
    resource::{Changeable, Writable},
    store::Tx,
    work::{project, task::Task},
};

/// The consumer. It is as old as what it listens to.
pub(crate) const CONSUMER: Consumer = Consumer {
    name: "meter_limits",
    kinds: &["meter.limit_passed"],
    start: Start::Beginning,
    relevant_to: |connection, organizations| {
        Box::pin(repository::with_limits(connection, organizations))
    },
    react: |tx, actor, events| Box::pin(react(tx, actor, events)),
};

async fn react(tx: &Tx, actor: &Actor, events: &[event::Model]) -> Result<()> {
    for event in events {
        let Some(title) = event.data.as_ref().and_then(title) else { continue };
        match Meter::find(tx, actor, event.entity_id).await {
            Ok(meter) => {
                let new = json!({
                    "title": title,
                    "assignee_role": "manager",
                    "project_id": open_project(tx, actor, &meter).await?,
                    "metadata": { "meter_id": meter.id },
                });
                Task::create(tx, actor, &Create::from_body(new)?).await?;
            }
            // It is gone by now.
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The project of the meter, unless it takes no new tasks.
async fn open_project(tx: &Tx, actor: &Actor, meter: &Meter) -> Result<Option<Uuid>> {
    let taken = project::ensure_accepts_new(tx, actor.organization_id, None, meter.project_id);
    match taken.await {
        Ok(()) => Ok(meter.project_id),
        Err(Error::State { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a limit that was passed is called in a list of tasks.
fn title(data: &Value) -> Option<String> {
    let name = data["name"].as_str()?;
    let (side, limit) = (data["limit"].as_str()?, &data["limit_value"]);
    let beyond = if side == "high" { "above" } else { "below" };
    let (value, unit) = (&data["value"], data["unit"].as_str()?);
    Some(format!("Check {name}: {value} {unit} is {beyond} {limit}"))
}

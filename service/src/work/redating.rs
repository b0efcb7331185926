//! What was written with other rules of time zones than those of today: found by working it out again, and
//! written anew where somebody asks for that.
//!
//! A row keeps instants, and the days that come of them. Where a government has changed its clock since, the
//! instants stay what they are and the days do not: those are worked out again here. What was a local time when
//! it came in, as in an imported file, and is an instant now, is nothing that anybody could find.

use sea_orm::ConnectionTrait;
use uuid::Uuid;

pub use crate::work::misdated::Field;
use crate::{
    actor::Actor,
    error::{Error, Result},
    identity::{access, organization},
    store::Store,
    work::{
        misdated::{Chunk, Misdated, Zones},
        task, time_entry,
    },
};

/// How many rows are read at once.
const CHUNK_ROWS: u64 = 500;

/// A row that is not what it would be if it were written today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The organization.
    pub organization_id: Uuid,
    /// What kind of row: `time_entry` or `task`.
    pub entity: &'static str,
    /// Its id.
    pub id: Uuid,
    /// What of it.
    pub field: Field,
    /// What is stored.
    pub stored: String,
    /// What it would be.
    pub right: String,
    /// What has been done about it.
    pub outcome: Outcome,
}

/// What has been done about a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing: nobody has asked.
    Found,
    /// It is written anew.
    Redated,
    /// It stays as it is, since it may not be changed: why.
    Kept(String),
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many rows.
    pub checked: u64,
    /// How many differ.
    pub found: u64,
    /// How many of those were written anew.
    pub redated: u64,
}

/// Looks at all rows of all organizations, some at a time, and tells of each that differs; with `redate`, after
/// writing it anew in a transaction of its own, as a change by the operator.
///
/// # Errors
/// If the database fails. What was written before stays.
pub async fn verify(
    store: &Store,
    redate: bool,
    mut told: impl FnMut(&Difference),
) -> Result<Summary> {
    let mut summary = Summary::default();
    let mut after = None;
    loop {
        let ids = organization::repository::ids_after(store.read(), after, CHUNK_ROWS).await?;
        let Some(last) = ids.last() else { return Ok(summary) };
        after = Some(*last);
        for id in ids {
            verify_one(store, id, redate, (&mut summary, &mut told)).await?;
        }
    }
}

async fn verify_one(
    store: &Store,
    organization_id: Uuid,
    redate: bool,
    (summary, told): (&mut Summary, &mut impl FnMut(&Difference)),
) -> Result<()> {
    let actor = match access::operator(store, organization_id, None).await {
        // It has gone meanwhile.
        Err(Error::NotFound(_)) => return Ok(()),
        other => other?,
    };
    let zones = Zones::read(store.read(), &actor).await?;
    for entity in ["time_entry", "task"] {
        let mut after = None;
        loop {
            let chunk = chunk_of(store.read(), &actor, &zones, entity, after).await?;
            summary.checked += chunk.checked;
            for Misdated { id, field, stored, right } in chunk.misdated {
                summary.found += 1;
                let outcome = match redate {
                    true => rewrite(store, &actor, &zones, (field, id)).await?,
                    false => Outcome::Found,
                };
                summary.redated += u64::from(outcome == Outcome::Redated);
                told(&Difference { organization_id, entity, id, field, stored, right, outcome });
            }
            after = chunk.last;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(())
}

async fn chunk_of(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    zones: &Zones,
    entity: &str,
    after: Option<Uuid>,
) -> Result<Chunk> {
    match entity {
        "task" => task::redate::chunk(connection, actor, (after, CHUNK_ROWS)).await,
        _ => time_entry::redate::chunk(connection, actor, zones, (after, CHUNK_ROWS)).await,
    }
}

/// Writes a row anew; who may not be changed any more, stays.
async fn rewrite(
    store: &Store,
    actor: &Actor,
    zones: &Zones,
    (field, id): (Field, Uuid),
) -> Result<Outcome> {
    // Writes of time follow one another (docs/decisions/0012).
    let store = if field == Field::Days { store.read_committed() } else { store.clone() };
    let actor = actor.clone();
    let zones = zones.clone();
    let written = store
        .write(async move |tx| match &field {
            Field::Days => time_entry::redate::redate(tx, &actor, &zones, id).await,
            Field::DueAt => task::redate::redate(tx, &actor, id).await,
            Field::DueKey => task::redate::update_due_key(tx, &actor, id).await,
        })
        .await;
    match written {
        Ok(()) => Ok(Outcome::Redated),
        Err(error @ (Error::State { .. } | Error::NotFound(_) | Error::Stale(_))) => {
            Ok(Outcome::Kept(error.to_string()))
        }
        Err(error @ (Error::Invalid(_) | Error::Forbidden { .. })) => {
            Ok(Outcome::Kept(error.to_string()))
        }
        Err(other) => Err(other),
    }
}

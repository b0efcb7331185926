//! When tasks are due by the rules of time zones that are known today.

use chrono::{DateTime, SubsecRound, Utc};
use entity::task;
use sea_orm::ConnectionTrait;
use serde_json::json;
use uuid::Uuid;

use super::{Task, recurrence, repository, rules};
use crate::{
    actor::Actor,
    error::Result,
    event,
    input::{Change, FromBody},
    resource::{Changeable, Resource},
    store::{Tx, page::PageQuery, versioned::Expected},
    work::misdated::{Chunk, Field, Misdated},
    zone::Zone,
};

/// How many open tasks one transaction puts in their places.
const BATCH_SIZE: u64 = 200;

/// Some open tasks that are due at an instant, and which of them are at another one by now. Of the first of a series,
/// and of one that somebody has put off, the instant is what a client said.
pub(crate) async fn chunk(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    (after, limit): (Option<Uuid>, u64),
) -> Result<Chunk> {
    let rows = repository::open_due_at(connection, actor.organization_id, (after, limit)).await?;
    let mut chunk = Chunk { checked: rows.len() as u64, ..Chunk::default() };
    chunk.last = rows.last().map(|row| row.id);
    for row in rows {
        let Some(due_at) = row.due_at.map(|at| at.to_utc()) else { continue };
        let key = key_of(actor, due_at);
        let misdated = if let Some(right) = corrected_due_at(connection, &row, due_at).await? {
            let (stored, right) = (due_at.to_rfc3339(), right.to_rfc3339());
            Misdated { id: row.id, field: Field::DueAt, stored, right }
        } else if row.due_key != key {
            Misdated { id: row.id, field: Field::DueKey, stored: row.due_key, right: key }
        } else {
            continue;
        };
        chunk.misdated.push(misdated);
    }
    Ok(chunk)
}

fn key_of(actor: &Actor, due_at: DateTime<Utc>) -> String {
    rules::due_key(Some(rules::Due::At(due_at)), actor.settings.time_zone)
}

/// When one that its series has made is due, where that is not when it says.
async fn corrected_due_at(
    connection: &impl ConnectionTrait,
    row: &task::Model,
    due_at: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let (Some(rule), Some(from), Some(_)) =
        (&row.recurrence, &row.recurs_from, row.previous_task_id)
    else {
        return Ok(None);
    };
    // A series is counted in whole seconds.
    let Some(right) = recurrence::nearest(rule, from, due_at.trunc_subsecs(0)) else {
        return Ok(None);
    };
    if right == due_at {
        return Ok(None);
    }
    let log = row.organization_id;
    let made = event::repository::version(connection, log, Task::ENTITY, row.id, 1).await?;
    let made = made.and_then(|event| event.data?["due_at"].as_str()?.parse().ok());
    Ok((made == Some(due_at)).then_some(right))
}

/// Puts a task off to when its series means it to be due.
pub(crate) async fn redate(tx: &Tx, actor: &Actor, id: Uuid) -> Result<()> {
    let row = repository::get(tx, actor.organization_id, id).await?;
    let due_at = row.due_at.map(|at| at.to_utc()).filter(|_| row.open);
    let Some(due_at) = due_at else { return Ok(()) };
    let Some(right) = corrected_due_at(tx, &row, due_at).await? else { return Ok(()) };
    let change = Change::from_body(json!({ "due_at": right }))?;
    Task::change(tx, actor, id, Expected::Version(row.version), &change).await.map(drop)
}

/// Puts a task in its place among those that are due.
pub(crate) async fn update_due_key(tx: &Tx, actor: &Actor, id: Uuid) -> Result<()> {
    let row = repository::get(tx, actor.organization_id, id).await?;
    let Some(due_at) = row.due_at.filter(|_| row.open) else { return Ok(()) };
    repository::update_due_key(tx, actor.organization_id, id, &key_of(actor, due_at.to_utc())).await
}

/// Puts the next open tasks that are due at an instant in their places where the clock on the wall is another from now
/// on, and says where to go on, if there are more. One that has moved on meanwhile is met again and stays.
pub(crate) async fn rezone(
    tx: &Tx,
    organization_id: Uuid,
    zone: Zone,
    cursor: Option<String>,
) -> Result<Option<String>> {
    let query = PageQuery { limit: Some(BATCH_SIZE), cursor };
    let page = repository::open_by_due(tx, organization_id, &query).await?;
    let never = rules::due_key(None, zone);
    let has_more = page.items.last().is_some_and(|row| row.due_key != never);
    for row in page.items {
        let Some(due_at) = row.due_at else { continue };
        let key = rules::due_key(Some(rules::Due::At(due_at.to_utc())), zone);
        if key != row.due_key {
            repository::update_due_key(tx, organization_id, row.id, &key).await?;
        }
    }
    Ok(page.next_cursor.filter(|_| has_more))
}

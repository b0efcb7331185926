//! What happens to many tasks at once.

use entity::task;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{Task, commands::write_parts, repository, rotation};
use crate::{
    actor::Actor,
    error::Result,
    event::Verb,
    store::{Tx, versioned},
};

/// How many are read at once.
const BATCH_SIZE: u64 = 200;

/// Gives the open tasks of a member to another, or to nobody, and takes them out of all rotations: in those
/// it is the turn of one of the others, if there are any. Says how many tasks that changed.
pub async fn reassign(tx: &Tx, actor: &Actor, from: Uuid, to: Option<Uuid>) -> Result<u64> {
    let mut changed = 0;
    loop {
        let some = reassign_some(tx, actor, (from, to), BATCH_SIZE).await?.len() as u64;
        changed += some;
        if some < BATCH_SIZE {
            return Ok(changed);
        }
    }
}

/// [`reassign`] for so many of them at most, and gives those: where there are fewer, that was all.
pub(crate) async fn reassign_some(
    tx: &Tx,
    actor: &Actor,
    (from, to): (Uuid, Option<Uuid>),
    limit: u64,
) -> Result<Vec<Task>> {
    let mut reassigned = Vec::new();
    for row in repository::open_of(tx, actor.organization_id, from, limit).await? {
        reassigned.push(reassign_one(tx, actor, row, from, to).await?);
    }
    Ok(reassigned)
}

async fn reassign_one(
    tx: &Tx,
    actor: &Actor,
    row: task::Model,
    from: Uuid,
    to: Option<Uuid>,
) -> Result<Task> {
    let before = Task::try_from(row.clone())?;
    let others = before.rotation.iter().copied().filter(|member| *member != from);
    let mut left = rotation::with_members(&before.turns, &others.collect::<Vec<_>>());
    let mut next = task::ActiveModel::default();
    if before.assignee_member_id == Some(from) {
        let away = repository::inactive_members(tx, actor.organization_id, &left).await?;
        left = rotation::carry_absent(&left, &away);
        next.assignee_member_id = Set(rotation::next(&left, &away).or(to));
    }
    next.turns = Set(rotation::to_json(&left));
    let changed = versioned::update(tx, actor, Verb::Updated, &row, next, Task::try_from).await?;
    write_parts(tx, actor, (&row, &row.due_key), &before, &changed).await?;
    Ok(changed)
}

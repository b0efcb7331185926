//! What follows one that recurs: made when it is finished or cancelled, and taken back when that is undone.

use entity::task;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{
    Status, Task, TaskInput, Turn,
    commands::{insert, new_row},
    recurrence, repository, rotation,
};
use crate::{
    actor::Actor,
    error::{Error, Result},
    store::{Tx, versioned},
    work::project,
};

/// The next one of a series, before it is written.
pub(super) struct NextTask {
    id: Uuid,
    row: task::ActiveModel,
}

impl NextTask {
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// Writes it, after the one that was finished.
    pub(super) async fn insert(self, tx: &Tx, actor: &Actor, previous: Uuid) -> Result<Task> {
        let row = task::ActiveModel {
            id: Set(self.id),
            previous_task_id: Set(Some(previous)),
            ..self.row
        };
        insert(tx, actor, row).await
    }
}

/// Counts the turn of one that is closed now, if it is done, and says what follows it: nothing where it
/// does not recur, has come to its end, or is for a project that takes nothing new.
pub(super) async fn close(
    tx: &Tx,
    actor: &Actor,
    closed: &TaskInput,
    turns: &mut [Turn],
    recurs_from: Option<&str>,
) -> Result<Option<NextTask>> {
    let (Some(rule), Some(from), Some(due)) = (&closed.recurrence, recurs_from, closed.due())
    else {
        return Ok(None);
    };
    if closed.status == Status::Done {
        rotation::count(turns, closed.assignee_member_id, 1);
    }
    let now = tx.now();
    let moment = (now, actor.settings.day_of(now));
    let Some(due) = recurrence::next(rule, from, due, moment) else { return Ok(None) };
    match project::ensure_accepts_new(tx, actor.organization_id, None, closed.project_id).await {
        Err(Error::State { .. }) => return Ok(None),
        other => other?,
    }
    let away = repository::inactive_members(tx, actor.organization_id, turns).await?;
    let turns = rotation::carry_absent(turns, &away);
    let whose = rotation::next(&turns, &away);
    let input = TaskInput {
        status: Status::Pending,
        due_on: due.on(),
        due_at: due.at(),
        assignee_member_id: if turns.is_empty() { closed.assignee_member_id } else { whose },
        ..closed.clone()
    };
    let row = new_row(tx, actor, &input, &turns, Some(from.to_owned()));
    Ok(Some(NextTask { id: tx.new_id(), row }))
}

/// Takes back what closing a task has done: its turn, and the next one, while nobody has touched that.
///
/// # Errors
/// [`Error::State`] where somebody has.
pub(super) async fn reopen_previous(
    tx: &Tx,
    actor: &Actor,
    closed: &Task,
    turns: &mut [Turn],
) -> Result<()> {
    if closed.recurrence.is_some() && closed.status == Status::Done {
        rotation::count(turns, closed.assignee_member_id, -1);
    }
    let Some(next) = closed.next_task_id else { return Ok(()) };
    let row = versioned::find::<task::Entity>(tx, actor.organization_id, next).await?;
    let Some(row) = row else { return Ok(()) };
    let started = || {
        Error::state("next_started", "the next task of the series has been changed or worked on")
    };
    let next = Task::try_from(row.clone())?;
    if next.version != 1 || next.status != Status::Pending {
        return Err(started());
    }
    let removed = versioned::delete(tx, actor, &row, &next).await;
    removed.map_err(|error| match error {
        // Time was recorded for it.
        Error::Reference => started(),
        other => other,
    })
}

use entity::{task, task_tag};
use sea_orm::{ActiveValue::Set, ConnectionTrait};
use uuid::Uuid;

use super::{
    Status, Task, TaskInput, TaskQuery, Turn, recurrence, repository, rotation,
    rules::{self, Due},
    series::{self, NextTask},
};
use crate::{
    actor::Actor,
    attachment::{self, ParentKind},
    details,
    error::{Error, Result},
    event::Verb,
    input::{Change, Create},
    resource::{Changeable, Readable, Resource, Writable, versioned},
    role::Permission,
    store::{
        Store, Tx, children, log,
        page::Page,
        stored::StoredWord,
        versioned::{self, Expected},
    },
    text::lower,
    work::project,
};

versioned!(Task);

impl Resource for Task {
    const ENTITY: &'static str = "task";
    const READ: Permission = Permission::ReadWork;
    const VERBS: &'static [Verb] = &[
        Verb::Created,
        Verb::Updated,
        Verb::Reverted,
        Verb::Finished,
        Verb::Reopened,
        Verb::Cancelled,
        Verb::Deleted,
    ];
}

impl Readable for Task {
    type Query = TaskQuery;

    /// The task.
    async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        Self::try_from(repository::get(store.read(), actor.organization_id, id).await?)
    }

    /// The tasks that a query asks for.
    async fn list(store: &Store, actor: &Actor, query: &TaskQuery) -> Result<Page<Self>> {
        let page = repository::list(store.read(), actor.organization_id, query).await?;
        page.try_map(Self::try_from)
    }
}

impl Changeable for Task {
    type Input = TaskInput;
    const WRITE: Permission = Permission::RecordTasks;

    fn input(&self) -> TaskInput {
        TaskInput {
            title: self.title.clone(),
            note: self.note.clone(),
            status: self.status,
            priority: self.priority,
            due_on: self.due_on,
            due_at: self.due_at,
            assignee_member_id: self.assignee_member_id,
            assignee_role: self.assignee_role,
            project_id: self.project_id,
            estimate_minutes: self.estimate_minutes,
            tags: self.tags.clone(),
            metadata: self.metadata.clone(),
            recurrence: self.recurrence.clone(),
            rotation: self.rotation.clone(),
        }
    }

    async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Self> {
        Self::try_from(repository::get(tx, actor.organization_id, id).await?)
    }

    async fn change(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        change: &Change<TaskInput>,
    ) -> Result<Self> {
        let row = repository::get(tx, actor.organization_id, id).await?;
        let current = Self::try_from(row.clone())?;
        expected.check(row.version, &current)?;
        let input = change.apply(&current.input())?;
        rules::new_recurrence(Some(&current), &input)?;
        rules::check_transition(current.status, input.status)?;
        rules::settled(&current, &input)?;
        let (before, after) = (current.project_id, input.project_id);
        project::ensure_accepts_new(tx, actor.organization_id, before, after).await?;
        write_change(tx, actor, change.verb(), row, current, input).await
    }

    async fn unknown_reference<C: ConnectionTrait>(
        connection: &C,
        actor: &Actor,
        input: &TaskInput,
    ) -> Result<Error> {
        repository::unknown_references(connection, actor, input).await
    }
}

impl Writable for Task {
    const IN_USE: &'static str = "time entries refer to the task; cancel the task instead";

    /// With a rotation, the first one begins.
    fn with_defaults(_: &Actor, mut input: TaskInput) -> TaskInput {
        input.assignee_member_id = input.assignee_member_id.or(input.rotation.first().copied());
        input
    }

    async fn create(tx: &Tx, actor: &Actor, new: &Create<TaskInput>) -> Result<Self> {
        let input = Self::with_defaults(actor, new.input.clone());
        rules::new_recurrence(None, &input)?;
        if input.recurrence.is_some() && !input.status.is_open() {
            let must = "must be open for a new recurring task";
            return Err(Error::invalid("/status", "closed", must));
        }
        project::ensure_accepts_new(tx, actor.organization_id, None, input.project_id).await?;
        let turns = turns_of(tx, actor, None, &input).await?;
        let from = recurs_from(actor, None, &input);
        let now = tx.now().fixed_offset();
        let row = task::ActiveModel {
            id: Set(log::new_id::<Self>(tx, actor.organization_id, new.id).await?),
            finished_at: Set((input.status == Status::Done).then_some(now)),
            ..new_row(tx, actor, &input, &turns, from)
        };
        insert(tx, actor, row).await
    }

    async fn delete(tx: &Tx, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
        let row = repository::get(tx, actor.organization_id, id).await?;
        let current = Self::try_from(row.clone())?;
        expected.check(row.version, &current)?;
        attachment::delete_all(tx, actor, ParentKind::Task, id).await?;
        versioned::delete(tx, actor, &row, &current).await
    }
}

/// Writes a new task with all that it is found by.
pub(super) async fn insert(tx: &Tx, actor: &Actor, row: task::ActiveModel) -> Result<Task> {
    let key = row.due_key.clone().take().unwrap_or_default();
    let made = versioned::insert(tx, actor, row, Task::try_from).await?;
    children::insert(tx, repository::tag_rows(actor.organization_id, &made, &key)).await?;
    children::insert(tx, repository::turn_rows(actor.organization_id, &made)).await?;
    Ok(made)
}

/// A new row, but for its id.
pub(super) fn new_row(
    tx: &Tx,
    actor: &Actor,
    input: &TaskInput,
    turns: &[Turn],
    recurs_from: Option<String>,
) -> task::ActiveModel {
    let now = tx.now().fixed_offset();
    task::ActiveModel {
        organization_id: Set(actor.organization_id),
        created_at: Set(now),
        updated_at: Set(now),
        ..columns(actor, input, turns, recurs_from)
    }
}

/// The columns of what a client may write.
pub(super) fn columns(
    actor: &Actor,
    input: &TaskInput,
    turns: &[Turn],
    recurs_from: Option<String>,
) -> task::ActiveModel {
    let TaskInput {
        title,
        note,
        status,
        priority,
        due_on,
        due_at,
        assignee_member_id,
        assignee_role,
        project_id,
        estimate_minutes,
        tags,
        metadata,
        recurrence,
        rotation: _,
    } = input;
    let note_key = note.as_deref().map(lower).unwrap_or_default();
    task::ActiveModel {
        search_key: Set(format!("{}\n{note_key}", lower(title))),
        title: Set(title.clone()),
        note: Set(note.clone()),
        status: Set(status.as_str().to_owned()),
        open: Set(status.is_open()),
        priority: Set(priority.as_str().to_owned()),
        pressing: Set(priority.is_pressing()),
        due_on: Set(*due_on),
        due_at: Set(due_at.map(|at| at.fixed_offset())),
        due_key: Set(rules::due_key(input.due(), actor.settings.time_zone)),
        assignee_member_id: Set(*assignee_member_id),
        assignee_role: Set(assignee_role.map(|role| role.as_str().to_owned())),
        project_id: Set(*project_id),
        estimate_minutes: Set(*estimate_minutes),
        tags: Set((!tags.is_empty()).then(|| tags.clone().into())),
        metadata: Set(metadata.clone().map(details::kept)),
        recurrence: Set(recurrence.clone()),
        recurs_from: Set(recurs_from),
        turns: Set(rotation::to_json(turns)),
        ..Default::default()
    }
}

/// Writes a change that is allowed, with what follows from it: finished, one that recurs has a next one;
/// taken up again, it has none.
async fn write_change(
    tx: &Tx,
    actor: &Actor,
    verb: Verb,
    row: task::Model,
    current: Task,
    mut input: TaskInput,
) -> Result<Task> {
    let (was_open, is_open) = (current.status.is_open(), input.status.is_open());
    let mut turns = current.turns.clone();
    if !was_open && is_open {
        series::reopen_previous(tx, actor, &current, &mut turns).await?;
    }
    let before = Task { turns, ..current.clone() };
    let mut turns = turns_of(tx, actor, Some(&before), &input).await?;
    input.assignee_member_id = resolve_assignee(tx, actor, &before, &input, &mut turns).await?;
    let from = recurs_from(actor, Some(&current), &input);
    let next = match (was_open, is_open) {
        (true, false) => series::close(tx, actor, &input, &mut turns, from.as_deref()).await?,
        _ => None,
    };
    let mut columns = columns(actor, &input, &turns, from);
    if was_open != is_open {
        columns.next_task_id = Set(next.as_ref().map(NextTask::id));
        let now = tx.now_after(current.updated_at).fixed_offset();
        columns.finished_at = Set((input.status == Status::Done).then_some(now));
    }
    let key = columns.due_key.clone().take().unwrap_or_default();
    let verb = rules::verb(verb, current.status, input.status);
    let changed = versioned::update(tx, actor, verb, &row, columns, Task::try_from).await?;
    write_parts(tx, actor, (&row, &key), &current, &changed).await?;
    if let Some(next) = next {
        next.insert(tx, actor, changed.id).await?;
    }
    Ok(changed)
}

/// Writes anew what a task is found by besides its row, where that has changed.
pub(super) async fn write_parts(
    tx: &Tx,
    actor: &Actor,
    (row, key): (&task::Model, &str),
    before: &Task,
    after: &Task,
) -> Result<()> {
    let organization_id = actor.organization_id;
    if before.tags != after.tags || row.due_key != key {
        if !before.tags.is_empty() {
            children::delete::<task_tag::Entity>(tx, organization_id, row.id).await?;
        }
        children::insert(tx, repository::tag_rows(organization_id, after, key)).await?;
    }
    if before.rotation != after.rotation {
        let turns = repository::turn_rows(organization_id, after);
        children::replace(tx, organization_id, row.id, turns).await?;
    }
    Ok(())
}

/// Where the recurrence counts from: from when the first one is due, or the one in which the rule was
/// written. One of the others may be put off, and the series stays as it was.
fn recurs_from(actor: &Actor, current: Option<&Task>, input: &TaskInput) -> Option<String> {
    input.recurrence.as_ref()?;
    let due = input.due()?;
    let anew = || Some(recurrence::start(due, actor.settings.time_zone));
    let Some(current) = current else { return anew() };
    let before = Due::of(current.due_on, current.due_at);
    let first = current.previous_task_id.is_none() && before != Some(due);
    let another_kind = before.is_none_or(|before| before.on().is_some() != due.on().is_some());
    if first || another_kind || current.recurrence != input.recurrence {
        return anew();
    }
    current.recurs_from.clone()
}

/// The turns of those who are to take them. Who joins is there.
async fn turns_of(
    tx: &Tx,
    actor: &Actor,
    before: Option<&Task>,
    input: &TaskInput,
) -> Result<Vec<Turn>> {
    let known = before.map_or(&[][..], |task| &task.turns);
    let turns = rotation::with_members(known, &input.rotation);
    let joins = |turn: &Turn| known.iter().all(|known| known.member_id != turn.member_id);
    let joining: Vec<_> = turns.iter().filter(|turn| joins(turn)).cloned().collect();
    let away = repository::inactive_members(tx, actor.organization_id, &joining).await?;
    match turns.iter().position(|turn| away.contains(&turn.member_id)) {
        None => Ok(turns),
        Some(index) => {
            let at = format!("/rotation/{index}");
            Err(Error::invalid(at, "inactive", "must identify an active member"))
        }
    }
}

/// Who does a task after a change: with a rotation, nobody before their turn. Whoever is away when that is
/// settled does not fall behind.
async fn resolve_assignee(
    tx: &Tx,
    actor: &Actor,
    before: &Task,
    input: &TaskInput,
    turns: &mut Vec<Turn>,
) -> Result<Option<Uuid>> {
    let (was, is) = (before.assignee_member_id, input.assignee_member_id);
    if turns.is_empty() || (was == is && before.rotation == input.rotation && is.is_some()) {
        return Ok(is);
    }
    let away = repository::inactive_members(tx, actor.organization_id, turns).await?;
    *turns = rotation::carry_absent(turns, &away);
    let left = |id| before.rotation.contains(&id) && !input.rotation.contains(&id);
    match is {
        Some(id) if was == is && left(id) => Ok(rotation::next(turns, &away)),
        Some(id) if was == is || rotation::is_turn_of(turns, id, &away) => Ok(is),
        Some(_) => {
            let must = "must identify the member whose turn it is";
            Err(Error::invalid("/assignee_member_id", "not_their_turn", must))
        }
        None => Ok(rotation::next(turns, &away)),
    }
}

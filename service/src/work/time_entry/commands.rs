use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{
    TimeEntry, TimeEntryInput, TimeEntryQuery, repository, rules,
    write::{self, New},
};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    input::{Change, Create},
    resource::{Changeable, Readable, Resource, Writable, versioned},
    role::Permission,
    store::{Isolation, Store, Tx, log, page::Page, versioned::Expected},
};

versioned!(TimeEntry);

impl Resource for TimeEntry {
    const ENTITY: &'static str = "time_entry";
    const READ: Permission = Permission::ReadWork;
    const VERBS: &'static [Verb] =
        &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::Stopped, Verb::Deleted];
}

impl Readable for TimeEntry {
    type Query = TimeEntryQuery;

    async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        Self::try_from(repository::get(store.read(), actor.organization_id, id).await?)
    }

    async fn list(store: &Store, actor: &Actor, query: &TimeEntryQuery) -> Result<Page<Self>> {
        repository::list(store.read(), actor, query).await?.try_map(Self::try_from)
    }
}

impl Changeable for TimeEntry {
    type Input = TimeEntryInput;
    const WRITE: Permission = Permission::RecordTime;
    /// The member is locked ([`crate::work::timecard::lock_members`]).
    const ISOLATION: Isolation = Isolation::ReadCommitted;

    fn input(&self) -> TimeEntryInput {
        TimeEntryInput {
            member_id: Some(self.member_id),
            project_id: self.project_id,
            task_id: self.task_id,
            started_at: self.started_at,
            ended_at: self.ended_at,
            day: self.day,
            minutes: self.minutes,
            breaks: self.breaks.clone(),
            billable: self.billable,
            cost_code: self.cost_code.clone(),
            note: self.note.clone(),
            tags: self.tags.clone(),
        }
    }

    async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Self> {
        Self::try_from(repository::get(tx, actor.organization_id, id).await?)
    }

    /// While none of its weeks is locked, before and after.
    async fn change(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        change: &Change<TimeEntryInput>,
    ) -> Result<Self> {
        let row = repository::get(tx, actor.organization_id, id).await?;
        let current = Self::try_from(row.clone())?;
        rules::may_record(actor, row.member_id)?;
        expected.check(row.version, &current)?;
        let input = change.apply(&current.input())?;
        write::update(tx, actor, change.verb(), &row, &current, input).await
    }

    async fn unknown_reference<C: ConnectionTrait>(
        connection: &C,
        actor: &Actor,
        input: &TimeEntryInput,
    ) -> Result<Error> {
        let inputs = [(String::new(), input)];
        repository::unknown_references(connection, actor.organization_id, inputs).await
    }
}

impl Writable for TimeEntry {
    const IN_USE: &'static str = "other resources refer to the time entry";

    fn with_defaults(actor: &Actor, mut input: TimeEntryInput) -> TimeEntryInput {
        input.member_id = input.member_id.or(actor.member_id);
        input
    }

    /// What is made for a task takes its project where none is named.
    fn normalized(&self, mut asked: TimeEntryInput) -> TimeEntryInput {
        if asked.task_id.is_some() && asked.project_id.is_none() {
            asked.project_id = self.project_id;
        }
        asked
    }

    async fn create(tx: &Tx, actor: &Actor, new: &Create<TimeEntryInput>) -> Result<Self> {
        let input = settled(actor, &new.input)?;
        let id = log::new_id::<Self>(tx, actor.organization_id, new.id).await?;
        let written = write::insert(tx, actor, vec![New { id, input, import_key: None }]).await?;
        match (written.refused.into_iter().next(), written.made.into_iter().next()) {
            (Some((_, error)), _) => Err(error),
            (None, Some((_, made))) => Ok(made),
            (None, None) => Err(Error::Internal("a new entry was not made".into())),
        }
    }

    /// While none of its weeks is locked.
    async fn delete(tx: &Tx, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
        let row = repository::get(tx, actor.organization_id, id).await?;
        let current = Self::try_from(row.clone())?;
        rules::may_record(actor, row.member_id)?;
        expected.check(row.version, &current)?;
        write::delete(tx, actor, &row, &current).await
    }
}

/// What a new entry is to be, whose it is included, under the rules for who may record for whom.
pub(super) fn settled(actor: &Actor, input: &TimeEntryInput) -> Result<TimeEntryInput> {
    let member_id = rules::member_or_self(actor, input.member_id)?;
    rules::may_record(actor, member_id)?;
    Ok(TimeEntryInput { member_id: Some(member_id), ..input.clone() })
}

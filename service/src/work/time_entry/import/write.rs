//! What an import writes.

use std::collections::{HashMap, HashSet};

use entity::{project as table, time_entry::Entity};
use uuid::Uuid;

use super::{
    TimeImport,
    directory::{Directory, Found},
    rows::{Named, Parsed, Person},
    times::When,
};
use crate::{
    actor::Actor,
    csv::{Identity, RowError},
    error::{Error, Result},
    identity::{
        member::{Member, MemberInput},
        organization,
    },
    import::{Written, history},
    resource::{Resource, Writable},
    role::Role,
    store::{Tx, stored::StoredWord, versioned},
    text::fold,
    work::{
        project::{self, Project, ProjectInput},
        task::{self, Task, TaskInput},
        time_entry::{
            TimeEntry, TimeEntryInput,
            repository::{self, Titled},
            write::{self, New},
        },
    },
};

/// Writes those of these rows that are new and fit.
pub(super) async fn write(
    tx: &Tx,
    actor: &Actor,
    import: &TimeImport,
    rows: &[&Parsed],
) -> Result<Written> {
    let query = &import.query;
    if query.create_projects || query.create_tasks || query.create_members {
        // Names may be there twice: of two imports that make the same, one waits and finds it.
        organization::repository::lock(tx, actor.organization_id).await?;
    }
    let Entries { lines, news, mut written } = entries(tx, actor, import, rows, true).await?;
    let done = write::insert(tx, actor, news).await?;
    written.created = done.made.iter().map(|(_, entry)| entry.id).collect();
    let identities: HashMap<u64, &Identity> =
        rows.iter().map(|row| (row.line, &row.identity)).collect();
    let made = done
        .made
        .iter()
        .filter_map(|(index, entry)| Some((entry.id, *identities.get(lines.get(*index)?)?)));
    history::record(tx, actor.organization_id, made).await?;
    written.duplicates += done.known.len() as u64;
    written
        .errors
        .extend(done.refused.into_iter().map(|(index, error)| refused(lines[index], error)));
    written.errors.sort_by_key(|error| error.line);
    Ok(written)
}

/// What [`write()`] would do, and the lines of the rows that it would make entries of. Nobody is held, and nothing
/// is written.
pub(super) async fn compare(
    tx: &Tx,
    actor: &Actor,
    import: &TimeImport,
    rows: &[&Parsed],
) -> Result<(Written, HashSet<u64>)> {
    let Entries { lines, news, mut written } = entries(tx, actor, import, rows, false).await?;
    let (done, fit) = write::compare(tx, actor, news).await?;
    written.duplicates += done.known.len() as u64;
    written
        .errors
        .extend(done.refused.into_iter().map(|(index, error)| refused(lines[index], error)));
    written.errors.sort_by_key(|error| error.line);
    Ok((written, fit.into_iter().map(|index| lines[index]).collect()))
}

/// The entries that new rows are to be.
struct Entries {
    lines: Vec<u64>,
    news: Vec<New>,
    /// What is known of the others, and what was made for these.
    written: Written,
}

async fn entries(
    tx: &Tx,
    actor: &Actor,
    import: &TimeImport,
    rows: &[&Parsed],
    for_good: bool,
) -> Result<Entries> {
    let mut written = Written::default();
    // What has been imported is left alone, whatever it named is called by now.
    let keys = rows.iter().map(|row| &*row.identity.key).collect();
    let known = repository::known_keys(tx, actor.organization_id, keys).await?;
    let (old, new): (Vec<&Parsed>, Vec<&Parsed>) =
        rows.iter().partition(|row| known.contains(&row.identity.key));
    written.duplicates += old.len() as u64;
    let directory = Directory::read(tx, actor.organization_id, &new).await?;
    let mut maker = Maker { tx, actor, import, directory, made: Vec::new(), for_good };
    let (mut lines, mut news) = (Vec::new(), Vec::new());
    for row in new {
        match maker.entry(row).await? {
            Ok(input) => {
                lines.push(row.line);
                let import_key = Some(row.identity.key.clone());
                news.push(New { id: tx.new_id(), input, import_key });
            }
            Err(error) => written.errors.push(error),
        }
    }
    written.made = maker.made;
    Ok(Entries { lines, news, written })
}

/// Removes those of imported entries that nobody has changed since, and whose weeks are open, and says how many.
pub(super) async fn delete_imported(tx: &Tx, actor: &Actor, ids: Vec<Uuid>) -> Result<u64> {
    let mut removed = Vec::new();
    for row in versioned::find_unchanged::<Entity>(tx, actor.organization_id, ids).await? {
        let current = TimeEntry::try_from(row.clone())?;
        let gone = tx.savepoint(async |tx| write::delete(tx, actor, &row, &current).await).await?;
        match gone {
            Ok(()) => removed.push(row.id),
            Err(error @ Error::Internal(_)) => return Err(error),
            // Somebody has submitted the week since: it stays.
            Err(_) => {}
        }
    }
    let count = removed.len() as u64;
    history::forget(tx, actor.organization_id, removed).await?;
    Ok(count)
}

/// What the rules for entries have against a row.
fn refused(line: u64, error: Error) -> RowError {
    let code = error.code();
    let (code, message) = match error {
        Error::State { detail, conflicting_id: Some(id), .. } => (code, format!("{detail}: {id}")),
        Error::State { detail, .. } => (code, detail.into_owned()),
        // It names the other by its place among those that are new, which are not the rows of the file.
        Error::Invalid(found) if found.iter().any(|it| it.code == "overlap") => {
            ("overlap", "the row overlaps another row of the file".to_owned())
        }
        other => (code, other.to_string()),
    };
    RowError { line, column: None, code, message }
}

/// Finds what rows name, or makes it.
struct Maker<'a> {
    tx: &'a Tx,
    actor: &'a Actor,
    import: &'a TimeImport,
    directory: Directory,
    /// What was made, or would be.
    made: Vec<(&'static str, Uuid)>,
    /// Whether anything is made at all.
    for_good: bool,
}

impl Maker<'_> {
    /// The entry that a row is, or what is wrong with it.
    async fn entry(&mut self, row: &Parsed) -> Result<Result<TimeEntryInput, RowError>> {
        if let Some(error) = self.directory.refusal(row, self.import)? {
            return Ok(Err(error));
        }
        let (started_at, ended_at, day, minutes) = match row.when {
            When::Between(start, end) => (Some(start), Some(end), None, None),
            When::On(day, minutes) => (None, None, Some(day), Some(minutes)),
        };
        let mut input = TimeEntryInput {
            member_id: None,
            project_id: None,
            task_id: None,
            started_at,
            ended_at,
            day,
            minutes,
            breaks: row.breaks.clone(),
            billable: row.billable,
            cost_code: None,
            note: row.note.clone(),
            tags: row.tags.clone(),
        };
        if let Some(error) = RowError::of_input(row.line, &input) {
            return Ok(Err(error));
        }
        input.member_id = Some(self.member(&row.person).await?);
        if let Some(named) = &row.project {
            input.project_id = Some(self.project(named).await?);
        }
        if let Some(title) = &row.task {
            input.task_id = Some(self.task(input.project_id, title).await?);
        }
        if !self.for_good {
            // Nothing is to be looked up of what is not there. Of a member, that is what is asked for: no time.
            let pretended = |id: &Uuid| self.made.iter().any(|(_, made)| made == id);
            input.project_id = input.project_id.filter(|id| !pretended(id));
            input.task_id = input.task_id.filter(|id| !pretended(id));
        }
        Ok(Ok(input))
    }

    async fn member(&mut self, person: &Person) -> Result<Uuid> {
        if let Found::One(id) = self.directory.member(person, self.import) {
            return Ok(id);
        }
        let name = person.called().unwrap_or_default().to_owned();
        let input = MemberInput {
            name,
            role: Role::Member,
            active: true,
            hourly_rate_minor: None,
            external_ref: None,
        };
        let id = if self.for_good {
            Member::create(self.tx, self.actor, &input.clone().into()).await?.id
        } else {
            self.tx.new_id()
        };
        self.directory.add_member(id, &input.name);
        self.made.push((Member::ENTITY, id));
        Ok(id)
    }

    async fn project(&mut self, named: &Named) -> Result<Uuid> {
        if let Found::One(id) = self.directory.project(named) {
            return Ok(id);
        }
        let Named { name, job_number, client } = named;
        let name = name.as_ref().or(job_number.as_ref()).cloned().unwrap_or_default();
        let input = ProjectInput {
            job_number: job_number.clone(),
            name,
            client: client.clone(),
            status: project::Status::Active,
            starts_on: None,
            ends_on: None,
            budget_minor: None,
            currency: None,
            address: None,
            latitude: None,
            longitude: None,
            note: None,
            details: None,
        };
        if !self.for_good {
            let row = pretended_project(self.tx, self.actor, input);
            self.made.push((Project::ENTITY, row.id));
            let id = row.id;
            self.directory.add_project(row);
            return Ok(id);
        }
        let made = Project::create(self.tx, self.actor, &input.into()).await;
        let made = made.map_err(|error| match error {
            // Made by somebody else since this transaction began: it will be there the next time.
            Error::Duplicate { .. } => Error::lost_race("the project has just been made"),
            other => other,
        })?;
        let row: table::Model =
            project::repository::get(self.tx, self.actor.organization_id, made.id).await?;
        self.directory.add_project(row);
        self.made.push((Project::ENTITY, made.id));
        Ok(made.id)
    }

    async fn task(&mut self, project_id: Option<Uuid>, title: &str) -> Result<Uuid> {
        if let Some(id) = self.directory.task(project_id, title) {
            return Ok(id);
        }
        let input = TaskInput {
            title: title.to_owned(),
            note: None,
            status: task::Status::default(),
            priority: task::Priority::default(),
            due_on: None,
            due_at: None,
            assignee_member_id: None,
            assignee_role: None,
            project_id,
            estimate_minutes: None,
            tags: Vec::new(),
            metadata: None,
            recurrence: None,
            rotation: Vec::new(),
        };
        let (id, created_at) = if self.for_good {
            let made = Task::create(self.tx, self.actor, &input.into()).await?;
            (made.id, made.created_at)
        } else {
            (self.tx.new_id(), self.tx.now())
        };
        let created_at = created_at.fixed_offset();
        let title = title.to_owned();
        self.directory.add_task(Titled { id, title, project_id, open: true, created_at });
        self.made.push((Task::ENTITY, id));
        Ok(id)
    }
}

/// The row that a project would have, as far as it is found by it.
fn pretended_project(tx: &Tx, actor: &Actor, input: ProjectInput) -> table::Model {
    let now = tx.now().fixed_offset();
    table::Model {
        organization_id: actor.organization_id,
        id: tx.new_id(),
        version: 1,
        created_at: now,
        updated_at: now,
        job_number_key: input.job_number.as_deref().map(fold),
        job_number: input.job_number,
        name_key: fold(&input.name),
        name: input.name,
        client: input.client,
        status: input.status.as_str().to_owned(),
        starts_on: None,
        ends_on: None,
        budget_minor: None,
        currency: actor.settings.currency.clone(),
        address: None,
        latitude_e7: None,
        longitude_e7: None,
        note: None,
        details: None,
        search_key: String::new(),
    }
}

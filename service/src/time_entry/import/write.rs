//! What an import writes.

use entity::project as table;
use uuid::Uuid;

use super::{
    Rows, TimeImport, TimeImportReport,
    directory::{Directory, Found},
    rows::{Named, Parsed, Person, When},
};
use crate::{
    actor::Actor,
    error::{self, Error, Result},
    import::{Report, RowError},
    member::{Member, MemberInput},
    organization,
    project::{self, Project, ProjectInput},
    resource::Writable,
    role::Role,
    store::Tx,
    task::{self, Task, TaskInput},
    time_entry::{
        TimeEntryInput,
        repository::{self, Titled},
        write::{self, New},
    },
};

/// Writes the rows that are good and new.
pub(super) async fn write(
    tx: &Tx,
    actor: &Actor,
    import: &TimeImport,
    rows: &Rows,
) -> Result<TimeImportReport> {
    let query = &import.query;
    if query.create_projects || query.create_tasks || query.create_members {
        // Names may be there twice: of two imports that make the same, one waits and finds it.
        organization::repository::lock(tx, actor.organization_id).await?;
    }
    let mut report = TimeImportReport::default();
    let mut bad: Vec<RowError> =
        rows.iter().filter_map(|row| row.as_ref().err().cloned()).collect();
    let good: Vec<&Parsed> = rows.iter().flatten().collect();
    // What has been imported is left alone, whatever it named is called by now.
    let keys = good.iter().map(|row| &*row.key).collect();
    let known = repository::known_keys(tx, actor.organization_id, keys).await?;
    let good: Vec<&Parsed> = good
        .into_iter()
        .filter(|row| {
            let known = known.contains(&row.key);
            report.duplicates += u64::from(known);
            !known
        })
        .collect();
    let directory = Directory::read(tx, actor.organization_id, &good).await?;
    let mut maker = Maker { tx, actor, import, directory, report };
    let (mut lines, mut news) = (Vec::new(), Vec::new());
    for row in good {
        match maker.entry(row).await? {
            Ok(input) => {
                lines.push(row.line);
                news.push(New { id: tx.new_id(), input, import_key: Some(row.key.clone()) });
            }
            Err(error) => bad.push(error),
        }
    }
    let mut report = maker.report;
    let written = write::insert(tx, actor, news).await?;
    report.created += written.made.len() as u64;
    report.duplicates += written.known.len() as u64;
    bad.extend(written.refused.into_iter().map(|(index, error)| refused(lines[index], error)));
    bad.sort_by_key(|error| error.line);
    bad.into_iter().for_each(|error| report.fail(error));
    report.or_abort(query.on_error)
}

/// What the rules for entries have against a row.
fn refused(line: u64, error: Error) -> RowError {
    let code = error.code();
    let (code, message) = match error {
        Error::State { detail, conflicting_id: Some(id), .. } => (code, format!("{detail}: {id}")),
        Error::State { detail, .. } => (code, detail.into_owned()),
        // It names the other by its place among those that are new, which are not the rows of the file.
        Error::Invalid(found) if found.iter().any(|it| it.code == "overlap") => {
            ("overlap", "this overlaps another row of the file".to_owned())
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
    report: TimeImportReport,
}

impl Maker<'_> {
    /// The entry that a row is, or what is wrong with it.
    async fn entry(&mut self, row: &Parsed) -> Result<Result<TimeEntryInput, RowError>> {
        if let Some(error) = self.directory.refusal(row, self.import) {
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
        if let Some(error) = invalid(row.line, &input) {
            return Ok(Err(error));
        }
        input.member_id = Some(self.member(&row.person).await?);
        if let Some(named) = &row.project {
            input.project_id = Some(self.project(named).await?);
        }
        if let Some(title) = &row.task {
            input.task_id = Some(self.task(input.project_id, title).await?);
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
        let made = Member::create(self.tx, self.actor, &input.into()).await?;
        self.directory.add_member(made.id, &made.name);
        self.report.created_members += 1;
        Ok(made.id)
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
        let made = Project::create(self.tx, self.actor, &input.into()).await;
        let made = made.map_err(|error| match error {
            // Made by somebody else since this transaction began: it will be there the next time.
            Error::Duplicate { .. } => Error::Again("the project has just been made".into()),
            other => other,
        })?;
        let row: table::Model =
            project::repository::get(self.tx, self.actor.organization_id, made.id).await?;
        self.directory.add_project(row);
        self.report.created_projects += 1;
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
        let made = Task::create(self.tx, self.actor, &input.into()).await?;
        self.directory.add_task(Titled {
            id: made.id,
            title: made.title,
            project_id,
            open: true,
            created_at: made.created_at.fixed_offset(),
        });
        self.report.created_tasks += 1;
        Ok(made.id)
    }
}

/// What the rules for the input of entries have against a row.
fn invalid(line: u64, input: &TimeEntryInput) -> Option<RowError> {
    use validator::Validate;
    let errors = input.validate().err()?;
    let first = error::violations(&errors).into_iter().next()?;
    let message = format!("{} {}", first.pointer.trim_start_matches('/'), first.message);
    Some(RowError { line, column: None, code: "invalid", message })
}

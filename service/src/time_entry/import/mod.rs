//! Time from CSV files, as other time trackers export it (docs/decisions/0014).
//!
//! A file is read once, before the transaction, and kept: it has few rows. All of them are written at
//! once, so that each member is held once and what their time would overlap is read once.

pub mod clock;
mod columns;
mod directory;
mod formats;
pub mod length;
mod pauses;
mod rows;
mod write;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use self::{
    directory::Directory,
    rows::{File, Parsed},
};
use super::repository;
use crate::{
    actor::Actor,
    error::{Error, Result},
    import::{OnError, Refusals, Report, RowError},
    member,
    role::Permission,
    store::Store,
    text,
    zone::Zone,
};

/// Which column is what. The columns of what Toggl Track, Clockify and Harvest export are known; a
/// parameter without a name leaves a column out that is known.
#[derive(Debug, Clone, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TimeImportQuery {
    /// The column of the project's name, or of its job number.
    pub project: Option<String>,
    /// The column of the project's job number.
    pub job_number: Option<String>,
    /// The column of the client.
    pub client: Option<String>,
    /// The column of the task's title.
    pub task: Option<String>,
    /// The column of the member's name.
    pub user: Option<String>,
    /// The column of the first part of the member's name, if it has two columns.
    pub first_name: Option<String>,
    /// The column of the other part.
    pub last_name: Option<String>,
    /// The column of the email of the member's user.
    pub email: Option<String>,
    /// The column of the note.
    pub description: Option<String>,
    /// The column of the tags, with commas between them.
    pub tags: Option<String>,
    /// The column that says whether somebody is charged: Yes, true, 1, or No, false, 0.
    pub billable: Option<String>,
    /// The words that say that somebody is charged, with commas between them, in any case: `Ja,verrechenbar`. Any
    /// other word says that nobody is.
    #[validate(length(max = 500))]
    pub billable_true: Option<String>,
    /// The column of the instant at which it starts, as RFC 3339 writes it. Where there is one, the day and the times
    /// of a row are not looked at.
    pub started_at: Option<String>,
    /// The column of the instant at which it ends.
    pub ended_at: Option<String>,
    /// The column of the breaks, with commas between them: 12:00-12:30, or two instants with a / between; or how long
    /// the break was in all, which then lies in the middle of a time within one day.
    pub breaks: Option<String>,
    /// The column of the day.
    pub start_date: Option<String>,
    /// The column of the time at which it starts; without one, the time of a day is imported.
    pub start_time: Option<String>,
    /// The column of the day on which it ends.
    pub end_date: Option<String>,
    /// The column of the time at which it ends.
    pub end_time: Option<String>,
    /// The column of how long it is: 1:30:00, 1:30, 1.5 for hours, 1h 30m, 90 min, 18:25 min for minutes and
    /// seconds, or PT1H30M. Beside breaks, with them or without; where there is no end, without.
    pub duration: Option<String>,
    /// How days are written, as in strftime: `%Y-%m-%d` if it is left out.
    pub date_format: Option<String>,
    /// The time zone of the clocks; the organization's if it is left out.
    #[validate(length(max = 64), custom(function = text::time_zone))]
    #[param(example = "Europe/Zurich")]
    pub time_zone: Option<String>,
    /// `.` or `,`: what stands before the decimals of hours. `.` if it is left out.
    pub decimal_separator: Option<char>,
    /// `,`, `;` or a tab: what stands between columns. `,` if it is left out.
    pub delimiter: Option<char>,
    /// Whether the time of a day is taken to the nearest minute, where it is no whole number of them.
    #[serde(default)]
    pub round_to_minutes: bool,
    /// What to do about rows that end when they start: bad rows if it is left out.
    #[serde(default)]
    #[param(inline)]
    pub zero: Option<Zero>,
    /// Whether to make the projects that are not there.
    #[serde(default)]
    pub create_projects: bool,
    /// Whether to make the tasks that are not there.
    #[serde(default)]
    pub create_tasks: bool,
    /// Whether to make the members that are not there, without a login.
    #[serde(default)]
    pub create_members: bool,
    /// Whose time it is where nobody is named; one's own if it is left out.
    pub member_id: Option<Uuid>,
    /// Only say what would happen.
    #[serde(default)]
    pub dry_run: bool,
    /// What to do about bad rows: `abort` if it is left out.
    #[serde(default)]
    #[param(inline)]
    pub on_error: OnError,
}

/// What to do about a row of no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TimeImportZero)]
pub enum Zero {
    /// It is left out.
    Skip,
    /// It is an entry of no seconds, with all that it says. The time of a day is not: that has a minute at least.
    Keep,
}

/// What an import of time did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimeImportReport {
    /// Rows that are entries now.
    pub created: u64,
    /// Rows that had been imported before.
    pub duplicates: u64,
    /// Bad rows.
    pub failed: u64,
    /// Rows of no time that were left out, as `zero=skip` asks for.
    pub skipped: u64,
    /// The columns of the file that nothing was read from, as it calls them: the first hundred of them.
    pub ignored_columns: Vec<String>,
    /// Projects that were made.
    pub created_projects: u64,
    /// Tasks that were made.
    pub created_tasks: u64,
    /// Members that were made.
    pub created_members: u64,
    /// What is wrong with the bad rows, the first thousand of them.
    pub errors: Vec<RowError>,
}

impl Report for TimeImportReport {
    fn failures(&mut self) -> (&mut u64, &mut Vec<RowError>) {
        (&mut self.failed, &mut self.errors)
    }

    fn with_nothing_written(self) -> Self {
        Self {
            failed: self.failed,
            errors: self.errors,
            ignored_columns: self.ignored_columns,
            ..Self::default()
        }
    }
}

/// A file and how to read it.
#[derive(Debug, Clone)]
pub struct TimeImport {
    path: PathBuf,
    query: TimeImportQuery,
    zone: Zone,
    member_id: Option<Uuid>,
}

impl TimeImport {
    /// The import of a file, which must stay as it is until the import is done.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the query does not make sense, [`Error::Forbidden`] where the actor may not
    /// make what is to be made.
    pub fn new(path: &Path, query: TimeImportQuery, actor: &Actor) -> Result<Self> {
        let mut refusals = Refusals::default();
        let format = query.date_format.as_deref();
        refusals.check_marks(query.decimal_separator, query.delimiter, format);
        refusals.or_none()?;
        for (asked, permission) in [
            (query.create_projects, Permission::ManageProjects),
            (query.create_tasks, Permission::RecordTasks),
            (query.create_members, Permission::ManageMembers),
        ] {
            if asked {
                actor.require(permission)?;
            }
        }
        let named = query.time_zone.as_deref().and_then(|name| name.parse().ok());
        let zone = named.unwrap_or(actor.settings.time_zone);
        let member_id = query.member_id.or(actor.member_id);
        Ok(Self { path: path.to_owned(), query, zone, member_id })
    }
}

/// The rows of a file, each good or bad.
type Rows = Arc<Vec<Result<Parsed, RowError>>>;

/// Imports a file in one transaction.
///
/// # Errors
/// [`Error::Import`] where rows are bad and none may be; then nothing has been written.
pub async fn import(store: &Store, actor: &Actor, import: TimeImport) -> Result<TimeImportReport> {
    let File { rows, skipped, ignored_columns } = {
        let import = import.clone();
        // Reading a file takes its time, and other requests are answered on this thread.
        tokio::task::spawn_blocking(move || rows::read(&import))
            .await
            .map_err(|error| Error::Internal(format!("a file was read halfway: {error}")))??
    };
    let rows: Rows = Arc::new(rows);
    if import.query.on_error == OnError::Abort {
        refuse_bad_rows(store, actor, &import, &rows, &ignored_columns).await?;
    }
    let dry_run = import.query.dry_run;
    let named = import.query.member_id;
    let written = store
        .write((actor.clone(), import, rows), |tx, (actor, import, rows)| {
            Box::pin(async move {
                let report = write::write(tx, actor, import, rows).await?;
                if import.query.dry_run {
                    tx.undo();
                }
                Ok(report)
            })
        })
        .await;
    let report = match written {
        Err(Error::Reference) => return Err(unknown_reference(store, actor, named).await?),
        other => TimeImportReport { skipped, ignored_columns, ..other? },
    };
    tracing::info!(created = report.created, failed = report.failed, dry_run, "imported time");
    Ok(report)
}

/// After the database has refused a reference: everything else has been looked up.
async fn unknown_reference(store: &Store, actor: &Actor, named: Option<Uuid>) -> Result<Error> {
    let ids = named.into_iter().collect();
    let missing = member::repository::missing(store.read(), actor.organization_id, ids).await?;
    if missing.is_empty() {
        return Ok(Error::Unavailable("a row that this refers to is just being changed".into()));
    }
    Ok(Error::invalid("?member_id", "unknown", "is not a member here"))
}

/// What can be told without writing is told before the transaction, so that a bad file holds nobody up.
async fn refuse_bad_rows(
    store: &Store,
    actor: &Actor,
    import: &TimeImport,
    rows: &[Result<Parsed, RowError>],
    ignored_columns: &[String],
) -> Result<()> {
    let connection = store.read();
    let good: Vec<_> = rows.iter().flatten().collect();
    let keys = good.iter().map(|row| &*row.key).collect();
    let known = repository::known_keys(connection, actor.organization_id, keys).await?;
    let mut directory = Directory::read(connection, actor.organization_id, &good).await?;
    let ignored_columns = ignored_columns.to_vec();
    let mut report = TimeImportReport { ignored_columns, ..TimeImportReport::default() };
    for row in rows {
        match row {
            Err(error) => report.fail(error.clone()),
            Ok(row) if known.contains(&row.key) => {}
            Ok(row) => {
                if let Some(error) = directory.refusal(row, import) {
                    report.fail(error);
                }
            }
        }
    }
    report.or_abort(OnError::Abort).map(drop)
}

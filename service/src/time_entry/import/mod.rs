//! Time from CSV files, as other time trackers export it (docs/decisions/0014).
//!
//! A file is read once, and kept: it has few rows. All of them are compared with what is there at once, so
//! that what their time would overlap is read once, and what a name means for one row it means for all.

pub mod clock;
mod columns;
mod directory;
mod formats;
pub mod length;
mod pauses;
mod rows;
mod write;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use self::rows::{File, Parsed};
use crate::{
    actor::Actor,
    error::{Error, Result},
    import::{self, Imported, OnError, Refusals, Report, RowError, SLICE, Staging, Tally, Written},
    member::{self, Member},
    project::Project,
    resource::Resource,
    role::Permission,
    store::{Store, Tx},
    task::Task,
    text,
    zone::Zone,
};

/// Which column is what. The columns of what Toggl Track, Clockify and Harvest export are known; a
/// parameter without a name leaves a column out that is known.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, IntoParams)]
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
    /// Whether a small file, too, is imported after the answer.
    #[serde(default)]
    pub background: bool,
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

impl TimeImportReport {
    /// With what was written, or would be.
    fn with(mut self, written: Written) -> Self {
        self.created += written.created.len() as u64;
        self.duplicates += written.duplicates;
        self.created_projects += written.made_of(Project::ENTITY);
        self.created_tasks += written.made_of(Task::ENTITY);
        self.created_members += written.made_of(Member::ENTITY);
        self.with_failures(written.errors)
    }
}

/// A file and how to read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TimeImport {
    #[serde(skip)]
    path: PathBuf,
    query: TimeImportQuery,
    zone: Zone,
    member_id: Option<Uuid>,
    /// What nothing is read from, once the header was.
    ignored_columns: Vec<String>,
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
        Ok(Self { path: path.to_owned(), query, zone, member_id, ignored_columns: Vec::new() })
    }
}

/// What an import would do with a file.
struct Compared {
    report: TimeImportReport,
    /// The rows that would be entries.
    fit: Vec<Parsed>,
    total: u64,
}

/// Imports a file: in the write of `answering`, whose answer it is, where few of its rows are new. Else its
/// rows are staged by writes of `store`, and the import begins, which is the answer then.
///
/// # Errors
/// [`Error::Import`] where rows are bad and none may be; then nothing has been written.
pub async fn import(
    store: &Store,
    answering: &Store,
    actor: &Actor,
    import: TimeImport,
) -> Result<Imported<TimeImportReport>> {
    let file = {
        let import = import.clone();
        // Reading a file takes its time, and other requests are answered on this thread.
        tokio::task::spawn_blocking(move || rows::read(&import))
            .await
            .map_err(|error| Error::Internal(format!("a file was read halfway: {error}")))??
    };
    check_member(store, actor, &import).await?;
    let import = TimeImport { ignored_columns: file.ignored_columns.clone(), ..import };
    let (on_error, dry_run) = (import.query.on_error, import.query.dry_run);
    let compared = store
        .snapshot((actor.clone(), import.clone(), file), |tx, (actor, import, file)| {
            Box::pin(compare(tx, actor, import, file))
        })
        .await?;
    if dry_run {
        let report = &compared.report;
        tracing::info!(created = report.created, failed = report.failed, "tried an import");
    }
    let report = compared.report.or_abort(on_error)?;
    if dry_run {
        return Ok(Imported::Done(report));
    }
    let compared = Compared { report, ..compared };
    let small = compared.fit.len() <= SLICE && !import.query.background;
    if small || compared.fit.is_empty() {
        return write_at_once(answering, actor, import, compared).await;
    }
    let mut staging = Staging::new(store, actor, import::Kind::TimeEntries, &import)?;
    let begun = stage(answering, compared, &mut staging).await;
    if begun.is_err() {
        // What fails here is swept later.
        let _ = staging.discard().await;
    }
    begun
}

async fn stage(
    answering: &Store,
    Compared { report, fit, total }: Compared,
    staging: &mut Staging,
) -> Result<Imported<TimeImportReport>> {
    for slice in fit.chunks(SLICE) {
        staging.push(&slice).await?;
    }
    let count = |rows| i64::try_from(rows).unwrap_or(i64::MAX);
    let mut tally = Tally {
        total: count(total),
        duplicates: count(report.duplicates),
        ignored: count(report.skipped),
        ..Tally::default()
    };
    tally.fail(report.failed, report.errors.iter().map(|error| json!(error)).collect());
    staging.begin(answering, tally).await
}

async fn write_at_once(
    answering: &Store,
    actor: &Actor,
    import: TimeImport,
    Compared { report, fit, total: _ }: Compared,
) -> Result<Imported<TimeImportReport>> {
    let input = (actor.clone(), import.clone(), fit, report);
    let written = answering
        .write(input, |tx, (actor, import, fit, report)| {
            Box::pin(async move {
                let rows: Vec<&Parsed> = fit.iter().collect();
                let written = write::write(tx, actor, import, &rows).await?;
                let found = TimeImportReport {
                    duplicates: report.duplicates,
                    failed: report.failed,
                    errors: report.errors.clone(),
                    skipped: report.skipped,
                    ignored_columns: report.ignored_columns.clone(),
                    ..TimeImportReport::default()
                };
                Ok(Imported::Done(found.with(written).or_abort(import.query.on_error)?))
            })
        })
        .await;
    match written {
        Err(Error::Reference) => {
            Err(unknown_reference(answering, actor, import.query.member_id).await?)
        }
        Ok(Imported::Done(report)) => {
            tracing::info!(created = report.created, failed = report.failed, "imported time");
            Ok(Imported::Done(report))
        }
        other => other,
    }
}

/// Nothing is imported for somebody who is not there, and nothing is said to be.
async fn check_member(store: &Store, actor: &Actor, import: &TimeImport) -> Result<()> {
    let Some(id) = import.query.member_id.filter(|id| actor.member_id != Some(*id)) else {
        return Ok(());
    };
    let ids = vec![id];
    let missing = member::repository::missing(store.read(), actor.organization_id, ids).await?;
    if missing.is_empty() { Ok(()) } else { Err(unknown_member()) }
}

/// What can be told without writing is told before, so that a bad file, or one that is only tried, holds
/// nobody up.
async fn compare(
    tx: &Tx,
    actor: &Actor,
    import: &TimeImport,
    File { rows, skipped, ignored_columns }: &File,
) -> Result<Compared> {
    let good: Vec<&Parsed> = rows.iter().flatten().collect();
    let bad = rows.iter().filter_map(|row| row.as_ref().err().cloned());
    let (skipped, ignored_columns) = (*skipped, ignored_columns.clone());
    let report = TimeImportReport { skipped, ignored_columns, ..TimeImportReport::default() };
    let report = report.with_failures(bad.collect());
    let (written, lines) = write::compare(tx, actor, import, &good).await?;
    let mut report = report.with(written);
    report.created = lines.len() as u64;
    let fit = good.into_iter().filter(|row| lines.contains(&row.line)).cloned().collect();
    Ok(Compared { report, fit, total: rows.len() as u64 + skipped })
}

/// Writes a slice of an import that whoever began it has described so, and says what it does about bad rows.
pub(crate) async fn write_slice(
    tx: &Tx,
    actor: &Actor,
    import: Value,
    rows: Value,
) -> Result<(Written, OnError)> {
    let unread = |error| Error::Internal(format!("what is staged cannot be read: {error}"));
    let import: TimeImport = serde_json::from_value(import).map_err(unread)?;
    let rows: Vec<Parsed> = serde_json::from_value(rows).map_err(unread)?;
    let rows: Vec<&Parsed> = rows.iter().collect();
    Ok((write::write(tx, actor, &import, &rows).await?, import.query.on_error))
}

/// Removes those of imported entries that nobody has changed since, and says how many.
pub(crate) async fn take_back(tx: &Tx, actor: &Actor, ids: Vec<Uuid>) -> Result<u64> {
    write::take_back(tx, actor, ids).await
}

fn unknown_member() -> Error {
    Error::invalid("?member_id", "unknown", "is not a member here")
}

/// After the database has refused a reference: everything else has been looked up.
async fn unknown_reference(store: &Store, actor: &Actor, named: Option<Uuid>) -> Result<Error> {
    let ids = named.into_iter().collect();
    let missing = member::repository::missing(store.read(), actor.organization_id, ids).await?;
    if missing.is_empty() {
        return Ok(Error::Unavailable("a row that this refers to is just being changed".into()));
    }
    Ok(unknown_member())
}

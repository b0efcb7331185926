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
mod times;
mod write;

use std::path::{Path, PathBuf};

use entity::time_entry::Entity;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use self::rows::{File, Parsed};
use crate::{
    actor::Actor,
    csv::{OnError, Report, RowError, csv_query},
    error::{Error, Result},
    idempotency::WriteOnce,
    identity::member::{self, Member},
    import::{
        self, INLINE_ROWS, Imported, SLICE_ROWS, Staging, Tally, Written,
        history::{Fate, History, Rule},
    },
    resource::Resource,
    role::Permission,
    store::{Connections, Store, Tx, references::References},
    text,
    work::{project::Project, task::Task},
    zone::Zone,
};

csv_query! {
    /// Mapping of the columns of a CSV file to properties of time entries, and options of the import.
    /// The columns of Toggl Track, Clockify and Harvest exports are recognized; an empty name ignores
    /// such a column.
    pub struct TimeImportQuery {
        /// Name of the column of the project, which is found by its name or job number.
        #[validate(length(max = 200))]
        pub project: Option<String>,
        /// Name of the column of the project's job number.
        #[validate(length(max = 200))]
        pub job_number: Option<String>,
        /// Name of the column of the client.
        #[validate(length(max = 200))]
        pub client: Option<String>,
        /// Name of the column of the task's title.
        #[validate(length(max = 200))]
        pub task: Option<String>,
        /// Name of the column of the member's name.
        #[validate(length(max = 200))]
        pub user: Option<String>,
        /// Name of the column of the member's first name, if the name has two columns.
        #[validate(length(max = 200))]
        pub first_name: Option<String>,
        /// Name of the column of the member's last name, if the name has two columns.
        #[validate(length(max = 200))]
        pub last_name: Option<String>,
        /// Name of the column of the email address of the member's user.
        #[validate(length(max = 200))]
        pub email: Option<String>,
        /// Name of the column of the note.
        #[validate(length(max = 200))]
        pub description: Option<String>,
        /// Name of the column of the tags, which are separated by commas.
        #[validate(length(max = 200))]
        pub tags: Option<String>,
        /// Name of the column that says whether the time is billable: yes, true, 1, or no, false, 0.
        #[validate(length(max = 200))]
        pub billable: Option<String>,
        /// Words that mean billable, separated by commas, compared ignoring case, at most 500
        /// characters in all: `Ja,verrechenbar`. Any other word means not billable.
        #[validate(length(max = 500))]
        pub billable_true: Option<String>,
        /// Name of the column of the start as an RFC 3339 instant. In rows with such a start, the
        /// columns of days and times are not read.
        #[validate(length(max = 200))]
        pub started_at: Option<String>,
        /// Name of the column of the end as an RFC 3339 instant.
        #[validate(length(max = 200))]
        pub ended_at: Option<String>,
        /// Name of the column of the breaks, separated by commas: `12:00-12:30`, two instants separated
        /// by `/`, or the total duration, which is placed in the middle of an entry within one day.
        #[validate(length(max = 200))]
        pub breaks: Option<String>,
        /// Name of the column of the day on which the entry starts.
        #[validate(length(max = 200))]
        pub start_date: Option<String>,
        /// Name of the column of the time at which the entry starts. Without it, entries have a day and
        /// minutes.
        #[validate(length(max = 200))]
        pub start_time: Option<String>,
        /// Name of the column of the day on which the entry ends.
        #[validate(length(max = 200))]
        pub end_date: Option<String>,
        /// Name of the column of the time at which the entry ends.
        #[validate(length(max = 200))]
        pub end_time: Option<String>,
        /// Name of the column of the duration: `1:30:00`, `1:30`, `1.5` for hours, `1h 30m`, `90 min`,
        /// `18:25 min` for minutes and seconds, or `PT1H30M`. It may include breaks or not; without an
        /// end, it does not include them.
        #[validate(length(max = 200))]
        pub duration: Option<String>,
        /// Format of days in strftime notation. Defaults to `%Y-%m-%d`.
        #[validate(length(max = 200))]
        pub date_format: Option<String>,
        /// IANA time zone of the days and times in the file, such as `Europe/Zurich`. Defaults to the
        /// organization's time zone.
        #[validate(length(max = 64), custom(function = text::time_zone))]
        #[param(example = "Europe/Zurich")]
        pub time_zone: Option<String>,
        /// Character before the decimals of hours: `.` or `,`. Defaults to `.`.
        pub decimal_separator: Option<char>,
        /// Whether to round durations of entries without a start to the nearest minute. Defaults to
        /// false: a duration that is not in whole minutes is an error.
        #[serde(default)]
        pub round_to_minutes: bool,
        /// Treatment of rows that end when they start. By default, they are errors.
        #[serde(default)]
        #[param(inline)]
        pub zero: Option<Zero>,
        /// Whether to create projects that do not exist. Defaults to false.
        #[serde(default)]
        pub create_projects: bool,
        /// Whether to create tasks that do not exist. Defaults to false.
        #[serde(default)]
        pub create_tasks: bool,
        /// Whether to create members, without a login, that do not exist. Defaults to false.
        #[serde(default)]
        pub create_members: bool,
        /// Identifier of the member of rows that name none. Defaults to the member who sends the
        /// request.
        pub member_id: Option<Uuid>,
    }
}

impl TimeImportQuery {
    /// The columns that it names.
    fn columns(&self) -> Vec<&str> {
        let all = [
            &self.project,
            &self.job_number,
            &self.client,
            &self.task,
            &self.user,
            &self.first_name,
            &self.last_name,
            &self.email,
            &self.description,
            &self.tags,
            &self.billable,
            &self.started_at,
            &self.ended_at,
            &self.breaks,
            &self.start_date,
            &self.start_time,
            &self.end_date,
            &self.end_time,
            &self.duration,
        ];
        all.into_iter().filter_map(|name| name.as_deref()).filter(|name| !name.is_empty()).collect()
    }
}

/// Treatment of the rows of an imported file that end when they start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TimeImportZero)]
pub enum Zero {
    /// The row is skipped.
    Skip,
    /// The row becomes an entry of zero seconds. An entry of a day and minutes has at least one
    /// minute.
    Keep,
}

/// Result of an import of time entries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TimeEntryImportReport)]
pub struct TimeImportReport {
    /// Number of time entries that the import created, or would create on a dry run.
    pub created: u64,
    /// Number of rows that an earlier import had imported.
    pub duplicates: u64,
    /// Number of rows that an earlier import had imported and somebody has deleted since. They stay
    /// deleted unless `restore` is true.
    pub deleted_before: u64,
    /// Number of invalid rows.
    pub failed: u64,
    /// Number of rows without duration that were skipped because of `zero=skip`.
    pub skipped: u64,
    /// Names of the columns that the import does not read, at most 100.
    pub ignored_columns: Vec<String>,
    /// Number of projects that the import created.
    pub created_projects: u64,
    /// Number of tasks that the import created.
    pub created_tasks: u64,
    /// Number of members that the import created.
    pub created_members: u64,
    /// Errors of the invalid rows, at most 1000.
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
        query.refusals().or_none()?;
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
    answering: WriteOnce<'_, Imported<TimeImportReport>>,
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
    check_member(store.read(), actor, &import).await?;
    let import = TimeImport { ignored_columns: file.ignored_columns.clone(), ..import };
    let (on_error, dry_run) = (import.query.on_error, import.query.dry_run);
    let compared = {
        let (actor, import) = (actor.clone(), import.clone());
        store.snapshot(async move |tx| compare(tx, &actor, &import, &file).await).await?
    };
    if dry_run {
        let report = &compared.report;
        tracing::info!(created = report.created, failed = report.failed, "tried an import");
    }
    let report = compared.report.or_abort(on_error)?;
    if dry_run {
        return Ok(Imported::Done(report));
    }
    let compared = Compared { report, ..compared };
    let small = compared.fit.len() <= INLINE_ROWS && !import.query.background;
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
    answering: WriteOnce<'_, Imported<TimeImportReport>>,
    Compared { report, fit, total }: Compared,
    staging: &mut Staging,
) -> Result<Imported<TimeImportReport>> {
    for slice in fit.chunks(SLICE_ROWS) {
        staging.push(&slice).await?;
    }
    let count = |rows| i64::try_from(rows).unwrap_or(i64::MAX);
    let mut tally = Tally {
        total: count(total),
        duplicates: count(report.duplicates),
        deleted_before: count(report.deleted_before),
        ignored: count(report.skipped),
        ..Tally::default()
    };
    tally.fail(report.failed, report.errors.iter().map(|error| json!(error)).collect());
    staging.begin(answering, tally).await
}

async fn write_at_once(
    answering: WriteOnce<'_, Imported<TimeImportReport>>,
    actor: &Actor,
    import: TimeImport,
    Compared { report, fit, total: _ }: Compared,
) -> Result<Imported<TimeImportReport>> {
    let (connection, member_id) = (answering.read(), import.query.member_id);
    let author = actor.clone();
    let written = answering
        .write(async move |tx| {
            let rows: Vec<&Parsed> = fit.iter().collect();
            let written = write::write(tx, &author, &import, &rows).await?;
            let found = TimeImportReport {
                duplicates: report.duplicates,
                deleted_before: report.deleted_before,
                failed: report.failed,
                errors: report.errors.clone(),
                skipped: report.skipped,
                ignored_columns: report.ignored_columns.clone(),
                ..TimeImportReport::default()
            };
            Ok(Imported::Done(found.with(written).or_abort(import.query.on_error)?))
        })
        .await;
    match written {
        Err(Error::Reference) => Err(unknown_reference(connection, actor, member_id).await?),
        Ok(Imported::Done(report)) => {
            tracing::info!(created = report.created, failed = report.failed, "imported time");
            Ok(Imported::Done(report))
        }
        other => other,
    }
}

/// Nothing is imported for somebody who is not there, and nothing is said to be.
async fn check_member(connection: &Connections, actor: &Actor, import: &TimeImport) -> Result<()> {
    let Some(id) = import.query.member_id.filter(|id| actor.member_id != Some(*id)) else {
        return Ok(());
    };
    let ids = vec![id];
    let missing =
        member::repository::find_missing_ids(connection, actor.organization_id, ids).await?;
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
    let mut good: Vec<Parsed> = rows.iter().flatten().cloned().collect();
    let bad = rows.iter().filter_map(|row| row.as_ref().err().cloned());
    let (skipped, ignored_columns) = (*skipped, ignored_columns.clone());
    let report = TimeImportReport { skipped, ignored_columns, ..TimeImportReport::default() };
    let report = report.with_failures(bad.collect());
    // Whoever is named by the email in one file may be named by the name in another, but not by nothing.
    let rule = Rule { member_id: None, needed_texts: rows::WHO_TEXTS };
    let identities = good.iter_mut().map(|row| &mut row.identity).collect();
    let fates = History::new(rule).fates::<Entity>(tx, actor.organization_id, identities).await?;
    let count = |fate| fates.iter().filter(|it| **it == fate).count() as u64;
    let restore = import.query.restore;
    let is_new = |fate: &Fate| *fate == Fate::New || (*fate == Fate::Deleted && restore);
    let new = good.iter().zip(&fates).filter(|(_, fate)| is_new(fate));
    let new: Vec<&Parsed> = new.map(|(row, _)| row).collect();
    let (written, lines) = write::compare(tx, actor, import, &new).await?;
    let mut report = report.with(written);
    report.created = lines.len() as u64;
    report.duplicates += count(Fate::There);
    if !restore {
        report.deleted_before += count(Fate::Deleted);
    }
    let fit = new.into_iter().filter(|row| lines.contains(&row.line)).cloned().collect();
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
pub(crate) async fn delete_imported(tx: &Tx, actor: &Actor, ids: Vec<Uuid>) -> Result<u64> {
    write::delete_imported(tx, actor, ids).await
}

fn unknown_member() -> Error {
    Error::invalid("?member_id", "unknown", "must identify a member of the organization")
}

/// After the database has refused a reference: everything else has been looked up.
async fn unknown_reference(
    connection: &Connections,
    actor: &Actor,
    named: Option<Uuid>,
) -> Result<Error> {
    let mut references = References::new(connection, actor.organization_id);
    let named = named.map(|id| ("?member_id".to_owned(), id));
    references.check::<entity::member::Entity>(Vec::from_iter(named)).await?;
    Ok(references.explain())
}

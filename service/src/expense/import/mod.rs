//! Expenses from CSV files, as banks and apps export them.
//!
//! A file is read twice: once to find what is wrong with it, without touching the database, and
//! once inside the transaction that writes it, in bounded memory both times. Each row has a key made
//! of what it says and of how many rows of the file before it say the same: a file imported twice
//! creates nothing the second time, and two equal rows in one file are two expenses.

mod known;
mod rows;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use self::{
    known::Known,
    rows::{Row, Rows},
};
use super::{commands, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    import::{Keys, OnError, Refusals, Report, RowError},
    money,
    store::{Store, Tx},
};

/// How many rows one statement writes.
const CHUNK: usize = 500;

/// Which column is what.
#[derive(Debug, Clone, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// The column of the day.
    pub date: String,
    /// How days are written, as in strftime: `%Y-%m-%d` if it is left out.
    pub date_format: Option<String>,
    /// The column of the amount.
    pub amount: String,
    /// The currency of all rows; the organization's if this and `currency_column` are left out.
    #[validate(custom(function = money::currency_code))]
    pub currency: Option<String>,
    /// The column of the currency.
    pub currency_column: Option<String>,
    /// The column of the merchant.
    pub merchant: Option<String>,
    /// The column of the category's name.
    pub category: Option<String>,
    /// The column of the project: its job number or its name.
    pub project: Option<String>,
    /// The column of the note.
    pub note: Option<String>,
    /// The column that says whether money went out or came in.
    pub direction: Option<String>,
    /// What it says where money went out, without regard to case; other rows are ignored.
    pub direction_debit: Option<String>,
    /// `.` or `,`: what stands before the minor units. `.` if it is left out.
    pub decimal_separator: Option<char>,
    /// `,`, `;` or a tab: what stands between columns. `,` if it is left out.
    pub delimiter: Option<char>,
    /// Whether to make the categories that are not there.
    #[serde(default)]
    pub create_categories: bool,
    /// Whose expenses they are; one's own if it is left out.
    pub member_id: Option<Uuid>,
    /// Only say what would happen.
    #[serde(default)]
    pub dry_run: bool,
    /// What to do about bad rows: `abort` if it is left out.
    #[serde(default)]
    #[param(inline)]
    pub on_error: OnError,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportReport {
    /// Rows that are expenses now.
    pub created: u64,
    /// Rows that had been imported before.
    pub duplicates: u64,
    /// Rows that are no spending.
    pub ignored: u64,
    /// Bad rows.
    pub failed: u64,
    /// What is wrong with the bad rows, the first thousand of them.
    pub errors: Vec<RowError>,
}

/// A file and how to read it.
#[derive(Debug, Clone)]
pub struct Import {
    path: PathBuf,
    query: ImportQuery,
    currency: String,
}

impl Import {
    /// The import of a file, which must stay as it is until the import is done.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the query does not make sense.
    pub fn new(path: &Path, query: ImportQuery, actor: &Actor) -> Result<Self> {
        check(&query)?;
        let currency = query.currency.clone().unwrap_or_else(|| actor.settings.currency.clone());
        Ok(Self { path: path.to_owned(), query, currency })
    }
}

fn check(query: &ImportQuery) -> Result<()> {
    let mut refusals = Refusals::default();
    refusals.check_marks(query.decimal_separator, query.delimiter, query.date_format.as_deref());
    if query.currency.is_some() && query.currency_column.is_some() {
        refusals.refuse("currency_column", "cannot stand beside currency");
    }
    if query.direction.is_some() != query.direction_debit.is_some() {
        refusals.refuse("direction_debit", "goes with direction");
    }
    refusals.or_none()
}

/// Reads the whole file without writing anything: how many rows it has, for a progress bar.
///
/// # Errors
/// Those of [`import`] about the file as a whole.
pub fn inspect(import: &Import) -> Result<u64> {
    let mut rows = 0;
    for row in Rows::open(import)? {
        row?;
        rows += 1;
    }
    Ok(rows)
}

/// Imports a file in one transaction. `progress` is told how many rows have been dealt with; it may
/// start again from the beginning.
///
/// # Errors
/// [`Error::Import`] where rows are bad and none may be; then nothing has been written.
pub async fn import(
    store: &Store,
    actor: &Actor,
    import: Import,
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<ImportReport> {
    if import.query.on_error == OnError::Abort {
        let known = Known::read(store.read(), actor.organization_id, &import.query).await?;
        let import = import.clone();
        // Reading a large file takes its time, and other requests are answered on this thread.
        tokio::task::spawn_blocking(move || refuse_bad_rows(&import, &known))
            .await
            .map_err(|error| Error::Internal(format!("a check ended early: {error}")))??;
    }
    let dry_run = import.query.dry_run;
    let member_id = import.query.member_id;
    let written = store
        .write((actor.clone(), import, progress), |tx, (actor, import, progress)| {
            Box::pin(async move {
                let report = write(tx, actor, import, progress).await?;
                if import.query.dry_run {
                    tx.undo();
                }
                Ok(report)
            })
        })
        .await;
    let report = match written {
        Err(Error::Reference) if member_id.is_some() => {
            return Err(Error::invalid("?member_id", "unknown", "is not a member here"));
        }
        other => other?,
    };
    tracing::info!(created = report.created, failed = report.failed, dry_run, "imported expenses");
    Ok(report)
}

/// The whole file is checked before the transaction begins, so that a bad one holds nobody up.
fn refuse_bad_rows(import: &Import, known: &Known) -> Result<()> {
    let mut report = ImportReport::default();
    for row in Rows::open(import)? {
        match row? {
            Row::Ignored => report.ignored += 1,
            Row::Bad(error) => report.fail(error),
            Row::Good(parsed) => {
                if let Some(error) = known.refusal(&parsed, import) {
                    report.fail(error);
                }
            }
        }
    }
    report.or_abort(OnError::Abort).map(drop)
}

impl Report for ImportReport {
    fn failures(&mut self) -> (&mut u64, &mut Vec<RowError>) {
        (&mut self.failed, &mut self.errors)
    }

    fn with_nothing_written(self) -> Self {
        Self { created: 0, duplicates: 0, ..self }
    }
}

async fn write(
    tx: &Tx,
    actor: &Actor,
    import: &Import,
    progress: &(impl Fn(u64) + Sync),
) -> Result<ImportReport> {
    let mut report = ImportReport::default();
    let mut known = Known::read(tx, actor.organization_id, &import.query).await?;
    let mut keys = Keys::default();
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut done = 0;
    for row in Rows::open(import)? {
        done += 1;
        match row? {
            Row::Ignored => report.ignored += 1,
            Row::Bad(error) => report.fail(error),
            Row::Good(parsed) => {
                if let Some(error) = known.refusal(&parsed, import) {
                    report.fail(error);
                    continue;
                }
                if import.query.create_categories {
                    known.make_category(tx, actor, &parsed).await?;
                }
                let key = parsed.key(&mut keys);
                let input = parsed.input(&known, import.query.member_id);
                chunk.push(commands::new_row(tx, actor, tx.new_id(), &input, Some(key))?);
            }
        }
        if chunk.len() == CHUNK {
            flush(tx, actor, &mut chunk, &mut report).await?;
            progress(done);
        }
    }
    flush(tx, actor, &mut chunk, &mut report).await?;
    progress(done);
    report.or_abort(import.query.on_error)
}

async fn flush(
    tx: &Tx,
    actor: &Actor,
    chunk: &mut Vec<entity::expense::ActiveModel>,
    report: &mut ImportReport,
) -> Result<()> {
    let rows = chunk.len() as u64;
    let created = repository::insert_unknown(tx, actor, std::mem::take(chunk)).await?;
    report.created += created;
    report.duplicates += rows - created;
    Ok(())
}

//! What the imports of CSV files have in common: how a file is read, which of its columns is what, what
//! tells its rows apart, and how it is told what is wrong with them.

mod cells;
mod chunks;
mod columns;
mod commands;
mod key;
mod lines;
mod report;
pub(crate) mod repository;
mod sheet;
mod staging;
mod tally;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use commands::{cancel, finish, get, list};
pub(crate) use staging::{acting, sweep};

pub(crate) use self::{
    cells::Cells,
    chunks::Chunks,
    columns::{Column, Header},
    key::Keys,
    report::Report,
    sheet::Sheet,
    staging::Staging,
    tally::{Tally, Written},
};
use crate::{
    error::{Error, Result, Violation, Violations},
    saga,
    store::page::PageQuery,
};

/// How many rows one transaction writes: nobody waits for the writer longer than these take. What they take is above
/// all what the disk takes for a page of each index a row.
pub(crate) const SLICE: usize = 100;

/// A file that nobody can import as a whole.
pub(crate) fn too_many_rows(limit: u64) -> Error {
    Error::invalid("", "too_many_rows", format!("has more than {limit} rows"))
}

/// What to do about bad rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// Any bad row means that nothing is written.
    #[default]
    Abort,
    /// Bad rows are left out.
    Skip,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowError {
    /// The line that the row begins on; the header's is 1.
    pub line: u64,
    /// The column, if it is one column's fault.
    pub column: Option<String>,
    /// A stable code.
    pub code: &'static str,
    /// What is wrong, for a person.
    pub message: String,
}

/// What is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportKind)]
pub enum Kind {
    /// Expenses.
    Expenses,
    /// Time.
    TimeEntries,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Expenses => "expenses",
            Self::TimeEntries => "time_entries",
        }
    }

    pub(crate) fn of(word: &str) -> Result<Self> {
        match word {
            "expenses" => Ok(Self::Expenses),
            "time_entries" => Ok(Self::TimeEntries),
            other => Err(Error::Internal(format!("no kind of import: {other}"))),
        }
    }
}

/// An import that is done in slices, each a transaction of its own. It is the work of a saga of the same
/// id, which goes on after any interruption, and takes back what it has written where it cannot go on.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Import)]
pub struct ImportRun {
    /// The id; that of its saga, too.
    pub id: Uuid,
    /// What is imported.
    pub kind: Kind,
    /// Where it stands: `completed` when all rows are there, `compensating` while what it has written is
    /// taken back, `compensated` when that is done.
    pub state: saga::State,
    /// Why it was taken back, or cannot go on.
    pub reason: Option<String>,
    /// Rows of the file.
    pub total: i64,
    /// Rows that are there now. Of an import that was taken back, those that somebody has changed since.
    pub created: i64,
    /// Rows that had been imported before.
    pub duplicates: i64,
    /// Rows that are no spending, or of no time and left out.
    pub ignored: i64,
    /// Bad rows.
    pub failed: i64,
    /// The columns of the file that nothing was read from; of imports of time alone.
    pub ignored_columns: Vec<String>,
    /// Categories that were made.
    pub created_categories: i64,
    /// Projects that were made.
    pub created_projects: i64,
    /// Tasks that were made.
    pub created_tasks: i64,
    /// Members that were made.
    pub created_members: i64,
    /// What is wrong with the bad rows, the first thousand of them.
    #[schema(value_type = Vec<RowError>)]
    pub errors: Value,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it last went on.
    pub updated_at: DateTime<Utc>,
}

/// Which imports: the newest first.
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportRunQuery {
    /// Of this kind.
    #[param(inline)]
    pub kind: Option<Kind>,
    /// How many items, 1 to 500.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50, minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
    /// Where to go on: `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl ImportRunQuery {
    fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// What has become of a file.
#[derive(Debug, Clone)]
pub enum Imported<R> {
    /// It is imported: this was done.
    Done(R),
    /// It is being imported.
    Begun(Box<ImportRun>),
}

/// What is wrong with the query of an import, before its file is read.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Violations);

impl Refusals {
    pub(crate) fn refuse(&mut self, name: &str, message: &str) {
        self.0.push(Violation::new(format!("?{name}"), "value", message));
    }

    /// Refuses what no file is written with.
    pub(crate) fn check_marks(
        &mut self,
        decimal_separator: Option<char>,
        delimiter: Option<char>,
        date_format: Option<&str>,
    ) {
        if decimal_separator.is_some_and(|mark| !['.', ','].contains(&mark)) {
            self.refuse("decimal_separator", "must be . or ,");
        }
        if delimiter.is_some_and(|mark| ![',', ';', '\t'].contains(&mark)) {
            self.refuse("delimiter", "must be , or ; or a tab");
        }
        if date_format.is_some_and(|format| !is_format(format)) {
            self.refuse("date_format", "is not a strftime format of a day");
        }
    }

    pub(crate) fn or_none(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}

fn is_format(format: &str) -> bool {
    use chrono::format::{Item, StrftimeItems};
    !StrftimeItems::new(format).any(|item| matches!(item, Item::Error))
}

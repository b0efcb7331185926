//! Files of CSV whose rows are imported: how a file is read, which of its columns is what, what tells its
//! rows apart, and how it is told what is wrong with them.

mod cells;
mod chunks;
mod columns;
mod dialect;
mod encoding;
#[cfg(fuzzing)]
pub mod fuzz;
mod key;
mod lines;
mod months;
mod query;
mod report;
mod sheet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

pub use self::{
    cells::{Cells, parse_day},
    chunks::Chunks,
    columns::{Column, Header, position},
    dialect::{Dialect, Sample},
    encoding::{Encoding, encoding},
    key::{Identity, Keys, Said},
    query::csv_query,
    report::{MAX_REPORTED, Report},
    sheet::Sheet,
};
use crate::error::{Error, Result, Violation, Violations, violations};

/// How many rows are left out at either end of a file at most: those at its end are read ahead.
const MAX_SKIPPED: u64 = 1000;

/// A file that nobody can import as a whole.
pub fn too_many_rows(limit: u64) -> Error {
    Error::invalid("", "too_many_rows", format!("must have at most {limit} rows"))
}

/// Treatment of the invalid rows of an imported file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// One invalid row aborts the import; nothing is written.
    #[default]
    Abort,
    /// Invalid rows are skipped; the others are imported.
    Skip,
}

/// Error in one row of an imported file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportRowError)]
pub struct RowError {
    /// Number of the line on which the row starts. The header is line 1.
    pub line: u64,
    /// Name of the column that is invalid; null if the error is not about one column.
    pub column: Option<String>,
    /// Stable, machine-readable code of the error.
    pub code: &'static str,
    /// Human-readable description of the error.
    pub message: String,
}

/// Reason for which rows of a file were not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportReason)]
pub struct Reason {
    /// Stable, machine-readable code. Of rows that are in order and are left out: `income`,
    /// `not_spending`, `balance`, `pending` (not booked yet), `void` (declined, cancelled or reverted),
    /// `no_transaction` (neither a day nor an amount) and `left_out` (totals at the end of the file). Of
    /// invalid rows: the code of their errors.
    pub code: &'static str,
    /// Number of rows.
    pub count: u64,
    /// Human-readable description of the reason.
    pub message: &'static str,
}

impl RowError {
    /// What the rules of an input have against the row that it is made of: those that a request is under.
    pub fn of_input(line: u64, input: &impl Validate) -> Option<Self> {
        let errors = input.validate().err()?;
        let first = violations(&errors).into_iter().next()?;
        let message = format!("{} {}", first.pointer.trim_start_matches('/'), first.message);
        Some(Self { line, column: None, code: "invalid", message })
    }
}

/// What is wrong with the query of an import, before its file is read.
#[derive(Debug, Default)]
pub struct Refusals(Violations);

impl Refusals {
    /// Refuses a parameter.
    pub fn refuse(&mut self, name: &str, message: &str) {
        self.0.push(Violation::new(format!("?{name}"), "value", message));
    }

    /// Refuses what no file is written with.
    pub fn check_marks(
        &mut self,
        decimal_separator: Option<char>,
        delimiter: Option<char>,
        date_format: Option<&str>,
    ) {
        if decimal_separator.is_some_and(|mark| !['.', ','].contains(&mark)) {
            self.refuse("decimal_separator", "must be a point or a comma");
        }
        if delimiter.is_some_and(|mark| !dialect::DELIMITERS.contains(&mark)) {
            self.refuse("delimiter", "must be a comma, a semicolon, a tab or a vertical bar");
        }
        if date_format.is_some_and(|format| !is_format(format)) {
            self.refuse("date_format", "must be a strftime format of a date");
        }
    }

    /// Refuses an encoding that is none, and to leave out more than anybody does.
    pub fn check_dialect(
        &mut self,
        encoding: Option<&str>,
        skip_rows: Option<u64>,
        skip_last: Option<u64>,
    ) {
        if encoding.is_some_and(|label| self::encoding(label).is_none()) {
            let message = "must be an encoding such as utf-8, utf-16, windows-1252, iso-8859-2, \
                shift_jis or macintosh, or a code page of DOS: cp437, cp850, cp852, cp858, cp865 or \
                cp866";
            self.refuse("encoding", message);
        }
        for (name, rows) in [("skip_rows", skip_rows), ("skip_last", skip_last)] {
            if rows.is_some_and(|rows| rows > MAX_SKIPPED) {
                self.refuse(name, "must be at most 1000");
            }
        }
    }

    /// Nothing, where nothing was refused.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all that was refused.
    pub fn or_none(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}

fn is_format(format: &str) -> bool {
    use chrono::format::{Item, StrftimeItems};
    !StrftimeItems::new(format).any(|item| matches!(item, Item::Error))
}

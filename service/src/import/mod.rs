//! What the imports of CSV files have in common: how a file is read, which of its columns is what, what
//! tells its rows apart, and how it is told what is wrong with them.

mod cells;
mod columns;
mod key;
mod lines;
mod report;
mod sheet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use self::{
    cells::Cells,
    columns::{Column, Header},
    key::Keys,
    report::Report,
    sheet::Sheet,
};
use crate::error::{Error, Result, Violation, Violations};

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

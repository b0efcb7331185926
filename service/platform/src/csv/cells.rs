use chrono::NaiveDate;
use csv::ByteRecord;

use super::{Column, RowError};
use crate::text;

/// The cells of one row.
#[derive(Debug)]
pub struct Cells<'a> {
    pub(super) record: &'a ByteRecord,
    pub(super) width: usize,
    /// The line that the row begins on.
    pub line: u64,
}

impl<'a> Cells<'a> {
    /// What is wrong with the row, or with one of its cells.
    pub fn bad<'c>(
        &self,
        column: impl Into<Option<Column<'c>>>,
        code: &'static str,
        message: impl Into<String>,
    ) -> RowError {
        let column = column.into().map(|column| column.name.to_owned());
        RowError { line: self.line, column, code, message: message.into() }
    }

    /// Refuses a row with more or fewer cells than the header: nobody knows which is which.
    pub fn check_width(&self) -> Result<(), RowError> {
        let (cells, width) = (self.record.len(), self.width);
        if cells == width {
            return Ok(());
        }
        Err(self.bad(None, "columns", format!("has {cells} columns, but the header has {width}")))
    }

    /// A cell's text as it is, to the last byte.
    pub fn text(&self, column: Column<'_>, max: usize) -> Result<&'a str, RowError> {
        let text = std::str::from_utf8(&self.record[column.at])
            .map_err(|_| self.bad(column, "encoding", "must be UTF-8"))?;
        if text.contains('\0') {
            return Err(self.bad(column, "nul", "must not contain a NUL character"));
        }
        if text.chars().count() > max {
            return Err(self.bad(column, "length", format!("must have at most {max} characters")));
        }
        Ok(text)
    }

    /// A cell's text, if there is such a column and it is not blank.
    pub fn optional(
        &self,
        column: Option<Column<'_>>,
        max: usize,
    ) -> Result<Option<&'a str>, RowError> {
        let Some(column) = column else { return Ok(None) };
        Ok(Some(self.text(column, max)?).filter(|text| !text::is_blank(text)))
    }

    /// A cell's day, written as `%Y-%m-%d` if no other format is given.
    pub fn day(&self, column: Column<'_>, format: Option<&str>) -> Result<NaiveDate, RowError> {
        let format = format.unwrap_or("%Y-%m-%d");
        let day =
            NaiveDate::parse_from_str(self.text(column, 100)?.trim(), format).map_err(|_| {
                self.bad(column, "date", format!("must be a date in the format {format}"))
            })?;
        text::day(&day).map_err(|_| self.bad(column, "date", "is out of range"))?;
        Ok(day)
    }
}

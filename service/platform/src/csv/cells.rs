use chrono::NaiveDate;
use csv::ByteRecord;

use super::{Column, RowError, months};
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

    /// Refuses a row with fewer cells than the header, or with more that say something: nobody knows which
    /// is which.
    pub fn check_width(&self) -> Result<(), RowError> {
        let (cells, width) = (self.record.len(), self.width);
        let mut extra = self.record.iter().skip(width);
        if cells >= width && extra.all(|cell| cell.trim_ascii().is_empty()) {
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

    /// A cell's day, written as `%Y-%m-%d` if no other format is given. `ignore_time` cuts off a time after it.
    pub fn day(
        &self,
        column: Column<'_>,
        format: Option<&str>,
        ignore_time: bool,
    ) -> Result<NaiveDate, RowError> {
        let format = format.unwrap_or("%Y-%m-%d");
        let day = parse_day(self.text(column, 100)?, format, ignore_time).ok_or_else(|| {
            self.bad(column, "date", format!("must be a date in the format {format}"))
        })?;
        text::day(&day).map_err(|_| self.bad(column, "date", "is out of range"))?;
        Ok(day)
    }

    /// All cells as texts. What is no text is shown as well as it can be.
    pub fn texts(&self) -> Vec<String> {
        self.record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
    }
}

/// The day that a text says in a format, with the name of its month in English or in another language.
/// `ignore_time` cuts off a time after it.
pub fn parse_day(text: &str, format: &str, ignore_time: bool) -> Option<NaiveDate> {
    let text = text.trim();
    let names_month = ["%B", "%b", "%h"].iter().any(|name| format.contains(name));
    let in_english = || if names_month { months::in_english(text) } else { None };
    parse_english(text, format, ignore_time)
        .or_else(|| parse_english(&in_english()?, format, ignore_time))
}

fn parse_english(text: &str, format: &str, ignore_time: bool) -> Option<NaiveDate> {
    if !ignore_time {
        return NaiveDate::parse_from_str(text, format).ok();
    }
    let (day, rest) = NaiveDate::parse_and_remainder(text, format).ok()?;
    is_time(rest).then_some(day)
}

/// Whether what stands after a day is nothing, or a time: ` 14:22`, `T14:22:10.5Z`, `, 2:22 PM`.
fn is_time(rest: &str) -> bool {
    let time = rest.trim_start_matches(['T', ',', ' ']);
    let mut parts = time.splitn(3, [':', '.', 'h']);
    let digits = |part: Option<&str>, least: usize| {
        let count = part.unwrap_or_default().bytes().take_while(u8::is_ascii_digit).count();
        (least..=2).contains(&count)
    };
    time.is_empty()
        || (time.len() < rest.len() && digits(parts.next(), 1) && digits(parts.next(), 2))
}

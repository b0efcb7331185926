//! The rows of a CSV file, read strictly, one at a time.

use std::{collections::HashMap, fs::File};

use chrono::NaiveDate;
use csv::{ByteRecord, ReaderBuilder};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Import, ImportQuery, RowError, known::Known, lines::Lines};
use crate::{
    error::{Error, Result, Violation, Violations},
    expense::{ExpenseInput, Kind},
    money::{self, AmountError},
    random::hexadecimal,
    text::{self, fold},
};

/// The rows of a file, one at a time.
pub(super) struct Rows<'a> {
    reader: csv::Reader<Lines<File>>,
    record: ByteRecord,
    width: usize,
    columns: Columns<'a>,
    import: &'a Import,
}

impl<'a> Rows<'a> {
    pub(super) fn open(import: &'a Import) -> Result<Self> {
        let file = File::open(&import.path)
            .map_err(|error| Error::Internal(format!("the file cannot be read: {error}")))?;
        let delimiter = import.query.delimiter.map_or(b',', |mark| mark as u8);
        let mut reader =
            ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(Lines::of(file));
        let header = reader.byte_headers().map_err(|error| unreadable(&error))?.clone();
        let columns = Columns::find(&header, &import.query)?;
        Ok(Self { reader, record: ByteRecord::new(), width: header.len(), columns, import })
    }

    /// The line that the record begins on. Its position in the reader does not say so: that is where
    /// the record before it ended, perhaps in the middle of a CRLF or before empty lines.
    fn line(&mut self) -> u64 {
        let end = self.reader.position().clone();
        let inside = self.record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        let ended = self.reader.get_mut().ended_before(end.byte());
        end.line().saturating_sub(inside + u64::from(ended))
    }

    fn parse(&self, line: u64) -> Result<Row, RowError> {
        let query = &self.import.query;
        let columns = &self.columns;
        let cells = Cells { record: &self.record, line };
        cells.check_width(self.width)?;
        if let Some(debit) = &query.direction_debit {
            let direction = cells.optional(columns.direction, 200)?.unwrap_or_default();
            if fold(direction) != fold(debit) {
                return Ok(Row::Ignored);
            }
        }
        let spent_on = cells.day(columns.date, query.date_format.as_deref())?;
        let code = match cells.optional(columns.currency, 100)? {
            Some(code) => code.trim().to_uppercase(),
            None => self.import.currency.clone(),
        };
        let currency = money::currency(&code).ok_or_else(|| {
            cells.bad(columns.currency, "currency", "is not an ISO 4217 code with minor units")
        })?;
        let separator = query.decimal_separator.unwrap_or('.');
        let exponent = currency.exponent().unwrap_or_default();
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Ok(Row::Good(Parsed {
            line,
            spent_on,
            amount_minor: cells.amount(columns.amount, separator, exponent)?,
            currency: code,
            merchant: owned(cells.optional(columns.merchant, 200)?),
            category: cells.optional(columns.category, 100)?.map(|name| name.trim().to_owned()),
            project: cells.optional(columns.project, 100)?.map(|word| word.trim().to_owned()),
            note: owned(cells.optional(columns.note, 2000)?),
        }))
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => None,
            Ok(true) => {
                let line = self.line();
                Some(Ok(self.parse(line).unwrap_or_else(Row::Bad)))
            }
            Err(error) => Some(Err(unreadable(&error))),
        }
    }
}

fn unreadable(error: &csv::Error) -> Error {
    Error::invalid("", "csv", format!("cannot be read as CSV: {error}"))
}

/// A row of the file.
pub(super) enum Row {
    Ignored,
    Bad(RowError),
    Good(Parsed),
}

/// What a row says.
pub(super) struct Parsed {
    pub(super) line: u64,
    pub(super) category: Option<String>,
    pub(super) project: Option<String>,
    spent_on: NaiveDate,
    amount_minor: i64,
    currency: String,
    merchant: Option<String>,
    note: Option<String>,
}

impl Parsed {
    /// What tells this row from every other: what it says, and how many before it said the same.
    pub(super) fn key(&self, occurrences: &mut HashMap<[u8; 16], u32>) -> String {
        let mut hash = Sha256::new();
        let (day, amount) = (self.spent_on.to_string(), self.amount_minor.to_string());
        let fixed = [Some(day.as_str()), Some(&amount), Some(&self.currency)];
        let texts = [&self.merchant, &self.category, &self.note].map(Option::as_deref);
        // A row without a project has the key that it had when rows had none.
        let project = self.project.as_deref().map(Some);
        for part in fixed.into_iter().chain(texts).chain(project) {
            // Lengths keep ("ab", "c") apart from ("a", "bc"), and none from empty.
            hash.update(part.map_or(u64::MAX, |part| part.len() as u64).to_be_bytes());
            hash.update(part.unwrap_or_default());
        }
        let digest = hash.finalize();
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        let count = occurrences.entry(short).or_insert(0);
        *count += 1;
        let key = Sha256::new().chain_update(digest).chain_update(count.to_be_bytes());
        hexadecimal(&key.finalize())
    }

    /// The expense that it is.
    pub(super) fn input(self, known: &Known, member_id: Option<Uuid>) -> ExpenseInput {
        ExpenseInput {
            kind: Kind::Purchase,
            member_id,
            category_id: known.category(self.category.as_deref()),
            project_id: known.project(self.project.as_deref()),
            spent_on: self.spent_on,
            amount_minor: self.amount_minor,
            currency: Some(self.currency),
            merchant: self.merchant,
            payment_method: None,
            note: self.note,
            place: None,
            details: None,
            items: Vec::new(),
            tags: Vec::new(),
        }
    }
}

/// A column of the file: where it is, and what it is called there.
#[derive(Clone, Copy)]
struct Column<'a> {
    at: usize,
    name: &'a str,
}

/// Where the columns are.
struct Columns<'a> {
    date: Column<'a>,
    amount: Column<'a>,
    currency: Option<Column<'a>>,
    merchant: Option<Column<'a>>,
    category: Option<Column<'a>>,
    project: Option<Column<'a>>,
    note: Option<Column<'a>>,
    direction: Option<Column<'a>>,
}

impl<'a> Columns<'a> {
    fn find(header: &ByteRecord, query: &'a ImportQuery) -> Result<Self> {
        let mut names = Names { names: header.iter().map(folded).collect(), refused: Vec::new() };
        let date = names.find("date", &query.date);
        let amount = names.find("amount", &query.amount);
        let currency = names.find_any("currency_column", &query.currency_column);
        let merchant = names.find_any("merchant", &query.merchant);
        let category = names.find_any("category", &query.category);
        let project = names.find_any("project", &query.project);
        let note = names.find_any("note", &query.note);
        let direction = names.find_any("direction", &query.direction);
        match (date, amount) {
            (Some(date), Some(amount)) if names.refused.is_empty() => {
                Ok(Self { date, amount, currency, merchant, category, project, note, direction })
            }
            _ => Err(Error::Invalid(names.refused)),
        }
    }
}

/// The name of a column as it is compared, without the byte order mark that some programs write.
fn folded(name: &[u8]) -> String {
    fold(String::from_utf8_lossy(name).trim_start_matches('\u{feff}'))
}

/// The header, and what could not be found in it.
struct Names {
    names: Vec<String>,
    refused: Violations,
}

impl Names {
    fn find<'a>(&mut self, parameter: &str, name: &'a str) -> Option<Column<'a>> {
        let folded = fold(name);
        let mut places = self.names.iter().enumerate().filter(|(_, other)| **other == folded);
        let (code, message) = match (places.next(), places.next()) {
            (Some((at, _)), None) => return Some(Column { at, name }),
            (None, _) => ("unknown_column", "the file has no column"),
            (Some(_), Some(_)) => ("ambiguous_column", "the file has more than one column"),
        };
        let message = format!("{message} {name:?}");
        self.refused.push(Violation::new(format!("?{parameter}"), code, message));
        None
    }

    fn find_any<'a>(&mut self, parameter: &str, name: &'a Option<String>) -> Option<Column<'a>> {
        name.as_deref().and_then(|name| self.find(parameter, name))
    }
}

/// The cells of one row.
struct Cells<'a> {
    record: &'a ByteRecord,
    line: u64,
}

impl<'a> Cells<'a> {
    fn bad<'c>(
        &self,
        column: impl Into<Option<Column<'c>>>,
        code: &'static str,
        message: impl Into<String>,
    ) -> RowError {
        let column = column.into().map(|column| column.name.to_owned());
        RowError { line: self.line, column, code, message: message.into() }
    }

    fn check_width(&self, width: usize) -> Result<(), RowError> {
        let cells = self.record.len();
        if cells == width {
            return Ok(());
        }
        Err(self.bad(None, "columns", format!("has {cells} columns, and the header has {width}")))
    }

    fn text(&self, column: Column<'_>, max: usize) -> Result<&'a str, RowError> {
        let text = std::str::from_utf8(&self.record[column.at])
            .map_err(|_| self.bad(column, "encoding", "is not UTF-8"))?;
        if text.contains('\0') {
            return Err(self.bad(column, "nul", "holds a NUL character"));
        }
        if text.chars().count() > max {
            return Err(self.bad(column, "length", format!("has more than {max} characters")));
        }
        Ok(text)
    }

    /// A cell's text, if there is such a column and it is not blank.
    fn optional(
        &self,
        column: Option<Column<'_>>,
        max: usize,
    ) -> Result<Option<&'a str>, RowError> {
        let Some(column) = column else { return Ok(None) };
        Ok(Some(self.text(column, max)?).filter(|text| !text.trim().is_empty()))
    }

    fn day(&self, column: Column<'_>, format: Option<&str>) -> Result<NaiveDate, RowError> {
        let format = format.unwrap_or("%Y-%m-%d");
        let day = NaiveDate::parse_from_str(self.text(column, 100)?.trim(), format)
            .map_err(|_| self.bad(column, "date", format!("is not a day as {format}")))?;
        text::day(&day).map_err(|_| self.bad(column, "date", "is too far away"))?;
        Ok(day)
    }

    fn amount(&self, column: Column<'_>, separator: char, exponent: u16) -> Result<i64, RowError> {
        money::parse(self.text(column, 100)?, separator, exponent).map_err(|error| {
            let code = match error {
                AmountError::Syntax => "amount",
                AmountError::Precision => "amount_precision",
                AmountError::Range => "amount_range",
            };
            self.bad(column, code, error.to_string())
        })
    }
}

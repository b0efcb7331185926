use std::{collections::BTreeMap, fmt, fs::File};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::{Cell, unwritten};
use crate::error::{Error, Result};

/// How many UTF-16 code units a cell holds.
const MAX_TEXT: usize = 32_767;
/// How many digits of a number a spreadsheet keeps: it has doubles.
const MAX_DIGITS: usize = 15;
/// The first day whose number all spreadsheets agree on: Excel's 1900 has a 29 February.
const FIRST_DAY: Option<NaiveDate> = NaiveDate::from_ymd_opt(1900, 3, 1);
/// The day of number 0.
const EPOCH: Option<NaiveDate> = NaiveDate::from_ymd_opt(1899, 12, 30);
const DAY: &str = "yyyy-mm-dd";
const INSTANT: &str = "yyyy-mm-dd hh:mm:ss.000";

pub(super) struct Writer {
    workbook: Workbook,
    file: File,
    row: u32,
    day: Format,
    instant: Format,
    /// Those of numbers with so many decimals.
    decimals: BTreeMap<u16, Format>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("row", &self.row).finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn begin<'a>(file: File, names: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut workbook = Workbook::new();
        // The same rows are the same file.
        let made = ExcelDateTime::from_timestamp(0).map_err(|error| failed(&error, 0, 0))?;
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
        let sheet =
            workbook.add_worksheet_with_constant_memory().map_err(|error| failed(&error, 0, 0))?;
        let bold = Format::new().set_bold();
        for (column, name) in (0..).zip(names) {
            sheet
                .write_string_with_format(0, column, name, &bold)
                .map_err(|error| failed(&error, 0, column))?;
        }
        sheet.set_freeze_panes(1, 0).map_err(|error| failed(&error, 0, 0))?;
        Ok(Self {
            workbook,
            file,
            row: 0,
            day: Format::new().set_num_format(DAY),
            instant: Format::new().set_num_format(INSTANT),
            decimals: BTreeMap::new(),
        })
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> Result<()> {
        self.row += 1;
        for cell in cells {
            if let Cell::Number { decimals: Some(decimals), .. } = cell {
                self.decimals.entry(*decimals).or_insert_with(|| fixed(*decimals));
            }
        }
        let row = self.row;
        let failed = |error: XlsxError, column| failed(&error, row, column);
        let sheet = self.workbook.worksheet_from_index(0).map_err(|error| failed(error, 0))?;
        let formats = Formats { day: &self.day, instant: &self.instant, decimals: &self.decimals };
        for (column, cell) in (0..).zip(cells) {
            formats.write(sheet, (row, column), cell).map_err(|error| failed(error, column))?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<File> {
        let file = self.file.try_clone().map_err(unwritten)?;
        self.workbook.save_to_writer(self.file).map_err(|error| failed(&error, self.row, 0))?;
        Ok(file)
    }
}

fn fixed(decimals: u16) -> Format {
    let point = if decimals == 0 { "" } else { "." };
    let digits = "0".repeat(usize::from(decimals));
    Format::new().set_num_format(format!("0{point}{digits}"))
}

struct Formats<'a> {
    day: &'a Format,
    instant: &'a Format,
    decimals: &'a BTreeMap<u16, Format>,
}

impl Formats<'_> {
    /// What no double or no date of a spreadsheet says exactly is a text.
    fn write(
        &self,
        sheet: &mut Worksheet,
        (row, column): (u32, u16),
        cell: &Cell,
    ) -> std::result::Result<(), XlsxError> {
        let (number, format) = match cell {
            Cell::Empty => return Ok(()),
            Cell::Boolean(value) => return sheet.write_boolean(row, column, *value).map(drop),
            Cell::Text(text) => return sheet.write_string(row, column, text).map(drop),
            Cell::Number { text, decimals } => {
                let format = decimals.as_ref().and_then(|it| self.decimals.get(it));
                (exact_double(text), format)
            }
            Cell::Day(day) => (day_number(*day), Some(self.day)),
            Cell::Instant(at) => (instant_number(*at), Some(self.instant)),
        };
        match (number, format) {
            (Some(number), Some(format)) => {
                sheet.write_number_with_format(row, column, number, format).map(drop)
            }
            (Some(number), None) => sheet.write_number(row, column, number).map(drop),
            (None, _) => sheet.write_string(row, column, cell.text()).map(drop),
        }
    }
}

/// A number that has no more digits than a spreadsheet keeps.
fn exact_double(text: &str) -> Option<f64> {
    let (digits, _) = text.split_once(['e', 'E']).unwrap_or((text, ""));
    let is_whole = !digits.contains('.');
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    let digits = if is_whole { digits } else { digits.trim_end_matches('0') };
    let number: f64 = text.parse().ok().filter(|_| digits.len() <= MAX_DIGITS)?;
    let fits = number.is_normal() && number.abs() < 9.99e307 || digits.is_empty();
    fits.then_some(number)
}

fn day_number(day: NaiveDate) -> Option<f64> {
    let number = FIRST_DAY.filter(|first| *first <= day).and(EPOCH);
    // Fewer than 2^53.
    number.map(|epoch| (day - epoch).num_days() as f64)
}

fn instant_number(at: DateTime<Utc>) -> Option<f64> {
    let midnight = at.date_naive().and_time(NaiveTime::MIN).and_utc();
    let part = (at - midnight).num_microseconds()? as f64 / 86_400e6;
    day_number(at.date_naive()).map(|day| day + part)
}

/// Rows and columns are counted from 1, as a spreadsheet does.
fn failed(error: &XlsxError, row: u32, column: u16) -> Error {
    match error {
        XlsxError::MaxStringLengthExceeded => Error::invalid(
            "?format",
            "too_long",
            format!(
                "must be csv, or fields must leave out column {}: its cell in row {} is longer \
                 than the {MAX_TEXT} characters of a cell of XLSX",
                column + 1,
                row + 1
            ),
        ),
        other => unwritten(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_is_a_number_with_few_enough_digits() {
        assert_eq!(exact_double("0"), Some(0.0));
        assert_eq!(exact_double("-12.30"), Some(-12.3));
        assert_eq!(exact_double("999999999999999"), Some(999_999_999_999_999.0));
        assert_eq!(exact_double("0.000000000000001"), Some(1e-15));
        assert_eq!(exact_double("1.5e3"), Some(1500.0));
        for text in ["9007199254740993", "1234567890123.456", "1e400", "1e-320", "x"] {
            assert_eq!(exact_double(text), None, "{text}");
        }
    }

    #[test]
    fn days_and_instants_have_the_numbers_of_spreadsheets() {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).expect("a day");
        assert_eq!(day_number(day(2026, 11, 21)), Some(46_347.0));
        assert_eq!(day_number(day(1900, 3, 1)), Some(61.0));
        assert_eq!(day_number(day(1900, 2, 28)), None);
        let noon: DateTime<Utc> = "2026-11-21T18:00:00Z".parse().expect("an instant");
        assert_eq!(instant_number(noon), Some(46_347.75));
    }

    #[test]
    fn a_text_that_no_cell_holds_is_told() {
        let file = tempfile::tempfile().expect("a file");
        let mut writer = Writer::begin(file, ["note"]).expect("a table");
        writer.row(&[Cell::Text("x".repeat(MAX_TEXT))]).expect("a row");
        let error = writer.row(&[Cell::Text("x".repeat(MAX_TEXT + 1))]);
        let violations = error.expect_err("too long").violations();
        assert!(violations[0].message.contains("row 3"), "{violations:?}");
    }
}

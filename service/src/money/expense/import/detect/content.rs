//! What stands in the cells of a file.

use crate::{
    amount,
    money::expense::import::{
        days::is_day,
        words::{Status, is_neutral, status, way},
    },
};

/// An amount, whichever mark its decimals have.
pub(super) fn read(text: &str) -> Option<amount::Written<'_>> {
    let read = |mark| amount::read(text, mark, 4).ok();
    if is_day(text) && !text.contains(',') {
        return None;
    }
    read('.').or_else(|| read(','))
}

pub(super) fn cell(cells: &[String], at: Option<usize>) -> &str {
    at.and_then(|at| cells.get(at)).map_or("", |cell| cell.trim())
}

/// What the cells of a column are, of a few rows.
pub(super) struct Content {
    pub(super) filled: usize,
    /// Those with letters.
    pub(super) words: usize,
    /// Those that nobody writes as the number of anything but money.
    pub(super) marked: usize,
    pub(super) days: usize,
    /// Those that say instead of a day that there is none yet.
    pub(super) pending: usize,
    pub(super) amounts: usize,
    pub(super) codes: usize,
    pub(super) ways: usize,
    pub(super) statuses: usize,
    pub(super) degrees: usize,
    /// Numbers of accounts, cards or transactions.
    pub(super) numbers: usize,
}

/// Whether a text is mostly digits, without words: `NL12 BANK 0123 4567 89`.
fn is_number(text: &str) -> bool {
    let mut letters = text.chars().filter(|c| !c.is_whitespace());
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits >= 6
        && digits * 2 > letters.clone().count()
        && letters.all(|c| c.is_ascii_alphanumeric())
}

impl Content {
    pub(super) fn of(rows: &[&Vec<String>], at: usize) -> Self {
        let cells = rows.iter().map(|cells| cell(cells, Some(at)));
        let filled: Vec<&str> =
            cells.filter(|text| !amount::is_none(text) || matches!(*text, "-")).collect();
        let count = |is: fn(&str) -> bool| filled.iter().filter(|text| is(text)).count();
        let statuses: Vec<Status> = filled.iter().filter_map(|text| status(text)).collect();
        Self {
            filled: filled.len(),
            words: count(|text| text.contains(char::is_alphabetic)),
            marked: count(|text| text.contains(['.', ',', '-', '\u{2212}', '('])),
            days: count(is_day),
            pending: statuses.iter().filter(|it| **it == Status::Pending).count(),
            amounts: count(|text| read(text).is_some() || text == "-"),
            codes: count(|text| amount::currency(text).is_some()),
            ways: count(|text| way(text).is_some() || is_neutral(text)),
            statuses: statuses.len(),
            numbers: count(is_number),
            degrees: count(|text| text.replace(',', ".").parse::<f64>().is_ok()),
        }
    }

    /// Whether most cells are so: a file may have a few rows that are none.
    pub(super) fn are(&self, count: usize) -> bool {
        self.filled > 0 && count * 3 >= self.filled * 2
    }
}

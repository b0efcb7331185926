use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

/// What a spreadsheet takes a cell for a formula by, in the first place; the wide forms too.
const FORMULA: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// What is in a cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A text.
    Text(String),
    /// A number in JSON's notation, and how many decimals all numbers of its kind have, if they have as many.
    Number {
        /// Its digits.
        text: String,
        /// Such as 2 for amounts of euros.
        decimals: Option<u16>,
    },
    /// Yes or no.
    Boolean(bool),
    /// A day.
    Day(NaiveDate),
    /// An instant.
    Instant(DateTime<Utc>),
}

impl Cell {
    /// An amount of minor units of a currency with so many decimals: 1234 of 2 is `12.34`.
    pub fn amount(minor: i128, decimals: u16) -> Self {
        let digits = usize::from(decimals);
        let magnitude = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
        let (whole, part) = magnitude.split_at(magnitude.len() - digits);
        let sign = if minor < 0 { "-" } else { "" };
        let point = if digits == 0 { "" } else { "." };
        Self::Number { text: format!("{sign}{whole}{point}{part}"), decimals: Some(decimals) }
    }

    /// As CSV has it: a day as `2026-11-21`, an instant as `2026-11-21T09:30:00Z`.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(text) => neutral(text),
            Self::Number { text, .. } => Cow::Borrowed(text),
            Self::Boolean(true) => Cow::Borrowed("true"),
            Self::Boolean(false) => Cow::Borrowed("false"),
            Self::Day(day) => Cow::Owned(day.to_string()),
            Self::Instant(at) => Cow::Owned(at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        }
    }
}

/// A text that somebody has written, as a cell of CSV that is read and not run: an apostrophe stands before what would
/// be a formula.
pub fn neutral(text: &str) -> Cow<'_, str> {
    match text.starts_with(FORMULA) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_a_formula_is_a_text() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"] {
            assert_eq!(neutral(text), format!("'{text}"));
        }
        for text in ["", "Grace", "a=b", "'=1", " =1"] {
            assert_eq!(neutral(text), text);
        }
    }

    #[test]
    fn an_amount_has_the_decimals_of_its_currency() {
        let amount = |minor, decimals| Cell::amount(minor, decimals).text().into_owned();
        assert_eq!(amount(1234, 2), "12.34");
        assert_eq!(amount(-5, 2), "-0.05");
        assert_eq!(amount(0, 2), "0.00");
        assert_eq!(amount(1234, 0), "1234");
        assert_eq!(amount(-1, 3), "-0.001");
        let most = "1701411834604692317316873037158841057.28";
        assert_eq!(amount(i128::MIN, 2), format!("-{most}"));
    }
}

//! How much money went which way, as a row says it.

use super::{ImportQuery, SignMeaning, words::Way};
use crate::{
    amount::{self, AmountError, Sign, Written},
    csv::{Cells, Column, RowError},
};

/// Where the amounts are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Amounts<'a> {
    One(Column<'a>),
    /// What was spent, and what came in.
    Two(Column<'a>, Option<Column<'a>>),
}

impl<'a> Amounts<'a> {
    /// The columns that have them.
    pub(super) fn columns(self) -> impl Iterator<Item = Column<'a>> {
        let (first, second) = match self {
            Self::One(column) => (column, None),
            Self::Two(debit, credit) => (debit, credit),
        };
        [Some(first), second].into_iter().flatten()
    }
}

/// What the column of the direction says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// There is no such column.
    None,
    Known(Way),
    /// Neither that money went out nor that it came in.
    Other,
}

/// How the amounts of a row are read.
pub(super) struct Money<'a> {
    pub(super) cells: &'a Cells<'a>,
    pub(super) query: &'a ImportQuery,
    pub(super) code: &'a str,
    pub(super) separator: char,
    pub(super) exponent: u16,
}

impl Money<'_> {
    /// Which way how much money went.
    pub(super) fn read(&self, amounts: Amounts<'_>, word: Word) -> Result<(Way, i64), RowError> {
        match amounts {
            Amounts::One(column) => {
                let written = self.written(column)?;
                let way = self.way(column, word, written.sign)?;
                Ok((way, more_than_nothing(self.cells, column, written.minor)?))
            }
            Amounts::Two(debit, credit) => self.of_two(debit, credit),
        }
    }

    fn written(&self, column: Column<'_>) -> Result<Written<'_>, RowError> {
        let text = self.cells.text(column, 100)?;
        let written = amount::read(text, self.separator, self.exponent).map_err(|error| {
            let code = match error {
                AmountError::Syntax => "amount",
                AmountError::Precision => "amount_precision",
                AmountError::Range => "amount_range",
            };
            self.cells.bad(column, code, error.to_string())
        })?;
        match written.unit {
            Some(unit) if !amount::currencies_of(unit).contains(&self.code) => {
                let message = format!("is in {unit}, but the currency of the row is {}", self.code);
                Err(self.cells.bad(column, "currency", message))
            }
            _ => Ok(written),
        }
    }

    /// Which way money went, if word and sign do not contradict each other.
    fn way(&self, column: Column<'_>, word: Word, sign: Sign) -> Result<Way, RowError> {
        let by_sign = match (sign, self.query.sign) {
            (Sign::Debit, _) => Some(Way::Out),
            (Sign::Credit, _) => Some(Way::In),
            (Sign::Minus, Some(SignMeaning::DebitNegative))
            | (Sign::Plus, Some(SignMeaning::DebitPositive)) => Some(Way::Out),
            (Sign::Plus, Some(SignMeaning::DebitNegative))
            | (Sign::Minus, Some(SignMeaning::DebitPositive)) => Some(Way::In),
            (_, None) => None,
        };
        match (word, by_sign) {
            (Word::Known(way), None) if sign == Sign::Plus => Ok(way),
            (Word::Known(way), Some(other)) if way == other => Ok(way),
            (Word::None, Some(way)) => Ok(way),
            _ => Err(unsure(
                self.cells,
                column,
                "must have the sign that the direction has elsewhere",
            )),
        }
    }

    fn of_two(
        &self,
        debit: Column<'_>,
        credit: Option<Column<'_>>,
    ) -> Result<(Way, i64), RowError> {
        let out = self.filled(debit)?;
        let back = credit.map_or(Ok(None), |column| self.filled(column))?;
        let column = credit.unwrap_or(debit);
        match (out, back) {
            (Some(_), Some(_)) => {
                Err(unsure(self.cells, column, "must be blank where there is a debit"))
            }
            (Some(out), None) => {
                let expected = match self.query.sign {
                    Some(SignMeaning::DebitNegative) => Sign::Minus,
                    _ => Sign::Plus,
                };
                let is_odd = out.sign != expected && out.sign != Sign::Debit;
                if is_odd {
                    return Err(unsure(
                        self.cells,
                        debit,
                        "must have the sign of the other debits",
                    ));
                }
                Ok((Way::Out, out.minor))
            }
            (None, Some(back)) if self.is_income(back.sign) => Ok((Way::In, back.minor)),
            (None, Some(_)) => Err(unsure(self.cells, column, "must not be negative")),
            (None, None) if credit.is_none() => Err(unsure(self.cells, debit, "must not be blank")),
            (None, None) => Err(self.cells.bad(debit, "amount", "is blank, and so is the credit")),
        }
    }

    /// Whether a credit has a sign that credits have: a minus only where the query says that money that came in has
    /// one.
    fn is_income(&self, sign: Sign) -> bool {
        let has_minus = self.query.sign == Some(SignMeaning::DebitPositive);
        matches!(sign, Sign::Plus | Sign::Credit) || (sign == Sign::Minus && has_minus)
    }

    /// The amount of a cell, if it is not blank, a dash or zero.
    fn filled(&self, column: Column<'_>) -> Result<Option<Written<'_>>, RowError> {
        if amount::is_none(self.cells.text(column, 100)?) {
            return Ok(None);
        }
        Ok(Some(self.written(column)?).filter(|written| written.minor > 0))
    }
}

fn more_than_nothing(cells: &Cells<'_>, column: Column<'_>, minor: i64) -> Result<i64, RowError> {
    if minor > 0 {
        return Ok(minor);
    }
    Err(cells.bad(column, "amount_range", AmountError::Range.to_string()))
}

pub(super) fn unsure(cells: &Cells<'_>, column: Column<'_>, message: &str) -> RowError {
    cells.bad(column, "direction", message)
}

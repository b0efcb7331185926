//! What the balance after each row says: which column has the amounts, and what their signs mean.

use super::{Search, content::cell};
use crate::{
    amount::{self, Sign},
    money::expense::import::SignMeaning,
};

type Rows<'a> = [&'a Vec<String>];

/// The marks that may stand before decimals.
const MARKS: [char; 2] = ['.', ','];

/// A number with its sign, in ten-thousandths.
fn number(text: &str, mark: char) -> Option<i64> {
    let read = amount::read(text, mark, 4).ok()?;
    Some(if matches!(read.sign, Sign::Minus | Sign::Debit) { -read.minor } else { read.minor })
}

/// How often a balance differs from the one before, or after, by the amounts between them. Steps of nothing are none.
fn count_steps(rows: impl Iterator<Item = (i64, Option<i64>)>, factor: i64) -> usize {
    let (mut up, mut down) = (0, 0);
    let (mut last, mut since, mut until) = (None, 0, 0);
    for (amount, balance) in rows {
        since += amount;
        if let Some(balance) = balance {
            if let Some(last) = last {
                up += usize::from(since != 0 && balance - last == factor * since);
                down += usize::from(until != 0 && last - balance == factor * until);
            }
            last = Some(balance);
            (since, until) = (0, 0);
        }
        until += amount;
    }
    up.max(down)
}

/// The steps of a column of balances after one of amounts.
fn steps(rows: &Rows<'_>, amount: usize, balance: usize, mark: char, factor: i64) -> usize {
    let of_row = |cells: &&Vec<String>| {
        let amount = number(cell(cells, Some(amount)), mark).unwrap_or_default();
        (amount, number(cell(cells, Some(balance)), mark))
    };
    count_steps(rows.iter().map(of_row), factor)
}

/// Whether so many of the steps between rows are right that the others may be other accounts, or rows left out.
fn are_most(rows: &Rows<'_>, steps: usize) -> bool {
    let all = rows.len().saturating_sub(1);
    all > 0 && steps * 3 >= all * 2
}

/// Whether one column is the balance after the amounts of another one.
pub(super) fn is_balance_of(rows: &Rows<'_>, amount: usize, balance: usize) -> bool {
    MARKS.into_iter().any(|mark| are_most(rows, steps(rows, amount, balance, mark, 1)))
}

fn is_blank(cells: &[String], at: usize) -> bool {
    amount::is_none(cell(cells, Some(at)))
}

/// Whether one column is the balance after what two others say went out and came in: one of them in each row.
pub(super) fn is_balance_of_two(
    rows: &Rows<'_>,
    [debit, credit]: [usize; 2],
    balance: usize,
) -> bool {
    let is_one = |cells: &&Vec<String>| is_blank(cells, debit) != is_blank(cells, credit);
    let is_balance = |mark| {
        let of_row = |cells: &&Vec<String>| {
            let read = |at| number(cell(cells, Some(at)), mark);
            let signed = read(credit).unwrap_or_default() - read(debit).unwrap_or_default();
            (signed, read(balance))
        };
        are_most(rows, count_steps(rows.iter().map(of_row), 1))
    };
    rows.iter().all(is_one) && MARKS.into_iter().any(is_balance)
}

/// Whether each row says what the balance was before its amount, and what it is after it.
pub(super) fn is_sum_of(rows: &Rows<'_>, [before, amount]: [usize; 2], after: usize) -> bool {
    let is_sum = |mark| {
        let is_right = |cells: &&&Vec<String>| {
            let [before, amount, after] =
                [before, amount, after].map(|at| number(cell(cells, Some(at)), mark));
            let sum = before.zip(amount).map(|(before, amount)| before + amount);
            sum.is_some() && sum == after && amount != Some(0)
        };
        let right = rows.iter().filter(is_right).count();
        right > 0 && right * 3 >= rows.len() * 2
    };
    MARKS.into_iter().any(is_sum)
}

impl Search<'_> {
    /// What the balance after each row says about the sign of its amount.
    pub(super) fn balances(&self, rows: &Rows<'_>) -> Option<SignMeaning> {
        let (amount, balance) =
            (self.place(self.query.amount.as_ref())?, self.place(self.balance.as_ref())?);
        let mark = self.query.decimal_separator?;
        let same = steps(rows, amount, balance, mark, 1);
        let opposite = steps(rows, amount, balance, mark, -1);
        match (same, opposite) {
            (1.., 0) => Some(SignMeaning::DebitNegative),
            (0, 1..) => Some(SignMeaning::DebitPositive),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table<const N: usize>(rows: &[[&str; N]]) -> Vec<Vec<String>> {
        rows.iter().map(|cells| cells.map(str::to_owned).to_vec()).collect()
    }

    #[test]
    fn a_balance_says_which_column_is_the_amount() {
        let rows = table(&[["-20.00", "980.00"], ["800.00", "1780.00"], ["-1.00", "1779.00"]]);
        for rows in [rows.iter().collect::<Vec<_>>(), rows.iter().rev().collect()] {
            assert!(is_balance_of(&rows, 0, 1) && !is_balance_of(&rows, 1, 0));
            assert_eq!(steps(&rows, 0, 1, '.', -1), 0);
        }
    }

    #[test]
    fn a_balance_may_stand_only_after_the_last_row_of_a_day() {
        let rows = table(&[["-20", "980"], ["-5", ""], ["-1", "974"], ["100", ""], ["-4", "1070"]]);
        let rows: Vec<_> = rows.iter().collect();
        assert_eq!((steps(&rows, 0, 1, '.', 1), steps(&rows, 0, 1, '.', -1)), (2, 0));
    }

    #[test]
    fn a_balance_says_which_column_is_what_went_out() {
        let rows = table(&[["12,34", "", "987,66"], ["", "500", "1487,66"], ["7", "-", "1480,66"]]);
        for rows in [rows.iter().collect::<Vec<_>>(), rows.iter().rev().collect()] {
            assert!(is_balance_of_two(&rows, [0, 1], 2) && !is_balance_of_two(&rows, [1, 0], 2));
        }
    }

    #[test]
    fn a_row_may_have_the_balance_before_and_after_it() {
        let rows = table(&[["1000,00", "987,66", "-12,34"]]);
        let rows: Vec<_> = rows.iter().collect();
        assert!(is_sum_of(&rows, [0, 2], 1));
        assert!(!is_sum_of(&rows, [1, 2], 0) && !is_sum_of(&rows, [0, 1], 2));
    }
}

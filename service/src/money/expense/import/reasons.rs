//! Why rows of a file were not imported, in words for whoever keeps the books.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::csv::Reason;

/// Why a row that is in order is no expense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ignored {
    Income,
    NotSpending,
    Balance,
    /// It is not booked yet.
    Pending,
    /// It was declined, cancelled or reverted.
    Void,
    /// It has neither a day nor an amount.
    NoTransaction,
}

impl Ignored {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Income => "income",
            Self::NotSpending => "not_spending",
            Self::Balance => "balance",
            Self::Pending => "pending",
            Self::Void => "void",
            Self::NoTransaction => "no_transaction",
        }
    }
}

/// How many rows were not imported, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasons(BTreeMap<&'static str, u64>);

impl Reasons {
    pub(super) fn count(&mut self, code: &'static str) {
        *self.0.entry(code).or_default() += 1;
    }

    /// Counts rows at the end of a file, if there are any.
    pub(super) fn count_left_out(&mut self, rows: u64) {
        if rows > 0 {
            *self.0.entry("left_out").or_default() += rows;
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        for (code, count) in other.0 {
            *self.0.entry(code).or_default() += count;
        }
    }

    fn list(&self) -> impl Iterator<Item = Reason> {
        self.0.iter().map(|(code, count)| Reason { code, count: *count, message: message(code) })
    }
}

impl Serialize for Reasons {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.list())
    }
}

fn message(code: &str) -> &'static str {
    match code {
        "income" => "Money that came in. It was left out; income=import imports it as refunds.",
        "not_spending" => "Neither money out nor money in, by the word in the direction column.",
        "balance" => "A balance, and not a transaction.",
        "pending" => "Not booked yet. Once the bank has booked it, import the file again.",
        "void" => "Declined, cancelled or reverted by the bank: no money has moved.",
        "no_transaction" => "Neither a day nor an amount, such as more text of the row before.",
        "left_out" => "Rows at the end of the file that are no transactions, such as totals.",
        "amount" => "The amount cannot be read.",
        "amount_precision" => "The amount has more decimals than its currency.",
        "amount_range" => "The amount is zero or too large.",
        "coordinates" => "The coordinates cannot be read, or are no place.",
        "columns" => "The row has fewer or more cells than the header.",
        "currency" => "The currency is unknown, or not the one that the amount is written with.",
        "date" => "The day cannot be read.",
        "direction" => "Nothing says for sure whether money went out or came in.",
        "encoding" | "nul" => "The row has characters that the encoding of the file does not have.",
        "length" => "A text is too long.",
        "unknown_category" => "There is no such category; create_categories=true creates it.",
        "unknown_project" => "There is no such project.",
        "project_archived" => "The project is archived.",
        "ambiguous_project" => "Several projects have the name.",
        _ => "The row breaks a rule of expenses.",
    }
}

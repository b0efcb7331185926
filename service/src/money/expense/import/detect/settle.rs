//! Decides what the whole file says, and asks what it does not.

use std::collections::BTreeSet;

use super::{Search, facts::Facts};
use crate::{
    amount,
    csv::OnError,
    money::expense::import::{SignMeaning, days::Order, words::is_of_card},
};

fn both_signs() -> Vec<String> {
    vec!["debit_negative".to_owned(), "debit_positive".to_owned()]
}

impl Search<'_> {
    /// Decides what the whole file says.
    pub(super) fn settle(&mut self, facts: &Facts, rows: &[&Vec<String>]) {
        self.query.skip_last = Some(self.query.skip_last.unwrap_or(facts.trailer));
        if self.query.merchant.is_some() && !self.is_named && facts.longest_merchant > 200 {
            // Such a text is no name.
            self.query.note = self.query.merchant.take();
        }
        self.settle_currency(facts);
        self.settle_decimals(facts);
        self.settle_days(facts);
        if facts.rows > 0 {
            self.settle_sign(facts, rows);
        }
    }

    fn settle_currency(&mut self, facts: &Facts) {
        if self.query.currency.is_some() || self.query.currency_column.is_some() {
            return;
        }
        let header = [&self.query.amount, &self.query.amount_debit]
            .into_iter()
            .flatten()
            .find_map(|name| code_in(name));
        let mut found = BTreeSet::<&str>::new();
        for unit in &facts.units {
            let codes = amount::currencies_of(unit);
            let ours = codes.iter().find(|code| **code == self.currency);
            found.extend(ours.or(codes.first()).copied());
        }
        let first =
            facts.units.first().and_then(|unit| amount::currencies_of(unit).first().copied());
        let own = found.contains(self.currency).then_some(self.currency);
        let code = header.or_else(|| own.or(first).map(str::to_owned));
        if code.is_none() && facts.rows > 0 {
            let message = format!(
                "the file does not say its currency: {} is the organization's",
                self.currency
            );
            self.doubt("currency", false, message, Vec::new());
        }
        self.query.currency = Some(code.unwrap_or_else(|| self.currency.to_owned()));
    }

    fn settle_decimals(&mut self, facts: &Facts) {
        if self.query.decimal_separator.is_some() {
            return;
        }
        let [points, commas] = facts.decimals;
        let mark = if commas > points { ',' } else { '.' };
        if points + commas == 0 && facts.maybe_decimals {
            let message =
                "amounts such as 1.234 may have three decimals or be more than a thousand";
            self.doubt("decimal_separator", true, message, vec![".".into(), ",".into()]);
        }
        self.query.decimal_separator = Some(mark);
    }

    fn settle_days(&mut self, facts: &Facts) {
        if self.query.date_format.is_some() || self.query.date.is_none() {
            return;
        }
        let has_header = self.query.header == Some(true);
        let is_in_dollars = match &self.query.currency {
            Some(currency) => currency == "USD",
            None => facts.codes.len() == 1 && facts.codes.contains("USD"),
        };
        let is_american = (self.is_english || !has_header) && is_in_dollars;
        let expected = if is_american { Order::Month } else { Order::Day };
        let is_named_otherwise = !self.is_english && has_header;
        let Some(found) = facts.days.found(expected, is_named_otherwise) else { return };
        if let Some(other) = found.or {
            let both = vec![found.format.to_owned(), other.to_owned()];
            self.doubt("date_format", true, "the day or the month may come first", both);
        }
        if self.query.ignore_time.is_none() && found.ignore_time {
            if found.has_zone {
                let message = "the times after the days are of a time zone, where it may have been another day";
                self.doubt("ignore_time", true, message, vec!["true".into()]);
            }
            self.query.ignore_time = Some(true);
        }
        self.query.date_format = Some(found.format.to_owned());
    }

    fn settle_sign(&mut self, facts: &Facts, rows: &[&Vec<String>]) {
        if self.query.sign.is_some() {
            return;
        }
        if self.query.amount_debit.is_some() {
            self.query.sign = sign_of_two(facts);
            return;
        }
        if self.query.amount.is_none() {
            return;
        }
        let has_signs = facts.minus + facts.debit + facts.credit > 0;
        if self.query.direction.is_some() {
            self.settle_direction(facts, has_signs);
            return;
        }
        if !has_signs && let Some(name) = self.partial_direction.take() {
            // A row with another word is bad, and not taken for spending.
            self.query.direction = Some(name);
            return;
        }
        if !has_signs && let Some(name) = self.asked.take() {
            let message = format!("the words in {name:?} are not known");
            self.query.direction = Some(name);
            self.doubt("direction_debit", true, message, Vec::new());
            return;
        }
        self.query.sign = Some(self.sign_of_one(facts, rows));
    }

    /// Decides what signs mean beside the words of the direction.
    fn settle_direction(&mut self, facts: &Facts, has_signs: bool) {
        let [with, against] = facts.words;
        let meaning =
            if against > with { SignMeaning::DebitPositive } else { SignMeaning::DebitNegative };
        let agree = (with == 0) != (against == 0);
        if has_signs && self.is_weak_direction && agree {
            // Further down, such a column may have other words: the signs say it all.
            self.query.direction = None;
            self.query.sign = Some(meaning);
            return;
        }
        if with + against == 0 && self.query.direction_debit.is_none() {
            let message = "the words in the column of the direction are not known";
            self.doubt("direction_debit", true, message, Vec::new());
        }
        if has_signs {
            self.query.sign = Some(meaning);
        }
    }

    /// What the signs of the only column of amounts mean, if no words say it.
    fn sign_of_one(&mut self, facts: &Facts, rows: &[&Vec<String>]) -> SignMeaning {
        let Facts { plus, minus, debit, credit, .. } = *facts;
        let is_card = facts.card_payments > 0 || self.names.iter().any(|name| is_of_card(name));
        let negative = SignMeaning::DebitNegative;
        let positive = SignMeaning::DebitPositive;
        match self.balances(rows) {
            Some(SignMeaning::DebitNegative) if is_card => {
                let message = "the balance may be that of an account, or what is owed on a card";
                self.doubt("sign", true, message, both_signs());
                positive
            }
            Some(meaning) => meaning,
            None if debit > 0 => negative,
            None if credit > 0 && minus == 0 => positive,
            None if minus > 0 && is_card => positive,
            None if minus > 0 && plus >= 4 * minus.max(1) && plus > 4 => {
                let message =
                    "few amounts are negative: these may be spending, or what came back to a card";
                self.doubt("sign", true, message, both_signs());
                negative
            }
            None if minus > 0 => negative,
            None if is_card => positive,
            None => {
                let is_asked = !self.is_named
                    || self.balance.is_some()
                    || facts.has_income
                    || self.query.on_error == OnError::Skip;
                let message = "no amount is negative, and nothing says whether all are spending";
                self.doubt("sign", is_asked, message, both_signs());
                positive
            }
        }
    }
}

/// What the signs in columns for either way mean: none where neither has any.
fn sign_of_two(facts: &Facts) -> Option<SignMeaning> {
    let [debits, negative_debits] = facts.debits;
    let [credits, negative_credits] = facts.credits;
    if negative_debits > debits {
        return Some(SignMeaning::DebitNegative);
    }
    let are_negative = credits == 0 && negative_credits > 0;
    are_negative.then_some(SignMeaning::DebitPositive)
}

/// The currency that stands in the name of a column: `Betrag (EUR)`, `Amount USD`, `CAD$`.
fn code_in(name: &str) -> Option<String> {
    let words = name.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() == 3);
    let is_code = |word: &&str| {
        word.chars().all(|c| c.is_ascii_uppercase()) && amount::currency(word).is_some()
    };
    let is_alone = name.trim_matches(|c: char| !c.is_alphabetic()).len() == 3;
    let is_loud = !name.chars().any(char::is_lowercase) && !name.contains(['(', '[']);
    let sign = || {
        let (_, rest) = name.split_once('(')?;
        let codes = amount::currencies_of(rest.split(')').next()?);
        codes.first().filter(|_| codes.len() == 1).copied()
    };
    words.filter(|_| is_alone || !is_loud).find(is_code).or_else(sign).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_currency_in_the_name_of_a_column() {
        for (name, code) in [
            ("Betrag (EUR)", Some("EUR")),
            ("Amount USD", Some("USD")),
            ("Valor (R$)", Some("BRL")),
            ("Betrag (€)", Some("EUR")),
            ("CAD$", Some("CAD")),
            ("Amount ($)", None),
            ("TRY ALL", None),
            ("Amount", None),
        ] {
            assert_eq!(code_in(name).as_deref(), code, "{name}");
        }
    }
}

//! What all rows of a file say together.

use std::{
    collections::{BTreeSet, VecDeque},
    path::Path,
};

use super::{
    Search,
    content::{cell, read},
    dialect,
};
use crate::{
    amount::{self, Decimals, Sign},
    csv::{Dialect, Sheet},
    error::Result,
    money::expense::import::{
        ImportQuery,
        days::{Days, is_day},
        words::{Way, begins_as_total, is_balance, is_card_payment, is_income, is_total, unbooked},
    },
};

/// How many rows at the end of a file may be no rows of it.
const MAX_TRAILER: usize = 8;
/// How many of a currency's signs, and of codes, are looked at.
const MAX_UNITS: usize = 5;
/// In how many rows income is looked for by its name.
const MAX_INCOME_ROWS: u64 = 1000;

/// Where the columns are that the whole file is looked at for.
#[derive(Debug, Default)]
struct Places {
    date: Option<usize>,
    amount: Option<usize>,
    debit: Option<usize>,
    credit: Option<usize>,
    balance: Option<usize>,
    direction: Option<usize>,
    merchant: Option<usize>,
    currency: Option<usize>,
    status: Option<usize>,
}

/// What the rows of a file say together.
#[derive(Debug, Default)]
pub(super) struct Facts {
    query: Option<ImportQuery>,
    places: Places,
    exponent: u16,
    pub(super) rows: u64,
    pub(super) days: Days,
    /// How many amounts have decimals after a point, and how many after a comma.
    pub(super) decimals: [u64; 2],
    pub(super) maybe_decimals: bool,
    /// The currencies beside amounts.
    pub(super) units: Vec<String>,
    /// The codes in the column of the currency.
    pub(super) codes: BTreeSet<String>,
    pub(super) plus: u64,
    pub(super) minus: u64,
    pub(super) debit: u64,
    pub(super) credit: u64,
    /// How many amounts in the column of debits have no minus, and how many have one.
    pub(super) debits: [u64; 2],
    /// The same of the column of credits.
    pub(super) credits: [u64; 2],
    /// How many words say the same as a sign that is negative for spending, and how many the opposite.
    pub(super) words: [u64; 2],
    pub(super) card_payments: u64,
    /// Whether an amount without a sign is called what income is called.
    pub(super) has_income: bool,
    pub(super) longest_merchant: usize,
    /// How many rows at the end are none.
    pub(super) trailer: u64,
}

impl Search<'_> {
    /// Reads the whole file once.
    pub(super) fn read(&self, path: &Path) -> Result<Facts> {
        let dialect = dialect(&self.query, self.currency);
        let (mut sheet, _) =
            Sheet::open(path, &Dialect { skip_last: self.query.skip_last, ..dialect })?;
        let mut facts = Facts {
            query: Some(self.query.clone()),
            places: self.places(),
            exponent: self.exponent(),
            ..Facts::default()
        };
        let mut last = VecDeque::new();
        while let Some(cells) = sheet.row()? {
            last.push_back(cells.texts());
            if last.len() > MAX_TRAILER
                && let Some(cells) = last.pop_front()
            {
                facts.look_at(&cells);
            }
        }
        facts.end(last, self.query.skip_last.is_none(), self.names.len());
        Ok(facts)
    }

    fn places(&self) -> Places {
        let place = |name: &Option<String>| self.place(name.as_ref());
        Places {
            date: place(&self.query.date),
            amount: place(&self.query.amount),
            debit: place(&self.query.amount_debit),
            credit: place(&self.query.amount_credit),
            balance: place(&self.balance),
            direction: place(&self.query.direction),
            merchant: place(&self.query.merchant),
            currency: place(&self.query.currency_column),
            status: place(&self.query.status),
        }
    }

    fn exponent(&self) -> u16 {
        let code = self.query.currency.as_deref().unwrap_or(self.currency);
        amount::currency(code).and_then(|it| it.exponent()).unwrap_or(2)
    }
}

impl Facts {
    fn look_at(&mut self, cells: &[String]) {
        let date = cell(cells, self.places.date);
        let is_unbooked = || unbooked(cell(cells, self.places.status), date).is_some();
        if cells.iter().any(|text| is_balance(text)) || is_unbooked() {
            return;
        }
        self.rows += 1;
        self.days.look_at(date);
        self.longest_merchant =
            self.longest_merchant.max(cell(cells, self.places.merchant).chars().count());
        let Places { amount, debit, credit, balance, .. } = self.places;
        let code = cell(cells, self.places.currency).to_uppercase();
        let exponent = amount::currency(&code).and_then(|it| it.exponent());
        let exponent = exponent.unwrap_or(self.exponent);
        for at in [amount, debit, credit, balance].into_iter().flatten() {
            self.look_at_number(cell(cells, Some(at)), exponent);
        }
        if !code.is_empty() && self.codes.len() < MAX_UNITS {
            self.codes.insert(code);
        }
        for (at, signs) in [(debit, &mut self.debits), (credit, &mut self.credits)] {
            if let Some(written) = read(cell(cells, at)).filter(|it| it.minor > 0) {
                signs[usize::from(written.sign == Sign::Minus)] += 1;
            }
        }
        self.look_at_sign(cells);
    }

    fn look_at_number(&mut self, text: &str, exponent: u16) {
        match amount::decimals(text, exponent) {
            Some(Decimals::Are(mark)) => self.decimals[usize::from(mark == ',')] += 1,
            Some(Decimals::Maybe(_)) => self.maybe_decimals = true,
            None => {}
        }
        let unit = read(text).and_then(|it| it.unit);
        if let Some(unit) = unit
            && self.units.len() < MAX_UNITS
            && !self.units.iter().any(|known| known == unit)
        {
            self.units.push(unit.to_owned());
        }
    }

    fn look_at_sign(&mut self, cells: &[String]) {
        let Some(written) = read(cell(cells, self.places.amount)).filter(|it| it.minor > 0) else {
            return;
        };
        match written.sign {
            Sign::Plus => self.plus += 1,
            Sign::Minus => self.minus += 1,
            Sign::Debit => self.debit += 1,
            Sign::Credit => self.credit += 1,
        }
        let is_out = matches!(written.sign, Sign::Minus | Sign::Debit);
        let word = cell(cells, self.places.direction);
        if let Some(way) = self.query.as_ref().and_then(|query| query.way(word)) {
            self.words[usize::from((way == Way::Out) != is_out)] += 1;
        }
        if written.sign == Sign::Minus && cells.iter().any(|text| is_card_payment(text)) {
            self.card_payments += 1;
        }
        if written.sign == Sign::Plus && !self.has_income && self.rows <= MAX_INCOME_ROWS {
            self.has_income = cells.iter().any(|text| is_income(text));
        }
    }

    /// Looks at the last rows: those at the very end that are no transactions are left out.
    fn end(&mut self, mut last: VecDeque<Vec<String>>, may_leave_out: bool, width: usize) {
        let has_days =
            last.iter().any(|cells| is_day(cell(cells, self.places.date))) || self.rows > 0;
        while may_leave_out
            && has_days
            && let Some(cells) = last.back()
            && self.is_trailer(cells, width)
        {
            last.pop_back();
            self.trailer += 1;
        }
        last.iter().for_each(|cells| self.look_at(cells));
    }

    fn is_trailer(&self, cells: &[String], width: usize) -> bool {
        let date = cell(cells, self.places.date);
        if is_day(date) {
            return cells.iter().any(|text| is_balance(text));
        }
        if unbooked("", date).is_some() {
            return false;
        }
        let Places { amount, debit, credit, .. } = self.places;
        let is_amount = |at: Option<usize>| read(cell(cells, at)).is_some();
        let has_amount = is_amount(amount) || is_amount(debit) || is_amount(credit);
        let mut filled = cells.iter().filter(|text| !text.trim().is_empty());
        let count = filled.clone().count();
        let sums_up = cells.iter().any(|text| is_total(text))
            || filled.next().is_some_and(|text| begins_as_total(text));
        sums_up || (!has_amount && (date.is_empty() || (count <= 2 && cells.len() < width)))
    }
}

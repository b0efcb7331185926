//! Finds out how a file is written and which of its columns is what, where the query does not say so. What
//! nothing tells for sure is asked: a setting is found only where the whole file speaks for it.

use std::{
    collections::{BTreeSet, VecDeque},
    path::Path,
};

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ImportQuery, SignMeaning,
    days::{Days, Order, is_day},
    words::{
        self, Role, Way, guesses, is_balance, is_card_payment, is_foreign, is_of_card, is_total,
        way,
    },
};
use crate::{
    amount::{self, Decimals, Sign},
    csv::{self, Dialect, Sheet},
    error::{Error, Result, Violation},
    text::fold,
};

/// How many rows at the end of a file may be no rows of it.
const MAX_TRAILER: usize = 8;
/// How many of a currency's signs are looked at.
const MAX_UNITS: usize = 5;

/// Setting that the file alone does not decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportUncertainty)]
pub struct Uncertainty {
    /// Name of the query parameter that decides.
    pub parameter: &'static str,
    /// Whether an import without the parameter is refused. If false, the value in `settings` is used.
    pub required: bool,
    /// Human-readable description of what is uncertain.
    pub message: String,
    /// Values that the parameter may have.
    pub alternatives: Vec<String>,
}

/// How a file is read.
#[derive(Debug, Clone)]
pub(super) struct Detected {
    /// The query, with all that was found.
    pub(super) query: ImportQuery,
    /// How the file calls its columns.
    pub(super) columns: Vec<String>,
    pub(super) uncertain: Vec<Uncertainty>,
}

impl Detected {
    /// The query, if all of it is sure.
    pub(super) fn or_ask(self) -> Result<ImportQuery> {
        let asked = self.uncertain.into_iter().filter(|it| it.required);
        let violations: Vec<_> = asked
            .map(|it| {
                let values = it.alternatives.join(", ");
                let or =
                    if values.is_empty() { String::new() } else { format!(": one of {values}") };
                let message = format!("is required, because {}{or}", it.message);
                Violation::new(format!("?{}", it.parameter), "required", message)
            })
            .collect();
        if violations.is_empty() { Ok(self.query) } else { Err(Error::Invalid(violations)) }
    }
}

/// How the file is written, as far as the query says so.
pub(super) fn dialect(query: &ImportQuery, currency: &str) -> Dialect {
    let mut letters = currency.bytes().map(|byte| byte.to_ascii_lowercase());
    let country = letters.next().zip(letters.next()).map(|(a, b)| [a, b]);
    Dialect {
        encoding: query.encoding.as_deref().and_then(csv::encoding),
        country,
        delimiter: query.delimiter,
        header: query.header,
        skip_rows: query.skip_rows,
        skip_last: query.skip_last,
    }
}

/// Looks at a file. `currency` is the organization's.
pub(super) fn detect(path: &Path, query: &ImportQuery, currency: &str) -> Result<Detected> {
    let wanted = query.columns();
    let (dialect, sample, header) =
        dialect(query, currency).detect(path, |cells| header_score(cells, &wanted))?;
    let rows: Vec<&Vec<String>> = sample.rows.iter().map(|(_, cells)| cells).collect();
    let mut search = Search {
        query: query.clone(),
        names: Vec::new(),
        is_named: !wanted.is_empty(),
        currency,
        uncertain: Vec::new(),
        is_english: true,
        balance: None,
        asked: None,
    };
    search.query.encoding = dialect.encoding.map(|it| it.name().to_lowercase());
    search.query.delimiter = dialect.delimiter;
    search.query.skip_rows = dialect.skip_rows;
    let data = search.find_header(&sample.rows, &rows, header);
    search.find_columns(data);
    let facts = search.read(path)?;
    search.settle(&facts, data);
    let Search { query, names, uncertain, .. } = search;
    Ok(Detected { query, columns: names, uncertain })
}

/// How much a row looks like the header: it has all columns that the query names, or else a day and amounts.
fn header_score(cells: &[String], wanted: &[&str]) -> u32 {
    if !wanted.is_empty() {
        let has = |name: &&&str| cells.iter().any(|cell| fold(cell) == fold(name));
        return u32::try_from(wanted.iter().filter(has).count()).unwrap_or_default();
    }
    let roles: Vec<Vec<Role>> = cells
        .iter()
        .map(|cell| {
            if cell.len() > 60 {
                Vec::new()
            } else {
                guesses(cell).iter().map(|it| it.role).collect()
            }
        })
        .collect();
    let count = |role| roles.iter().filter(|it| it.contains(&role)).count();
    let named = roles.iter().filter(|it| !it.is_empty()).count();
    let has_amounts =
        count(Role::Amount) > 0 || (count(Role::Debit) > 0 && count(Role::Credit) > 0);
    let is_header = count(Role::Date) > 0 && has_amounts && named > 1;
    if is_header { 10 + u32::try_from(named).unwrap_or_default() } else { 0 }
}

/// An amount, whichever mark its decimals have.
fn read(text: &str) -> Option<amount::Written<'_>> {
    let read = |mark| amount::read(text, mark, 4).ok();
    if is_day(text) && !text.contains(',') {
        return None;
    }
    read('.').or_else(|| read(','))
}

fn cell(cells: &[String], at: Option<usize>) -> &str {
    at.and_then(|at| cells.get(at)).map_or("", |cell| cell.trim())
}

/// What the cells of a column are, of a few rows.
struct Content {
    filled: usize,
    /// Those with letters.
    words: usize,
    /// Those that nobody writes as the number of anything but money.
    marked: usize,
    days: usize,
    amounts: usize,
    codes: usize,
    ways: usize,
}

impl Content {
    fn of(rows: &[&Vec<String>], at: usize) -> Self {
        let cells = rows.iter().map(|cells| cell(cells, Some(at)));
        let filled: Vec<&str> =
            cells.filter(|text| !amount::is_none(text) || matches!(*text, "-")).collect();
        let count = |is: fn(&str) -> bool| filled.iter().filter(|text| is(text)).count();
        Self {
            filled: filled.len(),
            words: count(|text| text.contains(char::is_alphabetic)),
            marked: count(|text| text.contains(['.', ',', '-', '\u{2212}', '('])),
            days: count(is_day),
            amounts: count(|text| read(text).is_some() || text == "-"),
            codes: count(|text| amount::currency(text).is_some()),
            ways: count(|text| way(text).is_some()),
        }
    }

    /// Whether most cells are so: a file may have a few rows that are none.
    fn are(&self, count: usize) -> bool {
        self.filled > 0 && count * 3 >= self.filled * 2
    }
}

/// What is known of a file so far.
struct Search<'a> {
    query: ImportQuery,
    names: Vec<String>,
    /// Whether the query names columns: then no others are taken that a row can do without.
    is_named: bool,
    currency: &'a str,
    uncertain: Vec<Uncertainty>,
    is_english: bool,
    /// The column of the balance, which says what the signs of amounts mean.
    balance: Option<String>,
    /// The column that may say which way money went, in words that are not known.
    asked: Option<String>,
}

impl Search<'_> {
    fn doubt(
        &mut self,
        parameter: &'static str,
        required: bool,
        message: impl Into<String>,
        alternatives: Vec<String>,
    ) {
        let message = message.into();
        self.uncertain.push(Uncertainty { parameter, required, message, alternatives });
    }

    /// Finds the names of the columns, and gives the rows after them.
    fn find_header<'r>(
        &mut self,
        lines: &[(u64, Vec<String>)],
        rows: &'r [&'r Vec<String>],
        header: Option<usize>,
    ) -> &'r [&'r Vec<String>] {
        let is_data = |cells: &&Vec<String>| {
            let has = |is: fn(&str) -> bool| cells.iter().any(|text| is(text.trim()));
            has(is_day) && has(|text| !is_day(text) && read(text).is_some())
        };
        let first = || rows.iter().position(is_data);
        let at = match (self.query.header, header, self.is_named) {
            (Some(false), ..) => None,
            (_, Some(at), _) => Some(at),
            (Some(true), None, _) | (None, None, true) => (!rows.is_empty()).then_some(0),
            // Names in a language that is not known stand before the first row.
            (None, None, false) => match first() {
                Some(at) if self.query.skip_rows.is_some() => (at > 0).then_some(0),
                Some(at) => at.checked_sub(1).filter(|before| rows[*before].len() > 1),
                None => (!rows.is_empty()).then_some(0),
            },
        };
        self.query.header = Some(at.is_some());
        let begins = at.or_else(first);
        if let (None, Some(begins)) = (self.query.skip_rows, begins) {
            self.query.skip_rows = Some(lines[begins].0 - 1);
        }
        let width = rows.iter().map(|cells| cells.len()).max().unwrap_or_default();
        match at {
            Some(at) => {
                let names = rows[at].iter();
                self.names = names
                    .map(|name| name.trim_start_matches('\u{feff}').trim().to_owned())
                    .collect();
                &rows[at + 1..]
            }
            None => {
                self.names = (1..=width).map(|position| position.to_string()).collect();
                &rows[begins.unwrap_or_default()..]
            }
        }
    }

    fn place(&self, name: Option<&String>) -> Option<usize> {
        let name = name?;
        let mut places =
            self.names.iter().enumerate().filter(|(_, other)| fold(other) == fold(name));
        match places.next() {
            Some((at, _)) => Some(at),
            None => csv::position(name).filter(|at| *at < self.names.len()),
        }
    }

    /// What the query calls a column.
    fn name(&self, at: usize) -> String {
        let name = &self.names[at];
        let alone = self.names.iter().filter(|other| fold(other) == fold(name)).count() == 1;
        if alone && !name.is_empty() { name.clone() } else { format!("#{}", at + 1) }
    }

    fn find_columns(&mut self, rows: &[&Vec<String>]) {
        // A line of text below the rows is none.
        let is_row =
            |cells: &&&Vec<String>| cells.iter().filter(|it| !it.trim().is_empty()).count() > 1;
        let rows: Vec<_> = rows.iter().filter(is_row).copied().collect();
        let rows = rows.as_slice();
        let contents: Vec<_> = (0..self.names.len()).map(|at| Content::of(rows, at)).collect();
        let guessed: Vec<_> = self.names.iter().map(|name| guesses(name)).collect();
        let best = |role: Role, fits: &dyn Fn(usize) -> bool| {
            let all = guessed.iter().enumerate().filter(|(at, _)| fits(*at));
            let rated = all.flat_map(|(at, some)| {
                some.iter().filter(|it| it.role == role).map(move |it| (it, at))
            });
            // Of equals, the first.
            rated
                .max_by_key(|(it, at)| (it.weight, std::cmp::Reverse(*at)))
                .map(|(it, at)| (at, it.is_english))
        };
        let is_empty = rows.is_empty();
        let are_days = |at: usize| is_empty || contents[at].are(contents[at].days);
        let are_amounts = |at: usize| is_empty || contents[at].are(contents[at].amounts);
        let may_be_amounts = |at: usize| contents[at].filled == 0 || are_amounts(at);
        let mut english = Vec::new();
        let mut note = |found: Option<(usize, bool)>| {
            english.extend(found.map(|it| it.1));
            found.map(|it| it.0)
        };
        let all = || 0..contents.len();
        let date = note(best(Role::Date, &are_days)).or_else(|| all().find(|at| are_days(*at)));
        let debit = note(best(Role::Debit, &may_be_amounts));
        let credit = note(best(Role::Credit, &may_be_amounts));
        let balance = note(best(Role::Balance, &are_amounts));
        let pair = debit.zip(credit).filter(|(debit, credit)| debit != credit);
        let amount = note(best(Role::Amount, &are_amounts)).or_else(|| {
            let is_free = |at: &usize| {
                are_amounts(*at)
                    && !are_days(*at)
                    && Some(*at) != balance
                    && guessed[*at].is_empty()
            };
            let free: Vec<_> = all().filter(is_free).collect();
            let is_marked = |at: &usize| contents[*at].are(contents[*at].marked);
            let marked: Vec<_> = free.iter().copied().filter(is_marked).collect();
            let mut free = if marked.is_empty() { free } else { marked }.into_iter();
            match (free.next(), free.next(), free.next()) {
                (Some(only), None, _) => Some(only),
                (Some(one), Some(other), None) if is_balance_of(rows, one, other) => Some(one),
                (Some(one), Some(other), None) if is_balance_of(rows, other, one) => Some(other),
                _ => None,
            }
        });
        let text = |at: usize| {
            let has_words = contents[at].are(contents[at].words);
            is_empty || (has_words && !are_days(at) && !are_amounts(at))
        };
        let merchant = note(best(Role::Merchant, &text)).or_else(|| {
            let is_text = |at: &usize| {
                text(*at)
                    && !contents[*at].are(contents[*at].ways)
                    && !contents[*at].are(contents[*at].codes)
            };
            all().find(|at| is_text(at) && guessed[*at].is_empty())
        });
        let notes = best(Role::Note, &|at| text(at) && Some(at) != merchant).map(|it| it.0);
        let (merchant, notes) = if merchant.is_none() { (notes, None) } else { (merchant, notes) };
        let ways = |at: usize| contents[at].filled > 0 && contents[at].ways == contents[at].filled;
        // Letters in a column of another kind are no words of this one.
        let both = |at: usize| {
            let has = |wanted| rows.iter().any(|cells| way(cell(cells, Some(at))) == Some(wanted));
            has(Way::Out) && has(Way::In)
        };
        let is_way = |at: &usize| {
            let may_be = both(*at) || self.names[*at].is_empty();
            ways(*at) && may_be && Some(*at) != amount && guessed[*at].is_empty()
        };
        let direction = best(Role::Direction, &ways).map(|it| it.0).or_else(|| all().find(is_way));
        let codes = |at: usize| {
            let all =
                contents[at].codes == contents[at].filled && contents[at].filled == rows.len();
            all && !rows.is_empty() && !is_foreign(&self.names[at])
        };
        let currency =
            best(Role::Currency, &codes).map(|it| it.0).or_else(|| all().find(|at| codes(*at)));
        let is_asked = |it: &words::Guess| it.role == Role::Direction && it.weight >= 20;
        let asked = all().find(|at| guessed[*at].iter().any(is_asked) && !are_amounts(*at));
        // French calls a day as English does, but not all the rest.
        self.is_english = english.iter().all(|it| *it) && self.query.header == Some(true);
        self.take_columns(&Found {
            date,
            pair,
            amount,
            merchant,
            notes,
            direction,
            currency,
            balance,
            asked,
        });
    }

    /// Puts the columns that were found into the query, where it names no others.
    fn take_columns(&mut self, found: &Found) {
        let named = |this: &Self, at: Option<usize>| at.map(|at| this.name(at));
        if self.query.date.is_none() {
            self.query.date = named(self, found.date);
        }
        let has_amount = self.query.amount.is_some() || self.query.amount_debit.is_some();
        if !has_amount {
            match found.pair {
                Some((debit, credit)) => {
                    self.query.amount_debit = Some(self.name(debit));
                    self.query.amount_credit = Some(self.name(credit));
                }
                None => self.query.amount = named(self, found.amount),
            }
        }
        let amount = self.place(self.query.amount.as_ref());
        let way = found.direction.filter(|at| Some(*at) != amount);
        if self.query.direction.is_none()
            && self.query.sign.is_none()
            && self.query.amount.is_some()
        {
            self.query.direction = named(self, way);
        }
        if !self.is_named {
            self.query.merchant =
                self.query.merchant.take().or_else(|| named(self, found.merchant));
            self.query.note = self.query.note.take().or_else(|| named(self, found.notes));
            if self.query.currency.is_none() && self.query.currency_column.is_none() {
                self.query.currency_column = named(self, found.currency);
            }
        }
        for (parameter, is_known) in [
            ("date", self.query.date.is_some()),
            ("amount", self.query.amount.is_some() || self.query.amount_debit.is_some()),
        ] {
            if !is_known {
                let columns = self.names.clone();
                self.doubt(parameter, true, "no column of the file is surely it", columns);
            }
        }
        self.asked = found.asked.map(|at| self.name(at));
        self.balance = found.balance.map(|at| self.name(at));
    }

    /// Reads the whole file once.
    fn read(&self, path: &Path) -> Result<Facts> {
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
        }
    }

    fn exponent(&self) -> u16 {
        let code = self.query.currency.as_deref().unwrap_or(self.currency);
        amount::currency(code).and_then(|it| it.exponent()).unwrap_or(2)
    }

    /// Decides what the whole file says.
    fn settle(&mut self, facts: &Facts, rows: &[&Vec<String>]) {
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
        let is_american = self.is_english && self.query.currency.as_deref() == Some("USD");
        let expected = if is_american { Order::Month } else { Order::Day };
        let is_named_otherwise = !self.is_english && self.query.header == Some(true);
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
            let is_negative = facts.debits[1] > facts.debits[0];
            self.query.sign = Some(if is_negative {
                SignMeaning::DebitNegative
            } else {
                SignMeaning::DebitPositive
            });
            return;
        }
        if self.query.amount.is_none() {
            return;
        }
        let Facts { plus, minus, debit, credit, .. } = *facts;
        let has_signs = minus + debit + credit > 0;
        if self.query.direction.is_some() {
            let [with, against] = facts.words;
            if with + against == 0 && self.query.direction_debit.is_none() {
                let message = "the words in the column of the direction are not known";
                self.doubt("direction_debit", true, message, Vec::new());
            }
            if has_signs {
                self.query.sign = Some(if against > with {
                    SignMeaning::DebitPositive
                } else {
                    SignMeaning::DebitNegative
                });
            }
            return;
        }
        if !has_signs && let Some(name) = self.asked.take() {
            let message = format!("the words in {name:?} are not known");
            self.query.direction = Some(name);
            self.doubt("direction_debit", true, message, Vec::new());
            return;
        }
        let balances = self.balances(rows);
        let is_card = facts.card_payments > 0 || self.names.iter().any(|name| is_of_card(name));
        let negative = SignMeaning::DebitNegative;
        let positive = SignMeaning::DebitPositive;
        let both = || vec!["debit_negative".to_owned(), "debit_positive".to_owned()];
        self.query.sign = Some(match balances {
            Some(meaning) => meaning,
            None if debit > 0 => negative,
            None if credit > 0 && minus == 0 => positive,
            None if minus > 0 && is_card => positive,
            None if minus > 0 && plus >= 4 * minus.max(1) && plus > 4 => {
                let message =
                    "few amounts are negative: these may be spending, or what came back to a card";
                self.doubt("sign", true, message, both());
                negative
            }
            None if minus > 0 => negative,
            None if is_card => positive,
            None => {
                let has_balance = self.balance.is_some();
                let is_asked = !self.is_named || has_balance;
                let message = "no amount is negative, and nothing says whether all are spending";
                self.doubt("sign", is_asked, message, both());
                positive
            }
        });
    }

    /// What the balance after each row says about the sign of its amount.
    fn balances(&self, rows: &[&Vec<String>]) -> Option<SignMeaning> {
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

/// Where the columns of a file are that it was not asked for.
struct Found {
    date: Option<usize>,
    pair: Option<(usize, usize)>,
    amount: Option<usize>,
    merchant: Option<usize>,
    notes: Option<usize>,
    direction: Option<usize>,
    currency: Option<usize>,
    balance: Option<usize>,
    /// A column that says which way money went in words that nobody knows.
    asked: Option<usize>,
}

/// A number with its sign, in ten-thousandths.
fn number(text: &str, mark: char) -> Option<i64> {
    let read = amount::read(text, mark, 4).ok()?;
    Some(if matches!(read.sign, Sign::Minus | Sign::Debit) { -read.minor } else { read.minor })
}

/// How often a balance differs from that of the row before, or after, by the amount. Steps of nothing are none.
fn steps(rows: &[&Vec<String>], amount: usize, balance: usize, mark: char, factor: i64) -> usize {
    let read: Vec<_> = rows
        .iter()
        .filter_map(|cells| {
            Some((
                number(cell(cells, Some(amount)), mark)?,
                number(cell(cells, Some(balance)), mark)?,
            ))
        })
        .collect();
    let pairs = read.windows(2);
    let up =
        pairs.clone().filter(|it| it[1].0 != 0 && it[1].1 - it[0].1 == factor * it[1].0).count();
    let down = pairs.filter(|it| it[0].0 != 0 && it[0].1 - it[1].1 == factor * it[0].0).count();
    up.max(down)
}

/// Whether one column is the balance after the amounts of another one.
fn is_balance_of(rows: &[&Vec<String>], amount: usize, balance: usize) -> bool {
    ['.', ','].into_iter().any(|mark| {
        let all = rows.len().saturating_sub(1);
        all > 0 && steps(rows, amount, balance, mark, 1) * 3 >= all * 2
    })
}

/// The currency that stands in the name of a column: `Betrag (EUR)`, `Amount USD`.
fn code_in(name: &str) -> Option<String> {
    let words = name.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() == 3);
    let is_code = |word: &&str| {
        word.chars().all(|c| c.is_ascii_uppercase()) && amount::currency(word).is_some()
    };
    let is_loud = !name.chars().any(char::is_lowercase) && !name.contains(['(', '[']);
    let sign = || {
        let (_, rest) = name.split_once('(')?;
        let codes = amount::currencies_of(rest.split(')').next()?);
        codes.first().filter(|_| codes.len() == 1).copied()
    };
    words.filter(|_| !is_loud).find(is_code).or_else(sign).map(str::to_owned)
}

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
}

/// What the rows of a file say together.
#[derive(Debug, Default)]
struct Facts {
    query: Option<ImportQuery>,
    places: Places,
    exponent: u16,
    rows: u64,
    days: Days,
    /// How many amounts have decimals after a point, and how many after a comma.
    decimals: [u64; 2],
    maybe_decimals: bool,
    /// The currencies beside amounts.
    units: Vec<String>,
    plus: u64,
    minus: u64,
    debit: u64,
    credit: u64,
    /// How many amounts in the column of debits have no minus, and how many have one.
    debits: [u64; 2],
    /// How many words say the same as a sign that is negative for spending, and how many the opposite.
    words: [u64; 2],
    card_payments: u64,
    longest_merchant: usize,
    /// How many rows at the end are none.
    trailer: u64,
}

impl Facts {
    fn look_at(&mut self, cells: &[String]) {
        if cells.iter().any(|text| is_balance(text)) {
            return;
        }
        self.rows += 1;
        self.days.look_at(cell(cells, self.places.date));
        self.longest_merchant =
            self.longest_merchant.max(cell(cells, self.places.merchant).chars().count());
        let Places { amount, debit, credit, balance, .. } = self.places;
        let code = amount::currency(&cell(cells, self.places.currency).to_uppercase());
        let exponent = code.and_then(|it| it.exponent()).unwrap_or(self.exponent);
        for at in [amount, debit, credit, balance].into_iter().flatten() {
            self.look_at_number(cell(cells, Some(at)), exponent);
        }
        if let Some(written) = read(cell(cells, debit)).filter(|it| it.minor > 0) {
            self.debits[usize::from(written.sign == Sign::Minus)] += 1;
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
        let Places { amount, debit, credit, .. } = self.places;
        let is_amount = |at: Option<usize>| read(cell(cells, at)).is_some();
        let has_amount = is_amount(amount) || is_amount(debit) || is_amount(credit);
        let filled = cells.iter().filter(|text| !text.trim().is_empty()).count();
        let sums_up = cells.iter().any(|text| is_total(text));
        sums_up || (!has_amount && (date.is_empty() || (filled <= 2 && cells.len() < width)))
    }
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
            ("Amount ($)", None),
            ("TRY ALL", None),
            ("Amount", None),
        ] {
            assert_eq!(code_in(name).as_deref(), code, "{name}");
        }
    }

    #[test]
    fn a_balance_says_which_column_is_the_amount() {
        let row = |amount: &str, balance: &str| vec![amount.to_owned(), balance.to_owned()];
        let rows = [row("-20.00", "980.00"), row("800.00", "1780.00"), row("-1.00", "1779.00")];
        let down: Vec<_> = rows.iter().rev().collect();
        for rows in [rows.iter().collect(), down] {
            assert!(is_balance_of(&rows, 0, 1) && !is_balance_of(&rows, 1, 0));
            assert_eq!(steps(&rows, 0, 1, '.', -1), 0);
        }
    }
}

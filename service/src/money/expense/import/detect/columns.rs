//! Which column of a file is what: by its name, and by what is in it.

use std::cmp::Reverse;

use super::{
    Search, balance,
    content::{Content, cell},
};
use crate::{
    amount,
    money::expense::import::{
        days::is_day,
        words::{Guess, Role, Status, Way, guesses, is_foreign, status, way},
    },
};

/// How much a name says at least that alone makes its column one of the direction.
const SURE_WEIGHT: u32 = 20;

/// Of how many columns of amounts at most each three are compared.
const MAX_FREE: usize = 8;

/// Where the columns of a file are that it was not asked for.
#[derive(Default)]
struct Found {
    date: Option<usize>,
    pair: Option<(usize, usize)>,
    amount: Option<usize>,
    merchant: Option<usize>,
    notes: Option<usize>,
    direction: Option<usize>,
    is_weak_direction: bool,
    /// A column that says in most rows which way money went.
    partial_direction: Option<usize>,
    currency: Option<usize>,
    balance: Option<usize>,
    status: Option<usize>,
    point: Option<(usize, usize)>,
    /// A column that says which way money went in words that nobody knows.
    asked: Option<usize>,
}

/// A column that a name fits best.
struct Best {
    at: usize,
    weight: u32,
    is_english: bool,
}

/// The columns of a file, and a few of its rows.
struct Columns<'a> {
    names: &'a [String],
    rows: Vec<&'a Vec<String>>,
    contents: Vec<Content>,
    guessed: Vec<Vec<Guess>>,
}

impl<'a> Columns<'a> {
    fn of(names: &'a [String], rows: &[&'a Vec<String>]) -> Self {
        // A line of text below the rows is none.
        let is_filled =
            |cells: &&&Vec<String>| cells.iter().filter(|it| !it.trim().is_empty()).count() > 1;
        let is_pending = |text: &str| status(text) == Some(Status::Pending);
        let has_day = |cells: &&&Vec<String>| {
            cells.iter().any(|text| is_day(text.trim()) || is_pending(text))
        };
        let filled: Vec<_> = rows.iter().filter(is_filled).copied().collect();
        // Neither are totals and balances without a day.
        let with_day: Vec<_> = filled.iter().filter(has_day).copied().collect();
        let rows = if with_day.is_empty() { filled } else { with_day };
        Self {
            names,
            contents: (0..names.len()).map(|at| Content::of(&rows, at)).collect(),
            guessed: names.iter().map(|name| guesses(name)).collect(),
            rows,
        }
    }

    fn all(&self) -> std::ops::Range<usize> {
        0..self.names.len()
    }

    /// The column that the name of a role fits best; of equals the first.
    fn best(&self, role: Role, fits: impl Fn(usize) -> bool) -> Option<Best> {
        let fitting = self.guessed.iter().enumerate().filter(|(at, _)| fits(*at));
        let rated = fitting.flat_map(|(at, some)| {
            let of_role = some.iter().filter(move |it| it.role == role);
            of_role.map(move |it| Best {
                at,
                // Who is named in few rows is rather said by another column.
                weight: it.weight
                    / if role == Role::Merchant && self.is_sparse(at) { 2 } else { 1 },
                is_english: it.is_english,
            })
        });
        rated.max_by_key(|it| (it.weight, Reverse(it.at)))
    }

    fn is_sparse(&self, at: usize) -> bool {
        self.contents[at].filled * 3 < self.rows.len()
    }

    fn are_days(&self, at: usize) -> bool {
        let content = &self.contents[at];
        self.rows.is_empty() || (content.days > 0 && content.are(content.days + content.pending))
    }

    fn are_amounts(&self, at: usize) -> bool {
        self.rows.is_empty() || self.contents[at].are(self.contents[at].amounts)
    }

    fn may_be_amounts(&self, at: usize) -> bool {
        self.contents[at].filled == 0 || self.are_amounts(at)
    }

    fn is_text(&self, at: usize) -> bool {
        let has_words = self.contents[at].are(self.contents[at].words);
        self.rows.is_empty() || (has_words && !self.are_days(at) && !self.are_amounts(at))
    }

    fn are_ways(&self, at: usize) -> bool {
        self.contents[at].filled > 0 && self.contents[at].ways == self.contents[at].filled
    }

    /// Whether money went both ways. Letters in a column of another kind are no words of this one.
    fn has_both_ways(&self, at: usize) -> bool {
        let has = |wanted| self.rows.iter().any(|cells| way(cell(cells, Some(at))) == Some(wanted));
        has(Way::Out) && has(Way::In)
    }

    fn are_codes(&self, at: usize) -> bool {
        let Content { codes, filled, .. } = self.contents[at];
        let all = codes == filled && filled == self.rows.len();
        all && !self.rows.is_empty() && !is_foreign(&self.names[at])
    }

    fn are_numbers(&self, at: usize) -> bool {
        self.contents[at].are(self.contents[at].numbers)
    }

    fn are_statuses(&self, at: usize) -> bool {
        self.contents[at].are(self.contents[at].statuses)
    }

    fn are_degrees(&self, at: usize) -> bool {
        self.rows.is_empty() || self.contents[at].are(self.contents[at].degrees)
    }

    /// What each column is, and whether English calls all so that were taken by their names.
    fn find(&self) -> (Found, bool) {
        let mut english = Vec::new();
        let mut note = |best: Option<Best>| {
            english.extend(best.as_ref().map(|it| it.is_english));
            best.map(|it| it.at)
        };
        let date = note(self.best(Role::Date, |at| self.are_days(at)));
        let date = date.or_else(|| self.all().find(|at| self.are_days(*at)));
        let debit = note(self.best(Role::Debit, |at| self.may_be_amounts(at)));
        let credit = note(self.best(Role::Credit, |at| self.may_be_amounts(at)));
        let balance = note(self.best(Role::Balance, |at| self.are_amounts(at)));
        let amount = note(self.best(Role::Amount, |at| self.are_amounts(at)));
        let merchant =
            note(self.best(Role::Merchant, |at| self.is_text(at) && !self.are_numbers(at)));
        let pair = debit.zip(credit).filter(|(debit, credit)| debit != credit);
        let pair = pair.filter(|pair| amount.is_none() || self.is_used(*pair));
        let found = Found { date, pair, amount, balance, ..Found::default() };
        let found = if amount.is_none() && pair.is_none() { self.infer(found) } else { found };
        let merchant = merchant.or_else(|| self.all().find(|at| self.may_be_merchant(*at)));
        let notes = self.best(Role::Note, |at| self.is_text(at) && Some(at) != merchant);
        let notes = notes.map(|it| it.at);
        let (merchant, notes) = if merchant.is_none() { (notes, None) } else { (merchant, notes) };
        let found = self.find_words(Found { merchant, notes, ..found });
        (found, english.into_iter().all(|it| it))
    }

    /// Whether the columns for either way have the amounts of the file, and are not blank in most rows.
    fn is_used(&self, (debit, credit): (usize, usize)) -> bool {
        let is_filled = |cells: &&&Vec<String>| {
            [debit, credit].iter().any(|at| !amount::is_none(cell(cells, Some(*at))))
        };
        self.rows.iter().filter(is_filled).count() * 2 >= self.rows.len()
    }

    fn may_be_merchant(&self, at: usize) -> bool {
        let content = &self.contents[at];
        let has_meaning = [content.ways, content.codes, content.statuses];
        let is_other = has_meaning.into_iter().any(|count| content.are(count));
        let is_other = is_other || self.are_numbers(at);
        self.is_text(at) && !is_other && self.guessed[at].is_empty()
    }

    /// Finds the columns that say something in words.
    fn find_words(&self, found: Found) -> Found {
        let is_way = |at: &usize| {
            let may_be = self.has_both_ways(*at) || self.names[*at].is_empty();
            let is_free = Some(*at) != found.amount && self.guessed[*at].is_empty();
            self.are_ways(*at) && may_be && is_free
        };
        let named = self.best(Role::Direction, |at| self.are_ways(at));
        let is_weak_direction = named.as_ref().is_none_or(|it| it.weight < SURE_WEIGHT);
        let direction = named.map(|it| it.at).or_else(|| self.all().find(is_way));
        let is_partial = |at: &usize| {
            let content = &self.contents[*at];
            Some(*at) != found.amount && content.are(content.ways) && self.has_both_ways(*at)
        };
        let partial_direction = self.all().find(is_partial);
        let currency = self.best(Role::Currency, |at| self.are_codes(at)).map(|it| it.at);
        let currency = currency.or_else(|| self.all().find(|at| self.are_codes(*at)));
        let status = self.best(Role::Status, |at| self.are_statuses(at)).map(|it| it.at);
        let degrees = |role| self.best(role, |at| self.are_degrees(at)).map(|it| it.at);
        let is_asked = |it: &Guess| it.role == Role::Direction && it.weight >= SURE_WEIGHT;
        let may_be_asked =
            |at: &usize| self.guessed[*at].iter().any(is_asked) && !self.are_amounts(*at);
        let point = degrees(Role::Latitude).zip(degrees(Role::Longitude));
        let asked = self.all().find(may_be_asked);
        let found = Found { direction, is_weak_direction, partial_direction, ..found };
        Found { currency, status, point, asked, ..found }
    }

    /// Finds the amounts where no name says which column has them: the only ones, or those that a balance follows.
    fn infer(&self, found: Found) -> Found {
        let is_free = |at: &usize| {
            self.are_amounts(*at)
                && !self.are_days(*at)
                && Some(*at) != found.balance
                && self.guessed[*at].is_empty()
        };
        let free: Vec<usize> = self.all().filter(is_free).collect();
        let is_marked = |at: &usize| self.contents[*at].are(self.contents[*at].marked);
        let marked: Vec<usize> = free.iter().copied().filter(is_marked).collect();
        let likely = if marked.is_empty() { &free } else { &marked };
        match likely.as_slice() {
            [only] => return Found { amount: Some(*only), ..found },
            [] => return found,
            _ if free.len() > MAX_FREE => return found,
            _ => {}
        }
        let after_one = only(
            pairs(&free)
                .filter(|[amount, balance]| balance::is_balance_of(&self.rows, *amount, *balance)),
        );
        let within_row = || {
            let ordered = triples(&free).filter(|[before, _, after]| before < after);
            let sums = ordered.filter(|[before, amount, after]| {
                balance::is_sum_of(&self.rows, [*before, *amount], *after)
            });
            only(sums.map(|[_, amount, after]| [amount, after]))
        };
        if let Some([amount, balance]) = after_one.or_else(within_row) {
            return Found { amount: Some(amount), balance: Some(balance), ..found };
        }
        let two = triples(&free).filter(|[debit, credit, balance]| {
            balance::is_balance_of_two(&self.rows, [*debit, *credit], *balance)
        });
        match two.collect::<Vec<_>>().as_slice() {
            [[debit, credit, balance]] => {
                Found { pair: Some((*debit, *credit)), balance: Some(*balance), ..found }
            }
            _ => found,
        }
    }
}

/// The first of some, if all have the same amount.
fn only(mut found: impl Iterator<Item = [usize; 2]>) -> Option<[usize; 2]> {
    let first = found.next()?;
    found.all(|other| other[0] == first[0]).then_some(first)
}

/// All two of some columns, in either order.
fn pairs(free: &[usize]) -> impl Iterator<Item = [usize; 2]> {
    let of_one = move |one| free.iter().map(move |other| [one, *other]);
    free.iter().flat_map(move |one| of_one(*one)).filter(|[one, other]| one != other)
}

/// All three of some columns, in any order.
fn triples(free: &[usize]) -> impl Iterator<Item = [usize; 3]> {
    let of_two = move |[one, other]: [usize; 2]| free.iter().map(move |it| [one, other, *it]);
    pairs(free).flat_map(of_two).filter(|[one, other, it]| it != one && it != other)
}

impl Search<'_> {
    pub(super) fn find_columns(&mut self, rows: &[&Vec<String>]) {
        let names = self.names.clone();
        let (found, are_english) = Columns::of(&names, rows).find();
        // French calls a day as English does, but not all the rest.
        self.is_english = are_english && self.query.header == Some(true);
        self.take_columns(&found);
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
            self.is_weak_direction = found.is_weak_direction;
        }
        // What is not booked is left out, whoever names the columns.
        self.query.status = self.query.status.take().or_else(|| named(self, found.status));
        if !self.is_named {
            self.take_details(found);
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
        self.partial_direction = found.partial_direction.map(|at| self.name(at));
        self.balance = found.balance.map(|at| self.name(at));
    }

    /// The columns that a row can do without.
    fn take_details(&mut self, found: &Found) {
        let named = |this: &Self, at: Option<usize>| at.map(|at| this.name(at));
        self.query.merchant = self.query.merchant.take().or_else(|| named(self, found.merchant));
        self.query.note = self.query.note.take().or_else(|| named(self, found.notes));
        if self.query.currency.is_none() && self.query.currency_column.is_none() {
            self.query.currency_column = named(self, found.currency);
        }
        if let (None, Some((latitude, longitude))) = (&self.query.latitude, found.point) {
            self.query.latitude = Some(self.name(latitude));
            self.query.longitude = Some(self.name(longitude));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_orders_of_some_columns() {
        assert_eq!(pairs(&[1, 2]).collect::<Vec<_>>(), [[1, 2], [2, 1]]);
        assert_eq!(triples(&[1, 2, 3]).count(), 6);
        assert_eq!(only([[1, 2], [1, 3]].into_iter()), Some([1, 2]));
        assert_eq!(only([[1, 2], [2, 1]].into_iter()), None);
    }
}

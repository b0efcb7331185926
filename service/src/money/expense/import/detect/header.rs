//! Which row of a file names its columns, and where its rows begin.

use std::collections::BTreeMap;

use super::{Search, content::read};
use crate::{
    money::expense::import::{
        days::is_day,
        words::{Role, guesses},
    },
    text::fold,
};

/// How much a row looks like the header: it has all columns that the query names, or else a day and amounts.
pub(super) fn header_score(cells: &[String], wanted: &[&str]) -> u32 {
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

/// Whether a row has a day and an amount.
fn is_data(cells: &[String]) -> bool {
    let has = |is: fn(&str) -> bool| cells.iter().any(|text| is(text.trim()));
    has(is_day) && has(|text| !is_day(text) && read(text).is_some())
}

/// The first row that has a day and an amount. A row with more cells than most have is none: a line about the account
/// stands before the others.
fn first_data(rows: &[&Vec<String>]) -> Option<usize> {
    let mut widths = BTreeMap::<usize, usize>::new();
    for cells in rows {
        *widths.entry(cells.len()).or_default() += 1;
    }
    let usual = widths.into_iter().max_by_key(|(width, count)| (*count, *width))?.0;
    rows.iter().position(|cells| cells.len() <= usual && is_data(cells))
}

impl Search<'_> {
    /// Finds the names of the columns, and gives the rows after them.
    pub(super) fn find_header<'r>(
        &mut self,
        lines: &[(u64, Vec<String>)],
        rows: &'r [&'r Vec<String>],
        header: Option<usize>,
    ) -> &'r [&'r Vec<String>] {
        let first = || first_data(rows);
        let at = match (self.query.header, header, self.is_named) {
            (Some(false), ..) => None,
            (_, Some(at), _) => Some(at),
            (Some(true), None, _) | (None, None, true) => (!rows.is_empty()).then_some(0),
            // Names in a language that is not known stand before the first row.
            (None, None, false) => match first() {
                Some(at) if self.query.skip_rows.is_some() => (at > 0).then_some(0),
                Some(at) => at
                    .checked_sub(1)
                    .filter(|before| rows[*before].len() > 1 && !is_data(rows[*before])),
                None => (!rows.is_empty()).then_some(0),
            },
        };
        self.query.header = Some(at.is_some());
        let begins = at.or_else(first);
        if let (None, Some(begins)) = (self.query.skip_rows, begins) {
            self.query.skip_rows = Some(lines[begins].0 - 1);
        }
        match at {
            Some(at) => {
                let names = rows[at].iter();
                self.names = names
                    .map(|name| name.trim_start_matches('\u{feff}').trim().to_owned())
                    .collect();
                &rows[at + 1..]
            }
            None => {
                let rows = &rows[begins.unwrap_or_default()..];
                let width = rows.first().map_or(0, |cells| cells.len());
                self.names = (1..=width).map(|position| position.to_string()).collect();
                rows
            }
        }
    }
}

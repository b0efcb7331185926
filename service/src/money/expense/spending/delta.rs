//! By how much an expense changes the sums: pure.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;

use crate::money::expense::{Expense, Kind, Status};

/// Which sums.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    /// Its first day.
    pub(super) month: NaiveDate,
    pub(super) project_id: Option<Uuid>,
    pub(super) category_id: Option<Uuid>,
    pub(super) member_id: Uuid,
    pub(super) currency: String,
}

/// By how much. An expense of which several lines go to different cells is counted in the first of them, in the
/// first of each category, in the first of each project, and in each: so every report counts it once a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Delta {
    pub(super) settled_minor: i128,
    pub(super) pending_minor: i128,
    pub(super) expenses: i64,
    pub(super) in_category: i64,
    pub(super) in_project: i64,
    pub(super) parts: i64,
}

impl Delta {
    fn add(&mut self, other: Self, sign: i64) {
        self.settled_minor += i128::from(sign) * other.settled_minor;
        self.pending_minor += i128::from(sign) * other.pending_minor;
        self.expenses += sign * other.expenses;
        self.in_category += sign * other.in_category;
        self.in_project += sign * other.in_project;
        self.parts += sign * other.parts;
    }
}

/// By how much some expenses change the sums.
#[derive(Debug, Default)]
pub(in crate::money::expense) struct Deltas(BTreeMap<Cell, Delta>);

impl Deltas {
    /// Of an expense that is written as `after`, and was `before`.
    pub(in crate::money::expense) fn of(before: Option<&Expense>, after: Option<&Expense>) -> Self {
        let mut deltas = Self::default();
        before.into_iter().for_each(|expense| deltas.add(expense, -1));
        after.into_iter().for_each(|expense| deltas.add(expense, 1));
        deltas
    }

    /// Of new expenses.
    pub(in crate::money::expense) fn of_new(expenses: &[Expense]) -> Self {
        let mut deltas = Self::default();
        expenses.iter().for_each(|expense| deltas.add(expense, 1));
        deltas
    }

    /// Those that change anything.
    pub(super) fn into_changes(self) -> impl Iterator<Item = (Cell, Delta)> {
        self.0.into_iter().filter(|(_, delta)| *delta != Delta::default())
    }

    fn add(&mut self, expense: &Expense, sign: i64) {
        for (cell, delta) in cells(expense) {
            self.0.entry(cell).or_default().add(delta, sign);
        }
    }
}

/// What an expense adds to: nothing if it was rejected. A line's category and project go before its expense's.
pub(super) fn cells(expense: &Expense) -> Vec<(Cell, Delta)> {
    let settled = match expense.status {
        Status::Rejected => return Vec::new(),
        Status::Approved | Status::Reimbursed => true,
        Status::Draft | Status::Submitted => false,
    };
    let whole = (expense.project_id, expense.category_id, expense.amount_minor);
    let lines = expense.items.iter().map(|line| {
        let project = line.project_id.or(expense.project_id);
        (project, line.category_id.or(expense.category_id), line.amount_minor)
    });
    let parts: Vec<_> = if expense.items.is_empty() { vec![whole] } else { lines.collect() };
    let mut cells: Vec<(Cell, Delta)> = Vec::new();
    for (project_id, category_id, amount_minor) in parts {
        let sign = if expense.kind == Kind::Refund { -1 } else { 1 };
        let signed = sign * i128::from(amount_minor);
        let amount = match settled {
            true => Delta { settled_minor: signed, ..Delta::default() },
            false => Delta { pending_minor: signed, ..Delta::default() },
        };
        let same = |cell: &Cell| cell.project_id == project_id && cell.category_id == category_id;
        if let Some((_, delta)) = cells.iter_mut().find(|(cell, _)| same(cell)) {
            delta.add(amount, 1);
            continue;
        }
        let first = |is: &dyn Fn(&Cell) -> bool| i64::from(!cells.iter().any(|(cell, _)| is(cell)));
        let delta = Delta {
            expenses: first(&|_| true),
            in_category: first(&|cell| cell.category_id == category_id),
            in_project: first(&|cell| cell.project_id == project_id),
            parts: 1,
            ..amount
        };
        let cell = Cell {
            month: month_of(expense.spent_on),
            project_id,
            category_id,
            member_id: expense.member_id,
            currency: expense.currency.clone(),
        };
        cells.push((cell, delta));
    }
    cells
}

/// The first day of the month of a day.
pub(super) fn month_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

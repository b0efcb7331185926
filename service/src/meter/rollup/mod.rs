//! What readings come to in quarters of an hour and in hours of UTC, of which hours, days and longer spans of any zone
//! are made. A cell says what is within it alone: what lies between two cells follows from the last reading of the one
//! and the first of the other, so that a reading that is late changes the cell that it is in and no other.

pub mod buckets;
pub(crate) mod cells;
pub(crate) mod exchanges;
mod points;
mod renewal;
mod series;
#[cfg(test)]
mod tests;

pub(crate) use points::points;
pub(crate) use renewal::{Change, Refused, Scope, renew};
pub use series::{Bucket, Line, series};

use super::{
    consumption::{Exchange, Point, segments},
    meter::Kind,
};

/// How many microseconds a second has.
pub(crate) const SECOND: i64 = 1_000_000;

/// How long cells are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// A quarter of an hour.
    Quarter,
    /// An hour.
    Hour,
}

impl Width {
    /// From the shortest.
    pub const ALL: [Self; 2] = [Self::Quarter, Self::Hour];

    /// Its length in seconds.
    pub fn seconds(self) -> i64 {
        match self {
            Self::Quarter => 900,
            Self::Hour => 3600,
        }
    }

    /// The beginning of the cell in which an instant is.
    pub fn start_of(self, at: i64) -> i64 {
        at - at.rem_euclid(self.seconds() * SECOND)
    }

    /// The beginning of the next cell.
    pub fn after(self, start: i64) -> i64 {
        start + self.seconds() * SECOND
    }
}

/// What the readings of a span come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// When the span begins.
    pub start: i64,
    /// How many readings there are: at least one.
    pub count: i64,
    /// The first.
    pub first: Point,
    /// The last.
    pub last: Point,
    /// The smallest value.
    pub min: i64,
    /// The largest value.
    pub max: i64,
    /// The sum of the values.
    pub sum: i128,
    /// Of a gauge: each value times the microseconds until the next one, but of the last.
    pub integral: i128,
    /// What was consumed from the first to the last.
    pub consumption: i128,
}

impl Cell {
    /// Of one reading.
    fn of(start: i64, point: Point) -> Self {
        let Point { value, .. } = point;
        Self {
            start,
            count: 1,
            first: point,
            last: point,
            min: value,
            max: value,
            sum: value.into(),
            integral: 0,
            consumption: 0,
        }
    }

    /// With what comes after it.
    fn extend(&mut self, kind: Kind, next: &Self, exchanges: &[Exchange]) {
        let consumed = segments(kind, self.last, next.first, exchanges);
        let consumed: i128 = consumed.iter().map(|segment| segment.amount).sum();
        if kind == Kind::Gauge {
            let time = i128::from(next.first.at) - i128::from(self.last.at);
            self.integral += i128::from(self.last.value) * time + next.integral;
        }
        self.count += next.count;
        self.last = next.last;
        self.min = self.min.min(next.min);
        self.max = self.max.max(next.max);
        self.sum += next.sum;
        self.consumption += consumed + next.consumption;
    }
}

/// What the readings of a span come to, in their order; none if there are none. The exchanges are in their order, and
/// may be more than those of the span.
pub fn roll(kind: Kind, start: i64, points: &[Point], exchanges: &[Exchange]) -> Option<Cell> {
    let mut cells = points.iter().map(|point| Cell::of(start, *point));
    let first = cells.next()?;
    Some(cells.fold(first, |mut cell, next| {
        cell.extend(kind, &next, exchanges);
        cell
    }))
}

/// What a span comes to that is made of others, in their order; none if it has none.
pub fn join<'a>(
    kind: Kind,
    start: i64,
    cells: impl IntoIterator<Item = &'a Cell>,
    exchanges: &[Exchange],
) -> Option<Cell> {
    let mut cells = cells.into_iter();
    let first = Cell { start, ..*cells.next()? };
    Some(cells.fold(first, |mut cell, next| {
        cell.extend(kind, next, exchanges);
        cell
    }))
}

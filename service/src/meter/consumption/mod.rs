//! What was consumed between two readings: pure functions. Values are whole units of a meter's last digit, and instants
//! microseconds since 1970.

mod drops;
#[cfg(test)]
mod tests;

pub use drops::{Cause, Contradiction, Drops, ExchangeKind, Kept, Stretch};

use super::meter::Kind;

/// A reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When.
    pub at: i64,
    /// What the meter showed.
    pub value: i64,
}

/// Where a counter began anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// When.
    pub at: i64,
    /// What it showed last.
    pub before: i64,
    /// What it showed then.
    pub after: i64,
}

/// A part of the time between two readings, over which an amount is spread evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// From when.
    pub from: i64,
    /// Until when.
    pub to: i64,
    /// What was consumed.
    pub amount: i128,
}

impl Segment {
    /// How much of it was consumed until an instant, in whole units: what is left over comes with the next one, so that
    /// parts of the time sum to the whole whichever they are.
    pub fn until(&self, at: i64) -> i128 {
        if at >= self.to {
            return self.amount;
        }
        let past = i128::from(at) - i128::from(self.from);
        let whole = i128::from(self.to) - i128::from(self.from);
        if past <= 0 { 0 } else { (self.amount * past).div_euclid(whole) }
    }

    /// How much of it was consumed from one instant until another.
    pub fn within(&self, from: i64, to: i64) -> i128 {
        self.until(to) - self.until(from)
    }
}

/// Those of some exchanges, in their order, that come after an instant, and not after another one.
pub fn between(exchanges: &[Exchange], after: i64, until: i64) -> &[Exchange] {
    let first = exchanges.partition_point(|exchange| exchange.at <= after);
    let end = exchanges.partition_point(|exchange| exchange.at <= until);
    exchanges.get(first..end).unwrap_or_default()
}

/// What was consumed from one reading until the next, with the exchanges after the first. Nothing of a gauge.
pub fn segments(kind: Kind, from: Point, to: Point, exchanges: &[Exchange]) -> Vec<Segment> {
    match kind {
        Kind::Gauge => Vec::new(),
        Kind::Delta => vec![Segment { from: from.at, to: to.at, amount: i128::from(to.value) }],
        Kind::Counter => counted(from, to, between(exchanges, from.at, to.at)),
    }
}

/// Of a counter: until each exchange, and from it on. An exchange at the instant of a reading is before it.
fn counted(from: Point, to: Point, exchanges: &[Exchange]) -> Vec<Segment> {
    let mut segments = Vec::with_capacity(exchanges.len() + 1);
    let (mut at, mut value) = (from.at, from.value);
    for exchange in exchanges {
        let amount = i128::from(exchange.before) - i128::from(value);
        segments.push(Segment { from: at, to: exchange.at, amount });
        (at, value) = (exchange.at, exchange.after);
    }
    let amount = i128::from(to.value) - i128::from(value);
    match segments.last_mut() {
        Some(last) if last.to == to.at => last.amount += amount,
        _ => segments.push(Segment { from: at, to: to.at, amount }),
    }
    segments
}

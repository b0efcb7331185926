//! Buckets of a series, made of cells.

use super::{Cell, Kind};
use crate::meter::consumption::{Exchange, Point, segments};

/// What is known of a meter from some time before a series until some time after it.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// What its values are.
    pub kind: Kind,
    /// The cells, in their order: those of the series, the last one before it and the first one after it.
    pub cells: &'a [Cell],
    /// Whether the first reading of the first cell is the first of all.
    pub is_whole: bool,
    /// Where the counter began anew, in the order of time.
    pub exchanges: &'a [Exchange],
}

/// What the readings come to in a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// When it begins.
    pub from: i64,
    /// When the next one does.
    pub to: i64,
    /// How many readings there are.
    pub count: i64,
    /// The first and the last, the smallest and the largest value, and the sum; none if there are none.
    pub readings: Option<Cell>,
    /// Of a gauge: each value times the microseconds for which it holds within the bucket.
    pub integral: i128,
    /// For how many microseconds the values are known.
    pub known: i128,
    /// What was consumed; none if nothing is known of it.
    pub consumption: Option<i128>,
}

impl Bucket {
    fn new(from: i64, to: i64) -> Self {
        Self { from, to, count: 0, readings: None, integral: 0, known: 0, consumption: None }
    }

    fn consume(&mut self, amount: i128) {
        self.consumption = Some(self.consumption.unwrap_or(0) + amount);
    }

    fn add(&mut self, kind: Kind, cell: &Cell) {
        self.count += cell.count;
        match &mut self.readings {
            None => self.readings = Some(*cell),
            Some(all) => {
                all.last = cell.last;
                all.min = all.min.min(cell.min);
                all.max = all.max.max(cell.max);
                all.sum += cell.sum;
            }
        }
        if kind == Kind::Gauge {
            self.integral += cell.integral;
            self.known += i128::from(cell.last.at) - i128::from(cell.first.at);
        } else {
            self.consume(cell.consumption);
        }
    }
}

/// What the readings come to between borders, which are in their order, and at none of which a cell goes on.
pub fn series(line: Line<'_>, borders: &[i64]) -> Vec<Bucket> {
    let spans = borders.windows(2).filter_map(|pair| match pair {
        [from, to] => Some(Bucket::new(*from, *to)),
        _ => None,
    });
    let mut buckets: Vec<Bucket> = spans.collect();
    let mut first_after = 0;
    for cell in line.cells {
        while buckets.get(first_after).is_some_and(|bucket| bucket.to <= cell.start) {
            first_after += 1;
        }
        match buckets.get_mut(first_after) {
            Some(bucket) if bucket.from <= cell.start => bucket.add(line.kind, cell),
            _ => {}
        }
    }
    if let (Kind::Delta, true, Some(first)) = (line.kind, line.is_whole, line.cells.first()) {
        let at = first.first.at;
        let here = buckets.iter_mut().find(|bucket| (bucket.from..bucket.to).contains(&at));
        here.into_iter().for_each(|bucket| bucket.consume(first.first.value.into()));
    }
    for pair in line.cells.windows(2) {
        let [one, next] = pair else { continue };
        bridge(line, &mut buckets, one.last, next.first);
    }
    buckets
}

/// Adds what lies between two readings that are neighbours.
fn bridge(line: Line<'_>, buckets: &mut [Bucket], from: Point, to: Point) {
    let first = buckets.partition_point(|bucket| bucket.to < from.at);
    let end = buckets.partition_point(|bucket| bucket.from <= to.at);
    let Some(buckets) = buckets.get_mut(first..end) else { return };
    let overlap =
        |bucket: &Bucket| i128::from(bucket.to.min(to.at)) - i128::from(bucket.from.max(from.at));
    if line.kind == Kind::Gauge {
        for bucket in buckets {
            let time = overlap(bucket).max(0);
            bucket.integral += i128::from(from.value) * time;
            bucket.known += time;
        }
        return;
    }
    for segment in segments(line.kind, from, to, line.exchanges) {
        for bucket in buckets.iter_mut() {
            let amount = segment.within(bucket.from, bucket.to);
            if amount != 0 || overlap(bucket) > 0 {
                bucket.consume(amount);
            }
        }
    }
}

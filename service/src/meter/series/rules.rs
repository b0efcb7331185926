//! What is shown of buckets.

use super::{Fill, SeriesBucket};
use crate::{
    error::{Error, Result},
    meter::{
        consumption::Point,
        decimal::Decimal,
        meter::{Kind, Meter},
        moment::instant,
        rollup::{Bucket, Cell},
    },
};

/// How many digits more than a value a mean has.
const MEAN_DIGITS: u8 = 3;
const MEAN_FACTOR: i128 = 1_000;

/// A quotient, rounded half away from zero.
fn rounded(dividend: i128, divisor: i128) -> i128 {
    let half = divisor / 2;
    let away = if dividend < 0 { dividend - half } else { dividend + half };
    away / divisor
}

/// A mean as a multiple of the last digit that it has.
fn mean(dividend: i128, divisor: i128) -> i128 {
    rounded(dividend * MEAN_FACTOR, divisor)
}

/// The readings around a bucket without any.
fn around(cells: &[Cell], bucket: &Bucket) -> (Option<Point>, Option<Point>) {
    let next = cells.partition_point(|cell| cell.start < bucket.from);
    let before = next.checked_sub(1).and_then(|index| cells.get(index)).map(|cell| cell.last);
    (before, cells.get(next).map(|cell| cell.first))
}

/// The mean that `fill` asks for.
fn filled(
    fill: Fill,
    (before, after): (Option<Point>, Option<Point>),
    bucket: &Bucket,
) -> Option<i128> {
    match fill {
        Fill::Null => None,
        Fill::Previous => before.map(|before| i128::from(before.value) * MEAN_FACTOR),
        Fill::Linear => {
            let (before, after) = before.zip(after)?;
            let of = i128::from;
            // Twice the time, for the sake of the half.
            let past = of(bucket.from) + of(bucket.to) - 2 * of(before.at);
            let whole = 2 * (of(after.at) - of(before.at));
            let rise = of(after.value) - of(before.value);
            Some(rounded((of(before.value) * whole + rise * past) * MEAN_FACTOR, whole))
        }
    }
}

/// A bucket as it is shown.
pub(super) fn shown(
    meter: &Meter,
    fill: Fill,
    cells: &[Cell],
    bucket: &Bucket,
) -> Result<SeriesBucket> {
    let value =
        |value: fn(&Cell) -> i64| bucket.readings.as_ref().map(|all| meter.value(value(all)));
    let decimal = |units: i128, digits: u8| {
        let too_many = || Error::state("out_of_range", "a sum has more digits than are shown");
        Decimal::of_units(units, digits).ok_or_else(too_many)
    };
    let is_gauge = meter.kind == Kind::Gauge;
    let read = bucket.readings.filter(|_| is_gauge).map(|all| match bucket.known {
        0 => i128::from(all.last.value) * MEAN_FACTOR,
        known => mean(bucket.integral, known),
    });
    let is_empty = is_gauge && bucket.readings.is_none();
    let guessed = is_empty.then(|| filled(fill, around(cells, bucket), bucket)).flatten();
    let avg = read.or(guessed).map(|units| decimal(units, meter.digits() + MEAN_DIGITS));
    let sum = bucket.readings.filter(|_| meter.kind != Kind::Counter).map(|all| all.sum);
    Ok(SeriesBucket {
        from: instant(bucket.from)?,
        to: instant(bucket.to)?,
        count: bucket.count,
        first: value(|all| all.first.value),
        last: value(|all| all.last.value),
        min: value(|all| all.min),
        max: value(|all| all.max),
        sum: sum.map(|units| decimal(units, meter.digits())).transpose()?,
        avg: avg.transpose()?,
        filled: guessed.is_some(),
        consumption: bucket
            .consumption
            .filter(|_| !is_gauge)
            .map(|units| decimal(units, meter.digits()))
            .transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_rounded_half_away_from_zero() {
        for (dividend, divisor, expected) in [
            (10, 4, 2_500),
            (1, 3, 333),
            (2, 3, 667),
            (-2, 3, -667),
            (1, 2_000, 1),
            (-1, 2_000, -1),
            (1, 2_001, 0),
        ] {
            assert_eq!(mean(dividend, divisor), expected, "{dividend}/{divisor}");
        }
    }

    #[test]
    fn a_bucket_without_readings_is_filled_as_asked() {
        let bucket = Bucket {
            from: 20,
            to: 40,
            count: 0,
            readings: None,
            integral: 0,
            known: 0,
            consumption: None,
        };
        let [before, after] = [Point { at: 10, value: 100 }, Point { at: 50, value: 200 }];
        let around = (Some(before), Some(after));
        assert_eq!(filled(Fill::Null, around, &bucket), None);
        assert_eq!(filled(Fill::Previous, around, &bucket), Some(100_000));
        assert_eq!(filled(Fill::Linear, around, &bucket), Some(150_000));
        assert_eq!(filled(Fill::Linear, (Some(before), None), &bucket), None);
        assert_eq!(filled(Fill::Previous, (None, Some(after)), &bucket), None);
    }
}

//! When a value passes a limit: once for each excursion, which ends when a value is back within the limits by more than
//! the hysteresis.

use serde::Serialize;
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::meter::{consumption::Point, meter::Meter};

/// Beyond which limit the last value is.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, EnumString, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Excursion {
    /// None.
    #[default]
    None,
    /// The lower one.
    Low,
    /// The upper one.
    High,
}

/// The limits of a meter, in units of its last digit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    low: Option<i64>,
    high: Option<i64>,
    hysteresis: i64,
}

impl Limits {
    pub(super) fn of(meter: &Meter) -> Self {
        let scaled = |value: crate::meter::decimal::Decimal| value.scaled(meter.digits()).ok();
        Self {
            low: meter.low.and_then(scaled),
            high: meter.high.and_then(scaled),
            hysteresis: scaled(meter.hysteresis).unwrap_or_default(),
        }
    }

    /// Where a value is, after one that was there.
    fn next(self, now: Excursion, value: i64) -> Excursion {
        if self.high.is_some_and(|high| value > high) {
            return Excursion::High;
        }
        if self.low.is_some_and(|low| value < low) {
            return Excursion::Low;
        }
        let stays = match now {
            Excursion::None => false,
            Excursion::High => self.high.is_some_and(|high| value > high - self.hysteresis),
            Excursion::Low => self.low.is_some_and(|low| value < low + self.hysteresis),
        };
        if stays { now } else { Excursion::None }
    }

    /// Where the last of some values is, and the last one that passed a limit, with that limit.
    pub(super) fn follow(
        self,
        mut now: Excursion,
        points: &[Point],
    ) -> (Excursion, Option<(Excursion, Point)>) {
        let mut passed = None;
        for point in points {
            let next = self.next(now, point.value);
            if next != now && next != Excursion::None {
                passed = Some((next, *point));
            }
            now = next;
        }
        (now, passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_passed_once_for_each_excursion() {
        let limits = Limits { low: Some(10), high: Some(20), hysteresis: 2 };
        let mut now = Excursion::None;
        for (value, expected, passes) in [
            (20, Excursion::None, false),
            (21, Excursion::High, true),
            (25, Excursion::High, false),
            (19, Excursion::High, false),
            (21, Excursion::High, false),
            (18, Excursion::None, false),
            (21, Excursion::High, true),
            (9, Excursion::Low, true),
            (11, Excursion::Low, false),
            (12, Excursion::None, false),
            (10, Excursion::None, false),
        ] {
            let (next, passed) = limits.follow(now, &[Point { at: 0, value }]);
            assert_eq!((next, passed.is_some()), (expected, passes), "{value}");
            now = next;
        }
    }

    #[test]
    fn of_several_the_last_one_is_told() {
        let limits = Limits { low: None, high: Some(20), hysteresis: 0 };
        let points = [(1, 30), (2, 5), (3, 40), (4, 50)].map(|(at, value)| Point { at, value });
        let expected = (Excursion::High, Some((Excursion::High, points[2])));
        assert_eq!(limits.follow(Excursion::None, &points), expected);
    }
}

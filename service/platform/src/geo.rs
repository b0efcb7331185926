//! Places on the earth, and which of them are near another. The earth is a sphere with the mean radius of the IUGG.
//!
//! Distances are compared by the databases, in integers, so that each says the same: a place is a point in space, in
//! whole centimetres from the centre of the earth, and two places are at most so far from each other along the great
//! circle if their points are at most as far from each other along its chord. So the poles and the antimeridian are
//! places like all others. A place within a centimetre or two of the rim of a circle may be in it or not.

use sea_orm::{ExprTrait, sea_query::Expr};
use serde::{Deserialize, Deserializer, de};
use validator::ValidationError;

use crate::text::{at, refusal};

/// The radius of the earth.
const RADIUS_CM: f64 = 637_100_880.0;

/// How many metres a circle reaches at most: to a quarter of the way around the earth.
pub const MAX_WITHIN: i64 = 10_000_000;
/// How many metres a circle reaches if nobody says.
pub const DEFAULT_WITHIN: i64 = 1000;

/// How long a place in a query is at most: one with seven decimals has 26 characters.
pub const MAX_NEAR_LENGTH: usize = 50;

/// Degrees are kept in ten-millionths, which is a centimetre.
const E7: f64 = 1e7;

/// Refuses degrees that cannot be kept as they are.
pub fn degrees(degrees: f64) -> Result<(), ValidationError> {
    if of_e7(to_e7(degrees)) == degrees {
        return Ok(());
    }
    Err(refusal("precision", "must have at most 7 decimal places"))
}

/// Degrees in ten-millionths. Those that [`degrees`] has let through come back the same.
pub fn to_e7(degrees: f64) -> i64 {
    (degrees * E7).round() as i64
}

/// Degrees from ten-millionths.
pub fn of_e7(e7: i64) -> f64 {
    e7 as f64 / E7
}

/// Refuses half a place.
pub fn whole(latitude: Option<f64>, longitude: Option<f64>) -> Result<(), ValidationError> {
    let missing = match (latitude, longitude) {
        (Some(_), None) => "longitude",
        (None, Some(_)) => "latitude",
        _ => return Ok(()),
    };
    Err(at(missing, refusal("required", "is required if the other coordinate is set")))
}

/// A place as a point in space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// From the centre towards the equator at longitude 0.
    pub x_cm: i64,
    /// From the centre towards the equator at longitude 90.
    pub y_cm: i64,
    /// From the centre towards the north pole.
    pub z_cm: i64,
}

impl Point {
    /// The point of a place. The sines are those of libm: std has them from the machine that it runs on.
    pub fn of(latitude: f64, longitude: f64) -> Self {
        let (latitude, longitude) = (latitude.to_radians(), longitude.to_radians());
        let from_axis = RADIUS_CM * libm::cos(latitude);
        let whole = |cm: f64| cm.round() as i64;
        Self {
            x_cm: whole(from_axis * libm::cos(longitude)),
            y_cm: whole(from_axis * libm::sin(longitude)),
            z_cm: whole(RADIUS_CM * libm::sin(latitude)),
        }
    }
}

/// A place in a query: `47.3769,8.5417`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    latitude: f64,
    longitude: f64,
}

impl<'de> Deserialize<'de> for Near {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = |text: &str, most: f64| {
            let value: f64 = text.parse().ok()?;
            ((-most..=most).contains(&value) && degrees(value).is_ok()).then_some(value)
        };
        let short = (text.len() <= MAX_NEAR_LENGTH).then_some(&*text);
        let place =
            short.and_then(|text| text.split_once(',')).and_then(|(latitude, longitude)| {
                Some(Self { latitude: read(latitude, 90.0)?, longitude: read(longitude, 180.0)? })
            });
        place.ok_or_else(|| {
            de::Error::custom("expected a latitude and a longitude such as 47.3769,8.5417")
        })
    }
}

/// What is near a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circle {
    center: Point,
    chord_cm: i64,
}

impl Circle {
    /// The circle that a query asks for.
    pub fn of_query(near: Option<Near>, within: Option<i64>) -> Option<Self> {
        near.map(|near| Self::of(near, within.unwrap_or(DEFAULT_WITHIN)))
    }

    fn of(near: Near, within: i64) -> Self {
        let half_angle = within.clamp(0, MAX_WITHIN) as f64 * 100.0 / RADIUS_CM / 2.0;
        let chord = 2.0 * RADIUS_CM * libm::sin(half_angle);
        let center = Point::of(near.latitude, near.longitude);
        Self { center, chord_cm: chord.round() as i64 }
    }

    /// Whether a point lies in it, whose columns are given: within a box around it, for which an index can be used, and
    /// within the circle. No number leaves 64 bits: the square of the diameter is less than 2^61.
    pub fn contains(&self, [x, y, z]: [Expr; 3]) -> Expr {
        let Self { center: Point { x_cm, y_cm, z_cm }, chord_cm } = *self;
        let between = |axis: &Expr, center: i64| {
            let least = axis.clone().gte(center - chord_cm);
            least.and(axis.clone().lte(center + chord_cm))
        };
        let square = |axis: Expr, center: i64| {
            let distance = axis.sub(center);
            distance.clone().mul(distance)
        };
        let in_box = between(&x, x_cm).and(between(&y, y_cm)).and(between(&z, z_cm));
        let distance = square(x, x_cm).add(square(y, y_cm)).add(square(z, z_cm));
        in_box.and(distance.lte(chord_cm * chord_cm))
    }
}

/// Refuses a distance from nowhere.
pub fn within_of_near(near: Option<Near>, within: Option<i64>) -> Result<(), ValidationError> {
    match (near, within) {
        (None, Some(_)) => Err(at("near", refusal("required", "is required if within is set"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_near([from, to]: [(f64, f64); 2], within: i64) -> bool {
        let circle = Circle::of(Near { latitude: from.0, longitude: from.1 }, within);
        let (point, center) = (Point::of(to.0, to.1), circle.center);
        let axes = [point.x_cm - center.x_cm, point.y_cm - center.y_cm, point.z_cm - center.z_cm];
        axes.iter().map(|distance| distance * distance).sum::<i64>() <= circle.chord_cm.pow(2)
    }

    #[test]
    fn distances_are_those_of_the_great_circle() {
        // A degree of a great circle is 111,195.08 m.
        for (places, metres) in [
            ([(0.0, 0.0), (0.0, 1.0)], 111_195),
            ([(0.0, 179.5), (0.0, -179.5)], 111_195),
            ([(89.5, 0.0), (89.5, 180.0)], 111_195),
            ([(-89.5, -90.0), (-89.5, 90.0)], 111_195),
            ([(10.0, 20.0), (11.0, 20.0)], 111_195),
            ([(0.0, 0.0), (89.0, 77.0)], 9_982_545),
        ] {
            assert!(!is_near(places, metres - 1), "{places:?}");
            assert!(is_near(places, metres + 1), "{places:?}");
        }
        for same in [[(90.0, 0.0), (90.0, 123.0)], [(5.0, 180.0), (5.0, -180.0)]] {
            assert!(is_near(same, 0), "{same:?}");
        }
    }

    proptest! {
        #[test]
        fn a_place_comes_back_as_it_was_written(e7 in -1_800_000_000_i64..=1_800_000_000) {
            let text = format!("{}{}.{:07}", if e7 < 0 { "-" } else { "" },
                e7.abs() / 10_000_000, e7.abs() % 10_000_000);
            let written: f64 = text.parse().expect("a number");
            prop_assert!(degrees(written).is_ok(), "{}", text);
            prop_assert_eq!(to_e7(written), e7);
            prop_assert_eq!(of_e7(e7), written);
        }

        #[test]
        fn near_is_the_same_from_both_ends(
            from in (-90.0..90.0, -180.0..180.0), to in (-90.0..90.0, -180.0..180.0),
            within in 0..=MAX_WITHIN,
        ) {
            prop_assert_eq!(is_near([from, to], within), is_near([to, from], within));
        }
    }

    #[test]
    fn what_is_too_precise_is_not_rounded() {
        assert!(degrees(47.376_886_61).is_err());
        assert!(degrees(47.376_886_6).is_ok());
        assert!(degrees(-0.0).is_ok());
    }
}

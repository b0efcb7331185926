//! Exact decimals: numbers of JSON, of which a meter keeps a fixed number of digits after the point.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};
use serde_json::Number;

/// The largest scaled value, and below zero the smallest: 2^53 - 1, the last integer that every client of JSON reads
/// exactly.
pub const MAX_SCALED: i64 = 9_007_199_254_740_991;
/// How many digits after the point a meter keeps at most.
pub const MAX_PRECISION: u8 = 9;

/// An exact decimal. In JSON it is a number, with all of its digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(rust_decimal::Decimal);

/// Why a decimal is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// It has more digits after the point.
    #[error("has more digits after the decimal point than the precision of the meter")]
    Precision,
    /// It is too large, or too small.
    #[error("must be from -9007199254740991 to 9007199254740991 units of the last digit")]
    Range,
}

impl NotKept {
    /// The code of a violation.
    pub fn code(self) -> &'static str {
        match self {
            Self::Precision => "precision",
            Self::Range => "range",
        }
    }
}

impl Decimal {
    /// The number that a text says, as JSON writes numbers, exactly. None for another text, and for one of more than
    /// 28 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.starts_with(|first: char| first.is_ascii_digit()) || text.contains('_') {
            return None;
        }
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let number = rust_decimal::Decimal::from_str_exact(mantissa).ok()?;
        let number = shifted(number, exponent.parse().ok()?)?;
        Some(Self(number.normalize()))
    }

    /// So many units of the last of `precision` digits.
    pub fn of_scaled(units: i64, precision: u8) -> Self {
        Self::of_units(i128::from(units), precision).unwrap_or_default()
    }

    /// So many units of the last of `precision` digits, if that is no more than 28 digits.
    pub fn of_units(units: i128, precision: u8) -> Option<Self> {
        let number = rust_decimal::Decimal::try_from_i128_with_scale(units, u32::from(precision));
        Some(Self(number.ok()?.normalize()))
    }

    /// How many units of the last of `precision` digits it is.
    ///
    /// # Errors
    /// Where it has more digits or too many units: nothing is rounded.
    pub fn scaled(self, precision: u8) -> Result<i64, NotKept> {
        let missing = u32::from(precision).checked_sub(self.0.scale()).ok_or(NotKept::Precision)?;
        let units = 10_i128.checked_pow(missing).and_then(|ten| self.0.mantissa().checked_mul(ten));
        let units = units.and_then(|units| i64::try_from(units).ok());
        units.filter(|units| (-MAX_SCALED..=MAX_SCALED).contains(units)).ok_or(NotKept::Range)
    }

    /// With `precision` digits after the point at most, rounded half to even.
    pub fn rounded(self, precision: u8) -> Self {
        Self(self.0.round_dp(u32::from(precision)).normalize())
    }

    fn number(self) -> Option<Number> {
        self.0.to_string().parse().ok()
    }
}

/// A number times a power of ten, exactly.
fn shifted(number: rust_decimal::Decimal, exponent: i32) -> Option<rust_decimal::Decimal> {
    let number = number.normalize();
    let scale = i32::try_from(number.scale()).ok()?.checked_sub(exponent)?;
    let (mantissa, scale) = match u32::try_from(scale) {
        Ok(scale) => (number.mantissa(), scale),
        Err(_) if number.mantissa() == 0 => (0, 0),
        Err(_) => {
            let ten = 10_i128.checked_pow(scale.unsigned_abs())?;
            (number.mantissa().checked_mul(ten)?, 0)
        }
    };
    rust_decimal::Decimal::try_from_i128_with_scale(mantissa, scale).ok()
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = self.number().ok_or_else(|| S::Error::custom("a decimal is no number"))?;
        number.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Number::deserialize(deserializer)?;
        let found = Self::parse(number.as_str());
        found.ok_or_else(|| D::Error::custom("expected a number of at most 28 digits"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn scaled(text: &str, precision: u8) -> Result<i64, NotKept> {
        Decimal::parse(text).expect("a number").scaled(precision)
    }

    #[test]
    fn a_number_is_kept_exactly_or_not_at_all() {
        for (text, precision, expected) in [
            ("12.5", 3, Ok(12_500)),
            ("12.500", 1, Ok(125)),
            ("-0.001", 3, Ok(-1)),
            ("1.25e3", 0, Ok(1250)),
            ("125E-2", 2, Ok(125)),
            ("-0", 0, Ok(0)),
            ("0e99", 9, Ok(0)),
            ("9007199254740991", 0, Ok(MAX_SCALED)),
            ("9007199254740992", 0, Err(NotKept::Range)),
            ("9007199254740991", 1, Err(NotKept::Range)),
            ("0.1", 0, Err(NotKept::Precision)),
            ("1e-10", 9, Err(NotKept::Precision)),
        ] {
            assert_eq!(scaled(text, precision), expected, "{text}");
        }
    }

    #[test]
    fn a_number_is_rounded_half_to_even() {
        let rounded = |text| json!(Decimal::parse(text).expect("a number").rounded(2)).to_string();
        assert_eq!(rounded("21.299999999999997"), "21.3");
        assert_eq!(rounded("0.125"), "0.12");
        assert_eq!(rounded("-0.135"), "-0.14");
        assert_eq!(rounded("5"), "5");
    }

    #[test]
    fn what_is_no_number_of_json_is_none() {
        let long = "1".repeat(40);
        for text in ["", "-", ".5", "+1", "1_000", "NaN", "inf", "1e", "e1", "1 ", "1e400", &long] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn json_has_all_digits() {
        let read: Decimal = serde_json::from_value(json!(21.75)).expect("a number");
        assert_eq!(json!(read).to_string(), "21.75");
        assert_eq!(json!(Decimal::of_scaled(12_500, 3)).to_string(), "12.5");
        assert!(serde_json::from_value::<Decimal>(json!("1")).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(units in -MAX_SCALED..=MAX_SCALED, precision in 0..=MAX_PRECISION) {
            let decimal = Decimal::of_scaled(units, precision);
            let text = json!(decimal).to_string();
            prop_assert_eq!(Decimal::parse(&text).expect("a number").scaled(precision), Ok(units));
        }
    }
}

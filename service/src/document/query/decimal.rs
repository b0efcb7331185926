//! Exact decimals: the numbers of JSON, as they are written.

use std::cmp::Ordering;

use serde_json::Number;

/// The largest power of ten that the first digit of a number may stand for, and the smallest, below zero: documents
/// have numbers of at most 1000 digits with exponents from -9999 to 9999.
pub const MAX_EXPONENT: i64 = 10_999;

/// To how many digits a quotient is rounded: those of decimal128 (IEEE 754).
pub const QUOTIENT_DIGITS: usize = 34;

/// A number: `0.DIGITS` times ten to the power of `exponent`. Equal numbers are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// From the first that is not 0 to the last that is not 0; none for zero.
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// The number that JSON says. An exponent beyond 18 digits is the largest of that many.
    pub fn of(number: &Number) -> Self {
        let text = number.as_str();
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = whole.bytes().chain(fraction.bytes()).map(|digit| digit - b'0').collect();
        let exponent = power_of_ten(power).saturating_add(length(whole.len()));
        Self { negative, digits, exponent }.normal()
    }

    /// A count.
    pub fn from_count(count: u64) -> Self {
        Self::of(&Number::from(count))
    }

    /// Without the zeros around its digits.
    fn normal(mut self) -> Self {
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros);
        self.exponent = self.exponent.saturating_sub(length(zeros));
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() { Self::default() } else { self }
    }

    /// Whether its first digit stands for a power of ten that numbers may have ([`MAX_EXPONENT`]).
    pub fn is_in_range(&self) -> bool {
        self.digits.is_empty()
            || (-MAX_EXPONENT..=MAX_EXPONENT).contains(&self.exponent.saturating_sub(1))
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Its digits, from the first that is not 0 to the last that is not 0; none for zero.
    pub fn digits(&self) -> &[u8] {
        &self.digits
    }

    /// The power of ten that `0.DIGITS` is multiplied by.
    pub fn exponent(&self) -> i64 {
        self.exponent
    }

    /// The digit that stands for this power of ten.
    fn digit(&self, power: i64) -> u8 {
        let index = usize::try_from(self.exponent - 1 - power).ok();
        index.and_then(|index| self.digits.get(index)).copied().unwrap_or(0)
    }

    /// The power of ten that its last digit stands for.
    fn last_power(&self) -> i64 {
        self.exponent - length(self.digits.len())
    }

    /// The sum, exactly. Both are in range.
    pub fn plus(&self, other: &Self) -> Self {
        if self.digits.is_empty() {
            return other.clone();
        }
        if other.digits.is_empty() {
            return self.clone();
        }
        if self.negative == other.negative {
            return self.combined(other, |sum| (i8::from(sum >= 10), sum.rem_euclid(10)), 1);
        }
        let (large, small) = match self.compare_size(other) {
            Ordering::Less => (other, self),
            Ordering::Greater => (self, other),
            Ordering::Equal => return Self::default(),
        };
        large.combined(small, |rest| (-i8::from(rest < 0), rest.rem_euclid(10)), -1)
    }

    /// Adds the digits of another times `sign`, from the last: what `settle` makes of each sum is carried, and kept.
    fn combined(&self, other: &Self, settle: fn(i8) -> (i8, i8), sign: i8) -> Self {
        let last = self.last_power().min(other.last_power());
        let exponent = self.exponent.max(other.exponent) + 1;
        let (mut digits, mut carry) = (Vec::new(), 0);
        for power in last..exponent {
            let one = i8::try_from(self.digit(power)).unwrap_or(0);
            let other = i8::try_from(other.digit(power)).unwrap_or(0);
            let (next, digit) = settle(one + sign * other + carry);
            carry = next;
            digits.push(digit.unsigned_abs());
        }
        digits.reverse();
        Self { negative: self.negative, digits, exponent }.normal()
    }

    fn compare_size(&self, other: &Self) -> Ordering {
        let exponents = self.exponent.cmp(&other.exponent);
        exponents.then_with(|| self.digits.cmp(&other.digits))
    }

    /// The quotient, rounded to [`QUOTIENT_DIGITS`] digits, and half to even. None of nothing.
    pub fn divided_by(&self, count: u64) -> Option<Self> {
        if count == 0 {
            return None;
        }
        let (mut digits, mut rest, mut started) = (Vec::new(), 0_u128, 0);
        let mut next = self.digits.iter();
        loop {
            let digit = next.next();
            if digit.is_none() && (rest == 0 || started > QUOTIENT_DIGITS) {
                break;
            }
            let here = rest * 10 + u128::from(digit.copied().unwrap_or(0));
            let quotient = u8::try_from(here / u128::from(count)).unwrap_or(9);
            rest = here % u128::from(count);
            if started > 0 || quotient > 0 {
                started += 1;
            }
            digits.push(quotient);
        }
        let quotient = Self { negative: self.negative, digits, exponent: self.exponent };
        Some(quotient.normal().rounded(rest > 0))
    }

    /// The same with at most [`QUOTIENT_DIGITS`] digits, half to even, where more may follow its digits.
    fn rounded(mut self, more: bool) -> Self {
        if self.digits.len() <= QUOTIENT_DIGITS {
            return self;
        }
        let dropped = self.digits.split_off(QUOTIENT_DIGITS);
        let half = dropped[0].cmp(&5).then_with(|| (dropped.len() > 1 || more).cmp(&false));
        let odd = self.digits.last().is_some_and(|last| last % 2 == 1);
        if half == Ordering::Less || half == Ordering::Equal && !odd {
            return self.normal();
        }
        let nines = self.digits.iter().rev().take_while(|digit| **digit == 9).count();
        self.digits.truncate(self.digits.len() - nines);
        match self.digits.last_mut() {
            Some(last) => *last += 1,
            None => {
                self.digits.push(1);
                self.exponent += 1;
            }
        }
        self.normal()
    }

    /// As JSON: without an exponent from 1e-6 to below 1e21, as JavaScript writes numbers.
    pub fn to_number(&self) -> Number {
        let sign = if self.negative { "-" } else { "" };
        let text: String = self.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        let count = length(text.len());
        let text = match self.exponent {
            _ if text.is_empty() => "0".to_owned(),
            exponent @ 1..=21 if exponent >= count => {
                text + &"0".repeat(usize::try_from(exponent - count).unwrap_or(0))
            }
            exponent @ 1..=21 => {
                let (whole, fraction) = text.split_at(usize::try_from(exponent).unwrap_or(0));
                format!("{whole}.{fraction}")
            }
            exponent @ -5..=0 => {
                format!("0.{}{text}", "0".repeat(usize::try_from(-exponent).unwrap_or(0)))
            }
            exponent => {
                let (first, rest) = text.split_at(1);
                let point = if rest.is_empty() { "" } else { "." };
                format!("{first}{point}{rest}e{:+}", exponent - 1)
            }
        };
        format!("{sign}{text}").parse().expect("a number as JSON writes it")
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.negative, number.digits.is_empty()) {
            (true, _) => -1,
            (false, empty) => i8::from(!empty),
        };
        sign(self).cmp(&sign(other)).then_with(|| match self.negative {
            true => other.compare_size(self),
            false => self.compare_size(other),
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn power_of_ten(text: &str) -> i64 {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let most = 999_999_999_999_999_999;
    let digits = digits.trim_start_matches('0');
    let size =
        if digits.is_empty() { 0 } else { digits.parse().map_or(most, |it: i64| it.min(most)) };
    if negative { -size } else { size }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::of(&serde_json::from_str(text).expect("a number"))
    }

    fn written(number: &Decimal) -> String {
        number.to_number().to_string()
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for (one, others) in [
            ("1", &["1.0", "1e0", "10E-1", "0.1e+1", "1.000"][..]),
            ("0", &["-0", "0.0", "0e99", "-0.00e-7"]),
            ("1200", &["1.2e3", "12e2", "1200.00"]),
            ("-0.05", &["-5e-2", "-0.0500", "-50e-0003"]),
        ] {
            for other in others {
                assert_eq!(decimal(one), decimal(other), "{one} {other}");
                assert_eq!(written(&decimal(other)), one);
            }
        }
    }

    #[test]
    fn numbers_are_written_as_javascript_does() {
        for (text, expected) in [
            ("100000000000000000000", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("123456789012345678901234567890", "1.2345678901234567890123456789e+29"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("-12.50", "-12.5"),
        ] {
            assert_eq!(written(&decimal(text)), expected);
        }
    }

    #[test]
    fn the_range_is_that_of_the_first_digit() {
        for (text, expected) in [
            ("9.9e10999", true),
            ("1e11000", false),
            ("1e-10999", true),
            ("0.1e-10999", false),
            ("1e99999999999999999999999", false),
            ("1e-99999999999999999999999", false),
            ("0e99999999999999999999999", true),
        ] {
            assert_eq!(decimal(text).is_in_range(), expected, "{text}");
        }
    }

    #[test]
    fn sums_lose_no_digit() {
        for (one, other, sum) in [
            ("0.1", "0.2", "0.3"),
            ("999.99", "0.01", "1000"),
            ("1000", "-0.01", "999.99"),
            ("-5", "5.0", "0"),
            ("-1.5", "-2.5", "-4"),
            ("2", "-3", "-1"),
            ("1e20", "1e-5", "100000000000000000000.00001"),
            ("9007199254740993", "1", "9007199254740994"),
        ] {
            assert_eq!(written(&decimal(one).plus(&decimal(other))), sum);
            assert_eq!(written(&decimal(other).plus(&decimal(one))), sum);
        }
        let far = decimal("1e9999").plus(&decimal("1e-9999"));
        assert_eq!(far.digits().len(), 19_999);
    }

    #[test]
    fn quotients_are_rounded_half_to_even() {
        for (number, count, quotient) in [
            ("10", 4, "2.5"),
            ("1", 3, "0.3333333333333333333333333333333333"),
            ("2", 3, "0.6666666666666666666666666666666667"),
            ("-2", 3, "-0.6666666666666666666666666666666667"),
            ("0", 7, "0"),
            ("10000000000000000000000000000000001", 2, "5e+33"),
            ("10000000000000000000000000000000003", 2, "5.000000000000000000000000000000002e+33"),
            ("99999999999999999999999999999999999", 1, "1e+35"),
            ("1.0000000000000000000000000000000000000015", 1, "1"),
        ] {
            let found = decimal(number).divided_by(count).expect("a quotient");
            assert_eq!(written(&found), quotient, "{number} / {count}");
        }
        assert_eq!(decimal("1").divided_by(0), None);
    }

    proptest! {
        #[test]
        fn sums_and_order_are_those_of_integers(one in any::<i64>(), other in any::<i64>(), places in 0_u32..9) {
            let of = |number: i128| decimal(&format!("{number}e-{places}"));
            let (one, other) = (i128::from(one), i128::from(other));
            prop_assert_eq!(of(one).plus(&of(other)), of(one + other));
            prop_assert_eq!(of(one).cmp(&of(other)), one.cmp(&other));
        }

        #[test]
        fn a_quotient_times_its_divisor_is_the_number(number in -1_000_000_i64..1_000_000, count in 1_u64..1_000) {
            let product = number * i64::try_from(count).expect("small");
            prop_assert_eq!(decimal(&product.to_string()).divided_by(count), Some(decimal(&number.to_string())));
        }

        #[test]
        fn what_is_written_is_read_as_the_same(text in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?(e[+-]?[0-9]{1,4})?") {
            let number = decimal(&text);
            prop_assert_eq!(decimal(&written(&number)), number);
        }
    }
}

//! Exact decimals: the numbers of JSON, as they are written.

use std::cmp::Ordering;

use serde_json::Number;

/// The largest power of ten that the first digit of a number may stand for, and the smallest, below zero: documents
/// have numbers of at most 1000 digits with exponents from -9999 to 9999.
pub const MAX_EXPONENT: i64 = 10_999;

/// To how many digits a quotient is rounded: those of decimal128 (IEEE 754).
const QUOTIENT_DIGITS: usize = 34;

/// The largest power of ten that a number is written with and read exactly.
const MAX_POWER: i64 = 999_999_999_999_999_999;

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

    /// Whether it is surely the number that was read, however large its exponent was.
    pub fn is_exact(&self) -> bool {
        self.digits.is_empty() || self.exponent.unsigned_abs() < MAX_POWER.unsigned_abs() / 10
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

    /// The quotient, rounded to 34 digits, and half to even. None of nothing.
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
    let digits = digits.trim_start_matches('0');
    let size = match digits.is_empty() {
        true => 0,
        false => digits.parse().map_or(MAX_POWER, |it: i64| it.min(MAX_POWER)),
    };
    if negative { -size } else { size }
}

#[cfg(test)]
mod tests;

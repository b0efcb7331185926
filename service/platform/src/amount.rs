//! Amounts: whole minor units of an ISO 4217 currency, never a fraction.

use iso_currency::Currency;
use validator::ValidationError;

use crate::{input::AnyOf, text::refusal};

/// The largest amount: 2^53 - 1, the last integer that every JSON client reads exactly.
pub const MAX_AMOUNT_MINOR: i64 = 9_007_199_254_740_991;

/// The currency of a code, if it is in use for amounts: codes such as XXX have no minor unit.
pub fn currency(code: &str) -> Option<Currency> {
    Currency::from_code(code).filter(|currency| currency.exponent().is_some())
}

/// Refuses what is not the code of a currency.
pub fn currency_code(code: &str) -> Result<(), ValidationError> {
    match currency(code) {
        Some(_) => Ok(()),
        None => Err(refusal("currency", "must be an ISO 4217 code such as EUR")),
    }
}

/// Refuses codes to look for of which one is not that of a currency.
pub fn any_of_currencies(codes: &AnyOf<String>) -> Result<(), ValidationError> {
    codes.iter().try_for_each(|code| currency_code(code))
}

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// It is not a number.
    #[error("is not a number")]
    Syntax,
    /// It has more decimals than the currency.
    #[error("has more decimals than the currency")]
    Precision,
    /// It is less than one minor unit, or more than 2^53 - 1.
    #[error("must be more than 0 and at most 2^53 - 1 minor units")]
    Range,
}

/// An amount as people write it, in minor units, exactly: `1,247.44` USD is 124744.
///
/// The other one of `.` and `,`, an apostrophe or a space may group the digits by three. Nothing is
/// rounded: what the currency cannot say is an error.
pub fn parse(text: &str, decimal_separator: char, exponent: u16) -> Result<i64, AmountError> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix(['-', '−']) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once(decimal_separator).unwrap_or((digits, ""));
    let whole = ungroup(whole, decimal_separator).ok_or(AmountError::Syntax)?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_number(&whole) || !is_number(fraction) {
        return Err(AmountError::Syntax);
    }
    let exponent = usize::from(exponent);
    let (kept, beyond) = fraction.split_at(fraction.len().min(exponent));
    if beyond.bytes().any(|byte| byte != b'0') {
        return Err(AmountError::Precision);
    }
    let minor: i64 =
        format!("{whole}{kept:0<exponent$}").parse().map_err(|_| AmountError::Range)?;
    if negative || !(1..=MAX_AMOUNT_MINOR).contains(&minor) {
        return Err(AmountError::Range);
    }
    Ok(minor)
}

/// The digits without their grouping, if they are grouped by three or not at all.
fn ungroup(whole: &str, decimal_separator: char) -> Option<String> {
    let separators = ['.', ',', '\'', '’', ' ', '\u{a0}', '\u{202f}'];
    let Some(mark) = whole.chars().find(|c| separators.contains(c)) else {
        return Some(whole.to_owned());
    };
    if mark == decimal_separator {
        return None;
    }
    let groups: Vec<&str> = whole.split(mark).collect();
    let (first, rest) = groups.split_first()?;
    let well_grouped = (1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3);
    well_grouped.then(|| groups.concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_as_people_write_them() {
        assert_eq!(parse("1247.44", '.', 2), Ok(124_744));
        assert_eq!(parse(" 1,247.4 ", '.', 2), Ok(124_740));
        assert_eq!(parse("1.247,44", ',', 2), Ok(124_744));
        assert_eq!(parse("1'000", '.', 2), Ok(100_000));
        assert_eq!(parse(".5", '.', 2), Ok(50));
        assert_eq!(parse("5.", '.', 2), Ok(500));
        assert_eq!(parse("1.100", '.', 2), Ok(110));
        assert_eq!(parse("300", '.', 0), Ok(300));
        assert_eq!(parse("1.234", '.', 3), Ok(1234));
    }

    #[test]
    fn what_is_no_amount() {
        for text in ["", ".", "abc", "1,24.00", "1.2.3", "1e3", "$5", "12,34,567", "--1", "١"] {
            assert_eq!(parse(text, '.', 2), Err(AmountError::Syntax), "{text}");
        }
        assert_eq!(parse("1.005", '.', 2), Err(AmountError::Precision));
        assert_eq!(parse("1.5", '.', 0), Err(AmountError::Precision));
        for text in ["0", "0.00", "-1", "90071992547409.92", "99999999999999999999"] {
            assert_eq!(parse(text, '.', 2), Err(AmountError::Range), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_amount_comes_back_as_it_was_written(
            minor in 1..=MAX_AMOUNT_MINOR,
            exponent in 0_u16..=4,
        ) {
            let unit = 10_i64.pow(exponent.into());
            let width = usize::from(exponent);
            let text = if exponent == 0 {
                minor.to_string()
            } else {
                format!("{}.{:0width$}", minor / unit, minor % unit)
            };
            prop_assert_eq!(parse(&text, '.', exponent), Ok(minor));
            prop_assert_eq!(parse(&text.replace('.', ","), ',', exponent), Ok(minor));
        }

        #[test]
        fn no_text_panics(text in ".*", separator in prop::sample::select(vec!['.', ','])) {
            let _ = parse(&text, separator, 2);
        }
    }
}

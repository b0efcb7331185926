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

/// What stands beside the digits of an amount and says which way the money went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A plus, or nothing.
    Plus,
    /// A minus before or after the digits, or parentheses around them.
    Minus,
    /// `DR`: the account is debited.
    Debit,
    /// `CR`: the account is credited.
    Credit,
}

/// An amount as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written<'a> {
    /// Minor units, without the sign.
    pub minor: i64,
    /// What says which way the money went.
    pub sign: Sign,
    /// The currency that stands beside the digits, as it is written.
    pub unit: Option<&'a str>,
}

/// An amount as people write it, in minor units, exactly: `1,247.44` USD is 124744, and so are `$1,247.44`,
/// `(1'247.44)`, `1 247.44-` and `USD 1247.44 DR`. Zero is one.
///
/// The other one of `.` and `,`, an apostrophe or a space may group the digits by three, or as in India:
/// `12,34,567`. Nothing is rounded: what the currency cannot say is an error.
pub fn read(
    text: &str,
    decimal_separator: char,
    exponent: u16,
) -> Result<Written<'_>, AmountError> {
    let Parts { before, digits, after } = Parts::of(text).ok_or(AmountError::Syntax)?;
    let (before, point_first) = leading_point(before, decimal_separator);
    let (after, _) = trailing_point(after, digits, decimal_separator);
    let (sign, unit) = sign_and_unit(before, after).ok_or(AmountError::Syntax)?;
    let (whole, fraction) = match digits.split_once(decimal_separator) {
        _ if point_first => ("", digits),
        Some((whole, fraction)) => (whole, fraction),
        None => (digits, ""),
    };
    let minor = minor(whole, fraction, decimal_separator, exponent)?;
    Ok(Written { minor, sign, unit })
}

fn minor(
    whole: &str,
    fraction: &str,
    decimal_separator: char,
    exponent: u16,
) -> Result<i64, AmountError> {
    let whole = ungroup(whole, decimal_separator).ok_or(AmountError::Syntax)?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(&whole) || !is_number(fraction) {
        return Err(AmountError::Syntax);
    }
    let exponent = usize::from(exponent);
    let (kept, beyond) = fraction.split_at(fraction.len().min(exponent));
    if beyond.bytes().any(|byte| byte != b'0') {
        return Err(AmountError::Precision);
    }
    let digits = format!("{whole}{kept:0<exponent$}");
    let minor = if digits.is_empty() { Ok(0) } else { digits.parse() };
    minor.ok().filter(|minor| *minor <= MAX_AMOUNT_MINOR).ok_or(AmountError::Range)
}

/// Whether a cell says that there is no amount: it is blank, or a dash.
pub fn is_none(text: &str) -> bool {
    text.chars().all(|c| is_space(c) || MINUS.contains(&c))
}

/// What stands for a minus: dashes, and the triangles of Japan.
const MINUS: [char; 8] =
    ['-', '\u{2212}', '\u{2013}', '\u{2014}', '\u{2010}', '\u{ff0d}', '\u{25b2}', '\u{25b3}'];
const GROUPING: [char; 8] = ['.', ',', '\'', '’', ' ', '\u{a0}', '\u{202f}', '\u{2009}'];

/// White space, and the marks for the direction of writing, which nobody sees.
fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{feff}')
}

/// What stands before the first digit, from it to the last one, and after that.
struct Parts<'a> {
    before: &'a str,
    digits: &'a str,
    after: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let digit = |c: char| c.is_ascii_digit();
        let (first, last) = (text.find(digit)?, text.rfind(digit)?);
        let (rest, after) = text.split_at(last + 1);
        let (before, digits) = rest.split_at(first);
        Some(Self { before, digits, after })
    }
}

/// Takes the separator of `.50` from what stands before the digits. That of `Rs.50` is none.
fn leading_point(before: &str, separator: char) -> (&str, bool) {
    match before.strip_suffix(separator) {
        Some(rest) if !rest.ends_with(char::is_alphabetic) => (rest, true),
        _ => (before, false),
    }
}

/// Takes the separator of `5.`, `5,-` and `5.—` from what stands after the digits.
fn trailing_point<'a>(after: &'a str, digits: &str, separator: char) -> (&'a str, bool) {
    match after.strip_prefix(separator) {
        Some(rest) if !digits.contains(separator) => (rest.trim_start_matches(MINUS), true),
        _ => (after, false),
    }
}

/// What the texts around the digits say: at most one sign, and at most one currency.
fn sign_and_unit<'a>(before: &'a str, after: &'a str) -> Option<(Sign, Option<&'a str>)> {
    let (before, opened) = without(before, &['(']);
    let (after, closed) = without(side_in_brackets(after), &[')']);
    let (before, minus) = without(before, &MINUS);
    let (before, plus) = without(before, &['+']);
    let (after, minus_after) = without(after, &MINUS);
    let (after, plus_after) = without(after, &['+']);
    let (after, side) = side_of(after);
    let unit = match (before, after) {
        ("", "") => None,
        (unit, "") | ("", unit) => Some(unit),
        _ => return None,
    };
    if opened != closed || unit.is_some_and(|unit| currencies_of(unit).is_empty()) {
        return None;
    }
    let minuses = [opened, minus, minus_after].into_iter().filter(|it| *it).map(|_| Sign::Minus);
    let pluses = [plus, plus_after].into_iter().filter(|it| *it).map(|_| Sign::Plus);
    let mut signs = minuses.chain(pluses).chain(side);
    let sign = signs.next().unwrap_or(Sign::Plus);
    signs.next().is_none().then_some((sign, unit))
}

/// A text without one of some characters at its beginning or end and the space around it, if it is there.
fn without<'a>(text: &'a str, marks: &[char]) -> (&'a str, bool) {
    let text = text.trim_matches(is_space);
    let stripped = text.strip_prefix(marks).or_else(|| text.strip_suffix(marks));
    (stripped.unwrap_or(text).trim_matches(is_space), stripped.is_some())
}

const SIDES: [(&str, Sign); 7] = [
    ("CREDIT", Sign::Credit),
    ("DEBIT", Sign::Debit),
    ("CR", Sign::Credit),
    ("DR", Sign::Debit),
    ("DB", Sign::Debit),
    ("C", Sign::Credit),
    ("D", Sign::Debit),
];

/// What stands after the digits, without brackets around `CR` or `DR` alone: `100.00(Dr)`.
fn side_in_brackets(after: &str) -> &str {
    let inner = after.trim_matches(is_space).strip_prefix('(').and_then(|it| it.strip_suffix(')'));
    inner.filter(|inner| side_of(inner).1.is_some()).unwrap_or(after)
}

/// Takes `CR` or `DR` from the end of a text.
fn side_of(after: &str) -> (&str, Option<Sign>) {
    let text = after.trim_end_matches('.');
    for (mark, sign) in SIDES {
        let at = text.len().wrapping_sub(mark.len());
        let Some((rest, end)) = text.split_at_checked(at) else { continue };
        if end.eq_ignore_ascii_case(mark) && !rest.ends_with(char::is_alphabetic) {
            return (rest.trim_matches(is_space), Some(sign));
        }
    }
    (after, None)
}

/// Signs of currencies, and what they may mean: the first, unless another one is known.
const SIGNS: &[(&str, &[&str])] = &[
    ("$", &["USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "CLP", "COP", "ARS", "TWD"]),
    ("us$", &["USD"]),
    ("ca$", &["CAD"]),
    ("c$", &["CAD"]),
    ("a$", &["AUD"]),
    ("au$", &["AUD"]),
    ("nz$", &["NZD"]),
    ("s$", &["SGD"]),
    ("hk$", &["HKD"]),
    ("mx$", &["MXN"]),
    ("nt$", &["TWD"]),
    ("r$", &["BRL"]),
    ("€", &["EUR"]),
    ("£", &["GBP", "EGP", "GIP", "FKP", "SHP"]),
    ("¥", &["JPY", "CNY"]),
    ("￥", &["JPY", "CNY"]),
    ("円", &["JPY"]),
    ("元", &["CNY"]),
    ("₹", &["INR"]),
    ("rs", &["INR", "PKR", "LKR", "NPR", "MUR"]),
    ("₩", &["KRW"]),
    ("₺", &["TRY"]),
    ("tl", &["TRY"]),
    ("₽", &["RUB"]),
    ("₴", &["UAH"]),
    ("₪", &["ILS"]),
    ("₱", &["PHP"]),
    ("₫", &["VND"]),
    ("₦", &["NGN"]),
    ("฿", &["THB"]),
    ("zł", &["PLN"]),
    ("kč", &["CZK"]),
    ("ft", &["HUF"]),
    ("kr", &["SEK", "NOK", "DKK", "ISK"]),
    ("fr", &["CHF"]),
    ("sfr", &["CHF"]),
    ("lei", &["RON"]),
    ("rp", &["IDR"]),
    ("rm", &["MYR"]),
    ("r", &["ZAR"]),
];

/// The currencies that something beside an amount may mean: those of a sign, or the one of a code.
pub fn currencies_of(unit: &str) -> Vec<&'static str> {
    let unit = unit.trim_end_matches('.').trim_matches(is_space);
    if let Some(currency) = currency(&unit.to_uppercase()) {
        return vec![currency.code()];
    }
    let lower = unit.to_lowercase();
    SIGNS.iter().find(|(sign, _)| *sign == lower).map_or(Vec::new(), |(_, codes)| codes.to_vec())
}

/// The digits without their grouping, if they are grouped or not at all.
fn ungroup(whole: &str, decimal_separator: char) -> Option<String> {
    let Some(mark) = whole.chars().find(|c| GROUPING.contains(c)) else {
        return Some(whole.to_owned());
    };
    if mark == decimal_separator {
        return None;
    }
    let groups: Vec<&str> = whole.split(mark).collect();
    let [first, middle @ .., last] = groups.as_slice() else { return None };
    let by = |length| middle.iter().all(|group| group.len() == length);
    let threes = (1..=3).contains(&first.len()) && by(3);
    let twos = mark == ',' && (1..=2).contains(&first.len()) && by(2);
    (last.len() == 3 && (threes || twos)).then(|| groups.concat())
}

/// What one amount tells about which one of `.` and `,` stands before the decimals of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decimals {
    /// This one does.
    Are(char),
    /// This one does, or it groups the digits by three: `1.234`.
    Maybe(char),
}

/// What an amount tells about its decimals; nothing if it has none and is not grouped by `.` or `,`.
pub fn decimals(text: &str, exponent: u16) -> Option<Decimals> {
    let Parts { before, digits, after } = Parts::of(text)?;
    let other = |mark| if mark == '.' { ',' } else { '.' };
    for mark in ['.', ','] {
        if leading_point(before, mark).1 || trailing_point(after, digits, mark).1 {
            return Some(Decimals::Are(mark));
        }
    }
    let last = digits.rfind(['.', ','])?;
    let mark = digits[last..].chars().next()?;
    let (whole, fraction) = (&digits[..last], &digits[last + 1..]);
    if whole.contains(other(mark)) {
        return Some(Decimals::Are(mark));
    }
    if whole.contains(mark) {
        return ungroup(digits, other(mark)).map(|_| Decimals::Are(other(mark)));
    }
    let is_grouped = whole.contains(GROUPING);
    let is_long = whole.len() > 3 || whole.starts_with('0') || is_grouped;
    if fraction.len() != 3 || is_long || exponent == 3 {
        return Some(Decimals::Are(mark));
    }
    Some(if exponent == 0 { Decimals::Are(other(mark)) } else { Decimals::Maybe(mark) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An amount without a sign.
    fn parse(text: &str, separator: char, exponent: u16) -> Result<i64, AmountError> {
        let read = read(text, separator, exponent)?;
        assert_eq!((read.sign, read.unit), (Sign::Plus, None), "{text}");
        Ok(read.minor)
    }

    #[test]
    fn signs_and_currencies_as_banks_write_them() {
        use Sign::{Credit, Debit, Minus, Plus};
        for (text, separator, minor, sign, unit) in [
            ("-12.00", '.', 1200, Minus, None),
            ("\u{2212}12.00", '.', 1200, Minus, None),
            ("\u{2013} 12,00", ',', 1200, Minus, None),
            ("8.00-", '.', 800, Minus, None),
            ("8,00 -", ',', 800, Minus, None),
            ("5.00 DR", '.', 500, Debit, None),
            ("5.00Dr.", '.', 500, Debit, None),
            ("7.00 cr", '.', 700, Credit, None),
            ("7.00 C", '.', 700, Credit, None),
            ("7.00 Credit", '.', 700, Credit, None),
            ("1,00,000.00(Dr)", '.', 10_000_000, Debit, None),
            ("7.00 (Cr)", '.', 700, Credit, None),
            ("\u{25b2}1,200円", '.', 120_000, Minus, Some("円")),
            ("\u{ff0d}12.00", '.', 1200, Minus, None),
            ("(57.92)", '.', 5792, Minus, None),
            ("$(57.92)", '.', 5792, Minus, Some("$")),
            ("($1,030.00)", '.', 103_000, Minus, Some("$")),
            ("$+15.00", '.', 1500, Plus, Some("$")),
            ("+$15.00", '.', 1500, Plus, Some("$")),
            ("-$2.50", '.', 250, Minus, Some("$")),
            ("$-2.50", '.', 250, Minus, Some("$")),
            ("$2.50-", '.', 250, Minus, Some("$")),
            ("₹1,00,000.00", '.', 10_000_000, Plus, Some("₹")),
            ("Rs. 2,345.50", '.', 234_550, Plus, Some("Rs.")),
            ("Rs.50", '.', 5000, Plus, Some("Rs.")),
            ("1.234,56 €", ',', 123_456, Plus, Some("€")),
            ("-1 234,56 zł", ',', 123_456, Minus, Some("zł")),
            ("EUR -4,80", ',', 480, Minus, Some("EUR")),
            ("-4.80 usd", '.', 480, Minus, Some("usd")),
            ("CHF 1’450.00", '.', 145_000, Plus, Some("CHF")),
            ("Fr. 12.50", '.', 1250, Plus, Some("Fr.")),
            ("R$ 1.234,50", ',', 123_450, Plus, Some("R$")),
            ("12,-", ',', 1200, Plus, None),
            ("12.—", '.', 1200, Plus, None),
            ("-.50", '.', 50, Minus, None),
            ("1\u{202f}000,00", ',', 100_000, Plus, None),
            ("1\u{a0}000\u{a0}000,00", ',', 100_000_000, Plus, None),
            ("\u{200e}-1 000.00", '.', 100_000, Minus, None),
            ("0.00", '.', 0, Plus, None),
        ] {
            assert_eq!(read(text, separator, 2), Ok(Written { minor, sign, unit }), "{text}");
        }
        for text in
            ["--1", "-(1)", "-1 DR", "(1", "1)", "$1 €", "1 x", "1 2", "1.2 CR DR", "12.5.-"]
        {
            assert_eq!(read(text, '.', 2), Err(AmountError::Syntax), "{text}");
        }
        for (text, none) in [("", true), (" ", true), ("-", true), ("—", true), ("0", false)] {
            assert_eq!(is_none(text), none, "{text}");
        }
    }

    #[test]
    fn what_an_amount_tells_about_decimals() {
        use Decimals::{Are, Maybe};
        for (text, exponent, told) in [
            ("12", 2, None),
            ("1 000", 2, None),
            ("1'000", 2, None),
            ("12.5", 2, Some(Are('.'))),
            ("-4,80", 2, Some(Are(','))),
            ("1.250,00", 2, Some(Are(','))),
            ("1,00,000.00", 2, Some(Are('.'))),
            ("1.234.567", 2, Some(Are(','))),
            ("1.2.3", 2, None),
            ("1.234", 2, Some(Maybe('.'))),
            ("1,234", 2, Some(Maybe(','))),
            ("0.123", 2, Some(Are('.'))),
            ("1234.567", 2, Some(Are('.'))),
            ("1'234.567", 2, Some(Are('.'))),
            ("1.234", 3, Some(Are('.'))),
            ("1,234", 0, Some(Are('.'))),
            (".5", 2, Some(Are('.'))),
            ("5,-", 2, Some(Are(','))),
            ("Rs. 50", 2, None),
            ("Balance", 2, None),
        ] {
            assert_eq!(decimals(text, exponent), told, "{text}");
        }
    }

    #[test]
    fn the_currencies_of_signs_and_codes() {
        for (unit, codes) in [
            ("eur", &["EUR"][..]),
            ("Rs.", &["INR", "PKR", "LKR", "NPR", "MUR"]),
            ("Kč", &["CZK"]),
            ("XXX", &[]),
            ("pcs", &[]),
        ] {
            assert_eq!(currencies_of(unit), codes, "{unit}");
        }
        for (_, codes) in SIGNS {
            assert!(codes.iter().all(|code| currency(code).is_some()), "{codes:?}");
        }
    }

    #[test]
    fn amounts_as_people_write_them() {
        assert_eq!(parse("1247.44", '.', 2), Ok(124_744));
        assert_eq!(parse(" 1,247.4 ", '.', 2), Ok(124_740));
        assert_eq!(parse("1.247,44", ',', 2), Ok(124_744));
        assert_eq!(parse("1'000", '.', 2), Ok(100_000));
        assert_eq!(parse("12,34,567", '.', 2), Ok(123_456_700));
        assert_eq!(parse(".5", '.', 2), Ok(50));
        assert_eq!(parse("5.", '.', 2), Ok(500));
        assert_eq!(parse("1.100", '.', 2), Ok(110));
        assert_eq!(parse("300", '.', 0), Ok(300));
        assert_eq!(parse("1.234", '.', 3), Ok(1234));
    }

    #[test]
    fn what_is_no_amount() {
        for text in ["", ".", "abc", "1,24.00", "1.2.3", "1e3", "12,345,67", "--1", "١"] {
            assert_eq!(parse(text, '.', 2), Err(AmountError::Syntax), "{text}");
        }
        assert_eq!(parse("1.005", '.', 2), Err(AmountError::Precision));
        assert_eq!(parse("1.5", '.', 0), Err(AmountError::Precision));
        for text in ["90071992547409.92", "99999999999999999999"] {
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
            let _ = (read(&text, separator, 2), decimals(&text, 2), is_none(&text));
        }
    }
}

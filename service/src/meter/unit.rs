//! Units by their codes of UCUM (<https://ucum.org>), case-sensitive: a term of the units that users of meters have.

use validator::ValidationError;

use crate::text::refusal;

/// The units that take a prefix.
const METRIC: &[&str] = &[
    "A", "Bq", "C", "Cel", "Gy", "Hz", "J", "K", "L", "N", "Ohm", "Pa", "S", "Sv", "T", "V", "W",
    "Wb", "B", "bar", "bit", "By", "cal", "cd", "eV", "g", "l", "lm", "lx", "m", "mol", "pc",
    "rad", "s", "sr", "st", "t", "u",
];

/// The units that take none.
const OTHER: &[&str] = &[
    "%",
    "1",
    "10*",
    "10^",
    "'",
    "''",
    "deg",
    "a",
    "ar",
    "atm",
    "d",
    "h",
    "har",
    "min",
    "mo",
    "wk",
    "[Btu]",
    "[HP]",
    "[acr_us]",
    "[bbl_us]",
    "[cft_i]",
    "[cyd_i]",
    "[degF]",
    "[ft_i]",
    "[gal_br]",
    "[gal_us]",
    "[in_i'H2O]",
    "[in_i'Hg]",
    "[in_i]",
    "[kn_i]",
    "[lb_av]",
    "[mi_i]",
    "[mi_us]",
    "[nmi_i]",
    "[oz_av]",
    "[pH]",
    "[ppb]",
    "[ppm]",
    "[psi]",
    "[ston_av]",
    "[yd_i]",
    "m[H2O]",
    "m[Hg]",
    "mm[Hg]",
];

const PREFIXES: &[&str] = &[
    "da", "Ki", "Mi", "Gi", "Ti", "Y", "Z", "E", "P", "T", "G", "M", "k", "h", "d", "c", "m", "u",
    "n", "p", "f", "a",
];

/// How long a code is at most, in bytes.
pub const MAX_LENGTH: usize = 50;

/// Refuses what is no code of UCUM that is known here.
pub fn known(code: &str) -> Result<(), ValidationError> {
    if code.len() <= MAX_LENGTH && is_term(code) {
        return Ok(());
    }
    let message =
        "must be a UCUM code of units that are known, such as kW.h, m3, Cel, % or {cycles}";
    Err(refusal("unit", message))
}

/// Components that are multiplied and divided: `kW.h`, `m3/h`, `/min`.
fn is_term(term: &str) -> bool {
    let components = term.strip_prefix('/').unwrap_or(term);
    let mut in_braces = false;
    let parts = components.split(|c: char| {
        match c {
            '{' => in_braces = true,
            '}' => in_braces = false,
            _ => {}
        }
        !in_braces && matches!(c, '.' | '/')
    });
    parts.into_iter().all(is_component)
}

/// A unit with an exponent, a number or an annotation, or one of the first with the last: `m3`, `1`, `{cycles}`,
/// `g{CO2}`.
fn is_component(component: &str) -> bool {
    let (unit, annotation) = match component.split_once('{') {
        None => (component, None),
        Some((unit, rest)) => (unit, Some(rest)),
    };
    let is_annotated = annotation.is_none_or(|rest| {
        let text = rest.strip_suffix('}').unwrap_or("{");
        text.bytes().all(|byte| matches!(byte, b'!'..=b'~') && !matches!(byte, b'{' | b'}'))
    });
    let is_number = || !unit.starts_with('0') && unit.bytes().all(|byte| byte.is_ascii_digit());
    is_annotated
        && match unit {
            "" => annotation.is_some(),
            unit => is_unit(unit) || is_number() || is_power(unit),
        }
}

/// A unit with an exponent: `m3`, `s-2`.
fn is_power(text: &str) -> bool {
    let unit = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let exponent = &text[unit.len()..];
    let unit = unit.strip_suffix(['-', '+']).unwrap_or(unit);
    (1..=2).contains(&exponent.len()) && !exponent.starts_with('0') && is_unit(unit)
}

fn is_unit(text: &str) -> bool {
    let is_metric = |unit: &str| METRIC.contains(&unit);
    let mut rest = PREFIXES.iter().filter_map(|prefix| text.strip_prefix(prefix));
    OTHER.contains(&text) || is_metric(text) || rest.any(is_metric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_ucum_are_known() {
        for code in [
            "kW.h",
            "W.h",
            "m3",
            "l",
            "L",
            "Cel",
            "[degF]",
            "%",
            "m3/h",
            "l/min",
            "km",
            "h",
            "kV.A",
            "m/s",
            "m/s2",
            "kg/m3",
            "ug/m3",
            "[ppm]",
            "1",
            "{cycles}",
            "g{CO2}",
            "/min",
            "hPa",
            "mbar",
            "lx",
            "W/m2",
            "MiBy",
            "10*3/ul",
            "kg.m.s-2",
            "[in_i'Hg]",
            "mm[Hg]",
            "m3{gas}",
            "deg",
        ] {
            assert!(known(code).is_ok(), "{code}");
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let long = "m.".repeat(30);
        for code in [
            "", "kWh", "°C", "C°", "m³", "kw.h", "Kwh", "m^3", "m 3", "m..h", "m/", "{a", "a}",
            "{a}{b}", "m03", "kkm", "k%", "F", "gallons", ".", "/", "m3.", "{ä}", "0", &long,
        ] {
            assert!(known(code).is_err(), "{code}");
        }
    }
}

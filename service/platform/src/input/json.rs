//! JSON that is read strictly, and what is wrong with it where it is.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use validator::Validate;

use super::{
    exact::ExactDeserializer,
    serde_message::{unkept, violation_from_serde},
};
use crate::error::{Error, Result, Violation, violations};

/// How many digits a number has at most that is kept to the letter.
const MAX_DIGITS: usize = 1_000;
/// How large or small its exponent is at most.
const MAX_EXPONENT: u64 = 9_999;

/// An object of this name is to serde_json a number, and would be kept as one.
const NUMBER: &str = r#""$serde_json::private::Number""#;

/// A body as JSON. Below the members that `exact` names numbers keep all their digits, so that more of them are taken
/// there: a pointer without its first slash, in which `*` stands for any name or index.
///
/// # Errors
/// [`Error::Malformed`] where it is no JSON, [`Error::Invalid`] for texts that no database keeps: a
/// NUL character, half a surrogate pair; and for numbers that would not be kept as they are.
pub fn parse(bytes: &[u8], exact: &[&str]) -> Result<Value> {
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let deserializer = &mut serde_json::Deserializer::from_slice(bytes);
    let value: Value = serde_path_to_error::deserialize(&mut *deserializer).map_err(|error| {
        let message = error.inner().to_string();
        match unkept(&message) {
            Some((code, text)) => Error::invalid(pointer(error.path()), code, text),
            None => Error::Malformed(message),
        }
    })?;
    deserializer.end().map_err(|error| Error::Malformed(error.to_string()))?;
    if std::str::from_utf8(bytes).is_ok_and(|text| text.contains(NUMBER)) {
        let message = "must not have a name that is reserved: $serde_json::private::Number";
        return Err(Error::invalid("", "reserved", message));
    }
    let mut found = Vec::new();
    find_unkept(&value, &mut String::new(), exact, &mut found);
    if found.is_empty() { Ok(value) } else { Err(Error::Invalid(found)) }
}

/// What is exact as a whole.
const WHOLE: &[&str] = &[""];

/// Whether all below a pointer is exact.
fn is_exact(at: &str, exact: &[&str]) -> bool {
    let fits = |(part, asked): (&str, &str)| asked == "*" || asked == part;
    exact.iter().any(|asked| {
        let (parts, asked) = (at.split('/').skip(1), asked.split('/'));
        parts.clone().count() == asked.clone().count() && parts.zip(asked).all(fits)
    })
}

/// Finds the texts that no database keeps, and the numbers that it would round.
fn find_unkept(value: &Value, at: &mut String, exact: &[&str], found: &mut Vec<Violation>) {
    let length = at.len();
    let exact = if exact != WHOLE && is_exact(at, exact) { WHOLE } else { exact };
    match value {
        Value::String(text) if text.contains('\0') => {
            found.push(Violation::new(at.clone(), "nul", "must not contain a NUL character"));
        }
        Value::Number(number) if exact == WHOLE => found.extend(too_long(number.as_str(), at)),
        Value::Number(number) => found.extend(unkept_number(number.as_str(), at)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                at.push_str(&format!("/{index}"));
                find_unkept(item, at, exact, found);
                at.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                if name.contains('\0') {
                    found.push(Violation::new(
                        at.clone(),
                        "nul",
                        "must not have a name with a NUL character",
                    ));
                }
                at.push('/');
                at.push_str(&escape(name));
                find_unkept(item, at, exact, found);
                at.truncate(length);
            }
        }
        _ => {}
    }
}

fn too_long(number: &str, at: &str) -> Option<Violation> {
    let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent = exponent.trim_start_matches(['+', '-']).parse::<u64>();
    let is_kept = digits.bytes().filter(u8::is_ascii_digit).count() <= MAX_DIGITS
        && exponent.is_ok_and(|exponent| exponent <= MAX_EXPONENT);
    let message = "must have at most 1000 digits, and an exponent from -9999 to 9999";
    (!is_kept).then(|| Violation::new(at, "range", message))
}

fn unkept_number(number: &str, at: &str) -> Option<Violation> {
    if number.len() <= f64::DIGITS as usize && !number.contains(['e', 'E']) {
        return None;
    }
    if !number.parse::<f64>().is_ok_and(f64::is_finite) {
        return Some(Violation::new(at, "range", "is out of range"));
    }
    is_rounded(number).then(|| {
        let message = "must not be rounded: integers are kept from -2^63 to 2^64 - 1";
        Violation::new(at, "precision", message)
    })
}

/// Whether a number that is written as an integer, or with zeros after the point, is kept as another one.
fn is_rounded(number: &str) -> bool {
    let (integer, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_integer = !number.contains(['e', 'E']) && fraction.bytes().all(|digit| digit == b'0');
    let is_kept =
        fraction.is_empty() && (integer.parse::<i64>().is_ok() || integer.parse::<u64>().is_ok());
    let as_float = || number.parse::<f64>().map(|float| format!("{float:.0}"));
    is_integer && !is_kept && as_float().is_ok_and(|kept| kept != integer)
}

/// A name as a token of a JSON pointer (RFC 6901).
pub fn escape(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) {
        Cow::Owned(name.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(name)
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", escape(key))),
            Segment::Enum { variant } => Some(format!("/{}", escape(variant))),
            Segment::Unknown => None,
        })
        .collect()
}

/// A value as a `T` that keeps all its rules.
///
/// # Errors
/// [`Error::Invalid`] with a pointer to each rule that is broken.
pub fn read<T: DeserializeOwned + Validate>(value: Value) -> Result<T> {
    if !value.is_object() {
        return Err(Error::invalid("", "type", "must be an object"));
    }
    let input: T = serde_path_to_error::deserialize(ExactDeserializer(value)).map_err(|error| {
        Error::Invalid(vec![violation_from_serde(&pointer(error.path()), error.inner())])
    })?;
    input.validate().map_err(|errors| Error::Invalid(violations(&errors)))?;
    Ok(input)
}

pub(super) fn object(value: Value) -> Result<Map<String, Value>> {
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(Error::invalid("", "type", "must be an object")),
    }
}

/// Takes a field out of an object and reads it.
pub(super) fn take<T: DeserializeOwned>(
    fields: &mut Map<String, Value>,
    name: &str,
    must: &str,
) -> Result<Option<T>> {
    match fields.remove(name) {
        None => Ok(None),
        Some(value) => match serde_json::from_value(value) {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(Error::invalid(format!("/{name}"), "type", format!("must be {must}"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_no_database_keeps_are_refused_with_a_pointer() {
        let pointers = |body: &[u8]| match parse(body, &[]) {
            Err(Error::Invalid(found)) => found.into_iter().map(|v| v.pointer).collect(),
            other => vec![format!("{other:?}")],
        };
        assert_eq!(pointers(br#"{"a":[1,{"b":"x\u0000"}]}"#), ["/a/1/b"]);
        assert_eq!(pointers(br#"{"a~/b":"\u0000"}"#), ["/a~0~1b"]);
        assert_eq!(pointers(br#"{"a":{"b":"\ud800"}}"#), ["/a/b"]);
        assert_eq!(pointers(br#"{"a":[1e400]}"#), ["/a/0"]);
        assert!(matches!(parse(br#"{"a":"#, &[]), Err(Error::Malformed(_))));
        assert!(matches!(parse(br#"{} {}"#, &[]), Err(Error::Malformed(_))));
        assert!(parse("{\"a\":\"\\u0041 \\\\u0000\"}".as_bytes(), &[]).is_ok());
    }

    #[test]
    fn an_integer_is_kept_exactly_or_refused_with_a_pointer() {
        let kept = r#"[9007199254740993, -9223372036854775808, 18446744073709551615, 1e19, 2E+300,
            100000000000000000000, 9007199254740992.0, 0.1234567890123456789, "18446744073709551617"]"#;
        assert!(parse(kept.as_bytes(), &[]).is_ok());
        for number in [
            "18446744073709551616000001",
            "18446744073709551617",
            "-9223372036854775809",
            "9007199254740993.0",
        ] {
            let body = format!(r#"{{"a/b": {{"c": [0, {number}]}}, "d": "x"}}"#);
            let Err(Error::Invalid(found)) = parse(body.as_bytes(), &[]) else {
                panic!("{number} was taken");
            };
            let found: Vec<_> = found.iter().map(|it| (&*it.pointer, &*it.code)).collect();
            assert_eq!(found, [("/a~1b/c/1", "precision")], "{number}");
        }
    }

    #[test]
    fn numbers_of_exact_members_keep_all_their_digits_within_bounds() {
        let body =
            r#"{"body":{"a":[9007199254740993.0,1e400,-0.00,1E+9999]},"list":[{"b":1e400}]}"#;
        let value = parse(body.as_bytes(), &["body", "list/*/b"]).expect("it is kept");
        assert_eq!(value["body"].to_string(), r#"{"a":[9007199254740993.0,1e+400,-0.00,1e+9999]}"#);
        let pointers = |body: &str, exact: &[&str]| match parse(body.as_bytes(), exact) {
            Err(Error::Invalid(found)) => found.into_iter().map(|it| it.pointer).collect(),
            other => vec![format!("{other:?}")],
        };
        assert_eq!(pointers(r#"{"a":1e400,"body":1}"#, &["body"]), ["/a"]);
        assert_eq!(pointers(r#"{"list":[{"c":1e400}]}"#, &["list/*/b"]), ["/list/0/c"]);
        assert_eq!(pointers(r#"{"body":{"a":1e10000}}"#, &["body"]), ["/body/a"]);
        assert_eq!(pointers(r#"{"body":{"a":1e-99999999999999999999}}"#, &["body"]), ["/body/a"]);
        assert_eq!(pointers(r#"{"body":{"$serde_json::private::Number":"1"}}"#, &["body"]), [""]);
        assert!(parse(br#"{"a":"\"$serde_json::private::Number\""}"#, &[]).is_ok());
        let long = "1".repeat(MAX_DIGITS);
        assert!(parse(format!("[{long}]").as_bytes(), &["*"]).is_ok());
        assert_eq!(pointers(&format!("[{long}.0]"), &["*"]), ["/0"]);
        assert_eq!(pointers(r#"{"body":{"a":"\u0000"}}"#, &["body"]), ["/body/a"]);
    }
}

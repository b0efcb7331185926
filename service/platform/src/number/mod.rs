//! Numbers by their values, however they are written: `1`, `1.0` and `10e-1` are the same. Nothing is rounded.

mod decimal;

use std::fmt::Write;

use serde_json::{Map, Number, Value};

pub use decimal::{Decimal, MAX_EXPONENT};

/// A number by its value: the text of two numbers is the same where their values are.
///
/// It is the significant digits after `0.`, and the power of ten that they are multiplied with: `-125e1`. A number
/// whose exponent is not [exact](Decimal::is_exact) stays as it is written.
fn canonical(number: &Number) -> String {
    let decimal = Decimal::of(number);
    if !decimal.is_exact() {
        return number.to_string();
    }
    let sign = if decimal.is_negative() { "-" } else { "" };
    let digits: String = decimal.digits().iter().map(|digit| char::from(b'0' + digit)).collect();
    format!("{sign}{digits}e{}", decimal.exponent())
}

/// Whether two values are the same JSON: numbers by their values, objects whatever the order of their members.
pub fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => same(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => equal_objects(one, other),
        (one, other) => one == other,
    }
}

fn same(one: &Number, other: &Number) -> bool {
    one.as_str() == other.as_str() || canonical(one) == canonical(other)
}

fn equal_objects(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    one.len() == other.len()
        && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| equal(value, other)))
}

/// A text that two values share where they are [`equal`], and no others.
pub fn identity(value: &Value) -> String {
    let mut text = String::new();
    write_identity(value, &mut text);
    text
}

fn write_identity(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) => text.push_str(&canonical(number)),
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_identity(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (name, value) in members {
                // A `String` takes whatever is written to it.
                _ = write!(text, "{}:", Value::from(name.as_str()));
                write_identity(value, text);
                text.push(',');
            }
            text.push('}');
        }
        other => _ = write!(text, "{other}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(json: &str) -> Value {
        serde_json::from_str(json).expect("JSON")
    }

    #[test]
    fn numbers_are_compared_by_their_values() {
        let groups: &[&[&str]] = &[
            &["0", "-0", "0.0", "0e10", "-0.000e-7", "0e99999999999999999999"],
            &["1", "1.0", "10e-1", "0.1E+1", "1e0", "0.01e2"],
            &["-1", "-1.00", "-100e-2"],
            &["1e400", "10e399", "0.1e401"],
            &["9007199254740993", "9007199254740993.0", "9.007199254740993e15"],
            &["9007199254740992"],
            &["0.1", "1e-1", "0.10"],
            &["0.1000000000000000055511151231257827"],
            &["1e-400"],
            &["1e99999999999999999999"],
            &["1e99999999999999999998"],
            &["-1e-99999999999999999999"],
        ];
        for (at, group) in groups.iter().enumerate() {
            for (other_at, other) in groups.iter().enumerate() {
                for (one, other) in
                    group.iter().flat_map(|one| other.iter().map(move |it| (one, it)))
                {
                    let (a, b) = (value(one), value(other));
                    assert_eq!(equal(&a, &b), at == other_at, "{one} and {other}");
                    assert_eq!(identity(&a) == identity(&b), at == other_at, "{one} and {other}");
                }
            }
        }
    }

    #[test]
    fn values_are_compared_as_json() {
        for (one, other, same) in [
            (r#"{"a":1,"b":[2]}"#, r#"{"b":[2.0],"a":1e0}"#, true),
            (r#"{"a":1}"#, r#"{"a":1,"b":null}"#, false),
            ("[1,2]", "[2,1]", false),
            (r#""1""#, "1", false),
            ("null", "false", false),
            (r#"["a,","b"]"#, r#"["a",",b"]"#, false),
        ] {
            let (a, b) = (value(one), value(other));
            assert_eq!(equal(&a, &b), same, "{one} and {other}");
            assert_eq!(identity(&a) == identity(&b), same, "{one} and {other}");
        }
    }

    proptest! {
        #[test]
        fn a_shifted_number_is_the_same(digits in -1_000_000_000_i64..1_000_000_000, shift in 0_i64..30) {
            let zeros = "0".repeat(usize::try_from(shift).expect("small"));
            let (one, other) = (format!("{digits}{zeros}e-{shift}"), digits.to_string());
            prop_assert!(equal(&value(&one), &value(&other)));
        }
    }
}

//! What serde says is wrong. Its errors have no codes, so their English is read: here and nowhere else, and a
//! test pins each message that is read.

use std::borrow::Cow;

use super::json::escape;
use crate::error::Violation;

/// What is JSON, but can be kept by no database or held by no number: how serde_json's message begins, the
/// code of the violation, and its text.
const UNKEPT: &[(&str, &str, &str)] = &[
    ("lone leading surrogate in hex escape", "surrogate", "must not contain an unpaired surrogate"),
    ("unexpected end of hex escape", "surrogate", "must not contain an unpaired surrogate"),
    ("recursion limit exceeded", "depth", "is nested too deeply"),
];

/// The code and the text of a violation, if that is what serde_json says of a body; else it is no JSON.
pub(super) fn unkept(message: &str) -> Option<(&'static str, &'static str)> {
    let &(_, code, text) = UNKEPT.iter().find(|(beginning, ..)| message.starts_with(*beginning))?;
    Some((code, text))
}

/// What serde found wrong with a value's shape, without the value.
pub fn violation_from_serde(at: &str, error: &impl ToString) -> Violation {
    let message = error.to_string();
    let named = message.split('`').nth(1).unwrap_or_default();
    let field = || {
        let end = format!("/{}", escape(named));
        if at.ends_with(&end) { at.to_owned() } else { format!("{at}{end}") }
    };
    if message.starts_with("unknown field") {
        return Violation::new(field(), "unknown_field", "is an unknown field");
    }
    if message.starts_with("missing field") {
        return Violation::new(field(), "required", "is required");
    }
    if message.starts_with("duplicate field") {
        return Violation::new(field(), "duplicate_field", "must not be repeated");
    }
    // Of a number that is read as an integer, and is none of its size.
    if message.starts_with("invalid number") {
        return Violation::new(at, "type", "must be an integer");
    }
    let code = if message.starts_with("invalid type") { "type" } else { "value" };
    let message = match message.rsplit_once("expected ") {
        Some((_, expected)) => format!("must be {}", readable(expected)),
        None => "is not valid".to_owned(),
    };
    Violation::new(at, code, message)
}

fn readable(expected: &str) -> Cow<'_, str> {
    match expected {
        "i64" | "i32" | "u64" | "u32" => "an integer".into(),
        "a formatted date string" => "a date such as 2026-11-21".into(),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use serde::{
        Deserialize,
        de::{
            DeserializeOwned,
            value::{Error, MapDeserializer},
        },
    };
    use serde_json::{Value, json};

    use super::*;

    #[expect(dead_code, reason = "it is read, and then it is not needed")]
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        count: i64,
        kind: Option<Kind>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Empty {}

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        One,
        Other,
    }

    /// What serde says of a value that is no `T`.
    fn refusal<T: DeserializeOwned>(value: Value) -> String {
        serde_json::from_value::<T>(value).err().expect("a refusal").to_string()
    }

    #[track_caller]
    fn means(message: &str, said: &str, [at, code, text]: [&str; 3]) {
        assert_eq!(message, said);
        assert_eq!(violation_from_serde("", &message), Violation::new(at, code.to_owned(), text));
    }

    #[test]
    fn each_message_of_serde_json_that_is_read_is_what_it_says() {
        let depth = "[".repeat(200);
        let bodies = [
            (r#""\udc00""#, "lone leading surrogate in hex escape", "surrogate"),
            (r#""\ud800\u0041""#, "lone leading surrogate in hex escape", "surrogate"),
            (r#""\ud800""#, "unexpected end of hex escape", "surrogate"),
            (depth.as_str(), "recursion limit exceeded", "depth"),
        ];
        for (body, said, code) in bodies {
            let message = serde_json::from_str::<Value>(body).expect_err("a refusal").to_string();
            assert!(message.starts_with(&format!("{said} at line 1 column ")), "{message}");
            assert_eq!(unkept(&message).map(|(code, _)| code), Some(code), "{message}");
        }
        for (beginning, ..) in UNKEPT {
            assert!(bodies.iter().any(|(_, said, _)| said == beginning), "{beginning}");
        }
        let no_json = serde_json::from_str::<Value>("{").expect_err("a refusal").to_string();
        assert_eq!(unkept(&no_json), None);
    }

    #[test]
    fn an_unknown_field_is_named() {
        let said = "unknown field `x`, expected `count` or `kind`";
        let means_unknown = |message: &str, said| {
            means(message, said, ["/x", "unknown_field", "is an unknown field"]);
        };
        means_unknown(&refusal::<Sample>(json!({ "count": 1, "x": 1 })), said);
        means_unknown(
            &refusal::<Empty>(json!({ "x": 1 })),
            "unknown field `x`, there are no fields",
        );
    }

    #[test]
    fn a_missing_field_is_named() {
        let message = refusal::<Sample>(json!({}));
        means(&message, "missing field `count`", ["/count", "required", "is required"]);
    }

    #[test]
    fn a_repeated_field_is_named() {
        let fields = [("count", 1_i64), ("count", 2)].into_iter();
        let read = Sample::deserialize(MapDeserializer::<_, Error>::new(fields));
        let message = read.err().expect("a refusal").to_string();
        let expected = ["/count", "duplicate_field", "must not be repeated"];
        means(&message, "duplicate field `count`", expected);
    }

    #[test]
    fn a_field_is_named_once() {
        let at = |path: &str| violation_from_serde(path, &"missing field `a/b`").pointer;
        assert_eq!([at(""), at("/x"), at("/x/a~1b")], ["/a~1b", "/x/a~1b", "/x/a~1b"]);
    }

    #[test]
    fn a_wrong_type_says_which_one_is_right() {
        let said = |expected: &str| format!("invalid type: string \"x\", expected {expected}");
        let integer = ["", "type", "must be an integer"];
        means(&refusal::<i32>(json!("x")), &said("i32"), integer);
        means(&refusal::<i64>(json!("x")), &said("i64"), integer);
        means(&refusal::<u32>(json!("x")), &said("u32"), integer);
        means(&refusal::<u64>(json!("x")), &said("u64"), integer);
        means(&refusal::<u32>(json!(-1)), "invalid number", integer);
        means(&refusal::<i64>(json!(1.5)), "invalid number", integer);
        let boolean = ["", "type", "must be a boolean"];
        means(&refusal::<bool>(json!("x")), &said("a boolean"), boolean);
        means(
            &refusal::<NaiveDate>(json!(1)),
            "invalid type: number, expected a formatted date string",
            ["", "type", "must be a date such as 2026-11-21"],
        );
    }

    #[test]
    fn a_wrong_value_says_which_ones_are_right() {
        means(
            &refusal::<Kind>(json!("x")),
            "unknown variant `x`, expected `one` or `other`",
            ["", "value", "must be `one` or `other`"],
        );
        means(
            &refusal::<(i64, i64)>(json!([1])),
            "invalid length 1, expected a tuple of size 2",
            ["", "value", "must be a tuple of size 2"],
        );
    }

    #[test]
    fn a_message_of_another_crate_is_not_shown() {
        let message = refusal::<NaiveDate>(json!("2026-13-01"));
        means(&message, "input is out of range", ["", "value", "is not valid"]);
    }
}

//! What is written as a line is read as it was, whatever is in its names and texts.

use std::{borrow::Cow, collections::BTreeSet};

use proptest::prelude::*;

use super::{Point, Value, points};

fn escaped(text: &str, special: &[char]) -> String {
    let escape = |it: char| if special.contains(&it) { format!("\\{it}") } else { it.into() };
    text.chars().map(escape).collect()
}

fn name_of(text: &str) -> String {
    escaped(text, &[',', '=', ' '])
}

fn field((key, value): &(Cow<'_, str>, Value<'_>)) -> String {
    let value = match value {
        Value::Float(digits) => (*digits).to_owned(),
        Value::Integer(number) => format!("{number}i"),
        Value::Unsigned(number) => format!("{number}u"),
        Value::Boolean(value) => value.to_string(),
        Value::Text(text) => format!("\"{}\"", escaped(text, &['"', '\\'])),
    };
    format!("{}={value}", name_of(key))
}

fn line(point: &Point<'_>) -> String {
    let mut line = escaped(&point.measurement, &[',', ' ']);
    for (key, value) in &point.tags {
        line += &format!(",{}={}", name_of(key), name_of(value));
    }
    let fields: Vec<String> = point.fields.iter().map(field).collect();
    line += &format!(" {}", fields.join(","));
    if let Some(timestamp) = point.timestamp {
        line += &format!(" {timestamp}");
    }
    line
}

/// A name. The protocol has no way to write a backslash before what ends a name, nor a tab or a line break in one.
fn name() -> impl Strategy<Value = String> {
    let text = proptest::collection::vec(
        prop_oneof![
            Just(','),
            Just('='),
            Just(' '),
            Just('"'),
            Just('#'),
            Just('ä'),
            Just('1'),
            proptest::char::range('a', 'z')
        ],
        1..8,
    );
    text.prop_map(|text| text.into_iter().collect::<String>())
        .prop_filter("begins with neither a blank nor a comment", |it| !it.starts_with([' ', '#']))
}

fn value() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        prop_oneof![Just("0"), Just("-1.50"), Just("1e-7"), Just(".5"), Just("7.")]
            .prop_map(Value::Float),
        any::<i64>().prop_map(Value::Integer),
        any::<u64>().prop_map(Value::Unsigned),
        any::<bool>().prop_map(Value::Boolean),
        "[\"\\\\,= a\n#ä\t]{0,8}".prop_map(|text: String| Value::Text(text.into())),
    ]
}

fn distinct<T>(pairs: Vec<(String, T)>) -> Vec<(Cow<'static, str>, T)> {
    let mut known = BTreeSet::new();
    let new = pairs.into_iter().filter(|(key, _)| known.insert(key.clone()));
    new.map(|(key, value)| (key.into(), value)).collect()
}

fn point() -> impl Strategy<Value = Point<'static>> {
    let tags = proptest::collection::vec((name(), name()), 0..4);
    let fields = proptest::collection::vec((name(), value()), 1..4);
    let timestamp = proptest::option::of(-i64::MAX + 1..i64::MAX);
    (name(), tags, fields, timestamp).prop_map(|(measurement, tags, fields, timestamp)| Point {
        measurement: measurement.into(),
        tags: distinct(tags).into_iter().map(|(key, value)| (key, value.into())).collect(),
        fields: distinct(fields),
        timestamp,
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(written in proptest::collection::vec(point(), 1..5)) {
        let lines: Vec<String> = written.iter().map(line).collect();
        let text = lines.join("\n");
        let read: Result<Vec<Point<'_>>, _> = points(&text).map(|(_, point)| point).collect();
        prop_assert_eq!(read.expect("lines"), written, "{}", text);
    }

    #[test]
    fn nothing_that_is_sent_fails_but_by_its_line(text in "[a\",= \\\\\n#t1i.\u{0}-]{0,64}") {
        let lines = text.lines().count();
        for (number, _) in points(&text) {
            prop_assert!((1..=lines).contains(&number), "{number} of {lines}");
        }
    }
}

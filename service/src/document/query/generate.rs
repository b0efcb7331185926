//! Values, bodies and selectors for the tests: few names and values, so that selectors meet what they look for.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

fn number() -> impl Strategy<Value = Value> {
    let texts = vec![
        "0",
        "-0",
        "1",
        "1.0",
        "1e0",
        "10e-1",
        "2",
        "-1",
        "-1.5",
        "0.1",
        "1e-7",
        "1e300",
        "-1e300",
        "9007199254740993",
        "9007199254740992.0",
        "1e9999",
        "1e-9999",
    ];
    select(texts).prop_map(|text| serde_json::from_str(text).expect("a number"))
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        (any::<i16>(), -4_i32..4).prop_map(|(digits, power)| {
            serde_json::from_str(&format!("{digits}e{power}")).expect("a number")
        }),
        select(vec!["", "a", "b", "aa", "a\0", "\0", "é", "😀"]).prop_map(Value::from),
    ]
}

fn name() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "c"]).prop_map(str::to_owned)
}

/// A value.
pub(super) fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((name(), inner), 0..4).prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// A body.
pub(super) fn body() -> impl Strategy<Value = Map<String, Value>> {
    vec((name(), value()), 0..4).prop_map(Map::from_iter)
}

fn path() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "c", "a.b", "a.0", "b.a", "b.1.c"]).prop_map(str::to_owned)
}

fn test() -> impl Strategy<Value = Value> {
    let compared = select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]);
    let listing = select(vec!["$in", "$nin", "$all"]);
    let types = select(vec!["null", "boolean", "number", "string", "array", "object"]);
    prop_oneof![
        4 => (compared, value()).prop_map(|(operator, value)| json!({ operator: value })),
        2 => (listing, vec(value(), 0..3)).prop_map(|(operator, values)| json!({ operator: values })),
        1 => any::<bool>().prop_map(|there| json!({ "$exists": there })),
        1 => types.prop_map(|named| json!({ "$type": named })),
        1 => (0..3).prop_map(|size| json!({ "$size": size })),
        1 => select(vec!["a", "^a$", "(?i)A", "."]).prop_map(|regex| json!({ "$regex": regex })),
        1 => scalar().prop_map(|value| json!({ "$elemMatch": { "$eq": value } })),
        1 => (name(), scalar()).prop_map(|(name, value)| json!({ "$elemMatch": { name: value } })),
        1 => value(),
    ]
}

/// A selector.
pub(super) fn selector() -> impl Strategy<Value = Value> {
    let one = (path(), test()).prop_map(|(path, test)| json!({ path: test }));
    one.prop_recursive(3, 8, 3, |inner| {
        let listing = select(vec!["$and", "$or", "$nor"]);
        prop_oneof![
            (listing, vec(inner.clone(), 0..3))
                .prop_map(|(operator, parts)| json!({ operator: parts })),
            inner.clone().prop_map(|part| json!({ "$not": part })),
            (inner.clone(), inner).prop_map(|(one, other)| {
                let mut members = one.as_object().cloned().unwrap_or_default();
                members.extend(other.as_object().cloned().unwrap_or_default());
                Value::Object(members)
            }),
        ]
    })
}

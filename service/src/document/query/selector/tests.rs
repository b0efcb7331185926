use proptest::prelude::*;
use serde_json::{Value, json};

use super::{super::generate, parse::MAX_REGEXES, *};
use crate::error::Violation;

fn parse(selector: Value) -> Result<Selector, Violation> {
    Selector::parse(selector.as_object().expect("an object"), "/selector")
}

fn refused(selector: Value) -> (String, String) {
    let refused = parse(selector).expect_err("a refusal");
    (refused.pointer, refused.code.into_owned())
}

#[test]
fn what_is_left_out_is_implied() {
    for (selector, full) in [
        (json!({}), json!({})),
        (json!({ "a": 1 }), json!({ "a": { "$eq": 1 } })),
        (json!({ "a": {} }), json!({ "a": { "$eq": {} } })),
        (
            json!({ "a": 1, "b": { "$gt": 2, "$lt": 5 } }),
            json!({ "$and": [
                { "a": { "$eq": 1 } },
                { "$and": [{ "b": { "$gt": 2 } }, { "b": { "$lt": 5 } }] },
            ] }),
        ),
        (json!({ "a": { "b": { "$gt": 1 } } }), json!({ "a.b": { "$gt": 1 } })),
        (
            json!({ "a": { "$and": [{ "$gt": 1 }, { "$lt": 3 }] } }),
            json!({ "$and": [{ "a": { "$gt": 1 } }, { "a": { "$lt": 3 } }] }),
        ),
        (
            json!({ "a": { "$elemMatch": { "$gte": 1, "b": 2 } } }),
            json!({ "a": { "$elemMatch": { "$and": [{ "$gte": 1 }, { "b": { "$eq": 2 } }] } } }),
        ),
    ] {
        assert_eq!(parse(selector.clone()).expect("a selector").to_json(), full, "{selector}");
    }
}

#[test]
fn negations_are_those_of_the_tests() {
    for (selector, full) in [
        (json!({ "$not": { "a": { "$gt": 1 } } }), json!({ "a": { "$lte": 1 } })),
        (json!({ "a": { "$not": { "$eq": 1 } } }), json!({ "a": { "$ne": 1 } })),
        (json!({ "a": { "$not": { "$exists": true } } }), json!({ "a": { "$exists": false } })),
        (json!({ "a": { "$not": { "$size": 1 } } }), json!({ "a": { "$not": { "$size": 1 } } })),
        (json!({ "a": { "$not": { "$nin": [2, 1] } } }), json!({ "a": { "$in": [1, 2] } })),
        (
            json!({ "$nor": [{ "a": 1 }, { "b": { "$lt": 2 } }] }),
            json!({ "$and": [{ "a": { "$ne": 1 } }, { "b": { "$gte": 2 } }] }),
        ),
        (json!({ "$not": { "$nor": [{ "a": 1 }] } }), json!({ "$or": [{ "a": { "$eq": 1 } }] })),
        (
            json!({ "$not": { "a": 1, "b": 2 } }),
            json!({ "$or": [{ "a": { "$ne": 1 } }, { "b": { "$ne": 2 } }] }),
        ),
    ] {
        assert_eq!(parse(selector.clone()).expect("a selector").to_json(), full, "{selector}");
    }
}

#[test]
fn what_is_wrong_is_pointed_at() {
    let pointed = |pointer: &str, code: &str| (format!("/selector{pointer}"), code.to_owned());
    for (selector, pointer, code) in [
        (json!({ "$gt": 2 }), "/$gt", "operator"),
        (json!({ "foo": { "$not_an_op": 2 } }), "/foo/$not_an_op", "operator"),
        (json!({ "$and": [{}, { "$noor": [] }] }), "/$and/1/$noor", "operator"),
        (json!({ "$and": 1 }), "/$and", "type"),
        (json!({ "$or": [1] }), "/$or/0", "type"),
        (json!({ "$nor": {} }), "/$nor", "type"),
        (json!({ "$not": 1 }), "/$not", "type"),
        (json!({ "a": { "$not": 1 } }), "/a/$not", "type"),
        (json!({ "a": { "$in": 1 } }), "/a/$in", "type"),
        (json!({ "a": { "$nin": false } }), "/a/$nin", "type"),
        (json!({ "a": { "$all": {} } }), "/a/$all", "type"),
        (json!({ "a": { "$in": vec![0; 501] } }), "/a/$in", "type"),
        (json!({ "a": { "$exists": 1 } }), "/a/$exists", "type"),
        (json!({ "a": { "$type": "made-up" } }), "/a/$type", "value"),
        (json!({ "a": { "$size": -1 } }), "/a/$size", "type"),
        (json!({ "a": { "$size": 1.5 } }), "/a/$size", "type"),
        (json!({ "a": { "$elemMatch": [] } }), "/a/$elemMatch", "type"),
        (json!({ "a": { "$regex": 1 } }), "/a/$regex", "type"),
        (json!({ "a": { "$regex": "(" } }), "/a/$regex", "regex"),
        (json!({ "a": { "$regex": "(?=a)" } }), "/a/$regex", "regex"),
        (json!({ "a": { "$regex": "(a{99}){99}{99}" } }), "/a/$regex", "regex"),
        (json!({ "a": { "$regex": "a".repeat(501) } }), "/a/$regex", "length"),
        (json!({ "a..b": 1 }), "/a..b", "path"),
        (json!({ "a": { "": 1 } }), "/a/", "path"),
        (json!({ "a/b": { "$x": 1 } }), "/a~1b/$x", "operator"),
        (json!({ "a": "x".repeat(MAX_BYTES) }), "", "length"),
    ] {
        assert_eq!(refused(selector.clone()), pointed(pointer, code), "{selector}");
    }
}

#[test]
fn depth_and_size_are_bounded() {
    let nested = |depth| (0..depth).fold(json!({ "a": 1 }), |inner, _| json!({ "$and": [inner] }));
    assert!(parse(nested(MAX_DEPTH - 1)).is_ok());
    assert_eq!(refused(nested(MAX_DEPTH)).1, "depth");
    let elements =
        (0..MAX_DEPTH).fold(json!(1), |inner, _| json!({ "$elemMatch": { "a": inner } }));
    assert_eq!(refused(json!({ "a": elements })).1, "depth");
    let many = |count| json!({ "$or": vec![json!({ "a": 1 }); count] });
    assert!(parse(many(MAX_TESTS)).is_ok());
    assert_eq!(refused(many(MAX_TESTS + 1)).1, "length");
    let regexes = |count| json!({ "$or": vec![json!({ "a": { "$regex": "x" } }); count] });
    assert!(parse(regexes(MAX_REGEXES)).is_ok());
    assert_eq!(refused(regexes(MAX_REGEXES + 1)).1, "length");
}

#[test]
fn conjuncts_are_what_must_hold() {
    let selector =
        json!({ "a": 1, "$or": [{ "b": 2 }, { "c": 3 }], "$and": [{ "d": { "$gt": 4 } }] });
    let selector = parse(selector).expect("a selector");
    let paths: Vec<_> = selector.conjuncts().iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(paths, ["a", "d"]);
    assert!(!selector.is_never());
    assert!(parse(json!({ "a": 1, "$or": [] })).expect("a selector").is_never());
}

proptest! {
    #[test]
    fn a_selector_in_full_is_read_as_the_same(selector in generate::selector()) {
        let read = parse(selector).expect("a selector");
        let again = parse(read.to_json()).expect("a selector");
        prop_assert_eq!(again.to_json(), read.to_json());
    }
}

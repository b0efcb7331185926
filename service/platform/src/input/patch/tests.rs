use proptest::prelude::*;
use serde_json::json;

use super::*;

/// The suite of json-patch-tests: those of the RFC, and many more.
const SUITES: &[&str] = &[
    include_str!("../../../../../tests/data/json-patch/spec_tests.json"),
    include_str!("../../../../../tests/data/json-patch/tests.json"),
];
/// What a parsed value cannot show: that a member was written twice.
const REPEATED_MEMBERS: &[&str] = &["A.13 Invalid JSON Patch Document", "duplicate ops"];

fn apply(doc: &Value, patch: &Value) -> Result<Value> {
    Patch::read(patch.clone())?.apply(doc.clone())
}

#[test]
fn every_case_of_the_published_suite() {
    let mut run = 0;
    for suite in SUITES {
        let cases: Vec<Map<String, Value>> = serde_json::from_str(suite).expect("the suite");
        for case in cases {
            let comment = case.get("comment").and_then(Value::as_str).unwrap_or_default();
            if REPEATED_MEMBERS.contains(&comment) {
                continue;
            }
            let result = apply(&case["doc"], &case["patch"]);
            match (case.get("error"), case.get("expected")) {
                (Some(error), _) => assert!(result.is_err(), "{comment}: {error}: {case:?}"),
                (None, expected) => {
                    let result =
                        result.unwrap_or_else(|error| panic!("{comment}: {error}: {case:?}"));
                    assert!(
                        expected.is_none_or(|it| number::equal(it, &result)),
                        "{comment}: {result}"
                    );
                }
            }
            run += 1;
        }
    }
    assert_eq!(run, 93, "a case more or less");
}

#[track_caller]
fn refused(doc: Value, patch: Value) -> (u16, String, String) {
    let error = apply(&doc, &patch).expect_err("a refusal");
    let violation = error.violations().swap_remove(0);
    let status = if matches!(error, Error::Conflicts { .. }) { 409 } else { 422 };
    (status, violation.pointer, violation.code.into_owned())
}

#[test]
fn a_refusal_names_the_operation() {
    let doc = || json!({"a": 1, "b": [1, 2]});
    let first = json!({"op": "add", "path": "/c", "value": 1});
    for (operation, status, pointer, code) in [
        (json!({"op": "test", "path": "/a", "value": 2}), 409, "/1", "test_failed"),
        (json!({"op": "test", "path": "/x", "value": 2}), 409, "/1", "no_such_location"),
        (json!({"op": "remove", "path": "/b/2"}), 409, "/1", "no_such_location"),
        (json!({"op": "replace", "path": "/b/-", "value": 1}), 409, "/1", "no_such_location"),
        (json!({"op": "add", "path": "/b/01", "value": 1}), 409, "/1", "no_such_location"),
        (json!({"op": "move", "from": "/b", "path": "/b/0"}), 409, "/1", "into_itself"),
        (json!({"op": "add", "path": "/c"}), 422, "/1/value", "required"),
        (json!({"op": "copy", "path": "/c"}), 422, "/1/from", "required"),
        (json!({"op": "copy", "path": 1, "from": "/a"}), 422, "/1/path", "type"),
        (json!({"op": "remove", "path": "a"}), 422, "/1/path", "pointer"),
        (json!({"op": "remove", "path": "/a~2"}), 422, "/1/path", "pointer"),
        (json!({"op": "remove", "path": "/a~"}), 422, "/1/path", "pointer"),
        (json!({"op": "spam", "path": "/a"}), 422, "/1/op", "value"),
        (json!({"path": "/a"}), 422, "/1/op", "required"),
        (json!(7), 422, "/1", "type"),
    ] {
        let patch = json!([first, operation]);
        let expected = (status, pointer.to_owned(), code.to_owned());
        assert_eq!(refused(doc(), patch), expected, "{operation}");
    }
    assert_eq!(refused(doc(), json!({})).0, 422);
    let many =
        Value::from(vec![json!({"op": "test", "path": "/a", "value": 1}); MAX_OPERATIONS + 1]);
    assert_eq!(refused(doc(), many), (422, String::new(), "length".to_owned()));
}

#[test]
fn numbers_keep_their_digits_and_are_tested_by_their_values() {
    let doc: Value =
        serde_json::from_str(r#"{"n":9007199254740993.10,"z":1,"a":2}"#).expect("JSON");
    let patch: Value = serde_json::from_str(
        r#"[{"op":"test","path":"/n","value":90071992547409931e-1},{"op":"test","path":"/z","value":1.0},
            {"op":"copy","from":"/n","path":"/m"}]"#,
    )
    .expect("JSON");
    let patched = apply(&doc, &patch).expect("applied").to_string();
    assert_eq!(patched, r#"{"n":9007199254740993.10,"z":1,"a":2,"m":9007199254740993.10}"#);
}

#[test]
fn the_order_of_members_stays() {
    let doc = json!({"a": 1, "b": 2, "c": 3, "d": 4});
    let patch =
        json!([{"op": "remove", "path": "/b"}, {"op": "replace", "path": "/c", "value": 0}]);
    assert_eq!(apply(&doc, &patch).expect("applied").to_string(), r#"{"a":1,"c":0,"d":4}"#);
}

#[test]
fn what_copies_double_is_bounded() {
    let doc = json!({"a": ["x".repeat(1_000)]});
    let doubling = Value::from(vec![json!({"op": "copy", "from": "/a", "path": "/a/-"}); 100]);
    assert_eq!(refused(doc, doubling), (422, "/12".to_owned(), "length".to_owned()));
    let wide = json!({"a": "x".repeat(1 << 20)});
    let copies: Vec<_> =
        (0..10).map(|n| json!({"op": "copy", "from": "/a", "path": format!("/b{n}")})).collect();
    assert_eq!(refused(wide, copies.into()), (422, "/2".to_owned(), "length".to_owned()));
    let nesting = Value::from(vec![json!({"op": "copy", "from": "", "path": "/a"}); 200]);
    assert_eq!(refused(json!({"a": 1}), nesting), (422, "/126".to_owned(), "depth".to_owned()));
}

proptest! {
    /// Adding and then removing leaves what was there, and nothing is done by a patch that fails.
    #[test]
    fn a_patch_is_applied_as_a_whole(names in prop::collection::vec("[a-d]{1,2}", 1..8), fails in any::<bool>()) {
        let doc = json!({"zero": [1, 2.50, "x"]});
        let mut patch: Vec<_> = names
            .iter()
            .map(|name| json!({"op": "add", "path": format!("/{name}"), "value": {"n": 1}}))
            .collect();
        let mut added: Vec<_> = names.clone();
        added.sort();
        added.dedup();
        patch.extend(added.iter().map(|name| json!({"op": "remove", "path": format!("/{name}")})));
        if fails {
            patch.push(json!({"op": "test", "path": "/zero/0", "value": "1"}));
        }
        let result = apply(&doc, &patch.into());
        match result {
            // As text: the order of members counts.
            Ok(patched) => {
                let (patched, doc) = (patched.to_string(), doc.to_string());
                prop_assert!(!fails && patched == doc);
            }
            Err(error) => prop_assert!(fails && error.code() == "patch_failed"),
        }
    }
}

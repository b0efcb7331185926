use std::{collections::HashMap, env, fs, path::Path, sync::Arc, time::Instant};

use chrono::{DateTime, TimeDelta};
use serde_json::json;
use uuid::Uuid;

use super::*;

const SUITE: &str = include_str!("../../../../tests/data/json-schema/draft2020-12.json");
const REMOTES: &str = include_str!("../../../../tests/data/json-schema/remotes.json");
/// The cases whose schemas name a `$schema` of their own, which steward refuses.
const OTHER_DIALECTS: &[&str] = &[
    "schema that uses custom metaschema with with no validation vocabulary",
    "ignore unrecognized optional vocabulary",
];

/// What the suite refers to. steward itself has nothing of this kind.
struct Remotes(HashMap<String, Value>);

impl Remotes {
    fn of_the_suite() -> Self {
        Self(serde_json::from_str(REMOTES).expect("the remotes"))
    }
}

impl Retrieve for Remotes {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        self.0.get(uri.as_str()).cloned().ok_or_else(|| "no such remote".into())
    }
}

/// Whether the body is valid.
fn is_valid(schema: &Schema, body: &Value) -> bool {
    let shape = Shape::of(body).expect("numbers that are checked");
    match schema.check_node(Node::Value(body), &shape) {
        Ok(()) => true,
        Err(Error::Invalid(found)) => {
            assert!(
                !found.is_empty() && found.iter().all(|it| it.code != "too_complex"),
                "{found:?}"
            );
            false
        }
        Err(other) => panic!("{other}"),
    }
}

/// Runs a file of the suite, and gives how many tests it has.
fn run(name: &str, cases: &Value) -> usize {
    let mut run = 0;
    for case in cases.as_array().expect("cases") {
        let told = format!("{name}: {}", case["description"]);
        let compiled = Schema::compile_with(&case["schema"], Remotes::of_the_suite());
        if case["description"].as_str().is_some_and(|it| OTHER_DIALECTS.contains(&it)) {
            assert!(matches!(compiled, Err(Error::Invalid(_))), "{told}");
            continue;
        }
        let schema = compiled.unwrap_or_else(|error| panic!("{told}: {error}"));
        for test in case["tests"].as_array().expect("tests") {
            let valid = test["valid"].as_bool().expect("a boolean");
            assert_eq!(is_valid(&schema, &test["data"]), valid, "{told}: {}", test["description"]);
            run += 1;
        }
    }
    run
}

#[test]
fn every_required_case_of_the_published_suite() {
    let suite: Map<String, Value> = serde_json::from_str(SUITE).expect("the suite");
    let run: usize = suite.iter().map(|(name, cases)| run(name, cases)).sum();
    assert_eq!(run, 1_252, "a case more or less");
}

/// The suite as its repository has it now: `JSON_SCHEMA_TEST_SUITE` is its folder.
#[test]
fn every_required_case_of_another_version_of_the_suite() {
    let Ok(folder) = env::var("JSON_SCHEMA_TEST_SUITE") else {
        println!("skipped: JSON_SCHEMA_TEST_SUITE is not set");
        return;
    };
    let files = fs::read_dir(Path::new(&folder).join("tests/draft2020-12")).expect("the suite");
    let files = files.map(|file| file.expect("a file").path()).filter(|path| path.is_file());
    let run: usize = files
        .map(|path| {
            let cases = fs::read(&path).expect("a file of the suite");
            run(&path.to_string_lossy(), &serde_json::from_slice(&cases).expect("JSON"))
        })
        .sum();
    assert!(run > 1_000, "{run} cases are not the suite");
}

#[track_caller]
fn compiled_of(schema: &Value) -> Schema {
    Schema::compile(schema).unwrap_or_else(|error| panic!("{schema}: {error}"))
}

#[track_caller]
fn violations_of(schema: &Value, body: &Value) -> Vec<(String, String)> {
    let body = body.as_object().expect("an object");
    let error = compiled_of(schema).check(body).expect_err("a refusal");
    let found = error.violations().into_iter();
    found.map(|it| (it.pointer, it.code.into_owned())).collect()
}

#[test]
fn a_violation_has_a_pointer_and_the_keyword() {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 2},
            "tools": {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": true},
            "a/b": {"type": "object", "additionalProperties": false},
            "n": {"multipleOf": 0.01},
            "no": false,
        },
        "required": ["name", "kind"],
        "additionalProperties": false,
    });
    for (body, expected) in [
        (
            json!({"name": "x", "kind": 1}),
            vec![("/kind", "additionalProperties"), ("/name", "minLength")],
        ),
        (
            json!({"name": 1, "~": 0}),
            vec![("/kind", "required"), ("/name", "type"), ("/~0", "additionalProperties")],
        ),
        (
            json!({"name": "ab", "tools": ["a", "c", "a"], "kind": 1}),
            vec![
                ("/kind", "additionalProperties"),
                ("/tools", "uniqueItems"),
                ("/tools/1", "enum"),
            ],
        ),
        (
            json!({"name": "ab", "a/b": {"secret": 1}, "no": 1, "n": 1.005}),
            vec![
                ("/a~1b", "additionalProperties"),
                ("/kind", "required"),
                ("/n", "multipleOf"),
                ("/no", "false"),
            ],
        ),
    ] {
        let mut found = violations_of(&schema, &body);
        found.sort();
        found.dedup();
        let expected: Vec<_> =
            expected.into_iter().map(|(at, code)| (at.to_owned(), code.to_owned())).collect();
        assert_eq!(found, expected, "{body}");
    }
}

#[test]
fn no_violation_has_a_value_of_the_body() {
    let canary = "canary-5f2c";
    let schema = json!({
        "properties": {
            "const": {"const": 1}, "enum": {"enum": [1]}, "pattern": {"pattern": "^x$"},
            "type": {"type": "integer"}, "max": {"maxLength": 3}, "not": {"not": {"type": "string"}},
            "any": {"anyOf": [{"type": "integer"}, {"maxLength": 1}]},
            "one": {"oneOf": [{"type": "integer"}, {"maxLength": 1}]},
            "items": {"items": false}, "contains": {"contains": {"type": "null"}},
            "unevaluated": {"unevaluatedItems": false},
        },
    });
    let texts = ["const", "enum", "pattern", "type", "max", "not", "any", "one"];
    let mut body: Map<String, Value> =
        texts.into_iter().map(|name| (name.to_owned(), canary.into())).collect();
    for name in ["items", "contains", "unevaluated"] {
        body.insert(name.to_owned(), json!([canary]));
    }
    let error = compiled_of(&schema).check(&body).expect_err("a refusal");
    assert!(error.violations().len() >= body.len(), "{error}");
    assert!(!format!("{error} {error:?}").contains(canary), "{error:?}");
}

#[test]
fn numbers_are_checked_exactly() {
    let valid = |schema: &str, body: &str| {
        let [schema, body]: [Value; 2] =
            [schema, body].map(|text| serde_json::from_str(text).expect("JSON"));
        is_valid(&compiled_of(&schema), &body)
    };
    assert!(valid(r#"{"const":9007199254740993}"#, "9007199254740993.0"));
    assert!(!valid(r#"{"const":9007199254740993}"#, "9007199254740992"));
    assert!(!valid(r#"{"maximum":9007199254740992}"#, "9007199254740993"));
    assert!(valid(r#"{"enum":[1e0]}"#, "1"));
    assert!(!valid(r#"{"uniqueItems":true}"#, "[1,2,10e-1]"));
    assert!(valid(r#"{"uniqueItems":true}"#, "[9007199254740993,9007199254740992]"));
    assert!(valid(r#"{"type":"integer"}"#, "1.0"));
}

#[test]
fn what_is_no_schema_is_refused_with_a_pointer() {
    let deep = (0..70).fold(json!({}), |inner, _| json!({"not": inner}));
    let many: Map<String, Value> = (0..4_100).map(|n| (format!("p{n}"), json!({}))).collect();
    let patterns: Map<String, Value> = (0..101).map(|n| (format!("p{n}"), json!({}))).collect();
    for (schema, pointer, code) in [
        (json!(5), "", "type"),
        (json!({"type": "text"}), "/type", "anyOf"),
        (json!({"properties": {"a": {"minLength": -1}}}), "/properties/a/minLength", "minimum"),
        (json!({"properties": {"a/b": {"pattern": "["}}}), "/properties/a~1b/pattern", "pattern"),
        (json!({"pattern": "(?=a)b"}), "/pattern", "pattern"),
        (json!({"pattern": "(a)\\1"}), "/pattern", "pattern"),
        (json!({"pattern": "x".repeat(1_001)}), "/pattern", "length"),
        (json!({"$ref": "https://example.com/schema"}), "/$ref", "$ref"),
        (json!({"items": {"$ref": "file:///etc/passwd"}}), "/items/$ref", "$ref"),
        (json!({"$defs": {}, "items": {"$ref": "#/$defs/a"}}), "/items/$ref", "$ref"),
        (json!({"items": {"$ref": "#nowhere"}}), "/items/$ref", "$ref"),
        (json!({"$schema": "http://json-schema.org/draft-07/schema#"}), "/$schema", "$schema"),
        (json!({"description": "x".repeat(256 << 10)}), "", "length"),
        (json!({"properties": many}), "", "too_complex"),
        (json!({"patternProperties": patterns}), "", "too_complex"),
        (deep, &format!("{}/not", "/not".repeat(64)), "depth"),
        (json!({"x-secret": true, "type": "string"}), "/x-secret", "x-secret"),
        (json!({"properties": {"a": {"x-secret": true}}}), "/properties/a/x-secret", "x-secret"),
        (
            json!({"properties": {"a": {"x-secret": 1, "type": "string"}}}),
            "/properties/a/x-secret",
            "x-secret",
        ),
        (json!({"items": {"x-secret": true, "type": "string"}}), "/items/x-secret", "x-secret"),
    ] {
        let error = Schema::compile(&schema).expect_err("a refusal");
        let found = error.violations();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((&*found[0].pointer, &*found[0].code), (pointer, code), "{found:?}");
    }
    let huge: Value = serde_json::from_str(r#"{"maximum":1e99999}"#).expect("JSON");
    assert_eq!(Schema::compile(&huge).expect_err("a refusal").violations()[0].pointer, "/maximum");
}

#[test]
fn secrets_are_kept_apart_from_the_body() {
    let schema = compiled_of(&json!({"properties": {
        "a/b": {"type": "string", "x-secret": true, "minLength": 4},
        "b": {"properties": {"c": {"type": "string", "x-secret": true}}},
        "x-secret": {"type": "string"},
    }}));
    assert!(schema.has_secrets());
    let members = |body: Value| body.as_object().cloned().expect("an object");
    let body = members(json!({"a/b": "first", "n": 1.50, "b": {"c": "second", "d": "x"}}));
    let (masked, secrets) = schema.admit(body, &Secrets::new()).expect("admitted");
    let told = Value::from(masked.clone()).to_string();
    assert_eq!(told, format!(r#"{{"a/b":"{MASK}","n":1.5,"b":{{"c":"{MASK}","d":"x"}}}}"#));
    let expected = [("/a~1b", "first"), ("/b/c", "second")];
    assert_eq!(secrets, expected.map(|(at, text)| (at.to_owned(), text.to_owned())).into());

    let (again, kept) = schema.admit(masked, &secrets).expect("masks stand for what is kept");
    assert_eq!(kept, secrets);
    let mut changed = again;
    changed.insert("a/b".to_owned(), "third".into());
    changed.shift_remove("b");
    let (_, kept) = schema.admit(changed, &secrets).expect("admitted");
    assert_eq!(kept, [("/a~1b".to_owned(), "third".to_owned())].into());

    let refused = |body: Value, kept: &Secrets| {
        let error = schema.admit(members(body), kept).expect_err("a refusal");
        let found = error.violations();
        assert!(!format!("{error:?}").contains("first"), "{error:?}");
        (found[0].pointer.clone(), found[0].code.to_string())
    };
    let mask = ("/a~1b".to_owned(), "x-secret".to_owned());
    assert_eq!(refused(json!({"a/b": MASK}), &Secrets::new()), mask);
    assert_eq!(refused(json!({"a/b": "abc"}), &secrets).1, "minLength");
    let short = [("/a~1b".to_owned(), "abc".to_owned())].into();
    assert_eq!(refused(json!({"a/b": MASK}), &short).1, "minLength");
}

/// Each of these would take hours, all of the memory, or the process.
#[test]
fn no_check_takes_longer_than_a_moment() {
    let mut defs = Map::from_iter([("d0".to_owned(), json!({"type": "string"}))]);
    for n in 1..60 {
        let inner = json!({"$ref": format!("#/$defs/d{}", n - 1)});
        defs.insert(format!("d{n}"), json!({"anyOf": [inner, inner]}));
    }
    let chain: Map<String, Value> = (0..1_500)
        .map(|n| (format!("d{n}"), json!({"$ref": format!("#/$defs/d{}", n + 1)})))
        .chain([("d1500".to_owned(), json!({"type": "object"}))])
        .collect();
    let nested = (0..40).fold(json!({}), |inner, _| json!({"a": inner}));
    let tree = json!({"$defs": {"node": {"anyOf": [
        {"properties": {"a": {"$ref": "#/$defs/node"}}, "required": ["x"]},
        {"properties": {"a": {"$ref": "#/$defs/node"}}, "required": ["y"]},
    ]}}, "$ref": "#/$defs/node"});
    let booleans = Value::from(vec![false; 3_900]);
    let numbers: Vec<Value> = (0..20_000)
        .map(|n| serde_json::from_str(&format!("9007199254740993.{n:020}")).expect("a number"))
        .collect();
    let names: Map<String, Value> = (0..50_000).map(|n| (format!("n{n}"), json!(n))).collect();
    let patterns: Map<String, Value> =
        (0..100).map(|n| (format!("x{{1,{}}}y$", n + 1), json!(true))).collect();
    let long: Map<String, Value> =
        Map::from_iter([("x".repeat(500_000), Value::from(vec![1; 100_000]))]);
    for (name, schema, body) in [
        ("doubling", json!({"$defs": defs, "$ref": "#/$defs/d59"}), json!({})),
        ("chain", json!({"$defs": chain, "$ref": "#/$defs/d0"}), json!({"a": 1})),
        ("tree", tree, nested.clone()),
        (
            "booleans",
            json!({"properties": {"a": {"items": {"anyOf": booleans}}}}),
            json!({"a": vec![0; 100_000]}),
        ),
        ("unique", json!({"properties": {"a": {"uniqueItems": true}}}), json!({"a": numbers})),
        ("patterns", json!({"patternProperties": patterns}), names.clone().into()),
        ("paths", json!({"additionalProperties": {"items": {"type": "string"}}}), long.into()),
        (
            "unexpected",
            json!({"anyOf": vec![json!({"additionalProperties": false}); 1_000]}),
            names.into(),
        ),
    ] {
        let began = Instant::now();
        let result = compiled_of(&schema).check(body.as_object().expect("an object"));
        assert!(began.elapsed().as_secs() < 20, "{name} took {:?}", began.elapsed());
        assert!(result.is_ok() || matches!(result, Err(Error::Invalid(_))), "{name}: {result:?}");
    }
    let loops = json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"});
    assert!(
        compiled_of(&loops).check(&Map::new()).is_ok(),
        "what only refers to itself asks for nothing"
    );
}

#[test]
fn a_body_too_deep_for_a_large_schema_is_refused() {
    let many: Map<String, Value> = (0..3_000).map(|n| (format!("p{n}"), json!({}))).collect();
    let schema = compiled_of(&json!({"properties": many}));
    let nested = (0..40).fold(json!({}), |inner, _| json!({"a": inner}));
    let error = schema.check(nested.as_object().expect("an object")).expect_err("a refusal");
    assert_eq!(error.violations()[0].code, "depth");
}

#[test]
fn a_compiled_schema_is_kept_for_one_state_of_a_collection() {
    let schema = json!({"type": "object"});
    let schema = schema.as_object().expect("an object");
    let compiled = |state| cache::compiled(Declared { state, schema }).expect("a schema");
    let state =
        State { collection_id: Uuid::from_u128(1), version: 2, updated_at: DateTime::UNIX_EPOCH };
    let kept = compiled(state);
    assert!(Arc::ptr_eq(&kept, &compiled(state)));
    let later = state.updated_at + TimeDelta::microseconds(1);
    for other in [
        State { collection_id: Uuid::from_u128(2), ..state },
        State { version: 3, ..state },
        State { updated_at: later, ..state },
    ] {
        assert!(!Arc::ptr_eq(&kept, &compiled(other)), "{other:?}");
    }
}

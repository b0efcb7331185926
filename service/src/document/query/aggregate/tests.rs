use proptest::prelude::*;
use serde_json::json;

use super::{super::generate, *};

fn parse(request: &Value) -> Result<Aggregation, Violation> {
    let object = |name: &str| request[name].as_object().cloned().unwrap_or_default();
    let array = |name: &str| request[name].as_array().cloned().unwrap_or_default();
    let request = Request {
        selector: &object("selector"),
        group_by: &array("group_by"),
        measures: &object("measures"),
        sort: &array("sort"),
        limit: request["limit"].as_u64(),
    };
    Aggregation::parse(request, Zone::utc())
}

fn groups(bodies: &[Value], request: Value) -> Result<Groups, Violation> {
    let aggregation = parse(&request).expect("an aggregation");
    let mut aggregator = Aggregator::new(&aggregation);
    for (number, body) in bodies.iter().enumerate() {
        let body = body.as_object().expect("an object");
        aggregator.add(&Subject::new(&number.to_string(), body))?;
    }
    Ok(aggregator.finish())
}

fn items(bodies: &[Value], request: Value) -> Value {
    json!(groups(bodies, request).expect("groups").items)
}

fn sales() -> Vec<Value> {
    vec![
        json!({ "city": "Bern", "amount": 0.1, "at": "2026-11-30T23:30:00Z", "who": "a" }),
        json!({ "city": "Bern", "amount": 0.2, "at": "2026-11-01T00:00:00Z", "who": "b" }),
        json!({ "city": "Chur", "amount": 10, "at": "2026-12-01T00:00:00Z", "who": "a" }),
        json!({ "city": null, "amount": "a lot", "who": "a" }),
        json!({ "amount": 1e2 }),
    ]
}

#[test]
fn documents_are_grouped_and_summed_up() {
    let request = json!({
        "group_by": ["city"],
        "measures": {
            "total": { "sum": "amount" }, "mean": { "avg": "amount" }, "least": { "min": "amount" },
            "most": { "max": "amount" }, "sales": { "count": "_id" }, "people": { "count_distinct": "who" },
        },
    });
    let expected = r#"[
        {"city":null,"total":100,"mean":100,"least":100,"most":"a lot","sales":2,"people":1},
        {"city":"Bern","total":0.3,"mean":0.15,"least":0.1,"most":0.2,"sales":2,"people":2},
        {"city":"Chur","total":10,"mean":10,"least":10,"most":10,"sales":1,"people":1}]"#;
    let expected: Value = serde_json::from_str(expected).expect("JSON");
    assert_eq!(items(&sales(), request).to_string(), expected.to_string());
}

#[test]
fn all_documents_are_one_group_if_there_are_no_others() {
    let request = || {
        json!({
            "measures": {
                "n": { "count": "_id" }, "sum": { "sum": "x" }, "avg": { "avg": "x" }, "max": { "max": "x" },
            },
        })
    };
    assert_eq!(items(&[], request()), json!([{ "n": 0, "sum": 0, "avg": null, "max": null }]));
    assert_eq!(items(&sales(), request()), json!([{ "n": 5, "sum": 0, "avg": null, "max": null }]));
    assert_eq!(items(&[], json!({ "group_by": ["city"] })), json!([]));
}

#[test]
fn instants_are_grouped_by_the_time_of_a_zone() {
    let request = |zone: &str| {
        json!({
            "selector": { "city": { "$gt": null } },
            "group_by": [{ "path": "at", "unit": "month", "time_zone": zone, "as": "month" }],
            "measures": { "n": { "count": "_id" } },
        })
    };
    let utc = json!([{ "month": "2026-11", "n": 2 }, { "month": "2026-12", "n": 1 }]);
    assert_eq!(items(&sales(), request("UTC")), utc);
    let zurich = json!([{ "month": "2026-11", "n": 1 }, { "month": "2026-12", "n": 2 }]);
    assert_eq!(items(&sales(), request("Europe/Zurich")), zurich);
}

#[test]
fn groups_are_sorted_and_limited() {
    let request = json!({
        "group_by": ["city"], "measures": { "total": { "sum": "amount" } },
        "sort": [{ "total": "desc" }], "limit": 2,
    });
    let found = groups(&sales(), request).expect("groups");
    assert_eq!(
        json!(found.items),
        json!([{ "city": null, "total": 100 }, { "city": "Chur", "total": 10 }])
    );
    assert_eq!(found.total, 3);
}

#[test]
fn equal_values_are_one_group_however_they_are_written() {
    let bodies: Vec<Value> = [r#"{"n": 1.0}"#, r#"{"n": 1}"#, r#"{"n": 10e-1}"#]
        .map(|text| serde_json::from_str(text).expect("JSON"))
        .into();
    let request =
        json!({ "group_by": ["n"], "measures": { "different": { "count_distinct": "n" } } });
    assert_eq!(items(&bodies, request).to_string(), r#"[{"n":1,"different":1}]"#);
}

#[test]
fn groups_and_different_values_are_bounded() {
    let bodies: Vec<_> = (0..=MAX_GROUPS).map(|n| json!({ "n": n })).collect();
    let refused = groups(&bodies, json!({ "group_by": ["n"] })).expect_err("too many");
    assert_eq!((refused.pointer.as_str(), &*refused.code), ("/group_by", "too_many_groups"));
    let request = json!({ "measures": { "x": { "count_distinct": "n" } } });
    let refused = groups(&bodies, request).expect_err("too many");
    let at = "/measures/x/count_distinct";
    assert_eq!((refused.pointer.as_str(), &*refused.code), (at, "too_many_values"));
}

#[test]
fn what_is_wrong_is_pointed_at() {
    for (request, pointer, code) in [
        (json!({}), "/measures", "required"),
        (json!({ "group_by": [1] }), "/group_by/0", "type"),
        (json!({ "group_by": [{ "as": "x" }] }), "/group_by/0/path", "required"),
        (json!({ "group_by": [{ "path": "a", "x": 1 }] }), "/group_by/0/x", "unknown_field"),
        (json!({ "group_by": [{ "path": 1 }] }), "/group_by/0/path", "type"),
        (json!({ "group_by": [{ "path": "a", "unit": "year" }] }), "/group_by/0/unit", "value"),
        (
            json!({ "group_by": [{ "path": "a", "time_zone": "UTC" }] }),
            "/group_by/0/unit",
            "required",
        ),
        (
            json!({ "group_by": [{ "path": "a", "unit": "day", "time_zone": "Nowhere" }] }),
            "/group_by/0/time_zone",
            "time_zone",
        ),
        (json!({ "group_by": ["a", "a"] }), "/group_by/1", "duplicate"),
        (json!({ "group_by": ["a", "b", "c", "d", "e", "f"] }), "/group_by", "length"),
        (json!({ "measures": { "x": 1 } }), "/measures/x", "type"),
        (json!({ "measures": { "x": { "sum": "a", "avg": "a" } } }), "/measures/x", "type"),
        (json!({ "measures": { "x": { "median": "a" } } }), "/measures/x/median", "value"),
        (json!({ "measures": { "x": { "sum": 1 } } }), "/measures/x/sum", "type"),
        (json!({ "measures": { "x": { "sum": "a..b" } } }), "/measures/x/sum", "path"),
        (json!({ "measures": { "": { "sum": "a" } } }), "/measures/", "length"),
        (
            json!({ "group_by": ["x"], "measures": { "x": { "sum": "a" } } }),
            "/measures/x",
            "duplicate",
        ),
        (json!({ "group_by": ["x"], "sort": ["y"] }), "/sort/0", "value"),
        (json!({ "group_by": ["x"], "sort": [{ "x": "up" }] }), "/sort/0/x", "value"),
        (json!({ "group_by": ["x"], "sort": ["x", { "x": "desc" }] }), "/sort/1", "duplicate"),
        (json!({ "group_by": ["x"], "limit": 0 }), "/limit", "range"),
        (json!({ "group_by": ["x"], "limit": 1001 }), "/limit", "range"),
        (json!({ "group_by": ["x"], "selector": { "$x": 1 } }), "/selector/$x", "operator"),
    ] {
        let refused = parse(&request).expect_err("a refusal");
        assert_eq!((refused.pointer.as_str(), &*refused.code), (pointer, code), "{request}");
    }
}

proptest! {
    /// Counts and sums of groups are those of all documents.
    #[test]
    fn groups_are_parts_of_the_whole(bodies in proptest::collection::vec(generate::body(), 0..12)) {
        let bodies: Vec<_> = bodies.into_iter().map(Value::Object).collect();
        let measures = json!({ "n": { "count": "_id" }, "sum": { "sum": "b" } });
        let of = |group_by: Value| {
            let request = json!({ "group_by": group_by, "measures": measures, "limit": 1000 });
            groups(&bodies, request).expect("groups").items
        };
        let number = |row: &Map<String, Value>, name: &str| match &row[name] {
            Value::Number(number) => Decimal::of(number),
            _ => Decimal::default(),
        };
        let (parts, whole) = (of(json!(["a"])), of(json!([])));
        for name in ["n", "sum"] {
            let sum = parts.iter().fold(Decimal::default(), |sum, row| sum.plus(&number(row, name)));
            prop_assert_eq!(sum, number(&whole[0], name));
        }
    }
}

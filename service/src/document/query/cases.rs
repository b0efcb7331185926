//! What CouchDB (`_find`) and PouchDB (pouchdb-find) document and test of selectors, as cases of our own. Where the
//! two differ, CouchDB's rule is taken. Where neither's is, the case says so.

use serde_json::{Value, json};

use super::{matches::Subject, selector::Selector};

/// Documents with all types of values at `v`, from the least to the greatest, and one without.
fn types() -> Vec<(&'static str, Value)> {
    vec![
        ("0missing", json!({})),
        ("1null", json!({ "v": null })),
        ("2false", json!({ "v": false })),
        ("3true", json!({ "v": true })),
        ("4negative", json!({ "v": -42 })),
        ("5zero", json!({ "v": 0 })),
        ("6positive", json!({ "v": 42 })),
        ("7empty", json!({ "v": "" })),
        ("8text", json!({ "v": "text" })),
        ("9array", json!({ "v": [0] })),
        ("Aarray", json!({ "v": ["text", 0] })),
        ("Bobject", json!({ "v": {} })),
        ("Cobject", json!({ "v": { "w": 1 } })),
    ]
}

/// People with nested objects, arrays, null and what is missing.
fn people() -> Vec<(&'static str, Value)> {
    vec![
        (
            "ada",
            json!({
                "age": 36, "name": { "first": "Ada", "last": "Young" }, "boss": true, "nick": "@ada",
                "likes": ["tea", "chess"], "home": { "town": "Bern", "zip": 3000 },
            }),
        ),
        (
            "bea",
            json!({
                "age": 75, "name": { "first": "Bea", "last": "Stone" }, "boss": false, "nick": null,
                "likes": ["tea"], "home": { "town": "New Bern" },
            }),
        ),
        (
            "cem",
            json!({
                "age": 22, "name": { "first": "Cem", "last": "Young" }, "boss": true,
                "likes": [["tea", "go"], "go"], "home": {}, "name.first": "dotted", "$cost": 5,
            }),
        ),
        (
            "dan",
            json!({ "age": 80, "name": "Dan", "boss": false, "nick": "dan", "likes": "tea", "home": [] }),
        ),
        (
            "eva",
            json!({
                "age": 40.0, "boss": true, "likes": [],
                "scores": [{ "game": "go", "points": 3 }, { "game": "chess", "points": 9 }],
            }),
        ),
        (
            "fox",
            json!({
                "age": 41, "likes": null, "results": [82, 85, 88],
                "scores": [{ "game": "go", "points": 9 }],
            }),
        ),
    ]
}

fn found(documents: &[(&'static str, Value)], selector: &Value) -> Vec<&'static str> {
    let selector = Selector::parse(selector.as_object().expect("an object"), "");
    let selector = selector.expect("a selector");
    let matching = documents.iter().filter(|(id, body)| {
        selector.matches(&Subject::new(id, body.as_object().expect("an object")))
    });
    matching.map(|(id, _)| *id).collect()
}

fn check(documents: &[(&'static str, Value)], cases: &[(Value, &[&str])]) {
    for (selector, expected) in cases {
        assert_eq!(found(documents, selector), *expected, "{selector}");
    }
}

#[test]
fn comparisons_cross_types_and_skip_what_is_missing() {
    let all = types();
    let ids: Vec<_> = all.iter().map(|(id, _)| *id).collect();
    check(
        &all,
        &[
            (json!({ "v": { "$lt": 0 } }), &ids[1..5]),
            (json!({ "v": { "$lte": 0 } }), &ids[1..6]),
            (json!({ "v": { "$gt": 0 } }), &ids[6..]),
            (json!({ "v": { "$gte": 0 } }), &ids[5..]),
            (json!({ "v": { "$gt": null } }), &ids[2..]),
            (json!({ "v": { "$gte": null } }), &ids[1..]),
            (json!({ "v": { "$lte": null } }), &ids[1..2]),
            (json!({ "v": { "$lt": null } }), &[]),
            (json!({ "v": { "$lt": "text" } }), &ids[1..8]),
            (json!({ "v": { "$gt": "text" } }), &ids[9..]),
            (json!({ "v": { "$gt": [0] } }), &ids[10..]),
            (json!({ "v": { "$gte": {} } }), &ids[11..]),
            (json!({ "v": { "$ne": 0 } }), &[&ids[1..5], &ids[6..]].concat()),
            (json!({ "v": { "$eq": null } }), &ids[1..2]),
            (json!({ "v": null }), &ids[1..2]),
            (json!({ "v": 0.0 }), &ids[5..6]),
            (json!({ "v": false }), &ids[2..3]),
            (json!({ "v": [0] }), &ids[9..10]),
            (json!({ "v": {} }), &ids[11..12]),
            (json!({ "v": { "w": 1 } }), &ids[12..]),
            (json!({ "v": { "$eq": { "w": 1 } } }), &ids[12..]),
            (json!({ "$and": [{ "v": { "$gt": 0 } }, { "v": { "$lt": 0 } }] }), &[]),
            (json!({ "$and": [{ "v": 0 }, { "v": { "$ne": 0 } }] }), &[]),
        ],
    );
}

#[test]
fn types_are_told_apart() {
    let all = types();
    let ids: Vec<_> = all.iter().map(|(id, _)| *id).collect();
    check(
        &all,
        &[
            (json!({ "v": { "$type": "null" } }), &ids[1..2]),
            (json!({ "v": { "$type": "boolean" } }), &ids[2..4]),
            (json!({ "v": { "$type": "number" } }), &ids[4..7]),
            (json!({ "v": { "$type": "string" } }), &ids[7..9]),
            (json!({ "v": { "$type": "array" } }), &ids[9..11]),
            (json!({ "v": { "$type": "object" } }), &ids[11..]),
            (json!({ "v": { "$not": { "$type": "number" } } }), &[&ids[1..4], &ids[7..]].concat()),
            (json!({ "v": { "$exists": true } }), &ids[1..]),
            (json!({ "v": { "$exists": false } }), &ids[..1]),
            (json!({ "v.w": { "$exists": true } }), &ids[12..]),
            // CouchDB does not say that of a value within one that is no object; its documentation does.
            (json!({ "v.w": { "$exists": false } }), &ids[..12]),
            (json!({ "w": { "$exists": false }, "v": 0 }), &ids[5..6]),
        ],
    );
}

#[test]
fn conditions_are_combined() {
    check(
        &people(),
        &[
            (json!({}), &["ada", "bea", "cem", "dan", "eva", "fox"]),
            (json!({ "boss": true, "name.last": "Young" }), &["ada", "cem"]),
            (json!({ "boss": true, "name": { "last": "Young" } }), &["ada", "cem"]),
            (json!({ "age": { "$gt": 22, "$lte": 40 } }), &["ada", "eva"]),
            (json!({ "age": { "$and": [{ "$gt": 22 }, { "$lte": 40 }] } }), &["ada", "eva"]),
            (json!({ "age": { "$or": [{ "$lt": 30 }, { "$gt": 79 }] } }), &["cem", "dan"]),
            (
                json!({ "$and": [{ "age": { "$gte": 40 } }, { "$or": [{ "likes": [] }, { "name": "Dan" }] }] }),
                &["dan", "eva"],
            ),
            (json!({ "age": 22, "$or": [{ "boss": true }] }), &["cem"]),
            (json!({ "$nor": [{ "boss": true }, { "age": 80 }] }), &["bea"]),
            (json!({ "$not": { "boss": true } }), &["bea", "dan"]),
            (json!({ "age": { "$not": { "$gt": 40 } } }), &["ada", "cem", "eva"]),
            (json!({ "$not": { "$not": { "age": 22 } } }), &["cem"]),
            (json!({ "$not": { "nick": { "$exists": true } } }), &["cem", "eva", "fox"]),
            (json!({ "nick": { "$ne": "@ada" } }), &["bea", "dan"]),
            (json!({ "nick": { "$not": { "$eq": "@ada" } } }), &["bea", "dan"]),
            (
                json!({ "$or": [{ "nick": { "$ne": "@ada" } }, { "age": 41 }] }),
                &["bea", "dan", "fox"],
            ),
            (json!({ "$and": [], "age": 22 }), &["cem"]),
            // CouchDB finds all with that age, but none with `{"$or": []}` alone.
            (json!({ "$or": [], "age": 22 }), &[]),
            (json!({ "$or": [] }), &[]),
            (json!({ "$nor": [], "age": 22 }), &["cem"]),
        ],
    );
}

#[test]
fn paths_lead_to_values() {
    check(
        &people(),
        &[
            (json!({ "name.first": "Ada" }), &["ada"]),
            (json!({ "name\\.first": "dotted" }), &["cem"]),
            (json!({ "name.first": "dotted" }), &[]),
            (json!({ "\\$cost": 5 }), &["cem"]),
            (json!({ "likes.0": "tea" }), &["ada", "bea"]),
            (json!({ "likes.0.1": "go" }), &["cem"]),
            (json!({ "likes.3": null }), &[]),
            (json!({ "scores.1.game": "chess" }), &["eva"]),
            (json!({ "name": { "$exists": true } }), &["ada", "bea", "cem", "dan"]),
            (json!({ "name.first": { "$exists": true } }), &["ada", "bea", "cem"]),
            (json!({ "home": {} }), &["cem"]),
            (json!({ "home.zip": { "$gt": 2999 } }), &["ada"]),
            (json!({ "_id": "dan" }), &["dan"]),
            (json!({ "_id": { "$gt": "cem" }, "age": { "$gt": null } }), &["dan", "eva", "fox"]),
            (json!({ "_id": { "$nin": ["ada", "fox"] }, "boss": true }), &["cem", "eva"]),
        ],
    );
}

#[test]
fn arrays_are_looked_into() {
    check(
        &people(),
        &[
            (json!({ "likes": { "$in": ["tea"] } }), &["ada", "bea", "dan"]),
            (json!({ "likes": { "$in": ["chess", "go"] } }), &["ada", "cem"]),
            (json!({ "likes": { "$in": [["tea", "go"]] } }), &["cem"]),
            (json!({ "likes": { "$in": [["tea"]] } }), &[]),
            (json!({ "likes": { "$in": [null] } }), &["fox"]),
            (json!({ "likes": { "$in": [] } }), &[]),
            (json!({ "likes": { "$nin": ["tea"] } }), &["cem", "eva", "fox"]),
            (json!({ "likes": { "$nin": [] } }), &["ada", "bea", "cem", "dan", "eva", "fox"]),
            (json!({ "nick": { "$nin": ["dan"] } }), &["ada", "bea"]),
            (json!({ "age": { "$in": [36, 40, "36"] } }), &["ada", "eva"]),
            (json!({ "likes": { "$all": ["chess", "tea"] } }), &["ada"]),
            (json!({ "likes": { "$all": ["tea"] } }), &["ada", "bea"]),
            (json!({ "likes": { "$all": [["tea"]] } }), &["bea"]),
            (json!({ "likes": { "$all": [["tea", "go"]] } }), &["cem"]),
            (json!({ "likes": { "$all": [] } }), &["ada", "bea", "cem", "eva"]),
            (json!({ "name": { "$all": ["Dan"] } }), &[]),
            (json!({ "likes": { "$size": 0 } }), &["eva"]),
            (json!({ "likes": { "$size": 2 } }), &["ada", "cem"]),
            (json!({ "likes": { "$not": { "$size": 2 } } }), &["bea", "dan", "eva", "fox"]),
            (json!({ "likes": { "$elemMatch": { "$eq": "tea" } } }), &["ada", "bea"]),
            (json!({ "results": { "$elemMatch": { "$gte": 80, "$lt": 85 } } }), &["fox"]),
            (json!({ "results": { "$elemMatch": { "$gt": 82, "$lt": 85 } } }), &[]),
            (
                json!({ "scores": { "$elemMatch": { "game": "go", "points": { "$gt": 5 } } } }),
                &["fox"],
            ),
            (json!({ "scores": { "$elemMatch": { "game": "go" } } }), &["eva", "fox"]),
            (json!({ "scores": { "$not": { "$elemMatch": { "game": "chess" } } } }), &["fox"]),
            (json!({ "likes": { "$elemMatch": { "$elemMatch": { "$eq": "go" } } } }), &["cem"]),
            (json!({ "name": { "$elemMatch": { "$eq": "Dan" } } }), &[]),
        ],
    );
}

#[test]
fn texts_are_searched() {
    check(
        &people(),
        &[
            (json!({ "home.town": { "$regex": "^Bern" } }), &["ada"]),
            (json!({ "home.town": { "$regex": "Bern" } }), &["ada", "bea"]),
            (json!({ "home.town": { "$regex": "(?i)new.*" } }), &["bea"]),
            (
                json!({ "$and": [{ "nick": { "$regex": "a" } }, { "nick": { "$regex": "d" } }] }),
                &["ada", "dan"],
            ),
            (json!({ "age": { "$regex": "3" } }), &[]),
            (json!({ "likes": { "$regex": "tea" } }), &["dan"]),
            (json!({ "nick": { "$not": { "$regex": "^@" } } }), &["bea", "dan"]),
            // Texts are ordered by their bytes: CouchDB has "a" before "A".
            (json!({ "name.first": { "$lt": "a" } }), &["ada", "bea", "cem"]),
        ],
    );
}

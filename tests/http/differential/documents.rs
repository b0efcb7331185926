//! Documents of few keys in few collections, so that much comes together, and collections.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    bodies::{self, ROLES},
    choice::Choice,
    script::{Call, Organization, Row},
    steps::versioned,
    texts::TEXTS,
};

/// The collections of what is made here.
pub(super) const COLLECTIONS: &[&str] = &["collections", "documents"];

const NAMES: &[&str] = &["notes", "recipes", "x-1"];
/// Keys as they stand in a path.
const KEYS: &[&str] = &["a", "b", "a%2Fb", "%C3%A4", "%F0%9F%98%80", "%25", "a%0A", "%FF"];
/// Kept to the letter, or refused.
const EXACT: &[&str] = &[
    "{}",
    r#"{"z":1.00,"a":[9007199254740993.0,-0,0.000001,1E+400],"":{"b":null}}"#,
    r#"{"n":100000000000000000000000000000000000000000,"t":"😀"}"#,
    r#"{"n":1e10000}"#,
    r#"{"t":"\u0000"}"#,
    "[]",
];

/// Of documents as they are made here, and of others.
const PATCHES: &[&str] = &[
    "[]",
    r#"[{"op":"add","path":"/body/p","value":1.00},{"op":"test","path":"/body/p","value":1}]"#,
    r#"[{"op":"replace","path":"/body/z","value":9007199254740993.0}]"#,
    r#"[{"op":"move","from":"/body/a","path":"/body/b"},{"op":"add","path":"/body/b/-","value":"x"}]"#,
    r#"[{"op":"copy","from":"/body","path":"/body/c"}]"#,
    r#"[{"op":"remove","path":"/body/t"}]"#,
    r#"[{"op":"replace","path":"/id","value":"other"}]"#,
    r#"[{"op":"add","path":"body","value":1}]"#,
    r#"{"op":"remove"}"#,
];

fn bulk(choice: &mut Choice, documents: &str) -> Call {
    let mut items = Vec::new();
    for _ in 0..=choice.below(4) {
        let op = choice.of(&["create", "create", "replace", "update", "delete", "others"]);
        let mut item = json!({ "op": op });
        let key = choice.of(&["a", "b", "a/b", "ä"]);
        bodies::maybe(choice, &mut item, "id", json!(key));
        let version = 1 + choice.below(3);
        bodies::maybe(choice, &mut item, "version", json!(version));
        let body = exact(choice);
        bodies::maybe(choice, &mut item, "body", body);
        items.push(item);
    }
    let body = json!({ "items": items, "atomic": choice.chance(40) });
    Call::post(documents.replace("/documents", "/bulk"), &body)
}

fn exact(choice: &mut Choice) -> Value {
    let text = choice.of(&[0, 0, 1, 1, 1, 2, 2, 3, 4, 5].map(|at| EXACT[at]));
    serde_json::from_str(text).expect("JSON")
}

/// The body of a new collection or document.
pub(super) fn new(choice: &mut Choice, collection: &str) -> Value {
    if collection == "documents" {
        let mut body = json!({ "body": exact(choice) });
        let key = choice.of(TEXTS);
        bodies::maybe(choice, &mut body, "id", json!(key));
        if choice.chance(5) {
            body["collection"] = json!(choice.of(NAMES));
        }
        return body;
    }
    let mut body = json!({ "name": choice.of(NAMES) });
    let title = choice.of(TEXTS);
    bodies::maybe(choice, &mut body, "title", json!(title));
    let schema = exact(choice);
    bodies::maybe(choice, &mut body, "schema", schema);
    let indexes = choice.of(&[json!(["/n"]), json!(["/a/0", "/"]), json!(["n"]), json!([])]);
    bodies::maybe(choice, &mut body, "indexes", indexes);
    if choice.chance(10) {
        body["template"] = json!(choice.of(&["agents", "configurations", "others"]));
    }
    for name in ["read_role", "write_role"] {
        if choice.chance(20) {
            body[name] = json!(choice.of(ROLES));
        }
    }
    body
}

/// What is done with collections and documents.
pub(super) fn call(choice: &mut Choice, organization: &Organization) -> Call {
    let collections = organization.of("collections");
    if collections.len() < 2 && choice.chance(50) {
        return bodies::create(choice, organization, "collections");
    }
    let collection = choice.maybe_of(collections);
    match (choice.below(20), collection) {
        (0, _) => bodies::create(choice, organization, "collections"),
        (1, Some(collection)) => {
            let whole = new(choice, "collections");
            let patch = bodies::patch(choice, whole);
            versioned(choice, Method::PATCH, &collection, patch)
        }
        (2, Some(collection)) => versioned(choice, Method::DELETE, &collection, json!({})),
        (3, _) => Call::get(format!("{}/collections?limit=2", organization.path)),
        (_, collection) => document(choice, organization, collection),
    }
}

/// The path of a collection, of that of its documents.
fn of(documents: &str) -> &str {
    documents.trim_end_matches("/documents")
}

fn selector(choice: &mut Choice) -> Value {
    choice.of(&[
        json!({}),
        json!({ "n": { "$gt": 1 } }),
        json!({ "z": 1 }),
        json!({ "a.0": { "$type": "number" } }),
        json!({ "a": { "$all": [0] } }),
        json!({ "t": { "$regex": "." }, "_id": { "$gte": "a" } }),
        json!({ "$nor": [{ "z": 1 }, { "n": { "$exists": false } }] }),
        json!({ "a": { "$x": 1 } }),
    ])
}

fn query(choice: &mut Choice) -> Value {
    let mut query = json!({ "selector": selector(choice), "limit": 2 });
    let sort = choice.of(&[json!([]), json!(["n"]), json!([{ "z": "desc" }, "_id"]), json!(["."])]);
    bodies::maybe(choice, &mut query, "sort", sort);
    let fields = choice.of(&[json!(["n"]), json!(["a.0", "z"]), json!([""])]);
    bodies::maybe(choice, &mut query, "fields", fields);
    query
}

fn aggregation(choice: &mut Choice) -> Value {
    let mut aggregation = json!({ "selector": selector(choice) });
    let measures =
        json!({ "sum": { "sum": "n" }, "avg": { "avg": "z" }, "t": { "count_distinct": "t" } });
    bodies::maybe(choice, &mut aggregation, "measures", measures);
    let group_by = choice.of(&[json!([]), json!(["z"]), json!(["t", "a"])]);
    bodies::maybe(choice, &mut aggregation, "group_by", group_by);
    aggregation
}

fn document(choice: &mut Choice, organization: &Organization, collection: Option<Row>) -> Call {
    let id = collection.map(|collection| collection.id());
    let name = choice.of(NAMES).to_owned();
    let name = id.filter(|_| choice.chance(50)).unwrap_or(name);
    let documents = format!("{}/collections/{name}/documents", organization.path);
    let known = choice.maybe_of(organization.of("documents"));
    let any = Row::at(format!("{documents}/{}", choice.of(KEYS)), 1);
    let row = known.filter(|_| choice.chance(80)).unwrap_or(any);
    let body = json!({ "body": exact(choice) });
    match choice.below(19) {
        15 => bulk(choice, &documents),
        16 => {
            let text = choice.of(PATCHES);
            Call {
                content_type: "application/json-patch+json",
                body: Some(text.as_bytes().to_vec()),
                headers: vec![("if-match", format!("\"{}\"", row.version))],
                ..Call::new(Method::PATCH, row.path)
            }
        }
        17 => {
            let schema = json!({ "schema": { "required": ["n"] }, "limit": 1 + choice.below(3) });
            Call::post(format!("{}/check-schema", of(&documents)), &schema)
        }
        18 => Call::get(format!("{}/effective?limit={}", of(&documents), 1 + choice.below(3))),
        0 | 1 => Call::post(documents, &new(choice, "documents")),
        2 => {
            let body = Some(body.to_string().into_bytes());
            let mut call = Call { body, ..Call::new(Method::PUT, row.path) };
            if choice.chance(50) {
                call.headers.push(("if-none-match", "*".to_owned()));
            }
            call
        }
        3 | 4 => versioned(choice, Method::PUT, &row, body),
        5 | 6 => versioned(choice, Method::PATCH, &row, body),
        7 => versioned(choice, Method::DELETE, &row, json!({})),
        8 => {
            let path = format!("{}/revert", row.path);
            let body = json!({ "to_version": choice.below(4) });
            versioned(choice, Method::POST, &Row { path, ..row }, body)
        }
        9 => Call::get(format!("{}/history?limit=2", row.path)),
        10 => Call::get(row.path),
        11 | 12 => Call::post(format!("{}/query", of(&documents)), &query(choice)),
        13 => Call::post(format!("{}/aggregate", of(&documents)), &aggregation(choice)),
        _ => {
            let prefix = choice.of(&["", "&prefix=a", "&prefix=%C3%A4"]);
            Call::get(format!("{documents}?limit=2{prefix}"))
        }
    }
}

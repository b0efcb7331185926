//! Resources that no script names: their bodies are what the OpenAPI document says of them.

use serde_json::{Value, json};
use tests::route::{ORGANIZATION, document};

use super::{
    bodies::{maybe, reference},
    choice::Choice,
    documents, ledger,
    script::Organization,
    steps,
    texts::TEXTS,
    work,
};

/// How far a number is from the least that it may be, at most.
const SPAN: i64 = 10_000;

/// The path of a collection, or of a row, within an organization.
fn within(path: &str) -> Option<&str> {
    path.strip_prefix(ORGANIZATION)?.strip_prefix('/')
}

/// Their collections.
pub(super) fn collections() -> Vec<&'static str> {
    let named =
        [steps::COLLECTIONS, work::COLLECTIONS, ledger::COLLECTIONS, documents::COLLECTIONS]
            .concat();
    let paths = document()["paths"].as_object().into_iter().flatten();
    let created = paths.filter(|(_, item)| item["post"]["responses"]["201"].is_object());
    let collections = created.filter_map(|(path, _)| within(path));
    collections.filter(|path| !path.contains('/') && !named.contains(path)).collect()
}

/// The collection of what a property refers to: `assignee_member_id` is of `members`.
fn referred(property: &str) -> Option<&'static str> {
    let paths = document()["paths"].as_object().into_iter().flatten();
    let rows = paths.filter_map(|(path, _)| within(path)?.strip_suffix('}')?.split_once("/{"));
    let mut rows = rows.filter(|(_, variable)| property.ends_with(variable));
    rows.next().map(|(collection, _)| collection)
}

/// A schema itself, where it is named or may be null.
fn resolved(schema: &'static Value) -> &'static Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return resolved(&document()["components"]["schemas"][name]);
    }
    let forms = schema["oneOf"].as_array().into_iter().flatten();
    let mut named = forms.filter(|form| form["type"] != "null");
    named.next().map_or(schema, resolved)
}

/// The body of a new row.
pub(super) fn new(choice: &mut Choice, organization: &Organization, collection: &str) -> Value {
    let path = format!("{ORGANIZATION}/{collection}");
    let content = &document()["paths"][path]["post"]["requestBody"]["content"];
    let schema = resolved(&content["application/json"]["schema"]);
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    let mut body = json!({});
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if name == "id" {
            continue;
        }
        let value = value(choice, organization, name, resolved(property));
        if required.iter().any(|known| known == name) {
            body[name] = value;
        } else {
            maybe(choice, &mut body, name, value);
        }
    }
    body
}

/// A value of a property; null where this knows none.
fn value(
    choice: &mut Choice,
    organization: &Organization,
    name: &str,
    schema: &'static Value,
) -> Value {
    if let Some(words) = schema["enum"].as_array() {
        return choice.of(words);
    }
    let kind = &schema["type"];
    let kind =
        kind.as_array().and_then(|kinds| kinds.iter().find(|it| *it != "null")).unwrap_or(kind);
    match (kind.as_str(), schema["format"].as_str()) {
        (Some("string"), Some("uuid")) => {
            referred(name).map_or(Value::Null, |of| reference(choice, organization, of))
        }
        (Some("string"), Some("date")) => json!(work::day(choice)),
        (Some("string"), Some("date-time")) => json!(work::instant(choice)),
        (Some("string"), _) => json!(choice.of(TEXTS)),
        (Some("integer"), _) => {
            let least = schema["minimum"].as_i64().unwrap_or_default();
            let most =
                schema["maximum"].as_i64().unwrap_or(i64::MAX).min(least.saturating_add(SPAN));
            json!(least + i64::try_from(choice.below((most - least + 1) as u64)).unwrap())
        }
        (Some("boolean"), _) => json!(choice.chance(50)),
        (Some("array"), _) => {
            json!([value(choice, organization, name, resolved(&schema["items"]))])
        }
        _ => Value::Null,
    }
}

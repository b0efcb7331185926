//! Queries of the documents of a collection.

use std::ops::Bound::{Excluded, Included, Unbounded};

use serde_json::{Map, Value, json};

use super::{
    super::Query,
    address::Names,
    document::{bytes, field, integer},
};

const NAME: &str = "__name__";

fn ascending(path: &str) -> Value {
    json!({ "field": { "fieldPath": path }, "direction": "ASCENDING" })
}

fn filter(path: &str, operator: &str, value: &Value) -> Value {
    json!({ "fieldFilter": { "field": { "fieldPath": path }, "op": operator, "value": value } })
}

/// A query in an order, behind the values of `after`.
fn query(order: &[&str], filters: Vec<Value>, after: Option<Value>, limit: usize) -> Value {
    let mut query = Map::from_iter([
        ("from".to_owned(), json!([{ "collectionId": "documents" }])),
        ("orderBy".to_owned(), order.iter().map(|path| ascending(path)).collect()),
        ("limit".to_owned(), json!(limit)),
    ]);
    if !filters.is_empty() {
        let all = json!({ "compositeFilter": { "op": "AND", "filters": filters } });
        query.insert("where".to_owned(), all);
    }
    if let Some(values) = after {
        query.insert("startAt".to_owned(), json!({ "values": values, "before": false }));
    }
    json!({ "structuredQuery": query })
}

/// The documents behind a key that are not deleted.
pub(super) fn scan(names: &Names, after: Option<&str>, limit: usize) -> Value {
    let present = filter("present", "EQUAL", &json!({ "booleanValue": true }));
    let after = after.map(|key| json!([{ "referenceValue": names.document(key) }]));
    query(&[NAME], vec![present], after, limit)
}

/// The documents in a range of values. What has no value is not in the order of them.
pub(super) fn range(names: &Names, asked: &Query, limit: usize) -> Value {
    let path = field(&asked.path);
    let from = match &asked.from {
        Included(value) => Some(filter(&path, "GREATER_THAN_OR_EQUAL", &bytes(value))),
        Excluded(value) => Some(filter(&path, "GREATER_THAN", &bytes(value))),
        Unbounded => None,
    };
    let to = match &asked.to {
        Included(value) => Some(filter(&path, "LESS_THAN_OR_EQUAL", &bytes(value))),
        Excluded(value) => Some(filter(&path, "LESS_THAN", &bytes(value))),
        Unbounded => None,
    };
    let after = asked
        .after
        .as_ref()
        .map(|(value, key)| json!([bytes(value), { "referenceValue": names.document(key) }]));
    query(&[&path, NAME], from.into_iter().chain(to).collect(), after, limit)
}

/// The documents whose last write is behind a position.
pub(super) fn changes(since: u64, limit: usize) -> Value {
    query(&["position"], Vec::new(), Some(json!([integer(since)])), limit)
}

use serde_json::{Map, Value, json};

use super::{AggregationInput, AggregationResult, QueryInput, QueryResult};
use crate::document::document::Document;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

impl QueryInput {
    pub(crate) fn example() -> Self {
        Self {
            selector: object(json!({ "visibility": "public", "tools": { "$all": ["search"] } }))
                .into(),
            sort: Some(vec![json!({ "name": "asc" })]),
            fields: vec!["name".to_owned(), "tools".to_owned()],
            limit: Some(20),
            cursor: None,
        }
    }
}

impl QueryResult {
    pub(crate) fn example() -> Self {
        Self {
            items: vec![Document::example()],
            next_cursor: None,
            visited: 1,
            index: Some("/name".to_owned()),
        }
    }
}

impl AggregationInput {
    pub(crate) fn example() -> Self {
        Self {
            selector: object(json!({ "paid_at": { "$exists": true } })).into(),
            group_by: vec![json!({ "path": "paid_at", "unit": "month", "as": "month" })],
            measures: object(json!({ "total": { "sum": "amount" }, "bills": { "count": "_id" } })),
            sort: vec![json!({ "total": "desc" })],
            limit: Some(12),
        }
    }
}

impl AggregationResult {
    pub(crate) fn example() -> Self {
        let group = json!({ "month": "2026-11", "total": 129.9, "bills": 4 });
        Self {
            items: vec![object(group)],
            total: 1,
            visited: 9,
            index: Some("/paid_at".to_owned()),
        }
    }
}

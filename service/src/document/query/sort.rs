//! The order in which documents are returned.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::{below, matches::Subject, order, path::Path, refuse};
use crate::error::Violation;

/// By how many values documents may be sorted.
pub const MAX_FIELDS: usize = 3;

/// A value that documents are sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortField {
    /// Where it is.
    pub path: Path,
    /// The largest first.
    pub descending: bool,
}

/// In which order: by values, and documents of which these are equal by their ids, which descend if the last value
/// does. Documents that lack a value come before those that have null.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sort(Vec<SortField>);

/// Where a document stands in an order: what it has of each value ([`order::key`]), and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The values, but for the id.
    pub values: Vec<Vec<u8>>,
    /// The id.
    pub id: String,
}

impl Sort {
    /// Reads an order as Mango writes it: `["a", {"b": "desc"}]`.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with a pointer below `at`.
    pub fn parse(sort: &[Value], at: &str) -> Result<Self, Violation> {
        if sort.len() > MAX_FIELDS {
            let message = format!("must have at most {MAX_FIELDS} items");
            return Err(refuse(at, "length", message));
        }
        let mut fields: Vec<SortField> = Vec::new();
        for (index, item) in sort.iter().enumerate() {
            let at = below(at, index);
            let field = field(item, &at)?;
            if fields.iter().any(|known| known.path == field.path) {
                return Err(refuse(&at, "duplicate", "must be unique"));
            }
            fields.push(field);
        }
        Ok(Self(fields))
    }

    /// By one value, from the least.
    pub fn ascending(path: Path) -> Self {
        Self(vec![SortField { path, descending: false }])
    }

    /// The values that documents are sorted by, but for the id in the end.
    pub fn values(&self) -> &[SortField] {
        // Ids are unique: nothing that follows one has an effect.
        let end = self.0.iter().position(|field| field.path.is_id());
        &self.0[..end.unwrap_or(self.0.len())]
    }

    /// Whether the ids of documents descend that are equal otherwise.
    pub fn ids_descend(&self) -> bool {
        let id = self.0.iter().find(|field| field.path.is_id());
        id.or(self.0.last()).is_some_and(|last| last.descending)
    }

    /// The one value that documents are sorted by, if ids go the same way.
    pub fn only_value(&self) -> Option<&SortField> {
        match self.values() {
            [only] if only.descending == self.ids_descend() => Some(only),
            _ => None,
        }
    }

    /// Where a document stands.
    pub fn position(&self, document: &Subject<'_>, id: &str) -> Position {
        let values = self.values().iter().map(|field| order::key(document.find(&field.path)));
        Position { values: values.collect(), id: id.to_owned() }
    }

    /// Which of two stands first.
    pub fn compare(&self, one: &Position, other: &Position) -> Ordering {
        let directed =
            |order: Ordering, descending| if descending { order.reverse() } else { order };
        let values = self.values().iter().zip(one.values.iter().zip(&other.values));
        let mut orders =
            values.map(|(field, (one, other))| directed(one.cmp(other), field.descending));
        let first = orders.find(|order| order.is_ne());
        first.unwrap_or_else(|| directed(one.id.cmp(&other.id), self.ids_descend()))
    }

    /// As it is written, with the id in the end.
    pub fn to_json(&self) -> Value {
        let word = |descending| if descending { "desc" } else { "asc" };
        let values = self.values().iter();
        let values =
            values.map(|field| json!({ (field.path.to_string()): word(field.descending) }));
        let id = json!({ (super::path::ID): word(self.ids_descend()) });
        values.chain([id]).collect()
    }
}

fn field(item: &Value, at: &str) -> Result<SortField, Violation> {
    let message = "must be a path, or an object of one path and asc or desc";
    let (path, at, descending) = match item {
        Value::String(path) => (path, at.to_owned(), false),
        Value::Object(members) if members.len() == 1 => {
            let (path, direction) =
                members.iter().next().ok_or_else(|| refuse(at, "type", message))?;
            let at = below(at, path);
            let descending = match direction.as_str() {
                Some("asc") => false,
                Some("desc") => true,
                _ => return Err(refuse(&at, "value", "must be asc or desc")),
            };
            (path, at, descending)
        }
        _ => return Err(refuse(at, "type", message)),
    };
    Ok(SortField { path: Path::parse(path, &at)?, descending })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(sort: Value) -> Result<Sort, Violation> {
        Sort::parse(sort.as_array().expect("an array"), "/sort")
    }

    #[test]
    fn a_sort_is_read_as_mango_writes_it() {
        for (sort, full) in [
            (json!([]), json!([{ "_id": "asc" }])),
            (json!(["a"]), json!([{ "a": "asc" }, { "_id": "asc" }])),
            (json!([{ "a": "desc" }]), json!([{ "a": "desc" }, { "_id": "desc" }])),
            (json!([{ "_id": "desc" }, "a"]), json!([{ "_id": "desc" }])),
            (
                json!([{ "a.b": "desc" }, "c\\.d"]),
                json!([{ "a.b": "desc" }, { "c\\.d": "asc" }, { "_id": "asc" }]),
            ),
        ] {
            assert_eq!(parse(sort.clone()).expect("a sort").to_json(), full, "{sort}");
        }
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        for (sort, pointer, code) in [
            (json!([2]), "/sort/0", "type"),
            (json!([null]), "/sort/0", "type"),
            (json!(["a", { "foo": "asc", "bar": "asc" }]), "/sort/1", "type"),
            (json!([{}]), "/sort/0", "type"),
            (json!([{ "foo": "bar" }]), "/sort/0/foo", "value"),
            (json!(["a..b"]), "/sort/0", "path"),
            (json!(["a", { "a": "desc" }]), "/sort/1", "duplicate"),
            (json!(["a", "b", "c", "d"]), "/sort", "length"),
        ] {
            let refused = parse(sort.clone()).expect_err("a refusal");
            assert_eq!((refused.pointer.as_str(), &*refused.code), (pointer, code), "{sort}");
        }
    }

    #[test]
    fn documents_are_in_order() {
        let bodies = [
            ("a", json!({ "n": 2 })),
            ("b", json!({ "n": null })),
            ("c", json!({})),
            ("d", json!({ "n": "x" })),
            ("e", json!({ "n": 2.0 })),
        ];
        let sorted = |sort: Value| {
            let sort = parse(sort).expect("a sort");
            let mut positions: Vec<_> = (bodies.iter())
                .map(|(id, body)| {
                    let subject = Subject::new(id, body.as_object().expect("an object"));
                    sort.position(&subject, id)
                })
                .collect();
            positions.sort_by(|one, other| sort.compare(one, other));
            positions.into_iter().map(|position| position.id).collect::<String>()
        };
        assert_eq!(sorted(json!(["n"])), "cbaed");
        assert_eq!(sorted(json!([{ "n": "desc" }])), "deabc");
        assert_eq!(sorted(json!([{ "n": "desc" }, "_id"])), "daebc");
        assert_eq!(sorted(json!([])), "abcde");
        assert_eq!(sorted(json!([{ "_id": "desc" }])), "edcba");
    }
}

//! What `_find` is asked: pure.
//!
//! The value of a path is kept with the document's key as one text, `VALUE.KEY` in hexadecimal. So one member gives the
//! order of values and then of keys, no two texts are the same, and a page goes on at the very place where the one
//! before it ended. `.` is less than any digit and `g` is greater, whether texts are compared by their bytes or by the
//! rules of Unicode, as CouchDB does in its indexes.

use std::ops::Bound;

use serde_json::{Map, Value, json};

use super::super::{Query, path_name};
use crate::random::hexadecimal;

/// What is kept for a value of a document.
pub(super) fn term(value: &[u8], key: &str) -> String {
    format!("{}.{}", hexadecimal(value), hexadecimal(key.as_bytes()))
}

/// What is less than the terms of a value and greater than those of all lesser ones.
fn below(value: &[u8]) -> String {
    format!("{}.", hexadecimal(value))
}

/// What is greater than the terms of a value and less than those of all greater ones.
fn above(value: &[u8]) -> String {
    format!("{}.g", hexadecimal(value))
}

fn field(path: &str) -> String {
    format!("index.{}", path_name(path))
}

/// The index that serves [`request`].
pub(super) fn index(path: &str) -> Value {
    let name = path_name(path);
    json!({ "index": { "fields": [field(path)] }, "ddoc": name, "name": name, "type": "json" })
}

/// The first `limit` documents of a query.
pub(super) fn request(query: &Query, limit: usize) -> Value {
    let least = match (&query.after, &query.from) {
        // The least text after its term.
        (Some((value, key)), _) => format!("{}0", term(value, key)),
        (None, Bound::Included(value)) => below(value),
        (None, Bound::Excluded(value)) => above(value),
        (None, Bound::Unbounded) => String::new(),
    };
    let end = match &query.to {
        Bound::Included(value) => Some(above(value)),
        Bound::Excluded(value) => Some(below(value)),
        Bound::Unbounded => None,
    };
    let mut range = Map::from_iter([("$gte".to_owned(), Value::from(least))]);
    range.extend(end.map(|end| ("$lt".to_owned(), end.into())));
    let field = field(&query.path);
    let selector = Map::from_iter([(field.clone(), range.into())]);
    let sort = Map::from_iter([(field, "asc".into())]);
    json!({ "selector": selector, "sort": [sort], "limit": limit })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(query: &Query) -> Value {
        request(query, 3)["selector"][field(&query.path)].clone()
    }

    #[test]
    fn a_page_is_a_range_that_begins_where_the_last_one_ended() {
        let (from, to) = (Bound::Excluded(vec![1]), Bound::Included(vec![0xff]));
        let query = Query { path: "/a/b".to_owned(), from, to, after: None, limit: 2 };
        assert_eq!(range(&query), json!({ "$gte": "01.g", "$lt": "ff.g" }));
        let next = Query { after: Some((vec![2], "k".to_owned())), ..query };
        assert_eq!(range(&next), json!({ "$gte": "02.6b0", "$lt": "ff.g" }));
        assert_eq!(request(&next, 3)["limit"], 3);
    }

    proptest! {
        #[test]
        fn terms_are_in_the_order_of_values_and_then_of_keys(
            one in (proptest::collection::vec(0_u8..3, 0..4), "[a-c]{0,3}"),
            other in (proptest::collection::vec(0_u8..3, 0..4), "[a-c]{0,3}"),
        ) {
            let (first, second) = (term(&one.0, &one.1), term(&other.0, &other.1));
            prop_assert_eq!(first.cmp(&second), one.cmp(&other));
            prop_assert_eq!(below(&one.0) <= second, one.0 <= other.0);
            prop_assert_eq!(above(&one.0) <= second, one.0 < other.0);
            prop_assert_eq!(format!("{first}0") <= second, one < other);
        }
    }
}

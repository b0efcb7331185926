//! Where things are in the table: pure. Texts are compared by their bytes there.
//!
//! | `PK` | `SK` | what |
//! |---|---|---|
//! | `D#ORGANIZATION#COLLECTION` | the key | a document |
//! | `B#ORGANIZATION#COLLECTION` | the id of a write, and a number | a part of a large body |
//! | `I#ORGANIZATION#COLLECTION#PATH` | a value and the key | that a document is found by the value |
//! | `C#ORGANIZATION#COLLECTION` | a position | the key of the document that was written last there |
//! | `C#ORGANIZATION#COLLECTION` | `head` | the last position |

use std::ops::Bound;

use uuid::Uuid;

use super::super::{CollectionId, Query, path_name};

/// The `SK` of the last position. It is greater than any position.
pub(super) const HEAD: &str = "head";

/// What stands between a value and a key. Keys hold no such character, and values are moved beyond it.
const END: char = '\u{1}';
/// What is greater than that, and not greater than anything else.
const BEYOND_END: char = '\u{2}';
/// What no value reaches.
const BEYOND_ALL: char = '\u{10ffff}';
/// How many bytes of a value are part of an `SK`, which has 1,024 at most, of which the key has up to 512.
const MAX_TERM_VALUE: usize = 500;

fn partition(kind: char, id: CollectionId) -> String {
    format!("{kind}#{}#{}", id.organization_id.simple(), id.collection_id.simple())
}

pub(super) fn documents(id: CollectionId) -> String {
    partition('D', id)
}

pub(super) fn bodies(id: CollectionId) -> String {
    partition('B', id)
}

pub(super) fn changes(id: CollectionId) -> String {
    partition('C', id)
}

pub(super) fn index(id: CollectionId, path: &str) -> String {
    index_of(id, &path_name(path))
}

/// The same by the name of the path.
pub(super) fn index_of(id: CollectionId, name: &str) -> String {
    format!("{}#{name}", partition('I', id))
}

/// The beginning of the `SK` of each part of a body.
pub(super) fn parts(write_id: Uuid) -> String {
    format!("{}#", write_id.simple())
}

pub(super) fn part(write_id: Uuid, number: usize) -> String {
    format!("{}{number:04}", parts(write_id))
}

pub(super) fn position(number: u64) -> String {
    format!("{number:020}")
}

/// A value in the order of its bytes, and whether all of it is there.
fn moved(value: &[u8]) -> (String, bool) {
    let mut text = String::new();
    for byte in value {
        let moved = char::from_u32(u32::from(*byte) + 2).unwrap_or(BEYOND_ALL);
        if text.len() + moved.len_utf8() > MAX_TERM_VALUE {
            return (text, false);
        }
        text.push(moved);
    }
    (text, true)
}

/// The `SK` of a document's value.
pub(super) fn term(value: &[u8], key: &str) -> String {
    format!("{}{END}{key}", moved(value).0)
}

/// A value and what stands behind it: something else where the value is cut.
fn bound(value: &[u8], end: char, end_of_cut: char) -> String {
    let (text, is_whole) = moved(value);
    format!("{text}{}", if is_whole { end } else { end_of_cut })
}

/// The least and the greatest `SK` of a query; none if there is nothing in between. Values that are cut may be beside
/// the range.
pub(super) fn range(query: &Query) -> Option<(String, String)> {
    let from = match (&query.after, &query.from) {
        (Some((value, key)), _) => format!("{}{END}", term(value, key)),
        (None, Bound::Included(value)) => bound(value, END, END),
        (None, Bound::Excluded(value)) => bound(value, BEYOND_END, END),
        (None, Bound::Unbounded) => END.to_string(),
    };
    let to = match &query.to {
        Bound::Included(value) => bound(value, BEYOND_END, BEYOND_END),
        Bound::Excluded(value) => bound(value, END, BEYOND_END),
        Bound::Unbounded => BEYOND_ALL.to_string(),
    };
    (from <= to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use std::ops::RangeBounds;

    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![0_u8..3, 124_u8..128, 254_u8..=255], 0..4)
    }

    fn bounds() -> impl Strategy<Value = Bound<Vec<u8>>> {
        prop_oneof![
            values().prop_map(Bound::Included),
            values().prop_map(Bound::Excluded),
            Just(Bound::Unbounded)
        ]
    }

    proptest! {
        #[test]
        fn terms_are_in_the_order_of_values_and_then_of_keys(
            one in (values(), "[a-c é]{1,3}"),
            other in (values(), "[a-c é]{1,3}"),
        ) {
            prop_assert_eq!(term(&one.0, &one.1).cmp(&term(&other.0, &other.1)), one.cmp(&other));
        }

        #[test]
        fn a_range_has_the_terms_of_the_values_in_it(
            from in bounds(), to in bounds(), value in values(), key in "[a-c é]{1,3}",
        ) {
            let query = Query { path: String::new(), from, to, after: None, limit: 1 };
            let term = term(&value, &key);
            let is_in = range(&query).is_some_and(|(from, to)| from <= term && term <= to);
            prop_assert_eq!(is_in, (query.from, query.to).contains(&value));
        }
    }

    #[test]
    fn an_sk_is_not_too_long() {
        let key = "k".repeat(512);
        assert!(term(&[255; 1024], &key).len() <= 1024);
        let cut = Bound::Excluded(vec![255; 1024]);
        let query =
            Query { path: String::new(), from: cut.clone(), to: cut, after: None, limit: 1 };
        let term = term(&[255; 1023], &key);
        assert!(range(&query).is_some_and(|(from, to)| from <= term && term <= to));
    }
}

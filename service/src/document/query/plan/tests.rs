use serde_json::{Value, json};

use super::*;

fn plan(selector: Value, sort: Option<Value>, indexes: &[&str]) -> (Plan, Selector) {
    let selector = Selector::parse(selector.as_object().expect("an object"), "");
    let selector = selector.expect("a selector");
    let sort =
        sort.map(|sort| Sort::parse(sort.as_array().expect("an array"), "").expect("a sort"));
    let indexes: Vec<_> =
        indexes.iter().map(|index| Path::from_pointer(index).expect("a pointer")).collect();
    (Plan::of(&selector, sort.as_ref(), &indexes), selector)
}

fn explained(selector: Value, sort: Option<Value>, indexes: &[&str]) -> Explanation {
    let (plan, selector) = plan(selector, sort, indexes);
    plan.explain(&selector)
}

/// How documents are found, by which index, and what is left to be tested.
fn read(selector: Value, indexes: &[&str]) -> (AccessKind, Option<String>, usize) {
    let read = explained(selector, None, indexes).read;
    (read.access, read.index, read.filters.len())
}

#[test]
fn the_index_that_leaves_least_is_used() {
    let (a, b) = (|| Some("/a".to_owned()), || Some("/b".to_owned()));
    let indexes = &["/a", "/b"][..];
    for (selector, expected) in [
        (json!({}), (AccessKind::Scan, None, 0)),
        (json!({ "c": 1 }), (AccessKind::Scan, None, 1)),
        (json!({ "a": 1 }), (AccessKind::Points, a(), 0)),
        (json!({ "a": { "$gt": 1 }, "b": 2 }), (AccessKind::Points, b(), 1)),
        (json!({ "a": { "$in": [1, 2] }, "b": 2 }), (AccessKind::Points, b(), 1)),
        (json!({ "a": { "$gt": 1, "$lt": 5 }, "b": { "$gt": 1 } }), (AccessKind::Range, a(), 1)),
        (json!({ "a": { "$gt": 1 }, "b": { "$gt": 1, "$lt": 5 } }), (AccessKind::Range, b(), 1)),
        (json!({ "a": { "$type": "number" } }), (AccessKind::Range, a(), 0)),
        (json!({ "a": { "$ne": 1 } }), (AccessKind::Scan, None, 1)),
        (json!({ "a": { "$gt": null, "$exists": true } }), (AccessKind::Range, a(), 0)),
        (json!({ "a": { "$exists": true } }), (AccessKind::Scan, None, 1)),
        (json!({ "a": { "$exists": false } }), (AccessKind::Points, a(), 0)),
        (json!({ "a": { "$all": [1, 2] } }), (AccessKind::Points, a(), 1)),
        (json!({ "a": { "$elemMatch": { "$eq": 1 } } }), (AccessKind::Points, a(), 1)),
        (json!({ "a": { "$elemMatch": { "$gt": 1 } } }), (AccessKind::Range, a(), 1)),
        (json!({ "$or": [{ "a": 1 }, { "b": 1 }] }), (AccessKind::Scan, None, 1)),
        (json!({ "_id": "x", "a": 1 }), (AccessKind::Ids, None, 1)),
        (json!({ "_id": { "$in": ["x", 1] } }), (AccessKind::Ids, None, 0)),
        (json!({ "_id": { "$gt": "x" }, "c": 1 }), (AccessKind::Scan, None, 1)),
        (json!({ "_id": 7 }), (AccessKind::Nothing, None, 1)),
        (json!({ "a": { "$in": [] } }), (AccessKind::Nothing, None, 1)),
        (json!({ "a": { "$gt": 2, "$lt": 1 } }), (AccessKind::Nothing, None, 2)),
        (json!({ "_id": { "$lt": 1 } }), (AccessKind::Nothing, None, 1)),
    ] {
        assert_eq!(read(selector.clone(), indexes), expected, "{selector}");
    }
}

#[test]
fn ids_are_read_within_their_range() {
    let (found, _) = plan(json!({ "_id": { "$gt": "a", "$lte": "b\u{0}" } }), None, &[]);
    let (from, to) = (("a".to_owned(), false), ("b\u{0}".to_owned(), true));
    assert_eq!(found.access, Access::Scan(IdRange { from: Some(from), to: Some(to) }));
    let (found, _) = plan(json!({ "_id": { "$gt": null, "$lt": [] } }), None, &[]);
    assert_eq!(found.access, Access::Scan(IdRange::default()));
}

#[test]
fn an_index_in_the_order_of_the_sort_is_walked() {
    let walked = explained(json!({ "b": 2 }), Some(json!([{ "a": "desc" }])), &["/a", "/b"]);
    assert_eq!(walked.read.index.as_deref(), Some("/a"));
    assert!(walked.read.scans && !walked.sorted_in_memory);
    assert_eq!(walked.few.and_then(|few| few.index).as_deref(), Some("/b"));
    assert_eq!(walked.sort, json!([{ "a": "desc" }, { "_id": "desc" }]));

    let ranged = explained(json!({ "a": { "$gte": 2 } }), Some(json!(["a"])), &["/a"]);
    assert_eq!(ranged.read.bounds, [json!({ "a": { "$gte": 2 } })]);
    assert!(!ranged.read.scans && ranged.few.is_none());

    let listed = explained(json!({ "a": { "$in": [1, 2] } }), Some(json!(["a"])), &["/a"]);
    assert_eq!(listed.few.map(|few| few.access), Some(AccessKind::Points));
    assert_eq!(explained(json!({ "a": 1 }), Some(json!(["a"])), &["/a"]).few, None);
}

#[test]
fn what_no_index_sorts_is_sorted_in_memory() {
    for (sort, indexes) in [
        (json!(["a"]), &["/b"][..]),
        (json!(["a", "b"]), &["/a", "/b"]),
        (json!([{ "a": "desc" }, "_id"]), &["/a"]),
    ] {
        assert!(explained(json!({}), Some(sort.clone()), indexes).sorted_in_memory, "{sort}");
    }
    let by_id = explained(json!({ "a": { "$gt": 1, "$lt": 3 } }), Some(json!(["_id"])), &["/a"]);
    assert!(!by_id.sorted_in_memory);
    assert_eq!(
        (by_id.read.access, by_id.few.map(|few| few.access)),
        (AccessKind::Scan, Some(AccessKind::Range))
    );
    let points = explained(json!({ "a": 1 }), Some(json!([{ "_id": "desc" }])), &["/a"]);
    assert_eq!((points.read.access, points.sorted_in_memory), (AccessKind::Points, false));
}

#[test]
fn the_order_is_that_of_what_is_read() {
    for (selector, sort) in [
        (json!({}), json!([{ "_id": "asc" }])),
        (json!({ "a": 1 }), json!([{ "_id": "asc" }])),
        (json!({ "a": { "$gt": 1 } }), json!([{ "a": "asc" }, { "_id": "asc" }])),
    ] {
        assert_eq!(explained(selector, None, &["/a"]).sort, sort);
    }
}

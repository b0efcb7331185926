//! Documents by their values at a path.

use std::ops::Bound::{self, Excluded, Included, Unbounded};

use service::document::engine::{Page, Precondition, Put, Query, Stored};

use super::{
    cases,
    room::{OTHER, Room, SOME, entry, keys, put, written},
};

cases![
    a_range_has_the_bounds_that_it_includes,
    a_range_may_have_no_bounds,
    a_range_that_ends_before_it_begins_has_nothing,
    one_value_finds_those_that_have_it,
    those_of_one_value_are_in_the_order_of_their_keys,
    values_are_in_the_order_of_their_bytes,
    a_value_comes_before_those_that_begin_with_it,
    the_shortest_and_the_longest_values_are_found,
    pages_of_any_size_meet_each_once,
    pages_within_one_value_meet_each_once,
    a_page_of_a_range_stays_within_it,
    a_document_without_a_value_is_not_found,
    a_document_is_found_by_its_new_value_alone,
    a_document_that_loses_its_value_is_not_found,
    a_deleted_document_is_not_found,
    what_is_created_again_is_found_by_its_new_value_alone,
    each_write_is_found_at_once,
    a_refused_write_changes_nothing_of_what_is_found,
    a_document_is_found_by_each_of_its_paths,
    paths_of_strange_names_are_apart,
    a_path_that_nothing_has_finds_nothing,
    neighbours_are_not_found,
    what_is_found_is_the_whole_document,
];

pub(super) const PATH: &str = "/size";

fn range(from: Bound<&[u8]>, to: Bound<&[u8]>) -> Query {
    let (from, to) = (from.map(<[u8]>::to_vec), to.map(<[u8]>::to_vec));
    Query { path: PATH.to_owned(), from, to, after: None, limit: 100 }
}

pub(super) fn all() -> Query {
    range(Unbounded, Unbounded)
}

async fn found(room: &Room, query: &Query) -> Vec<String> {
    let Page { documents, more } = room.query(query).await;
    assert!(!more, "{query:?}");
    documents.into_iter().map(|document| document.key).collect()
}

/// Documents whose keys tell their values: `b1` has the value `b`.
async fn create(room: &Room, given: &[&str]) {
    for key in given {
        room.create_with(key, PATH, value_of(key)).await;
    }
}

fn value_of(key: &str) -> &[u8] {
    &key.as_bytes()[..1]
}

async fn update(room: &Room, key: &str, version: i64, value: Option<&[u8]>) -> Stored {
    let entries = value.iter().map(|value| entry(PATH, value)).collect();
    written(room.put(key, &Put { entries, ..put(Precondition::Version(version), OTHER) }).await)
}

async fn a_range_has_the_bounds_that_it_includes(room: &Room) {
    create(room, &["a", "b", "c", "d"]).await;
    for (from, to, expected) in [
        (Included(&b"b"[..]), Included(&b"c"[..]), &["b", "c"][..]),
        (Excluded(b"b"), Included(b"c"), &["c"]),
        (Included(b"b"), Excluded(b"c"), &["b"]),
        (Excluded(b"a"), Excluded(b"d"), &["b", "c"]),
        (Excluded(b"b"), Excluded(b"c"), &[]),
        (Included(b"aa"), Included(b"bb"), &["b"]),
    ] {
        assert_eq!(found(room, &range(from, to)).await, expected, "{from:?} {to:?}");
    }
}

async fn a_range_may_have_no_bounds(room: &Room) {
    create(room, &["b", "a", "c"]).await;
    assert_eq!(found(room, &all()).await, ["a", "b", "c"]);
    assert_eq!(found(room, &range(Excluded(b"a"), Unbounded)).await, ["b", "c"]);
    assert_eq!(found(room, &range(Unbounded, Excluded(b"c"))).await, ["a", "b"]);
}

async fn a_range_that_ends_before_it_begins_has_nothing(room: &Room) {
    create(room, &["a", "b"]).await;
    for query in [
        range(Included(b"b"), Included(b"a")),
        range(Included(b"a"), Excluded(b"a")),
        range(Excluded(b"a"), Excluded(b"a")),
    ] {
        assert!(found(room, &query).await.is_empty(), "{query:?}");
    }
}

async fn one_value_finds_those_that_have_it(room: &Room) {
    create(room, &["a1", "b1", "b2", "c1"]).await;
    assert_eq!(found(room, &range(Included(b"b"), Included(b"b"))).await, ["b1", "b2"]);
}

async fn those_of_one_value_are_in_the_order_of_their_keys(room: &Room) {
    for key in ["b", "a", "B", "\u{e9}", "a b", "~"] {
        room.create_with(key, PATH, b"same").await;
    }
    assert_eq!(found(room, &all()).await, ["B", "a", "a b", "b", "~", "\u{e9}"]);
}

async fn values_are_in_the_order_of_their_bytes(room: &Room) {
    let values: [&[u8]; 7] = [&[], &[0], &[0, 255], &[1], &[127], &[128], &[255]];
    for (key, value) in ["g", "f", "e", "d", "c", "b", "a"].into_iter().zip(values) {
        room.create_with(key, PATH, value).await;
    }
    assert_eq!(found(room, &all()).await, ["g", "f", "e", "d", "c", "b", "a"]);
}

async fn a_value_comes_before_those_that_begin_with_it(room: &Room) {
    for value in ["ab", "a", "abc", "b"] {
        room.create_with(value, PATH, value.as_bytes()).await;
    }
    assert_eq!(found(room, &all()).await, ["a", "ab", "abc", "b"]);
    assert_eq!(found(room, &range(Excluded(b"a"), Excluded(b"abc"))).await, ["ab"]);
}

async fn the_shortest_and_the_longest_values_are_found(room: &Room) {
    let (long, longer) = ([7; 1024], [8; 1024]);
    room.create_with("none", PATH, &[]).await;
    room.create_with("long", PATH, &long).await;
    room.create_with("longer", PATH, &longer).await;
    assert_eq!(found(room, &all()).await, ["none", "long", "longer"]);
    assert_eq!(found(room, &range(Included(&[]), Included(&[]))).await, ["none"]);
    assert_eq!(found(room, &range(Included(&long), Excluded(&longer))).await, ["long"]);
}

/// All of a query in pages, from the values that keys tell.
async fn in_pages(room: &Room, query: &Query, value_of: fn(&str) -> &[u8]) -> Vec<String> {
    let (mut met, mut query) = (Vec::new(), query.clone());
    loop {
        let page = room.query(&query).await;
        assert!(page.documents.len() <= query.limit);
        met.extend(keys(&page.documents).into_iter().map(str::to_owned));
        let Some(last) = met.last().filter(|_| page.more) else { return met };
        query.after = Some((value_of(last).to_vec(), last.clone()));
    }
}

async fn pages_of_any_size_meet_each_once(room: &Room) {
    let given = ["a1", "a2", "a3", "b1", "c1", "c2", "d1", "d2", "d3", "d4", "e1"];
    create(room, &given).await;
    for limit in [1, 2, 3, 10, 11, 12] {
        assert_eq!(
            in_pages(room, &Query { limit, ..all() }, value_of).await,
            given,
            "{limit} a page"
        );
    }
}

async fn pages_within_one_value_meet_each_once(room: &Room) {
    let given: Vec<_> = (0..17).map(|number| format!("s{number:02}")).collect();
    create(room, &given.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for limit in [1, 4, 16, 17] {
        assert_eq!(
            in_pages(room, &Query { limit, ..all() }, value_of).await,
            given,
            "{limit} a page"
        );
    }
}

async fn a_page_of_a_range_stays_within_it(room: &Room) {
    create(room, &["a1", "b1", "b2", "c1", "c2", "d1"]).await;
    let query = Query { limit: 1, ..range(Excluded(b"a"), Excluded(b"d")) };
    assert_eq!(in_pages(room, &query, value_of).await, ["b1", "b2", "c1", "c2"]);
}

async fn a_document_without_a_value_is_not_found(room: &Room) {
    room.create("a", SOME).await;
    create(room, &["b"]).await;
    assert_eq!(found(room, &all()).await, ["b"]);
}

async fn a_document_is_found_by_its_new_value_alone(room: &Room) {
    create(room, &["a", "c"]).await;
    update(room, "a", 1, Some(b"d")).await;
    assert_eq!(found(room, &all()).await, ["c", "a"]);
    assert!(found(room, &range(Included(b"a"), Included(b"a"))).await.is_empty());
}

async fn a_document_that_loses_its_value_is_not_found(room: &Room) {
    create(room, &["a", "b"]).await;
    update(room, "a", 1, None).await;
    assert_eq!(found(room, &all()).await, ["b"]);
    update(room, "a", 2, Some(b"c")).await;
    assert_eq!(found(room, &all()).await, ["b", "a"]);
}

async fn a_deleted_document_is_not_found(room: &Room) {
    create(room, &["a", "b", "c"]).await;
    room.delete("b", 1).await;
    assert_eq!(found(room, &all()).await, ["a", "c"]);
}

async fn what_is_created_again_is_found_by_its_new_value_alone(room: &Room) {
    create(room, &["a", "b"]).await;
    room.delete("a", 1).await;
    room.create_with("a", PATH, b"z").await;
    assert_eq!(found(room, &all()).await, ["b", "a"]);
}

async fn each_write_is_found_at_once(room: &Room) {
    for number in 0..10_u8 {
        let key = format!("k{number}");
        room.create_with(&key, PATH, &[number]).await;
        assert_eq!(
            found(room, &range(Included(&[number]), Included(&[number]))).await,
            [key.as_str()]
        );
        update(room, &key, 1, Some(&[number, 1])).await;
        assert_eq!(
            found(room, &range(Included(&[number, 1]), Included(&[number, 1]))).await,
            [key]
        );
    }
}

async fn a_refused_write_changes_nothing_of_what_is_found(room: &Room) {
    create(room, &["a"]).await;
    let entries = vec![entry(PATH, b"z")];
    room.put("a", &Put { entries, ..put(Precondition::Version(7), OTHER) }).await;
    let page = room.query(&all()).await;
    assert_eq!(page.documents, [room.get("a").await.unwrap()]);
    assert!(found(room, &range(Included(b"z"), Unbounded)).await.is_empty());
}

async fn a_document_is_found_by_each_of_its_paths(room: &Room) {
    for (key, one, other) in [("a", b"1", b"4"), ("b", b"2", b"3")] {
        let entries = vec![entry(PATH, one), entry("/other", other)];
        written(room.put(key, &Put { entries, ..put(Precondition::Absent, SOME) }).await);
    }
    assert_eq!(found(room, &all()).await, ["a", "b"]);
    let other = Query { path: "/other".to_owned(), ..all() };
    assert_eq!(found(room, &other).await, ["b", "a"]);
}

async fn paths_of_strange_names_are_apart(room: &Room) {
    let paths = ["", "/", "/a", "/a/b", "/a.b", "/a~1b", "/A", "/$gt", "/_id", "/日", "/a/0"];
    for (number, path) in paths.iter().enumerate() {
        room.create_with(&format!("k{number}"), path, b"v").await;
    }
    for (number, path) in paths.iter().enumerate() {
        let query = Query { path: (*path).to_owned(), ..all() };
        assert_eq!(found(room, &query).await, [format!("k{number}")], "{path:?}");
    }
}

async fn a_path_that_nothing_has_finds_nothing(room: &Room) {
    assert!(found(room, &all()).await.is_empty());
    create(room, &["a"]).await;
    let other = Query { path: "/other".to_owned(), ..all() };
    assert!(found(room, &other).await.is_empty());
}

async fn neighbours_are_not_found(room: &Room) {
    let beside = room.beside();
    create(&beside, &["a", "b"]).await;
    create(room, &["c"]).await;
    assert_eq!(found(room, &all()).await, ["c"]);
    assert_eq!(found(&beside, &all()).await, ["a", "b"]);
}

async fn what_is_found_is_the_whole_document(room: &Room) {
    create(room, &["a"]).await;
    let updated = update(room, "a", 1, Some(b"b")).await;
    assert_eq!(room.query(&all()).await.documents, [updated]);
}

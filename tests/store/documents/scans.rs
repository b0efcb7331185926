//! Lists in the order of keys.

use super::{
    cases,
    room::{OTHER, Room, SOME, keys},
};

cases![
    an_empty_collection_has_an_empty_page,
    keys_are_in_the_order_of_their_bytes,
    pages_of_any_size_meet_each_document_once,
    a_page_says_whether_there_is_more,
    a_page_begins_after_a_key_that_is_not_there,
    a_page_begins_after_a_key_that_is_deleted,
    after_the_last_key_there_is_nothing,
    deleted_documents_are_not_listed,
    all_of_a_collection_may_be_deleted,
    what_is_created_again_is_listed_once,
    a_list_has_bodies_and_versions,
    each_write_is_listed_at_once,
    each_deletion_is_listed_at_once,
    documents_written_between_pages_shift_none,
    documents_deleted_between_pages_shift_none,
    a_key_does_not_hide_those_that_begin_with_it,
    neighbours_are_not_listed,
    large_documents_are_listed_in_pages,
];

async fn an_empty_collection_has_an_empty_page(room: &Room) {
    for after in [None, Some("a")] {
        let page = room.scan(after, 10).await;
        assert!(page.documents.is_empty() && !page.more);
    }
}

async fn keys_are_in_the_order_of_their_bytes(room: &Room) {
    let mut given = vec![
        "b",
        "a",
        "B",
        "é",
        "10",
        "9",
        "_",
        "~",
        "a!",
        "a b",
        "\u{1f600}",
        "\u{ffff}",
        "-",
        "Z",
    ];
    room.create_all(&given).await;
    given.sort_unstable();
    assert_eq!(keys(&room.all(100).await), given);
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("key {number:03}")).collect()
}

async fn pages_of_any_size_meet_each_document_once(room: &Room) {
    let given = numbered(23);
    for key in given.iter().rev() {
        room.create(key, SOME).await;
    }
    for limit in [1, 2, 3, 7, 22, 23, 24, 100] {
        assert_eq!(keys(&room.all(limit).await), given, "{limit} a page");
    }
}

async fn a_page_says_whether_there_is_more(room: &Room) {
    room.create_all(&["a", "b", "c"]).await;
    for (after, limit, more) in
        [(None, 2, true), (None, 3, false), (None, 4, false), (Some("a"), 2, false)]
    {
        assert_eq!(room.scan(after, limit).await.more, more, "{limit} after {after:?}");
    }
}

async fn a_page_begins_after_a_key_that_is_not_there(room: &Room) {
    room.create_all(&["a", "c", "e"]).await;
    for (after, expected) in [
        ("", &["a", "c", "e"][..]),
        ("b", &["c", "e"]),
        ("cc", &["e"]),
        ("C", &["a", "c", "e"]),
        ("f", &[]),
    ] {
        assert_eq!(keys(&room.scan(Some(after), 10).await.documents), expected, "{after:?}");
    }
}

async fn a_page_begins_after_a_key_that_is_deleted(room: &Room) {
    room.create_all(&["a", "b", "c"]).await;
    room.delete("b", 1).await;
    assert_eq!(keys(&room.scan(Some("b"), 10).await.documents), ["c"]);
}

async fn after_the_last_key_there_is_nothing(room: &Room) {
    room.create_all(&["a", "b"]).await;
    let page = room.scan(Some("b"), 10).await;
    assert!(page.documents.is_empty() && !page.more);
}

async fn deleted_documents_are_not_listed(room: &Room) {
    room.create_all(&["a", "b", "c", "d"]).await;
    room.delete("a", 1).await;
    room.delete("c", 1).await;
    assert_eq!(keys(&room.all(1).await), ["b", "d"]);
    assert!(!room.scan(None, 2).await.more);
}

async fn all_of_a_collection_may_be_deleted(room: &Room) {
    room.create_all(&["a", "b"]).await;
    room.delete("a", 1).await;
    room.delete("b", 1).await;
    let page = room.scan(None, 1).await;
    assert!(page.documents.is_empty() && !page.more);
}

async fn what_is_created_again_is_listed_once(room: &Room) {
    room.create_all(&["a", "b", "c"]).await;
    room.delete("b", 1).await;
    room.create("b", OTHER).await;
    let all = room.all(2).await;
    assert_eq!(keys(&all), ["a", "b", "c"]);
    assert_eq!((all[1].version, all[1].body.as_deref()), (3, Some(OTHER)));
}

async fn a_list_has_bodies_and_versions(room: &Room) {
    let first = room.create("a", SOME).await;
    room.create("b", SOME).await;
    let second = room.update("b", 1, OTHER).await;
    assert_eq!(room.all(10).await, [first, second]);
}

async fn each_write_is_listed_at_once(room: &Room) {
    for (count, key) in numbered(20).iter().enumerate() {
        let created = room.create(key, SOME).await;
        let all = room.all(100).await;
        assert_eq!(all.len(), count + 1);
        assert_eq!(all.last(), Some(&created));
        let updated = room.update(key, 1, OTHER).await;
        assert_eq!(room.all(100).await.last(), Some(&updated));
    }
}

async fn each_deletion_is_listed_at_once(room: &Room) {
    let given = numbered(10);
    for key in &given {
        room.create(key, SOME).await;
    }
    for (deleted, key) in given.iter().enumerate() {
        room.delete(key, 1).await;
        assert_eq!(keys(&room.all(100).await), given[deleted + 1..]);
    }
}

async fn documents_written_between_pages_shift_none(room: &Room) {
    room.create_all(&["b", "d", "f", "h"]).await;
    let first = room.scan(None, 2).await;
    assert_eq!(keys(&first.documents), ["b", "d"]);
    // Before the next page, behind it, and in it.
    room.create_all(&["a", "c", "i"]).await;
    room.update("b", 1, OTHER).await;
    assert_eq!(keys(&room.scan(Some("d"), 2).await.documents), ["f", "h"]);
    assert_eq!(keys(&room.scan(Some("h"), 2).await.documents), ["i"]);
}

async fn documents_deleted_between_pages_shift_none(room: &Room) {
    room.create_all(&["a", "b", "c", "d", "e"]).await;
    let first = room.scan(None, 2).await;
    assert_eq!(keys(&first.documents), ["a", "b"]);
    for key in ["a", "b", "c"] {
        room.delete(key, 1).await;
    }
    assert_eq!(keys(&room.scan(Some("b"), 2).await.documents), ["d", "e"]);
}

async fn a_key_does_not_hide_those_that_begin_with_it(room: &Room) {
    let given = ["a", "a!", "a0", "aa", "a\u{e9}", "b"];
    room.create_all(&given).await;
    assert_eq!(keys(&room.all(1).await), given);
    assert_eq!(keys(&room.scan(Some("a"), 10).await.documents), given[1..]);
}

async fn neighbours_are_not_listed(room: &Room) {
    let beside = room.beside();
    beside.create_all(&["a", "c"]).await;
    room.create_all(&["b", "d"]).await;
    assert_eq!(keys(&room.all(1).await), ["b", "d"]);
    assert_eq!(keys(&beside.all(1).await), ["a", "c"]);
}

async fn large_documents_are_listed_in_pages(room: &Room) {
    let body = format!("{{\"a\":\"{}\"}}", "x".repeat(900_000));
    let given = numbered(6);
    for key in &given {
        room.create(key, &body).await;
    }
    let all = room.all(6).await;
    assert_eq!(keys(&all), given);
    assert!(all.iter().all(|document| document.body.as_deref() == Some(&body)));
}

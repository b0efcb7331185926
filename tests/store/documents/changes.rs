//! What has changed since.

use service::{
    Error,
    document::engine::{Changes, Precondition},
};

use super::{
    cases, queries,
    room::{OTHER, Room, SOME, keys, put},
};

cases![
    an_empty_collection_has_no_changes,
    changes_are_in_the_order_of_the_last_writes,
    a_document_that_changes_again_moves_to_the_end,
    a_cursor_goes_on_after_what_it_has_told,
    where_nothing_has_changed_nothing_is_told,
    a_cursor_of_an_empty_collection_goes_on,
    deletions_are_told,
    what_is_created_again_is_told_once,
    pages_of_any_size_tell_each_once,
    a_document_that_changes_between_pages_is_told_as_it_is_then,
    a_refused_write_is_no_change,
    a_write_that_is_sent_again_is_one_change,
    queries_are_no_changes,
    each_write_is_told_at_once,
    neighbours_are_not_told,
    what_is_no_cursor_is_refused,
];

async fn since(room: &Room, cursor: Option<&str>) -> Changes {
    let changes = room.changes(cursor, 100).await.unwrap();
    assert!(!changes.more);
    changes
}

async fn an_empty_collection_has_no_changes(room: &Room) {
    assert!(since(room, None).await.documents.is_empty());
}

async fn changes_are_in_the_order_of_the_last_writes(room: &Room) {
    room.create_all(&["c", "a", "b"]).await;
    assert_eq!(keys(&since(room, None).await.documents), ["c", "a", "b"]);
}

async fn a_document_that_changes_again_moves_to_the_end(room: &Room) {
    room.create_all(&["a", "b", "c"]).await;
    let updated = room.update("a", 1, OTHER).await;
    let Changes { documents, .. } = since(room, None).await;
    assert_eq!(keys(&documents), ["b", "c", "a"]);
    assert_eq!(documents[2], updated);
}

async fn a_cursor_goes_on_after_what_it_has_told(room: &Room) {
    room.create_all(&["a", "b"]).await;
    let Changes { cursor, .. } = since(room, None).await;
    room.create("c", SOME).await;
    room.update("a", 1, OTHER).await;
    assert_eq!(keys(&since(room, Some(&cursor)).await.documents), ["c", "a"]);
    // It stays one.
    assert_eq!(keys(&since(room, Some(&cursor)).await.documents), ["c", "a"]);
}

async fn where_nothing_has_changed_nothing_is_told(room: &Room) {
    room.create("a", SOME).await;
    let Changes { cursor, .. } = since(room, None).await;
    let Changes { documents, cursor, .. } = since(room, Some(&cursor)).await;
    assert!(documents.is_empty());
    room.create("b", SOME).await;
    assert_eq!(keys(&since(room, Some(&cursor)).await.documents), ["b"]);
}

async fn a_cursor_of_an_empty_collection_goes_on(room: &Room) {
    let Changes { cursor, .. } = since(room, None).await;
    room.create("a", SOME).await;
    assert_eq!(keys(&since(room, Some(&cursor)).await.documents), ["a"]);
}

async fn deletions_are_told(room: &Room) {
    room.create_all(&["a", "b"]).await;
    let Changes { cursor, .. } = since(room, None).await;
    let deleted = room.delete("a", 1).await;
    assert_eq!(since(room, Some(&cursor)).await.documents, [deleted]);
    assert_eq!(keys(&since(room, None).await.documents), ["b", "a"]);
}

async fn what_is_created_again_is_told_once(room: &Room) {
    room.create("a", SOME).await;
    room.delete("a", 1).await;
    let again = room.create("a", OTHER).await;
    assert_eq!(since(room, None).await.documents, [again]);
}

async fn pages_of_any_size_tell_each_once(room: &Room) {
    let given = ["g", "f", "e", "d", "c", "b", "a"];
    room.create_all(&given).await;
    for limit in [1, 2, 3, 6, 7, 8] {
        let (mut told, mut cursor, mut more) = (Vec::new(), None, true);
        while more {
            let changes = room.changes(cursor.as_deref(), limit).await.unwrap();
            assert!(changes.documents.len() <= limit);
            told.extend(changes.documents);
            (cursor, more) = (Some(changes.cursor), changes.more);
        }
        assert_eq!(keys(&told), given, "{limit} a page");
    }
}

async fn a_document_that_changes_between_pages_is_told_as_it_is_then(room: &Room) {
    room.create_all(&["a", "b", "c"]).await;
    let first = room.changes(None, 1).await.unwrap();
    assert_eq!(keys(&first.documents), ["a"]);
    let updated = room.update("b", 1, OTHER).await;
    let deleted = room.delete("a", 1).await;
    let Changes { documents, .. } = since(room, Some(&first.cursor)).await;
    assert_eq!(keys(&documents), ["c", "b", "a"]);
    assert_eq!(documents[1..], [updated, deleted]);
}

async fn a_refused_write_is_no_change(room: &Room) {
    room.create("a", SOME).await;
    let Changes { cursor, .. } = since(room, None).await;
    room.try_update("a", 7, OTHER).await;
    room.try_delete("a", 7).await;
    room.try_update("b", 1, OTHER).await;
    assert!(since(room, Some(&cursor)).await.documents.is_empty());
}

async fn a_write_that_is_sent_again_is_one_change(room: &Room) {
    let creation = put(Precondition::Absent, SOME);
    room.put("a", &creation).await;
    let Changes { cursor, .. } = since(room, None).await;
    room.put("a", &creation).await;
    assert!(since(room, Some(&cursor)).await.documents.is_empty());
}

async fn queries_are_no_changes(room: &Room) {
    room.create_with("a", queries::PATH, b"1").await;
    let Changes { cursor, .. } = since(room, None).await;
    room.query(&queries::all()).await;
    room.create("b", SOME).await;
    assert_eq!(keys(&since(room, Some(&cursor)).await.documents), ["b"]);
    assert_eq!(keys(&room.all(10).await), ["a", "b"]);
}

async fn each_write_is_told_at_once(room: &Room) {
    let mut cursor = since(room, None).await.cursor;
    for number in 0..10 {
        let created = room.create(&format!("k{number}"), SOME).await;
        let changes = since(room, Some(&cursor)).await;
        assert_eq!(changes.documents, [created]);
        cursor = changes.cursor;
    }
}

async fn neighbours_are_not_told(room: &Room) {
    let beside = room.beside();
    room.create("a", SOME).await;
    beside.create("b", SOME).await;
    assert_eq!(keys(&since(room, None).await.documents), ["a"]);
    assert_eq!(keys(&since(&beside, None).await.documents), ["b"]);
}

async fn what_is_no_cursor_is_refused(room: &Room) {
    room.create("a", SOME).await;
    for text in ["", "x", "-1", "1&limit=1", "\u{e9}"] {
        let refused = room.changes(Some(text), 10).await;
        assert!(matches!(&refused, Err(Error::Invalid(_))), "{text:?}: {refused:?}");
    }
}

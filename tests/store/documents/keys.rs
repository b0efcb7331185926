//! Unusual keys.

use super::{
    cases,
    room::{OTHER, Room, SOME, keys},
};

cases![
    keys_that_mean_something_in_a_url_are_kept,
    keys_that_mean_something_to_an_engine_are_kept,
    keys_that_mean_something_in_json_or_sql_are_kept,
    keys_of_all_scripts_are_kept,
    keys_with_spaces_are_kept,
    keys_of_one_and_of_512_bytes_are_kept,
    keys_that_differ_in_case_are_different,
    keys_that_differ_in_their_normalization_are_different,
    keys_that_differ_in_the_last_of_512_bytes_are_different,
    a_key_and_its_beginning_are_different,
    keys_of_512_bytes_of_every_width_are_kept,
    keys_with_marks_and_separators_are_kept,
    keys_that_look_like_parts_of_other_keys_are_kept,
    unusual_keys_are_updated_and_deleted,
    the_same_key_in_another_collection_is_another_document,
    the_same_key_in_another_organization_is_another_document,
];

/// They come back, are listed in the order of their bytes, and each has a document of its own.
async fn are_kept(room: &Room, given: &[&str]) {
    for key in given {
        let body = serde_json::json!({ "key": key }).to_string();
        assert_eq!(room.create(key, &body).await.key, *key);
    }
    for key in given {
        let body = serde_json::json!({ "key": key }).to_string();
        let read = room.get(key).await.unwrap();
        assert_eq!((read.key.as_str(), read.body), (*key, Some(body)));
    }
    let mut sorted = given.to_vec();
    sorted.sort_unstable();
    assert_eq!(keys(&room.all(3).await), sorted);
}

async fn keys_that_mean_something_in_a_url_are_kept(room: &Room) {
    are_kept(
        room,
        &[
            "a/b", "/", "//", ".", "..", "../a", "%2F", "%", "a%00", "?", "a?b=c&d", "#", "a+b",
            ";", ":",
        ],
    )
    .await;
}

async fn keys_that_mean_something_to_an_engine_are_kept(room: &Room) {
    are_kept(
        room,
        &[
            "_id",
            "_all_docs",
            "_design/x",
            "_local/x",
            "_bulk_get",
            "d",
            "d61",
            "PK",
            "SK",
            "D#a",
            "a#b",
        ],
    )
    .await;
}

async fn keys_that_mean_something_in_json_or_sql_are_kept(room: &Room) {
    are_kept(
        room,
        &[
            "\"", "'", "\\", "\\u0041", "{}", "[]", "null", "0", "1e3", "-", "--", "%_", "$", "$1",
            "*", "`",
        ],
    )
    .await;
}

async fn keys_of_all_scripts_are_kept(room: &Room) {
    are_kept(
        room,
        &[
            "é",
            "ß",
            "ı",
            "日本",
            "ا",
            "\u{ffff}",
            "\u{fffd}",
            "\u{1f600}",
            "\u{10ffff}",
            "\u{e000}",
            "z",
        ],
    )
    .await;
}

async fn keys_with_spaces_are_kept(room: &Room) {
    are_kept(
        room,
        &[" ", "  ", "a ", " a", "a", "a b", "a  b", "\u{a0}", "\u{3000}", "\u{feff}", "\u{200b}"],
    )
    .await;
}

async fn keys_of_one_and_of_512_bytes_are_kept(room: &Room) {
    let (long, longer, wide) = ("a".repeat(511), "a".repeat(512), "\u{1f600}".repeat(128));
    are_kept(room, &["a", &long, &longer, &wide]).await;
}

async fn keys_that_differ_in_case_are_different(room: &Room) {
    are_kept(room, &["a", "A", "ab", "aB", "Ab", "AB", "é", "É", "ß", "SS", "ss"]).await;
}

async fn keys_that_differ_in_their_normalization_are_different(room: &Room) {
    are_kept(room, &["\u{e9}", "e\u{301}", "\u{212b}", "\u{c5}", "A\u{30a}", "\u{fb01}", "fi"])
        .await;
}

async fn keys_that_differ_in_the_last_of_512_bytes_are_different(room: &Room) {
    let same = "k".repeat(511);
    let given: Vec<_> = ["a", "b", "A", "~", "0"].map(|last| format!("{same}{last}")).into();
    are_kept(room, &given.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

async fn a_key_and_its_beginning_are_different(room: &Room) {
    are_kept(room, &["ab", "a", "abc", "a0", "a!", "a~", "a\u{e9}"]).await;
}

async fn keys_of_512_bytes_of_every_width_are_kept(room: &Room) {
    let given: Vec<_> = ["%", "\u{e9}", "\u{20ac}\u{20ac}", "\u{1f600}"]
        .map(|one| one.repeat(512 / one.len()))
        .into();
    are_kept(room, &given.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

async fn keys_with_marks_and_separators_are_kept(room: &Room) {
    are_kept(
        room,
        &[
            "\u{301}",
            "a\u{301}",
            "\u{200d}",
            "\u{2028}",
            "\u{2029}",
            "\u{85}",
            "\u{ad}",
            "\u{202e}a",
            "\u{fe0f}",
            "\u{1f468}\u{200d}\u{1f469}",
        ],
    )
    .await;
}

async fn keys_that_look_like_parts_of_other_keys_are_kept(room: &Room) {
    are_kept(
        room,
        &[
            "a", "a#", "a#0", "a#1", "a/1", "a:1", "a,1", "a\u{7f}", "a0", "61", "6161", "d61",
            "__a__", ".a", "a.",
        ],
    )
    .await;
}

async fn unusual_keys_are_updated_and_deleted(room: &Room) {
    for key in ["a/b", "..", "_design/x", "\"'\\", "\u{1f600}", " "] {
        room.create(key, SOME).await;
        room.update(key, 1, OTHER).await;
        assert_eq!(room.get(key).await.unwrap().body.as_deref(), Some(OTHER), "{key}");
        room.delete(key, 2).await;
        assert_eq!(room.create(key, SOME).await.version, 4, "{key}");
    }
}

async fn the_same_key_in_another_collection_is_another_document(room: &Room) {
    let beside = room.beside();
    is_apart(room, &beside).await;
}

async fn the_same_key_in_another_organization_is_another_document(room: &Room) {
    let mut other = Room::new(&room.engine);
    other.collection.collection_id = room.collection.collection_id;
    is_apart(room, &other).await;
}

async fn is_apart(room: &Room, other: &Room) {
    let created = room.create("a", SOME).await;
    assert_eq!(other.get("a").await, None);
    assert!(other.all(10).await.is_empty());
    assert_eq!(other.create("a", OTHER).await.version, 1);
    other.update("a", 1, SOME).await;
    other.delete("a", 2).await;
    assert_eq!(room.get("a").await, Some(created.clone()));
    assert_eq!(room.all(10).await, std::slice::from_ref(&created));
    assert_eq!(room.changes(None, 10).await.unwrap().documents, [created]);
}

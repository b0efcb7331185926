//! Documents that come from elsewhere, with their versions and instants.

use service::document::engine::{Outcome, Stored};

use super::{
    cases,
    room::{OTHER, Room, SOME, at, conflict, keys, new_id, written},
};

cases![
    what_is_restored_is_as_it_was_elsewhere,
    what_is_restored_counts_on,
    what_is_restored_again_is_done_once,
    a_later_version_is_restored_over_an_earlier_one,
    an_earlier_version_is_not_restored,
    another_write_of_the_same_version_is_not_restored,
    a_deletion_is_restored,
    what_was_deleted_is_restored_in_a_later_version,
    what_is_restored_is_in_lists_and_changes,
    a_large_body_is_restored,
    some_documents_at_once_are_what_each_is_alone,
];

fn elsewhere(key: &str, version: i64, body: Option<&str>) -> Stored {
    Stored {
        key: key.to_owned(),
        version,
        body: body.map(str::to_owned),
        created_at: at(1),
        updated_at: at(version),
        write_id: new_id(),
    }
}

async fn restore(room: &Room, stored: &Stored) -> Outcome {
    room.engine.restore(room.collection, stored).await.unwrap()
}

async fn what_is_restored_is_as_it_was_elsewhere(room: &Room) {
    let stored = elsewhere("a", 7, Some(SOME));
    assert_eq!(written(restore(room, &stored).await), stored);
    assert_eq!(room.get("a").await, Some(stored));
}

async fn what_is_restored_counts_on(room: &Room) {
    restore(room, &elsewhere("a", 7, Some(SOME))).await;
    let updated = room.update("a", 7, OTHER).await;
    assert_eq!((updated.version, updated.created_at), (8, at(1)));
}

async fn what_is_restored_again_is_done_once(room: &Room) {
    let stored = elsewhere("a", 7, Some(SOME));
    restore(room, &stored).await;
    assert_eq!(written(restore(room, &stored).await), stored);
    assert_eq!(room.changes(None, 10).await.unwrap().documents, [stored]);
}

async fn a_later_version_is_restored_over_an_earlier_one(room: &Room) {
    restore(room, &elsewhere("a", 3, Some(SOME))).await;
    let later = elsewhere("a", 9, Some(OTHER));
    assert_eq!(written(restore(room, &later).await), later);
    assert_eq!(room.get("a").await, Some(later));
}

async fn an_earlier_version_is_not_restored(room: &Room) {
    let later = elsewhere("a", 9, Some(OTHER));
    restore(room, &later).await;
    let earlier = elsewhere("a", 3, Some(SOME));
    assert_eq!(conflict(restore(room, &earlier).await), Some(later.clone()));
    assert_eq!(room.get("a").await, Some(later));
}

async fn another_write_of_the_same_version_is_not_restored(room: &Room) {
    let created = room.create("a", SOME).await;
    let other = elsewhere("a", 1, Some(OTHER));
    assert_eq!(conflict(restore(room, &other).await), Some(created.clone()));
    assert_eq!(room.get("a").await, Some(created));
}

async fn a_deletion_is_restored(room: &Room) {
    restore(room, &elsewhere("a", 1, Some(SOME))).await;
    let deleted = elsewhere("a", 2, None);
    assert_eq!(written(restore(room, &deleted).await), deleted);
    assert_eq!(room.get("a").await, Some(deleted));
    assert!(room.all(10).await.is_empty());
}

async fn what_was_deleted_is_restored_in_a_later_version(room: &Room) {
    room.create("a", SOME).await;
    room.delete("a", 1).await;
    let again = elsewhere("a", 3, Some(OTHER));
    assert_eq!(written(restore(room, &again).await), again);
    assert_eq!(keys(&room.all(10).await), ["a"]);
}

async fn what_is_restored_is_in_lists_and_changes(room: &Room) {
    room.create("b", SOME).await;
    restore(room, &elsewhere("a", 5, Some(SOME))).await;
    assert_eq!(keys(&room.all(1).await), ["a", "b"]);
    let changes = room.changes(None, 10).await.unwrap();
    assert_eq!(keys(&changes.documents), ["b", "a"]);
}

async fn a_large_body_is_restored(room: &Room) {
    let body = format!(r#"{{"text":"{}"}}"#, "ä".repeat(500_000));
    let stored = elsewhere("a", 5, Some(&body));
    restore(room, &stored).await;
    assert_eq!(room.get("a").await, Some(stored));
    let smaller = elsewhere("a", 6, Some(SOME));
    restore(room, &smaller).await;
    assert_eq!(room.get("a").await, Some(smaller));
}

async fn some_documents_at_once_are_what_each_is_alone(room: &Room) {
    let all: Vec<String> = (0..40).map(|n| format!("k/{n} ä")).collect();
    for key in &all {
        room.create(key, SOME).await;
    }
    room.update("k/3 ä", 1, OTHER).await;
    room.delete("k/4 ä", 1).await;
    let asked: Vec<&str> = all.iter().map(String::as_str).chain(["none"]).collect();
    let mut some = room.engine.get_some(room.collection, &asked).await.unwrap();
    some.retain(|stored| !stored.is_deleted());
    some.sort_by(|one, other| one.key.cmp(&other.key));
    assert_eq!(some, room.all(100).await);
    assert_eq!(room.beside().engine.get_some(room.beside().collection, &asked).await.unwrap(), []);
}

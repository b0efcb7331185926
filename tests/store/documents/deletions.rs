//! Deletion, and creation after it.

use service::document::engine::{Outcome, Precondition, Put};

use super::{
    cases,
    room::{OTHER, Room, SOME, at, conflict, delete, put, written},
};

cases![
    a_deleted_document_is_read_as_deleted,
    a_deletion_against_an_old_version_is_a_conflict_with_the_current_one,
    a_deletion_against_a_version_to_come_is_refused,
    a_deletion_of_what_never_was_is_a_conflict_with_nothing,
    a_second_deletion_is_a_conflict_with_the_first,
    a_deletion_that_is_sent_again_is_done_once,
    an_update_of_what_is_deleted_is_a_conflict_with_the_deletion,
    an_update_against_the_version_of_the_deletion_is_refused,
    what_is_created_again_counts_on,
    what_is_created_again_has_its_own_instant_of_creation,
    what_is_created_again_has_nothing_of_what_was,
    a_creation_after_a_deletion_that_is_sent_again_is_done_once,
    ten_times_created_and_deleted_counts_to_20,
    a_deletion_keeps_the_instant_of_the_creation,
    the_instant_of_a_deletion_ascends,
    versions_from_before_a_deletion_stay_refused,
];

async fn a_deleted_document_is_read_as_deleted(room: &Room) {
    room.create("a", SOME).await;
    let deleted = room.delete("a", 1).await;
    assert_eq!((deleted.version, deleted.body.as_deref()), (2, None));
    assert!(deleted.is_deleted());
    assert_eq!(room.get("a").await, Some(deleted));
}

async fn a_deletion_against_an_old_version_is_a_conflict_with_the_current_one(room: &Room) {
    room.create("a", SOME).await;
    let updated = room.update("a", 1, OTHER).await;
    assert_eq!(conflict(room.try_delete("a", 1).await), Some(updated.clone()));
    assert_eq!(room.get("a").await, Some(updated));
}

async fn a_deletion_against_a_version_to_come_is_refused(room: &Room) {
    let created = room.create("a", SOME).await;
    for version in [2, 0, -1] {
        assert_eq!(conflict(room.try_delete("a", version).await), Some(created.clone()));
    }
}

async fn a_deletion_of_what_never_was_is_a_conflict_with_nothing(room: &Room) {
    for version in [0, 1] {
        assert_eq!(conflict(room.try_delete("a", version).await), None);
    }
    assert_eq!(room.get("a").await, None);
}

async fn a_second_deletion_is_a_conflict_with_the_first(room: &Room) {
    room.create("a", SOME).await;
    let deleted = room.delete("a", 1).await;
    for version in [1, 2, 3] {
        assert_eq!(conflict(room.try_delete("a", version).await), Some(deleted.clone()));
    }
}

async fn a_deletion_that_is_sent_again_is_done_once(room: &Room) {
    room.create("a", SOME).await;
    let deletion = delete(1);
    let first = room.engine.delete(room.collection, "a", &deletion).await.unwrap();
    let second = room.engine.delete(room.collection, "a", &deletion).await.unwrap();
    assert_eq!(written(first.clone()).version, 2);
    assert_eq!(first, second);
}

async fn an_update_of_what_is_deleted_is_a_conflict_with_the_deletion(room: &Room) {
    room.create("a", SOME).await;
    let deleted = room.delete("a", 1).await;
    assert_eq!(conflict(room.try_update("a", 1, OTHER).await), Some(deleted));
}

async fn an_update_against_the_version_of_the_deletion_is_refused(room: &Room) {
    room.create("a", SOME).await;
    let deleted = room.delete("a", 1).await;
    assert_eq!(conflict(room.try_update("a", 2, OTHER).await), Some(deleted.clone()));
    assert_eq!(room.get("a").await, Some(deleted));
}

async fn what_is_created_again_counts_on(room: &Room) {
    room.create("a", SOME).await;
    room.delete("a", 1).await;
    let again = room.create("a", OTHER).await;
    assert_eq!((again.version, again.body.as_deref()), (3, Some(OTHER)));
    assert_eq!(room.get("a").await, Some(again));
    assert_eq!(room.update("a", 3, SOME).await.version, 4);
}

async fn what_is_created_again_has_its_own_instant_of_creation(room: &Room) {
    room.create("a", SOME).await;
    let deleted = room.delete("a", 1).await;
    let again = Put { at: at(7), ..put(Precondition::Absent, SOME) };
    let again = written(room.put("a", &again).await);
    assert_eq!((again.created_at, again.updated_at), (at(7), at(7)));
    assert!(again.created_at > deleted.updated_at);
}

async fn what_is_created_again_has_nothing_of_what_was(room: &Room) {
    room.create("a", r#"{"old":true}"#).await;
    room.delete("a", 1).await;
    room.create("a", "{}").await;
    assert_eq!(room.get("a").await.unwrap().body.as_deref(), Some("{}"));
}

async fn a_creation_after_a_deletion_that_is_sent_again_is_done_once(room: &Room) {
    room.create("a", SOME).await;
    room.delete("a", 1).await;
    let creation = put(Precondition::Absent, OTHER);
    let created = written(room.put("a", &creation).await);
    assert_eq!(room.put("a", &creation).await, Outcome::Written(created.clone()));
    assert_eq!(created.version, 3);
}

async fn ten_times_created_and_deleted_counts_to_20(room: &Room) {
    for round in 0..10 {
        assert_eq!(room.create("a", SOME).await.version, 2 * round + 1);
        assert_eq!(room.delete("a", 2 * round + 1).await.version, 2 * round + 2);
    }
    assert_eq!(room.get("a").await.unwrap().version, 20);
}

async fn a_deletion_keeps_the_instant_of_the_creation(room: &Room) {
    let created = room.create("a", SOME).await;
    room.update("a", 1, OTHER).await;
    room.delete("a", 2).await;
    assert_eq!(room.get("a").await.unwrap().created_at, created.created_at);
}

async fn the_instant_of_a_deletion_ascends(room: &Room) {
    let first = Put { at: at(9), ..put(Precondition::Absent, SOME) };
    written(room.put("a", &first).await);
    assert!(room.delete("a", 1).await.updated_at > at(9));
}

async fn versions_from_before_a_deletion_stay_refused(room: &Room) {
    room.create("a", SOME).await;
    room.delete("a", 1).await;
    let again = room.create("a", OTHER).await;
    for version in [1, 2] {
        assert_eq!(conflict(room.try_update("a", version, SOME).await), Some(again.clone()));
        assert_eq!(conflict(room.try_delete("a", version).await), Some(again.clone()));
    }
}

//! Compare-and-set.

use service::document::engine::{Outcome, Precondition, Put};

use super::{
    cases,
    room::{OTHER, Room, SOME, at, conflict, put, written},
};

cases![
    a_key_that_never_was_is_not_there,
    a_document_is_created_with_version_1,
    a_created_document_is_read_as_it_was_answered,
    creating_what_is_there_is_a_conflict_with_it,
    a_refused_creation_leaves_all_as_it_was,
    an_update_counts_the_version,
    an_updated_document_is_read_as_it_was_answered,
    an_update_against_an_old_version_is_a_conflict_with_the_current_one,
    an_update_against_a_version_to_come_is_refused,
    an_update_against_version_0_is_refused,
    an_update_of_what_never_was_is_a_conflict_with_nothing,
    a_refused_update_leaves_all_as_it_was,
    forty_updates_count_to_41,
    the_same_body_again_counts,
    an_update_keeps_the_instant_of_the_creation,
    instants_keep_their_microseconds,
    instants_ascend_where_the_clock_is_set_back,
    the_id_of_the_last_write_is_kept,
    a_creation_that_is_sent_again_is_done_once,
    an_update_that_is_sent_again_is_done_once,
    an_update_that_is_sent_again_after_another_one_is_a_conflict,
    a_write_of_one_key_leaves_the_others,
];

async fn a_key_that_never_was_is_not_there(room: &Room) {
    assert_eq!(room.get("a").await, None);
    room.create("b", SOME).await;
    assert_eq!(room.get("a").await, None);
}

async fn a_document_is_created_with_version_1(room: &Room) {
    let created = room.create("a", SOME).await;
    assert_eq!((created.key.as_str(), created.version), ("a", 1));
    assert_eq!(created.body.as_deref(), Some(SOME));
    assert_eq!(created.created_at, created.updated_at);
}

async fn a_created_document_is_read_as_it_was_answered(room: &Room) {
    let created = room.create("a", SOME).await;
    assert_eq!(room.get("a").await, Some(created));
}

async fn creating_what_is_there_is_a_conflict_with_it(room: &Room) {
    let created = room.create("a", SOME).await;
    let again = room.put("a", &put(Precondition::Absent, OTHER)).await;
    assert_eq!(conflict(again), Some(created));
}

async fn a_refused_creation_leaves_all_as_it_was(room: &Room) {
    let created = room.create("a", SOME).await;
    conflict(room.put("a", &put(Precondition::Absent, OTHER)).await);
    assert_eq!(room.get("a").await, Some(created.clone()));
    assert_eq!(room.all(10).await, [created]);
}

async fn an_update_counts_the_version(room: &Room) {
    room.create("a", SOME).await;
    let updated = room.update("a", 1, OTHER).await;
    assert_eq!((updated.version, updated.body.as_deref()), (2, Some(OTHER)));
}

async fn an_updated_document_is_read_as_it_was_answered(room: &Room) {
    room.create("a", SOME).await;
    let updated = room.update("a", 1, OTHER).await;
    assert_eq!(room.get("a").await, Some(updated));
}

async fn an_update_against_an_old_version_is_a_conflict_with_the_current_one(room: &Room) {
    room.create("a", SOME).await;
    let updated = room.update("a", 1, OTHER).await;
    let again = room.try_update("a", 1, r#"{"n":3}"#).await;
    assert_eq!(conflict(again), Some(updated));
}

async fn an_update_against_a_version_to_come_is_refused(room: &Room) {
    let created = room.create("a", SOME).await;
    for version in [2, 3, i64::MAX] {
        assert_eq!(conflict(room.try_update("a", version, OTHER).await), Some(created.clone()));
    }
}

async fn an_update_against_version_0_is_refused(room: &Room) {
    let created = room.create("a", SOME).await;
    for version in [0, -1, i64::MIN] {
        assert_eq!(conflict(room.try_update("a", version, OTHER).await), Some(created.clone()));
    }
}

async fn an_update_of_what_never_was_is_a_conflict_with_nothing(room: &Room) {
    for version in [0, 1, 2] {
        assert_eq!(conflict(room.try_update("a", version, OTHER).await), None);
    }
    assert_eq!(room.get("a").await, None);
}

async fn a_refused_update_leaves_all_as_it_was(room: &Room) {
    room.create("a", SOME).await;
    let updated = room.update("a", 1, OTHER).await;
    conflict(room.try_update("a", 1, SOME).await);
    assert_eq!(room.get("a").await, Some(updated.clone()));
    assert_eq!(room.all(10).await, [updated]);
}

async fn forty_updates_count_to_41(room: &Room) {
    room.create("a", SOME).await;
    for version in 1..=40 {
        let body = format!(r#"{{"n":{version}}}"#);
        assert_eq!(room.update("a", version, &body).await.version, version + 1);
    }
    let last = room.get("a").await.unwrap();
    assert_eq!((last.version, last.body.as_deref()), (41, Some(r#"{"n":40}"#)));
}

async fn the_same_body_again_counts(room: &Room) {
    room.create("a", SOME).await;
    assert_eq!(room.update("a", 1, SOME).await.version, 2);
    assert_eq!(room.update("a", 2, SOME).await.version, 3);
}

async fn an_update_keeps_the_instant_of_the_creation(room: &Room) {
    let created = room.create("a", SOME).await;
    let updated = room.update("a", 1, OTHER).await;
    assert_eq!(updated.created_at, created.created_at);
    assert!(updated.updated_at > created.updated_at);
}

async fn instants_keep_their_microseconds(room: &Room) {
    let first = Put { at: at(1), ..put(Precondition::Absent, SOME) };
    let second = Put { at: at(2), ..put(Precondition::Version(1), OTHER) };
    written(room.put("a", &first).await);
    written(room.put("a", &second).await);
    let read = room.get("a").await.unwrap();
    assert_eq!((read.created_at, read.updated_at), (at(1), at(2)));
}

async fn instants_ascend_where_the_clock_is_set_back(room: &Room) {
    let first = written(room.put("a", &Put { at: at(9), ..put(Precondition::Absent, SOME) }).await);
    let second = Put { at: at(3), ..put(Precondition::Version(1), OTHER) };
    let second = written(room.put("a", &second).await);
    assert!(second.updated_at > first.updated_at, "{second:?}");
    assert_eq!(room.get("a").await, Some(second));
}

async fn the_id_of_the_last_write_is_kept(room: &Room) {
    let (first, second) = (put(Precondition::Absent, SOME), put(Precondition::Version(1), OTHER));
    written(room.put("a", &first).await);
    assert_eq!(room.get("a").await.unwrap().write_id, first.write_id);
    written(room.put("a", &second).await);
    assert_eq!(room.get("a").await.unwrap().write_id, second.write_id);
}

async fn a_creation_that_is_sent_again_is_done_once(room: &Room) {
    let creation = put(Precondition::Absent, SOME);
    let created = written(room.put("a", &creation).await);
    assert_eq!(room.put("a", &creation).await, Outcome::Written(created.clone()));
    assert_eq!(room.get("a").await, Some(created));
}

async fn an_update_that_is_sent_again_is_done_once(room: &Room) {
    room.create("a", SOME).await;
    let update = put(Precondition::Version(1), OTHER);
    let updated = written(room.put("a", &update).await);
    assert_eq!(room.put("a", &update).await, Outcome::Written(updated.clone()));
    assert_eq!(room.get("a").await, Some(updated));
}

async fn an_update_that_is_sent_again_after_another_one_is_a_conflict(room: &Room) {
    room.create("a", SOME).await;
    let update = put(Precondition::Version(1), OTHER);
    written(room.put("a", &update).await);
    let last = room.update("a", 2, SOME).await;
    assert_eq!(conflict(room.put("a", &update).await), Some(last));
}

async fn a_write_of_one_key_leaves_the_others(room: &Room) {
    let (first, second) = (room.create("a", SOME).await, room.create("b", OTHER).await);
    room.update("b", 1, SOME).await;
    room.delete("b", 2).await;
    assert_eq!(room.get("a").await, Some(first));
    assert_ne!(room.get("b").await, Some(second));
}

//! Many writers at once.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde_json::Value;
use service::document::engine::{Outcome, Precondition, Put, Stored};

use super::{
    cases,
    queries::PATH,
    room::{OTHER, Room, SOME, delete, entry, put, written},
};

cases![
    of_many_creators_one_wins,
    of_many_updates_of_one_version_one_wins,
    of_many_deletions_one_wins,
    of_an_update_and_a_deletion_one_wins,
    of_many_who_create_again_one_wins,
    counters_lose_nothing,
    no_version_is_given_twice,
    one_write_sent_many_times_at_once_is_done_once,
    documents_of_different_keys_are_not_in_each_others_way,
    readers_see_whole_documents,
    versions_that_a_reader_sees_ascend,
    lists_beside_writers_meet_what_stays_once,
    queries_beside_writers_find_what_stays_once,
    changes_beside_writers_miss_nothing,
];

const WRITERS: usize = 12;

/// Writes a document at once by all of these, and gives what the winner has left. Each other one has that before it.
async fn one_wins(room: &Room, puts: Vec<Put>) -> Stored {
    let outcomes = join_all(puts.iter().map(|put| room.put("a", put))).await;
    let won: Vec<_> =
        outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Written(_))).cloned().collect();
    assert_eq!(won.len(), 1, "{won:?}");
    let winner = written(won[0].clone());
    for outcome in outcomes {
        assert!(
            matches!(&outcome, Outcome::Written(stored) | Outcome::Conflict(Some(stored)) if *stored == winner),
            "{outcome:?} beside {winner:?}"
        );
    }
    assert_eq!(room.get("a").await.as_ref(), Some(&winner));
    winner
}

fn puts(precondition: Precondition) -> Vec<Put> {
    (0..WRITERS).map(|number| put(precondition, &format!(r#"{{"writer":{number}}}"#))).collect()
}

async fn of_many_creators_one_wins(room: &Room) {
    assert_eq!(one_wins(room, puts(Precondition::Absent)).await.version, 1);
}

async fn of_many_updates_of_one_version_one_wins(room: &Room) {
    room.create("a", SOME).await;
    for version in 1..=3 {
        assert_eq!(one_wins(room, puts(Precondition::Version(version))).await.version, version + 1);
    }
}

async fn of_many_deletions_one_wins(room: &Room) {
    room.create("a", SOME).await;
    let deletions: Vec<_> = (0..WRITERS).map(|_| delete(1)).collect();
    let all = deletions.iter().map(|delete| room.engine.delete(room.collection, "a", delete));
    let outcomes = join_all(all).await.into_iter().map(|outcome| outcome.unwrap());
    assert_eq!(outcomes.filter(|outcome| matches!(outcome, Outcome::Written(_))).count(), 1);
    assert_eq!(room.get("a").await.unwrap().version, 2);
}

async fn of_an_update_and_a_deletion_one_wins(room: &Room) {
    for round in 0..5 {
        let key = format!("k{round}");
        room.create(&key, SOME).await;
        let (updated, deleted) =
            tokio::join!(room.try_update(&key, 1, OTHER), room.try_delete(&key, 1));
        let won = |outcome: &Outcome| matches!(outcome, Outcome::Written(_));
        assert!(won(&updated) != won(&deleted), "{updated:?} {deleted:?}");
        let left = room.get(&key).await.unwrap();
        assert_eq!((left.version, left.is_deleted()), (2, won(&deleted)));
    }
}

async fn of_many_who_create_again_one_wins(room: &Room) {
    room.create("a", SOME).await;
    room.delete("a", 1).await;
    assert_eq!(one_wins(room, puts(Precondition::Absent)).await.version, 3);
}

fn counter(count: i64) -> String {
    format!(r#"{{"n":{count}}}"#)
}

/// Counts to one more, however often others are faster.
async fn count(room: &Room) -> i64 {
    loop {
        let current = room.get("a").await.unwrap();
        let body: Value = serde_json::from_str(&current.body.unwrap()).unwrap();
        let count = body["n"].as_i64().unwrap();
        let counted = room.try_update("a", current.version, &counter(count + 1)).await;
        if let Outcome::Written(stored) = counted {
            return stored.version;
        }
    }
}

async fn counters_lose_nothing(room: &Room) {
    room.create("a", &counter(0)).await;
    let five = || async {
        for _ in 0..5 {
            count(room).await;
        }
    };
    join_all((0..6).map(|_| five())).await;
    let last = room.get("a").await.unwrap();
    assert_eq!((last.version, last.body.as_deref()), (31, Some(&*counter(30))));
}

async fn no_version_is_given_twice(room: &Room) {
    room.create("a", &counter(0)).await;
    let versions: BTreeSet<_> = join_all((0..10).map(|_| count(room))).await.into_iter().collect();
    assert_eq!(versions, (2..=11).collect());
}

async fn one_write_sent_many_times_at_once_is_done_once(room: &Room) {
    let creation = put(Precondition::Absent, SOME);
    let outcomes = join_all((0..WRITERS).map(|_| room.put("a", &creation))).await;
    for outcome in outcomes {
        assert_eq!(written(outcome).version, 1);
    }
    assert_eq!(room.get("a").await.unwrap().version, 1);
}

async fn documents_of_different_keys_are_not_in_each_others_way(room: &Room) {
    let keys: Vec<_> = (0..24).map(|number| format!("k{number:02}")).collect();
    join_all(keys.iter().map(|key| room.create(key, SOME))).await;
    join_all(keys.iter().map(|key| room.update(key, 1, OTHER))).await;
    assert_eq!(super::room::keys(&room.all(7).await), keys);
    assert_eq!(room.changes(None, 100).await.unwrap().documents.len(), keys.len());
}

async fn readers_see_whole_documents(room: &Room) {
    let body = |letter: char| format!("{{\"a\":\"{}\"}}", letter.to_string().repeat(50_000));
    room.create("a", &body('a')).await;
    let write = async {
        for (version, letter) in (1..).zip("bcdefgh".chars()) {
            room.update("a", version, &body(letter)).await;
        }
    };
    let read = async {
        for _ in 0..20 {
            let read = room.get("a").await.unwrap();
            let letter = char::from(b'a' + u8::try_from(read.version - 1).unwrap());
            assert!(read.body == Some(body(letter)), "version {}", read.version);
        }
    };
    tokio::join!(write, read);
}

async fn versions_that_a_reader_sees_ascend(room: &Room) {
    room.create("a", SOME).await;
    let write = async {
        for version in 1..=15 {
            room.update("a", version, OTHER).await;
        }
    };
    let read = async {
        let mut last = 1;
        for _ in 0..20 {
            let version = room.get("a").await.unwrap().version;
            assert!(version >= last, "{version} after {last}");
            last = version;
        }
    };
    tokio::join!(write, read);
}

/// Writes, deletes and creates again documents whose keys are among those of others.
async fn come_and_go(room: &Room) {
    for round in 0..4 {
        for number in 0..4 {
            let key = format!("k{number}x");
            let entries = vec![entry(PATH, &[number, round])];
            let creation = Put { entries, ..put(Precondition::Absent, SOME) };
            let created = written(room.put(&key, &creation).await);
            if round < 3 {
                room.delete(&key, created.version).await;
            }
        }
    }
}

/// Creates what stays.
async fn stay(room: &Room) -> Vec<String> {
    let keys: Vec<_> = (0..6).map(|number| format!("k{number}")).collect();
    for (number, key) in (0..).zip(&keys) {
        room.create_with(key, PATH, &[number]).await;
    }
    keys
}

async fn lists_beside_writers_meet_what_stays_once(room: &Room) {
    let stays = stay(room).await;
    let read = async {
        for _ in 0..6 {
            let listed = room.all(3).await;
            let listed = super::room::keys(&listed);
            assert!(listed.is_sorted_by(|one, other| one < other), "{listed:?}");
            let found: Vec<_> = listed.into_iter().filter(|key| !key.ends_with('x')).collect();
            assert_eq!(found, stays);
        }
    };
    tokio::join!(come_and_go(room), read);
}

async fn queries_beside_writers_find_what_stays_once(room: &Room) {
    let stays = stay(room).await;
    let read = async {
        for _ in 0..6 {
            let found = room.query(&super::queries::all()).await.documents;
            let found = super::room::keys(&found);
            let found: Vec<_> = found.into_iter().filter(|key| !key.ends_with('x')).collect();
            assert_eq!(found, stays);
        }
    };
    tokio::join!(come_and_go(room), read);
}

/// Whoever follows the changes has in the end what there is.
async fn changes_beside_writers_miss_nothing(room: &Room) {
    let stays = stay(room).await;
    let (mut known, mut cursor) = (BTreeMap::new(), None);
    let mut follow = async |last: bool| {
        loop {
            let changes = room.changes(cursor.as_deref(), 3).await.unwrap();
            let told = changes.documents.into_iter();
            known.extend(told.map(|document| (document.key.clone(), document)));
            cursor = Some(changes.cursor);
            if !(last && changes.more) {
                return;
            }
        }
    };
    let read = async {
        for _ in 0..10 {
            follow(false).await;
        }
    };
    tokio::join!(come_and_go(room), read);
    follow(true).await;
    let all = room.all(10).await;
    assert_eq!(all.len(), stays.len() + 4);
    assert_eq!(known.into_values().collect::<Vec<_>>(), all);
}

//! Keys that are changed for others while the server runs, and a rotation that is killed.

use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use service::{Store, key_rotation::key_usage, random::Random, seal::Keyring, store::Options};
use tests::{Client, Database, at, each_lasting_database, log::wait_until};

use crate::support::{Process, steward};

const KEYS: &str = "STEWARD_ENCRYPTION_KEYS";
const INCIDENTS: usize = 150;
/// Where a rotation ends that has done a part of a column: there are more values than go at once.
const PLACES: &[&str] = &["event.sealed", "incident.body_part", "incident.witnesses"];

fn keys(database: &Database, keyring: &str, arguments: &[&str]) -> Command {
    let mut command = steward(database);
    command.env(KEYS, keyring).arg("keys").args(arguments);
    command
}

fn text(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stdout.clone()).expect("text"))
}

/// How many values a key has encrypted.
async fn of(store: &Store, id: &str) -> u64 {
    key_usage(store).await.expect("the database").keys.get(id).copied().unwrap_or_default()
}

async fn report(ada: &Client, home: &str, number: usize) -> Value {
    let member = ada.member_in(home).await;
    let new = json!({ "member_id": member["id"], "occurred_at": "2026-03-02T08:15:00Z",
        "body_part": "thumb", "nature": "cut", "cause": "saw", "treatment": "stitches",
        "narrative": format!("narrative {number}"), "witnesses": ["Grace"] });
    ada.make(&format!("{home}/incidents"), new).await
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_rotation_that_is_killed_goes_on_and_then_the_old_key_may_go(database: Database) {
    let [old, new] = ["old", "new"].map(|id| Keyring::new_key(id, &Random::system()));
    let both = format!("{new},{old}");
    let process = Process::start_with(&database, &[], &[(KEYS, &old)]);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("company").await;
    let hook = json!({ "url": "http://127.0.0.1:9/", "kinds": ["expense.*"] });
    ada.make(&format!("{home}/webhooks"), hook).await;
    let mut made = Vec::new();
    for number in 0..INCIDENTS {
        made.push(report(&ada, &home, number).await);
    }
    drop(process);
    // The server first, so that it does not go on to write with the old one.
    let process = Process::start_with(&database, &[], &[(KEYS, &both)]);
    let ada = ada.at(&process.base);
    let store = database.store(Options::default()).await;
    let all = of(&store, "old").await;
    assert!(all > 7 * INCIDENTS as u64);
    let (mut ended, mut then) = (0, 0);
    while of(&store, "old").await > 0 {
        let mut rotation = keys(&database, &both, &["rotate"]);
        rotation.stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(place) = PLACES.get(ended) {
            rotation.env("STEWARD_CRASH_AT", format!("rotated {place}"));
            assert!(!rotation.status().expect("it runs").success(), "it ends at {place}");
        } else {
            // Anywhere, or not before it is done.
            let mut rotation = rotation.spawn().expect("it runs");
            wait_until("some are encrypted again", async || of(&store, "new").await > then).await;
            rotation.kill().expect("it can be killed");
            rotation.wait().expect("it ends");
        }
        ended += 1;
        assert!(of(&store, "new").await > then, "it gets nowhere");
        then = of(&store, "new").await;
        assert_eq!(of(&store, "old").await + then, all, "each has one key or the other");
        let row = &made[ended];
        assert_eq!(&ada.read(&at(&format!("{home}/incidents"), row)).await, row);
    }
    assert!(ended > PLACES.len(), "something was left after each of them");
    let (code, told) = text(&keys(&database, &both, &["rotate"]).output().expect("it runs"));
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("no other key than new is needed"), "{told}");
    let (code, told) = text(&keys(&database, "", &["status"]).output().expect("it runs"));
    assert_eq!((code, told), (Some(0), format!("new  {all} values\n")));
    drop(process);
    let process = Process::start_with(&database, &[], &[(KEYS, &new)]);
    let ada = ada.at(&process.base);
    let mut rows = ada.all(&format!("{home}/incidents"), "?limit=500").await;
    rows.sort_by_key(|row| row["case_number"].as_i64());
    assert_eq!(rows, made, "nothing has changed, and no version");
    for row in made.iter().step_by(10) {
        let path = format!("{}/history", at(&format!("{home}/incidents"), row));
        let history = ada.all(&path, "").await;
        assert_eq!((history.len(), &history[0]["data"]), (1, row));
    }
    drop(process);
    let verified = steward(&database).env(KEYS, &new).arg("verify").output().expect("it runs");
    let (code, told) = text(&verified);
    assert!(code == Some(0) && !told.contains("no key here"), "{told}");
    let (code, told) = text(&steward(&database).arg("verify").output().expect("it runs"));
    assert!(code == Some(0) && told.contains("what is sealed has no key here"), "{told}");
    store.close().await.expect("closed");
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_rotation_says_which_keys_are_still_needed(database: Database) {
    let [old, new] = ["old", "new"].map(|id| Keyring::new_key(id, &Random::system()));
    let process = Process::start_with(&database, &[], &[(KEYS, &old)]);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("company").await;
    report(&ada, &home, 0).await;
    let (code, told) = text(&keys(&database, &new, &["rotate"]).output().expect("it runs"));
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains("7 values do not open") && told.contains("needed besides new: old"),
        "{told}"
    );
    let none = keys(&database, "", &["rotate"]).output().expect("it runs");
    assert_eq!(none.status.code(), Some(1));
    // A server that was not told of the new key goes on to write with the old one.
    let both = format!("{new},{old}");
    let (code, told) = text(&keys(&database, &both, &["rotate"]).output().expect("it runs"));
    assert!(code == Some(0) && told.contains("7 values were encrypted again with new"), "{told}");
    report(&ada, &home, 1).await;
    let (_, told) = text(&keys(&database, &both, &["status"]).output().expect("it runs"));
    assert_eq!(
        told,
        "new  7 values, the first key\nold  7 values\nstill needed besides new: old\n"
    );
    drop(process);
}

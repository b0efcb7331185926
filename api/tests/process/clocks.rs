//! Processes whose clocks are wrong, and processes that end in good order: nobody waits for them.

use std::{
    collections::BTreeSet,
    process::Command,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use service::{
    random::Random,
    seal::Keyring,
    store::{Engine, Options},
};
use tests::{
    Client, Database, Receiver, Reply, at, each_lasting_database, id,
    log::{behind, wait_until},
};
use tokio::time::sleep;

use crate::support::{Process, steward};

const DAY: &str = "86400";

/// How long others may take to go on with the work of one that was killed.
const TAKEOVER: Duration = Duration::from_secs(10);
/// The same of one that has ended in good order: less than what it would take to give it up.
const HANDOVER: Duration = Duration::from_secs(3);

fn expense() -> Value {
    json!({ "spent_on": "2026-11-01", "amount_minor": 10 })
}

fn instant(row: &Value, field: &str) -> DateTime<Utc> {
    row[field].as_str().expect("an instant").parse().expect("an instant")
}

fn start(database: &Database, ahead: &str) -> Process {
    Process::start_with(database, &[], &[("STEWARD_CLOCK_AHEAD", ahead)])
}

/// How long it takes until an event has its position that is written now.
async fn until_told(ada: &Client, home: &str) -> Duration {
    let expense = ada.make(&format!("{home}/expenses"), expense()).await;
    let begun = Instant::now();
    let path = format!("{home}/events?entity=expense/{}", id(&expense));
    while ada.read(&path).await["items"].as_array().expect("items").is_empty() {
        assert!(begun.elapsed() < TAKEOVER, "nobody gives positions");
        sleep(Duration::from_millis(10)).await;
    }
    begun.elapsed()
}

fn check(database: &Database, ahead: &str) -> String {
    let mut command = steward(database);
    let output = command.arg("check").env("STEWARD_CLOCK_AHEAD", ahead).output();
    let output = output.expect("steward runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[each_lasting_database(flavor = "multi_thread")]
async fn nobody_waits_for_a_day_that_the_clock_of_a_killed_process_was_ahead(database: Database) {
    let process = start(&database, DAY);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    until_told(&ada, &home).await;
    let path =
        at(&format!("{home}/expenses"), &ada.make(&format!("{home}/expenses"), expense()).await);
    drop(process);

    let shown = check(&database, "0");
    assert!(shown.contains("was done last was done 86"), "{shown}");
    let process = start(&database, "0");
    let ada = ada.at(&process.base);
    let took = until_told(&ada, &home).await;
    eprintln!("told after {took:?}");
    if database.engine == Engine::Sqlite {
        assert!(took < HANDOVER, "a SQLite file has no other process: {took:?}");
    }
    let changed = ada.patch(&path, json!({ "version": 1, "note": "x" })).await.expect(200);
    assert!(instant(&changed, "created_at") < instant(&changed, "updated_at"), "{changed}");
    let created = changed["created_at"].as_str().expect("an instant");
    let first = ada.read(&format!("{path}?as_of={created}")).await;
    assert_eq!(first["version"], 1, "its own instant is that of the first version");
    drop(process);
    let verified = steward(&database).arg("verify").output().expect("steward runs");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_check_tells_of_a_clock_that_is_not_the_databases(database: Database) {
    drop(start(&database, "0"));
    assert!(check(&database, "0").contains("clock          ok"));
    let shown = check(&database, "-3600");
    let told = shown.contains("the database's is 3600 s ahead of this machine's")
        || shown.contains("the database's is 3599 s ahead of this machine's");
    assert_eq!(told, database.engine == Engine::Postgres, "{shown}");
}

#[cfg(unix)]
fn terminate(process: &mut Process) {
    let pid = process.child.id().to_string();
    Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
    assert!(process.child.wait().expect("it ends").success(), "it ends in good order");
}

#[cfg(unix)]
#[each_lasting_database(flavor = "multi_thread")]
async fn whoever_comes_after_a_process_that_was_stopped_need_not_wait(database: Database) {
    let mut process = start(&database, "0");
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let mut took = Vec::new();
    for _ in 0..3 {
        until_told(&ada.at(&process.base), &home).await;
        terminate(&mut process);
        process = start(&database, "0");
        took.push(until_told(&ada.at(&process.base), &home).await);
    }
    if database.engine == Engine::Postgres {
        let mut other = start(&database, "0");
        for _ in 0..3 {
            until_told(&ada.at(&process.base), &home).await;
            terminate(&mut process);
            took.push(until_told(&ada.at(&other.base), &home).await);
            std::mem::swap(&mut process, &mut other);
            other = start(&database, "0");
        }
    }
    eprintln!("told after {took:?}");
    assert!(took.iter().all(|took| *took < HANDOVER), "{took:?}");
}

/// An hour behind, right, and a day ahead; of a SQLite file, one after the other.
const CLOCKS: [&str; 3] = ["-3600", "0", DAY];

#[each_lasting_database(flavor = "multi_thread")]
async fn processes_with_wrong_clocks_do_each_thing_once(database: Database) {
    let key = Keyring::new_key("test", &Random::system());
    let serve = |ahead: &str| {
        let variables = [
            ("STEWARD_CLOCK_AHEAD", ahead),
            ("STEWARD_ENCRYPTION_KEYS", &*key),
            ("STEWARD_OUTBOUND_ALLOW", "127.0.0.1"),
        ];
        Process::start_with(&database, &[], &variables)
    };
    // So that what is on its way is seen by the others.
    let receiver =
        Receiver::start(|_| Reply { takes: Duration::from_millis(200), ..Reply::from(200) });
    let many = database.engine == Engine::Postgres;
    let mut nodes = vec![serve(CLOCKS[0])];
    let ada = Client::new(&nodes[0].base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let rule = json!({ "name": "Tag", "when": { "kind": "expense.created" },
        "then": [{ "add_tag": "seen" }] });
    ada.make(&format!("{home}/rules"), rule).await;
    let hook = json!({ "url": receiver.url, "kinds": ["expense.*"] });
    let hook = at(&format!("{home}/webhooks"), &ada.make(&format!("{home}/webhooks"), hook).await);
    let store = database.store(Options::default()).await;
    if many {
        nodes.extend(CLOCKS[1..].iter().map(|ahead| serve(ahead)));
    }
    let mut made = 0;
    for ahead in CLOCKS {
        if !many {
            nodes.clear();
            nodes.push(serve(ahead));
        }
        for number in 0..10 {
            let node = &nodes[number % nodes.len()].base;
            ada.at(node).make(&format!("{home}/expenses"), expense()).await;
            made += 1;
        }
        wait_until("the rule", async || behind(&store, "rules").await == 0).await;
        receiver.until(Duration::from_secs(60), |messages| messages.len() >= 2 * made).await;
        // What came of it is written down, too, or it would be sent again.
        let ada = ada.at(&nodes[0].base);
        let pending = format!("{hook}/deliveries?state=pending");
        wait_until("the deliveries", async || ada.read(&pending).await["items"] == json!([])).await;
    }
    // The one that is ahead of all goes, without a word.
    nodes.pop();
    if nodes.is_empty() {
        nodes.push(serve("0"));
    }
    for node in &nodes {
        let took = until_told(&ada.at(&node.base), &home).await;
        eprintln!("told after {took:?}");
        made += 1;
    }
    wait_until("the rule", async || behind(&store, "rules").await == 0).await;
    receiver.until(Duration::from_secs(60), |messages| messages.len() >= 2 * made).await;

    let messages = receiver.messages();
    let ids: BTreeSet<_> = messages.iter().map(|message| &message.id).collect();
    assert_eq!((messages.len(), ids.len()), (2 * made, 2 * made), "each is sent once");
    let ada = ada.at(&nodes[0].base);
    let expenses = ada.all(&format!("{home}/expenses"), "").await;
    assert_eq!(expenses.len(), made);
    for expense in &expenses {
        assert_eq!((&expense["tags"], &expense["version"]), (&json!(["seen"]), &json!(2)));
        assert!(instant(expense, "created_at") < instant(expense, "updated_at"), "{expense}");
    }
    let told = ada.read(&format!("{home}/events?limit=500")).await;
    let positions = told["items"].as_array().expect("items").iter().map(|it| &it["position"]);
    let positions: Vec<_> = positions.filter_map(Value::as_i64).collect();
    assert!(positions.iter().copied().eq(1..=positions.len() as i64), "{positions:?}");
    drop(nodes);
    let verified = steward(&database).arg("verify").output().expect("steward runs");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    store.close().await.expect("closed");
}

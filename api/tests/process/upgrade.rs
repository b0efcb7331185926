//! A release that takes the place of the one before under requests, with both on one database for a while.
//!
//! `STEWARD_PREVIOUS` is the program of the release before (`just rolling-upgrade`). Without it, the program takes its
//! own place.

use std::{
    env,
    ffi::{OsStr, OsString},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use service::random::Random;
use tests::{Answer, Client, Database, at, database::execute, on_postgresql};
use tokio::time::sleep;

use crate::{
    listener::{Heard, listen},
    nodes::Bases,
    offboarding::until,
    support::{Process, program, steward},
};

/// How many clients there are.
const CLIENTS: usize = 3;
/// How many rounds of requests are made, at least, in each state of the upgrade.
const ROUNDS: usize = 30;
/// How long one that listens may take to hear what the others told each other.
const NOTICE: Duration = Duration::from_secs(2);

/// What all clients have in common.
#[derive(Clone)]
struct Traffic {
    ada: Client,
    home: String,
    bases: Bases,
    rounds: Arc<AtomicUsize>,
    slowest: Arc<Mutex<Duration>>,
    stop: Arc<AtomicBool>,
}

impl Traffic {
    fn path(&self, collection: &str) -> String {
        format!("{}/{collection}", self.home)
    }

    /// Makes requests, each at any node, until told to stop. Each succeeds, and sees what those before it did.
    async fn go_on(self, client: usize) {
        let random = Random::seeded(client as u64);
        for number in 0.. {
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            self.round(&random, &format!("key-{client}-{number}.")).await;
            self.rounds.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn round(&self, random: &Random, key: &str) {
        let (expenses, any) = (self.path("expenses"), || self.any(random));
        let new = json!({ "spent_on": "2026-11-01", "amount_minor": 10, "merchant": key });
        let made = self.timed(any().keyed(key).post(&expenses, new.clone())).await;
        let again = self.timed(any().keyed(key).post(&expenses, new)).await;
        assert!(again.is_replayed(), "{}", again.text);
        assert_eq!((made.status.as_u16(), &made.text), (201, &again.text));
        let path = at(&expenses, &made.json);
        let read = self.timed(any().get(&path)).await.expect(200);
        assert_eq!((&read["merchant"], &read["version"]), (&json!(key), &json!(1)));
        let change = json!({ "version": 1, "amount_minor": 20 });
        self.timed(any().patch(&path, change.clone())).await.expect(200);
        let stale = self.timed(any().patch(&path, change)).await.expect(409);
        assert_eq!(stale["current"]["version"], 2, "{stale}");
        let found = self.timed(any().get(&format!("{expenses}?q={key}"))).await.expect(200);
        let amounts: Vec<&Value> = found["items"].as_array().expect("items").iter().collect();
        assert_eq!(amounts.len(), 1, "{found}");
        assert_eq!(amounts[0]["amount_minor"], 20);
        let report = "reports/spending?group_by=category&from=2026-11-01&to=2026-11-30";
        self.timed(any().get(&self.path(report))).await.expect(200);
        sleep(Duration::from_millis(10)).await;
    }

    /// The client at any node of those that there are now.
    fn any(&self, random: &Random) -> Client {
        let chosen = usize::try_from(random.below(1 << 16)).expect("a small number");
        self.ada.at(&self.bases.get(chosen))
    }

    async fn timed(&self, answer: impl Future<Output = Answer>) -> Answer {
        let asked = Instant::now();
        let answer = answer.await;
        assert!(answer.status.as_u16() < 500, "{}", answer.text);
        let mut slowest = self.slowest.lock().expect("a lock");
        *slowest = slowest.max(asked.elapsed());
        answer
    }

    /// Waits until some more rounds were made.
    async fn some_more(&self) {
        let before = self.rounds.load(Ordering::SeqCst);
        let enough = || self.rounds.load(Ordering::SeqCst) >= before + ROUNDS;
        until("some rounds", async || enough().then_some(())).await;
    }

    /// What one node ends, the other does not take for long, whichever is the new one.
    async fn assert_access_ends(&self, one: &str, other: &str) {
        for (here, there) in [(one, other), (other, one)] {
            let guest = self.ada.at(here).invite(&self.home, "viewer").await;
            guest.at(there).get(&self.home).await.expect(200);
            guest.at(here).delete("/v1/sessions/current").await.expect(204);
            let ended = Instant::now();
            while guest.at(there).get(&self.home).await.status != 401 {
                assert!(ended.elapsed() < NOTICE, "{there} takes what {here} has ended");
                sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

/// The program of the release before.
struct Previous(OsString);

impl Previous {
    fn find() -> Self {
        Self(env::var_os("STEWARD_PREVIOUS").unwrap_or_else(|| {
            eprintln!("STEWARD_PREVIOUS is not set: the program takes its own place");
            OsStr::new(env!("CARGO_BIN_EXE_steward")).to_owned()
        }))
    }

    fn on(&self, database: &Database) -> Command {
        program(&self.0, database)
    }
}

fn succeeds(mut command: Command, arguments: &[&str]) {
    let output = command.args(arguments).output().expect("the program runs");
    let said = [&output.stdout[..], &output.stderr].concat();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
}

#[cfg(unix)]
#[on_postgresql(flavor = "multi_thread")]
async fn nodes_are_replaced_one_after_the_other_and_no_request_fails(database: Database) {
    let previous = Previous::find();
    execute(&database.url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
    succeeds(previous.on(&database), &["migrate", "up"]);
    let old: Vec<Process> =
        (0..2).map(|_| Process::spawn(previous.on(&database), &[], &[])).collect();
    let ada = Client::new(&old[0].base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let traffic = Traffic {
        ada,
        home,
        bases: Bases::of(&old),
        rounds: Arc::default(),
        slowest: Arc::default(),
        stop: Arc::default(),
    };
    let clients: Vec<_> =
        (0..CLIENTS).map(|client| tokio::spawn(traffic.clone().go_on(client))).collect();
    let (heard, stop_listening) = (Heard::default(), Arc::<AtomicBool>::default());
    let what = (traffic.ada.clone(), traffic.path("events/stream"), traffic.bases.clone());
    let listener = tokio::spawn(listen(what, heard.clone(), stop_listening.clone()));
    traffic.some_more().await;
    // Expand: those that run go on with the schema of the release to come.
    succeeds(steward(&database), &["migrate", "up"]);
    traffic.some_more().await;
    let mut new = Vec::new();
    for mut gone in old {
        let started = Process::start(&database);
        traffic.bases.add(&started.base);
        traffic.some_more().await;
        traffic.assert_access_ends(&gone.base, &started.base).await;
        new.push(started);
        // What stands before the nodes sends nothing more to one that is about to go.
        traffic.bases.remove(&gone.base);
        gone.terminate();
        let ended = until("a node stops", async || gone.ended()).await;
        assert!(ended.success(), "{ended}");
        traffic.some_more().await;
    }
    traffic.stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.expect("each request of a client succeeds");
    }
    let made = traffic.rounds.load(Ordering::SeqCst);
    until("all is told", async || (heard.expenses().len() >= made).then_some(())).await;
    stop_listening.store(true, Ordering::SeqCst);
    // The stream goes on with the next event.
    let last = json!({ "spent_on": "2026-11-01", "amount_minor": 10 });
    traffic.ada.at(&new[0].base).make(&traffic.path("expenses"), last).await;
    listener.await.expect("the log was told without a gap");
    let slowest = *traffic.slowest.lock().expect("a lock");
    eprintln!("{made} rounds of 8 requests, the slowest in {slowest:?}");
    eprintln!("streams that ended went on after {:?}", heard.silences());
    drop(new);
    succeeds(steward(&database), &["verify"]);
}

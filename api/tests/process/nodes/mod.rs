//! Several nodes on one PostgreSQL, and what their clients see of each other. A SQLite file belongs to
//! one node, which is killed and started again.

mod takeover;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use service::store::Engine;
use tests::{Client, Database, Events, each_lasting_database, id};
use tokio::time::sleep;

use crate::support::{Process, steward};

/// How long the other nodes may take to go on with the work of one that was killed.
const TAKEOVER: Duration = Duration::from_secs(10);
/// How many clients write at once.
const WRITERS: usize = 6;

fn expense() -> Value {
    json!({ "spent_on": "2026-11-01", "amount_minor": 10 })
}

/// As many nodes as the database has: two, or one.
pub(crate) fn nodes(database: &Database, more: &[&str]) -> Vec<Process> {
    let count = if database.engine == Engine::Postgres { 2 } else { 1 };
    (0..count).map(|_| Process::start_with(database, more, &[])).collect()
}

#[each_lasting_database(flavor = "multi_thread")]
async fn what_is_written_on_one_node_reaches_a_listener_of_another_within_a_second(
    database: Database,
) {
    let nodes = nodes(&database, &[]);
    let (here, there) = (&nodes[0].base, &nodes[nodes.len() - 1].base);
    let ada = Client::new(here).sign_up("Ada").await;
    let home = ada.found("household").await;
    let path = format!("{home}/events/stream?kinds=expense.*");
    let mut live = Events::open(&ada.at(there), &path, None).await;
    // The first may wait for the lease.
    ada.make(&format!("{home}/expenses"), expense()).await;
    live.next().await.expect("an event");
    let mut took = Vec::new();
    for _ in 0..10 {
        let made = ada.make(&format!("{home}/expenses"), expense()).await;
        let answered = Instant::now();
        let event = live.next().await.expect("an event");
        took.push(answered.elapsed());
        assert_eq!(event.data["data"], made);
    }
    took.sort();
    eprintln!("from the answer to the listener: {took:?}");
    assert!(took[took.len() - 1] < Duration::from_secs(1), "{took:?}");
}

#[each_lasting_database(flavor = "multi_thread")]
async fn what_one_node_revokes_no_other_takes_and_its_streams_end(database: Database) {
    // Nothing is forgotten because it is old.
    let nodes = nodes(&database, &["--access-ttl", "3600"]);
    let (here, there) = (&nodes[0].base, &nodes[nodes.len() - 1].base);
    let ada = Client::new(here).sign_up("Ada").await;
    let home = ada.found("household").await;
    let viewer = ada.invite(&home, "viewer").await;
    let far = viewer.at(there);
    far.get(&home).await.expect(200);
    let path = format!("{home}/events/stream");
    let mut live = Events::open(&far, &path, None).await;
    viewer.delete("/v1/sessions/current").await.expect(204);
    let ended = Instant::now();
    far.get(&home).await.expect_problem(401, "unauthenticated");
    while live.block().await.is_some() {}
    assert!(ended.elapsed() < Duration::from_secs(5), "the stream goes on");
}

#[cfg(unix)]
#[each_lasting_database(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_a_stream(database: Database) {
    let mut node = Process::start(&database);
    let ada = Client::new(&node.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let mut live = Events::open(&ada, &format!("{home}/events/stream"), None).await;
    let stopped = Instant::now();
    node.terminate();
    while live.block().await.is_some() {}
    while node.child.try_wait().expect("the process can be asked").is_none() {
        assert!(stopped.elapsed() < Duration::from_secs(10), "it waits for the stream");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Where the nodes are just now: one that is started again listens elsewhere.
#[derive(Clone)]
pub(crate) struct Bases(Arc<Mutex<Vec<String>>>);

impl Bases {
    pub(crate) fn of<'a>(nodes: impl IntoIterator<Item = &'a Process>) -> Self {
        let bases = nodes.into_iter().map(|node| node.base.clone()).collect();
        Self(Arc::new(Mutex::new(bases)))
    }

    pub(crate) fn get(&self, index: usize) -> String {
        let bases = self.0.lock().expect("a lock");
        bases[index % bases.len()].clone()
    }

    pub(crate) fn add(&self, base: &str) {
        self.0.lock().expect("a lock").push(base.to_owned());
    }

    pub(crate) fn remove(&self, base: &str) {
        self.0.lock().expect("a lock").retain(|other| other != base);
    }

    fn set(&self, index: usize, base: &str) {
        base.clone_into(&mut self.0.lock().expect("a lock")[index]);
    }
}

/// What the nodes have promised.
#[derive(Clone, Default)]
struct Promises(Arc<Mutex<Vec<String>>>);

impl Promises {
    fn add(&self, id: &str) {
        self.0.lock().expect("a lock").push(id.to_owned());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().expect("a lock").clone()
    }
}

/// Writes until told to stop, at one node as long as it answers.
async fn write(
    (ada, expenses): (Client, String),
    (bases, index): (Bases, usize),
    promises: Promises,
    stop: Arc<AtomicBool>,
) {
    while !stop.load(Ordering::SeqCst) {
        match ada.at(&bases.get(index)).try_post(&expenses, expense()).await {
            Some(answer) if answer.status == 201 => promises.add(id(&answer.json)),
            Some(answer) => assert_eq!(answer.status, 503, "{}", answer.text),
            None => sleep(Duration::from_millis(20)).await,
        }
        sleep(Duration::from_millis(3)).await;
    }
}

/// What a reader has been told, in the order in which it was.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<(Vec<String>, HashSet<String>)>>);

impl Told {
    /// Takes a page that was asked for after what there is: it has the next positions, each once.
    fn take(&self, page: &Value) {
        let mut told = self.0.lock().expect("a lock");
        for event in page["items"].as_array().expect("items") {
            let next = told.0.len() as i64 + 1;
            assert_eq!(event["position"], next, "positions have no gaps and do not go back");
            assert!(told.1.insert(id(event).to_owned()), "an event is told once");
            told.0.push(event["entity_id"].as_str().expect("an id").to_owned());
        }
    }

    fn position(&self) -> usize {
        self.0.lock().expect("a lock").0.len()
    }

    fn has(&self, ids: &[String]) -> bool {
        let told = self.0.lock().expect("a lock");
        let told: HashSet<&String> = told.0.iter().collect();
        ids.iter().all(|id| told.contains(id))
    }
}

/// Follows the log, at whichever node answers.
async fn follow(ada: Client, events: String, bases: Bases, told: Told, stop: Arc<AtomicBool>) {
    let mut node = 0;
    while !stop.load(Ordering::SeqCst) {
        let path = format!("{events}?limit=500&after={}", told.position());
        match ada.at(&bases.get(node)).try_get(&path).await {
            Some(answer) if answer.status == 200 => told.take(&answer.json),
            _ => {}
        }
        node += 1;
        sleep(Duration::from_millis(5)).await;
    }
}

/// How long it takes until something that is written from now on is told.
async fn until_told(promises: &Promises, told: &Told) -> Duration {
    let started = Instant::now();
    let before = promises.all().len();
    loop {
        let all = promises.all();
        if all.len() > before && told.has(&all[before..=before]) {
            return started.elapsed();
        }
        assert!(started.elapsed() < TAKEOVER, "nobody gives positions");
        sleep(Duration::from_millis(10)).await;
    }
}

#[each_lasting_database(flavor = "multi_thread")]
async fn whoever_is_killed_positions_have_no_gaps_and_every_promise_is_told_once(
    database: Database,
) {
    let mut nodes = nodes(&database, &[]);
    let ada = Client::new(&nodes[0].base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let bases = Bases::of(&nodes);
    let (promises, told) = (Promises::default(), Told::default());
    let [stop_writing, stop_reading] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|index| {
            let place = (bases.clone(), index);
            let what = (ada.clone(), format!("{home}/expenses"));
            tokio::spawn(write(what, place, promises.clone(), stop_writing.clone()))
        })
        .collect();
    let events = format!("{home}/events");
    let reader = follow(ada.clone(), events, bases.clone(), told.clone(), stop_reading.clone());
    let reader = tokio::spawn(reader);
    let mut took = vec![until_told(&promises, &told).await];
    // Whoever holds the lease: of two nodes, each is killed once in two rounds.
    for round in 0..if nodes.len() > 1 { 3 } else { 2 } {
        let index = round % nodes.len();
        let gone = nodes.remove(index);
        drop(gone);
        if nodes.is_empty() {
            nodes.insert(index, Process::start(&database));
            bases.set(index, &nodes[index].base);
            took.push(until_told(&promises, &told).await);
        } else {
            took.push(until_told(&promises, &told).await);
            nodes.insert(index, Process::start(&database));
            bases.set(index, &nodes[index].base);
        }
    }
    stop_writing.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.expect("a writer ends");
    }
    let (all, ended) = (promises.all(), Instant::now());
    while !told.has(&all) {
        assert!(ended.elapsed() < TAKEOVER, "something that was promised is not told");
        sleep(Duration::from_millis(20)).await;
    }
    stop_reading.store(true, Ordering::SeqCst);
    reader.await.expect("the reader was told all in order");
    eprintln!("{} promises, {} positions; told after {took:?}", all.len(), told.position());
    drop(nodes);
    let verified = steward(&database).arg("verify").output().expect("steward runs");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

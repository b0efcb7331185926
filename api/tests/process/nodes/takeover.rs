//! Nodes that are killed under load. What was acknowledged is there; what was not has one effect when it is sent
//! again to another node; others go on with what only one of them does; streams resume without a gap.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use service::{random::Random, seal::Keyring, store::Engine};
use tests::{Client, Database, Receiver, Reply, at, each_lasting_database, id};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{Bases, TAKEOVER};
use crate::{
    listener::{Heard, listen},
    offboarding::until,
    support::{Process, steward},
};

/// How many clients write at once.
const WRITERS: usize = 4;
/// How long each waits after a write.
const PAUSE: Duration = Duration::from_millis(15);
/// How many large expenses, and how many who leave, a node is asked for before it is killed, and others after it.
const BEFORE: usize = 3;
const AFTER: usize = 2;
/// From which amount an expense is one that the managers are to look at.
const LARGE: i64 = 1_000_000;

/// The nodes of a database, of which one may be gone.
struct Cluster<'a> {
    database: &'a Database,
    nodes: Vec<Option<Process>>,
    bases: Bases,
    key: String,
}

impl<'a> Cluster<'a> {
    fn start(database: &'a Database) -> Self {
        let count = if database.engine == Engine::Postgres { 3 } else { 1 };
        let key = Keyring::new_key("test", &Random::system());
        let nodes: Vec<_> = (0..count).map(|_| Some(serve(database, &key))).collect();
        let bases = Bases::of(nodes.iter().flatten());
        Self { database, nodes, bases, key }
    }

    fn kill(&mut self, index: usize) {
        drop(self.nodes[index].take());
    }

    /// Starts what is gone.
    fn revive(&mut self) {
        for (index, node) in self.nodes.iter_mut().enumerate().filter(|(_, node)| node.is_none()) {
            let started = serve(self.database, &self.key);
            self.bases.set(index, &started.base);
            *node = Some(started);
        }
    }
}

/// Signs of life of streams come often, and what was on its way to a receiver is soon given up for lost.
fn serve(database: &Database, key: &str) -> Process {
    let variables = [
        ("STEWARD_ENCRYPTION_KEYS", key),
        ("STEWARD_OUTBOUND_ALLOW", "127.0.0.1"),
        ("STEWARD_WEBHOOK_TIMEOUT", "1"),
        ("STEWARD_WEBHOOK_RETRIES", "0,0.2,0.2,0.2,0.2,0.2,0.2,0.2"),
    ];
    Process::start_with(database, &["--event-heartbeat", "1"], &variables)
}

/// A company, and a client that is told of it at whichever node is there.
#[derive(Clone)]
struct Story {
    ada: Client,
    company: String,
    bases: Bases,
}

impl Story {
    fn path(&self, collection: &str) -> String {
        format!("{}/{collection}", self.company)
    }

    fn at(&self, node: usize) -> Client {
        self.ada.at(&self.bases.get(node))
    }

    async fn begin(cluster: &Cluster<'_>, receiver: &Receiver) -> Self {
        let ada = Client::new(&cluster.bases.get(0)).sign_up("Ada").await;
        let company = ada.found("company").await;
        let limit = json!({ "version": 1, "large_expense_minor": LARGE });
        ada.patch(&company, limit).await.expect(200);
        let hook = json!({ "url": receiver.url, "kinds": ["task.created"] });
        ada.make(&format!("{company}/webhooks"), hook).await;
        Self { ada, company, bases: cluster.bases.clone() }
    }

    /// Asks a node for what others than the request go on with.
    async fn ask(&self, node: usize, count: usize) -> Asked {
        let ada = self.at(node);
        let mut asked = Asked::default();
        for _ in 0..count {
            let large = json!({ "spent_on": "2026-11-01", "amount_minor": 2 * LARGE });
            asked.large.insert(id(&ada.make(&self.path("expenses"), large).await).to_owned());
            let leaver = ada.make(&self.path("members"), json!({ "name": "Grace" })).await;
            let offboard = format!("{}/offboard", at(&self.path("members"), &leaver));
            let answer = ada.post(&offboard, json!({ "version": 1 })).await;
            assert!(answer.status.is_success(), "{}", answer.text);
            asked.leavers.insert(id(&leaver).to_owned());
        }
        asked
    }

    async fn is_gone(&self, node: usize, leaver: &str) -> bool {
        let sagas = format!("{}?subject_id={leaver}", self.path("sagas"));
        let sagas = self.at(node).all(&sagas, "").await;
        sagas.len() == 1 && sagas[0]["state"] == "completed"
    }
}

/// What was acknowledged and is still to be done.
#[derive(Default)]
struct Asked {
    /// Expenses about which there is to be a task, and a message about that.
    large: BTreeSet<String>,
    /// Members who are to leave.
    leavers: BTreeSet<String>,
}

/// What the clients that write have got: the keys of what was acknowledged with the answers, and how often a request
/// was sent again elsewhere.
#[derive(Default)]
struct Written {
    acknowledged: Vec<(String, String)>,
    retried: Vec<String>,
}

fn expense(key: &str) -> Value {
    json!({ "spent_on": "2026-11-01", "amount_minor": 10, "merchant": key })
}

/// Writes until told to stop, each request to the next node, and again to the one after until it is acknowledged.
async fn write(story: Story, writer: usize, stop: Arc<AtomicBool>) -> Written {
    let mut written = Written::default();
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let key = format!("key-{writer}-{number}");
        for node in writer + number.. {
            let client = story.at(node).keyed(&key);
            match client.try_post(&story.path("expenses"), expense(&key)).await {
                Some(answer) if answer.status == 201 => {
                    written.acknowledged.push((key, answer.text));
                    break;
                }
                Some(answer) if answer.json["code"] == "idempotency_in_progress" => {}
                Some(answer) => assert_eq!(answer.status, 503, "{}", answer.text),
                None => written.retried.push(key.clone()),
            }
            sleep(PAUSE).await;
        }
        sleep(PAUSE).await;
    }
    written
}

/// How long each kind of work took after a kill until it had done all that was asked for.
type Took = [(&'static str, Duration); 4];

async fn took(
    what: &'static str,
    since: Instant,
    so: impl AsyncFn() -> bool,
) -> (&'static str, Duration) {
    let all = async {
        while !so().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let left = TAKEOVER.saturating_sub(since.elapsed());
    timeout(left, all).await.unwrap_or_else(|_| panic!("{what}: not within {TAKEOVER:?}"));
    (what, since.elapsed())
}

/// Asks a node for some things, kills it, asks another for more, and measures until all of it is done.
async fn kill(
    cluster: &mut Cluster<'_>,
    index: usize,
    (story, heard, receiver): (&Story, &Heard, &Receiver),
) -> Took {
    let mut asked = story.ask(index, BEFORE).await;
    cluster.kill(index);
    let killed = Instant::now();
    if cluster.nodes.len() == 1 {
        cluster.revive();
    }
    let other = index + 1;
    let more = story.ask(other, AFTER).await;
    asked.large.extend(more.large);
    asked.leavers.extend(more.leavers);
    let (large, leavers) = (&asked.large, &asked.leavers);
    let has_task = |tasks: &BTreeMap<String, Vec<String>>| {
        large.iter().all(|expense| tasks.contains_key(expense))
    };
    let positions = took("positions", killed, async || {
        let heard = heard.expenses();
        large.iter().all(|expense| heard.contains(expense))
    });
    let consumers = took("consumers", killed, async || has_task(&heard.tasks()));
    let webhooks = took("webhooks", killed, async || {
        let (tasks, messages) = (heard.tasks(), receiver.messages());
        let told = |task: &String| messages.iter().any(|it| it.json["data"]["entity_id"] == **task);
        let of = |expense: &String| tasks.get(expense).is_some_and(|tasks| tasks.iter().all(told));
        large.iter().all(of)
    });
    let sagas = took("sagas", killed, async || {
        for leaver in leavers {
            if !story.is_gone(other, leaver).await {
                return false;
            }
        }
        true
    });
    let took = tokio::join!(positions, consumers, webhooks, sagas);
    cluster.revive();
    took.into()
}

/// Whether each key has one expense, which is the one that was acknowledged.
async fn assert_kept(story: &Story, written: &[Written]) -> usize {
    let rows = story.at(0).all(&story.path("expenses"), "?limit=500").await;
    let mut of_key: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row["merchant"].is_string()) {
        of_key.entry(row["merchant"].as_str().expect("a key")).or_default().push(id(row));
    }
    let acknowledged = written.iter().flat_map(|it| &it.acknowledged);
    for (key, answer) in acknowledged.clone() {
        let made: Value = serde_json::from_str(answer).expect("JSON");
        assert_eq!(of_key.remove(&**key), Some(vec![id(&made)]), "{key} has one effect");
    }
    assert_eq!(of_key, BTreeMap::new(), "what nobody was told of");
    let retried: Vec<&String> = written.iter().flat_map(|it| &it.retried).collect();
    for (key, answer) in acknowledged.filter(|(key, _)| retried.contains(&key)) {
        let again = story.at(0).keyed(key).post(&story.path("expenses"), expense(key)).await;
        assert!(again.is_replayed() && again.text == *answer, "{key}: {}", again.text);
    }
    retried.len()
}

#[each_lasting_database(flavor = "multi_thread")]
async fn what_was_asked_of_a_node_that_is_killed_others_go_on_with(database: Database) {
    let mut cluster = Cluster::start(&database);
    // Slow enough that something is on its way when a node is killed.
    let receiver =
        Receiver::start(|_| Reply { takes: Duration::from_millis(200), ..Reply::from(200) });
    let story = Story::begin(&cluster, &receiver).await;
    let [stop_writing, stop_listening] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let heard = Heard::default();
    let what = (story.ada.clone(), story.path("events/stream"), story.bases.clone());
    let listener = tokio::spawn(listen(what, heard.clone(), stop_listening.clone()));
    let start = |writer| tokio::spawn(write(story.clone(), writer, stop_writing.clone()));
    let writers: Vec<JoinHandle<Written>> = (0..WRITERS).map(start).collect();
    let rounds = env::var("NODES_ROUNDS").map_or(cluster.nodes.len(), |rounds| {
        rounds.parse().expect("NODES_ROUNDS is how often a node is killed")
    });
    let mut figures = Vec::new();
    for round in 0..rounds {
        let index = round % cluster.nodes.len();
        figures.push(kill(&mut cluster, index, (&story, &heard, &receiver)).await);
    }
    stop_writing.store(true, Ordering::SeqCst);
    let mut written = Vec::new();
    for writer in writers {
        written.push(writer.await.expect("a writer ends"));
    }
    let retried = assert_kept(&story, &written).await;
    assert!(retried > 0, "nobody was in the middle of a request: this has tested nothing");
    let rows = story.at(0).all(&story.path("expenses"), "?limit=500").await;
    let mut rows: Vec<String> = rows.iter().map(|row| id(row).to_owned()).collect();
    until("all is told", async || (heard.expenses().len() >= rows.len()).then_some(())).await;
    stop_listening.store(true, Ordering::SeqCst);
    listener.await.expect("the log was told without a gap");
    let mut told = heard.expenses();
    told.sort_unstable();
    rows.sort_unstable();
    assert_eq!(told, rows, "each expense is told once");
    let tasks = heard.tasks();
    assert_eq!(tasks.len(), rounds * (BEFORE + AFTER));
    assert!(tasks.values().all(|tasks| tasks.len() == 1), "one task for each: {tasks:?}");
    let acknowledged: usize = written.iter().map(|it| it.acknowledged.len()).sum();
    eprintln!("{acknowledged} acknowledged, {retried} sent again elsewhere");
    eprintln!("streams that broke went on after {:?}", heard.silences());
    for took in figures {
        eprintln!("done after a kill: {took:?}");
    }
    drop(cluster);
    let verified = steward(&database).arg("verify").output().expect("steward runs");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

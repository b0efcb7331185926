//! PostgreSQL loses its sessions, crashes, is replaced by its replica and vanishes, while clients write: what was
//! acknowledged stays, what is answered meanwhile is 503, and steward goes on by itself.

use std::{
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use service::store::{Engine, Options};
use tests::{
    Answer, App, AppOptions, Client, Database,
    cluster::{Cluster, Replication},
    database::execute,
    id,
    log::wait_until,
    proxy::Proxy,
};
use tokio::time::sleep;

/// How long steward may take to serve again once there is a database.
const HEALTHY: Duration = Duration::from_secs(10);
/// How many answers in a row say that it does.
const IN_A_ROW: usize = 20;
/// How many clients write at once.
const WRITERS: usize = 6;

fn expense() -> Value {
    json!({ "spent_on": "2026-11-01", "amount_minor": 10 })
}

/// What clients were answered.
#[derive(Default)]
struct Answers {
    stop: AtomicBool,
    /// How often a time began or ended in which nothing is done to the server: odd within one.
    calm: AtomicUsize,
    /// How many requests were not done although they began and ended in the same calm.
    disturbed: AtomicUsize,
    promised: Mutex<Vec<String>>,
    refused: AtomicUsize,
    unknown: AtomicUsize,
}

impl Answers {
    /// Whether it was done. Nothing else is answered than that, that it was not, and that nobody knows.
    fn take(&self, answer: &Answer) -> bool {
        if answer.status.is_success() {
            if answer.status == 201 {
                self.promised.lock().expect("a lock").push(id(&answer.json).to_owned());
            }
            return true;
        }
        assert_eq!(answer.status, 503, "{}", answer.text);
        if answer.json["code"] == "outcome_unknown" {
            assert!(!answer.headers.contains_key("retry-after"), "twice may be once too often");
            self.unknown.fetch_add(1, Ordering::SeqCst);
        } else {
            assert_eq!(answer.json["code"], "unavailable", "{}", answer.text);
            assert_eq!(answer.retry_after(), 1);
            self.refused.fetch_add(1, Ordering::SeqCst);
        }
        false
    }

    fn counts(&self) -> [usize; 3] {
        let counts = [&self.refused, &self.unknown].map(|count| count.load(Ordering::SeqCst));
        [self.promised.lock().expect("a lock").len(), counts[0], counts[1]]
    }
}

async fn write(client: Client, expenses: String, answers: Arc<Answers>) {
    while !answers.stop.load(Ordering::SeqCst) {
        // A request that looks for its COMMIT may last from one calm to the next.
        let calm = answers.calm.load(Ordering::SeqCst);
        if !answers.take(&client.post(&expenses, expense()).await) {
            let disturbed = calm % 2 == 1 && calm == answers.calm.load(Ordering::SeqCst);
            answers.disturbed.fetch_add(usize::from(disturbed), Ordering::SeqCst);
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Those who write, and one who looks.
struct Load {
    client: Client,
    expenses: String,
    answers: Arc<Answers>,
}

impl Load {
    /// How long it takes until everything is served, and nothing refused any more.
    async fn until_healthy(&self, app: &App, what: &str) {
        let begun = Instant::now();
        let (mut in_a_row, mut healthy_after) = (0, Duration::ZERO);
        while in_a_row < IN_A_ROW {
            let read = self.client.get(&format!("{}?limit=1", self.expenses)).await;
            let wrote = self.client.post(&self.expenses, expense()).await;
            let ready = app.anonymous().get("/ready").await.status;
            assert!(ready == 200 || ready == 503, "{ready}");
            let served = [&read, &wrote].map(|answer| self.answers.take(answer));
            if served == [true, true] && ready == 200 {
                if in_a_row == 0 {
                    healthy_after = begun.elapsed();
                }
                in_a_row += 1;
            } else {
                in_a_row = 0;
                sleep(Duration::from_millis(20)).await;
            }
            let so_far = if in_a_row == 0 { begun.elapsed() } else { healthy_after };
            assert!(so_far < HEALTHY, "{what}: not healthy within {HEALTHY:?}");
        }
        let [promised, refused, unknown] = self.answers.counts();
        eprintln!(
            "{what}: healthy after {healthy_after:?}; {promised} acknowledged, {refused} refused, \
             {unknown} unknown so far"
        );
        self.answers.calm.fetch_add(1, Ordering::SeqCst);
        let enough = promised + 100;
        wait_until("others are served", async || self.answers.counts()[0] > enough).await;
        self.answers.calm.fetch_add(1, Ordering::SeqCst);
        let disturbed = self.answers.disturbed.load(Ordering::SeqCst);
        assert_eq!(disturbed, 0, "{what}: served, and then not");
    }

    /// Everything that was acknowledged is there, and each change has its place in the log.
    async fn check(&self, home: &str) {
        let rows = self.client.all(&self.expenses, "?limit=500").await;
        let there: std::collections::HashSet<&str> = rows.iter().map(id).collect();
        let promised = self.answers.promised.lock().expect("a lock").clone();
        for promise in &promised {
            assert!(there.contains(&**promise), "{promise} was acknowledged");
        }
        let unknown = self.answers.counts()[2];
        assert!(rows.len() <= promised.len() + unknown, "nothing was done that was refused");
        let mut told = 0_i64;
        wait_until("all is told", async || {
            let path = format!("{home}/events?limit=500&after={told}");
            let page = self.client.read(&path).await;
            for event in page["items"].as_array().expect("items") {
                told += 1;
                assert_eq!(event["position"], told, "positions have no gaps");
            }
            told as usize > rows.len()
        })
        .await;
        eprintln!("{} acknowledged, {} there, {told} events", promised.len(), rows.len());
    }
}

/// `FAILOVER_ROUNDS` says how often the primary is replaced.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_acknowledged_is_lost_whatever_becomes_of_the_server() {
    let Some(mut cluster) = Cluster::start(Replication::Synchronous) else { return };
    let rounds = env::var("FAILOVER_ROUNDS").map_or(1, |text| text.parse().expect("a number"));
    let (mut way, url) = Proxy::to(&cluster.primary.url()).await;
    let store = Options {
        acquire_timeout: Duration::from_secs(2),
        statement_timeout: Duration::from_secs(3),
        ..AppOptions::default().store
    };
    let through = Database { engine: Engine::Postgres, url };
    let migrated = through.store(Options::default()).await;
    migrated.migrate().await.expect("a schema");
    migrated.close().await.expect("closed");
    let options = AppOptions { store, background: true, ..AppOptions::default() };
    let app = App::start_with(&through, options).await;
    let (client, home) = app.owner_of("household").await;
    let load = Load { client, expenses: format!("{home}/expenses"), answers: Arc::default() };
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (client, expenses) = (load.client.clone(), load.expenses.clone());
            tokio::spawn(write(client, expenses, load.answers.clone()))
        })
        .collect();
    load.until_healthy(&app, "at first").await;
    for _round in 0..rounds {
        let sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                        WHERE application_name = 'steward'";
        execute(&cluster.primary.url(), sessions).await;
        load.until_healthy(&app, "sessions terminated").await;
        cluster.primary.crash();
        cluster.primary.start();
        load.until_healthy(&app, "crashed and started again").await;
        cluster.primary.crash();
        // The address moves before the replica is a primary.
        way.lead_to(&cluster.replica.url()).await;
        cluster.replica.promote();
        load.until_healthy(&app, "replaced by the replica").await;
        cluster.replace_primary();
        load.until_healthy(&app, "with a new replica").await;
    }
    way.freeze();
    load.until_healthy(&app, "vanished without a word").await;
    load.answers.stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.expect("nothing else is answered");
    }
    load.check(&home).await;
    // What is still frozen would be waited for.
    way.cut().await;
    app.stop().await;
}

//! A streaming replica that is paused, behind, away and promoted: nobody sees less than they wrote or were shown, and
//! nobody waits for long.

use std::{
    env,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};
use service::{
    Store,
    catalogue::CATALOGUE,
    store::{ConnectError, Options, WalPosition},
};
use tests::{
    Answer, App, AppOptions, Client,
    cluster::{Cluster, Replication, Server},
    database::execute,
    log::wait_until,
};

/// The header that says how far.
const POSITION: &str = "x-steward-position";
/// How long a read waits for the replica.
const WAIT: Duration = Duration::from_millis(200);
/// How long an answer may take at most, whatever the replica does.
const PATIENCE: Duration = Duration::from_secs(3);

fn options(cluster: &Cluster) -> AppOptions {
    let store = Options {
        replica_url: Some(cluster.replica.url()),
        replica_wait: WAIT,
        ..AppOptions::default().store
    };
    AppOptions { store, ..AppOptions::default() }
}

/// The schema, on both servers.
async fn migrate(cluster: &Cluster) {
    let store = cluster.primary.database().store(Options::default()).await;
    store.migrate().await.expect("a schema");
    store.close().await.expect("closed");
    cluster.replica.catch_up(&cluster.primary).await;
}

fn position(answer: &Answer) -> WalPosition {
    answer.headers[POSITION].to_str().expect("text").parse().expect("a position")
}

fn expense() -> Value {
    json!({ "spent_on": "2026-11-01", "amount_minor": 1 })
}

/// Someone who counts expenses in a report, and writes some.
struct Reader {
    client: Client,
    home: String,
}

impl Reader {
    async fn write(&self) -> WalPosition {
        let answer = self.client.post(&format!("{}/expenses", self.home), expense()).await;
        let position = position(&answer);
        answer.expect(201);
        position
    }

    async fn report(&self, shown: Option<WalPosition>) -> Answer {
        let path = format!(
            "{}/reports/spending?from=2026-11-01&to=2026-11-30&group_by=category",
            self.home
        );
        let shown = shown.map(|position| position.to_string());
        let headers: Vec<_> = shown.iter().map(|shown| (POSITION, &**shown)).collect();
        let begun = Instant::now();
        let answer = self.client.send_bytes(Method::GET, &path, "", None, &headers).await;
        assert!(begun.elapsed() < PATIENCE, "it took {:?}", begun.elapsed());
        answer
    }

    /// How many expenses the report has.
    async fn count(&self, shown: Option<WalPosition>) -> i64 {
        count(&self.report(shown).await.expect(200))
    }
}

fn count(report: &Value) -> i64 {
    let rows = report["rows"].as_array().expect("rows");
    rows.iter().map(|row| row["count"].as_i64().expect("a count")).sum()
}

async fn pause(replica: &Server) {
    execute(&replica.url(), "SELECT pg_wal_replay_pause()").await;
    wait_until("replay is paused", async || {
        replica.ask("SELECT pg_get_wal_replay_pause_state()").await == "paused"
    })
    .await;
}

async fn resume(replica: &Server) {
    execute(&replica.url(), "SELECT pg_wal_replay_resume()").await;
}

/// The read is served by the replica, which is paused before what was written last: so it is not in it.
async fn is_served_by_replica(reader: &Reader, cluster: &Cluster) -> bool {
    pause(&cluster.replica).await;
    let before = reader.count(None).await;
    let shown = cluster.replica.ask("SELECT pg_last_wal_replay_lsn()::text").await;
    reader.write().await;
    let seen = reader.count(Some(shown.parse().expect("a position"))).await;
    resume(&cluster.replica).await;
    seen == before
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_is_shown_what_it_wrote_whatever_becomes_of_the_replica() {
    let Some(cluster) = Cluster::start(Replication::Asynchronous) else { return };
    migrate(&cluster).await;
    let app = App::start_with(&cluster.primary.database(), options(&cluster)).await;
    let (client, home) = app.owner_of("household").await;
    let reader = Reader { client, home };
    reader.write().await;
    assert_eq!(reader.count(None).await, 1);
    cluster.replica.catch_up(&cluster.primary).await;
    while_it_is_paused(&reader, &cluster).await;
    while_it_is_behind(&reader, &cluster).await;
    while_it_is_away(&reader, &cluster).await;
    cluster.replica.promote();
    // What is written there now is of another history.
    let promoted = App::start(&cluster.replica.database()).await;
    let elsewhere = reader.client.at(&promoted.base);
    let before = reader.count(None).await;
    for _ in 0..3 {
        elsewhere.make(&format!("{}/expenses", reader.home), expense()).await;
    }
    let shown = reader.write().await;
    for shown in [None, Some(shown)] {
        assert_eq!(reader.count(shown).await, before + 1);
    }
    promoted.stop().await;
    app.stop().await;
}

async fn while_it_is_paused(reader: &Reader, cluster: &Cluster) {
    let first = reader.report(None).await;
    let (early, before) = (position(&first), count(&first.expect(200)));
    cluster.replica.reach(&early.to_string()).await;
    pause(&cluster.replica).await;
    let late = reader.write().await;
    assert!(late > early);
    for shown in [None, Some(late)] {
        let answer = reader.report(shown).await;
        assert!(position(&answer) >= late, "who was shown it may tell");
        assert_eq!(count(&answer.expect(200)), before + 1, "{shown:?}");
    }
    let answer = reader.report(Some(early)).await;
    assert!((early..late).contains(&position(&answer)), "the replica shows no more than it has");
    assert_eq!(count(&answer.expect(200)), before, "the replica answers who asks for no more");
    resume(&cluster.replica).await;
    wait_until("the replica goes on", async || reader.count(Some(early)).await == before + 1).await;
}

async fn while_it_is_behind(reader: &Reader, cluster: &Cluster) {
    let first = reader.report(None).await;
    let (early, mut written) = (position(&first), count(&first.expect(200)));
    cluster.replica.reach(&early.to_string()).await;
    cluster.replica.configure("recovery_min_apply_delay = '1500ms'\n");
    cluster.replica.reload();
    let delay = "SELECT current_setting('recovery_min_apply_delay')";
    wait_until("it is told", async || cluster.replica.ask(delay).await == "1500ms").await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        let late = reader.write().await;
        written += 1;
        for shown in [None, Some(late)] {
            assert_eq!(reader.count(shown).await, written, "{shown:?}");
        }
        assert!(reader.count(Some(early)).await <= written);
    }
    cluster.replica.configure("recovery_min_apply_delay = 0\n");
    cluster.replica.reload();
    wait_until("it catches up", async || reader.count(Some(early)).await == written).await;
}

async fn while_it_is_away(reader: &Reader, cluster: &Cluster) {
    cluster.replica.crash();
    let before = reader.count(None).await;
    for written in 1..=10 {
        let late = reader.write().await;
        assert_eq!(reader.count(None).await, before + written);
        assert_eq!(reader.count(Some(late)).await, before + written);
    }
    cluster.replica.start();
    cluster.replica.catch_up(&cluster.primary).await;
    wait_until("it serves again", async || is_served_by_replica(reader, cluster).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_replica_of_the_database_is_refused_and_none_is_needed() {
    let Some(cluster) = Cluster::start(Replication::Asynchronous) else { return };
    let (primary, replica) = (cluster.primary.url(), cluster.replica.url());
    let connect = async |url: &str, replica_url: &str| {
        let replica_url = Some(replica_url.to_owned());
        let options = Options { replica_url, ..Options::default() };
        Store::connect(url, options, &CATALOGUE).await
    };
    let standby = connect(&replica, &replica).await.expect_err("it cannot be written").to_string();
    assert!(standby.contains("is a standby, where the primary is expected"), "{standby}");
    execute(&primary, "CREATE DATABASE another").await;
    cluster.replica.catch_up(&cluster.primary).await;
    let (server, _) = replica.rsplit_once('/').expect("a database");
    let another = format!("{server}/another");
    for (url, replica_url, why) in [
        (&*primary, &*another, "leads to another database"),
        ("sqlite::memory:", &*replica, "DATABASE_URL leads to SQLite"),
    ] {
        match connect(url, replica_url).await.expect_err("it is refused") {
            ConnectError::Session(said) => assert!(said.contains(why), "{said}"),
            other => panic!("{other}"),
        }
    }
    // What is there no more, or is the primary itself, is no reason not to start.
    let nowhere = "postgres://postgres@127.0.0.1:1/postgres";
    for replica_url in [nowhere, &*primary] {
        let store = connect(&primary, replica_url).await.expect("a store");
        assert!(!store.replica_status().await.expect("there is to be one").is_up);
        store.close().await.expect("closed");
    }
}

/// Readers that go from node to node, with the position that they were told last or without; a replica that is paused
/// and goes on. `REPLICA_SECONDS` says for how long.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_shown_less_than_before_whichever_node_is_asked() {
    let Some(cluster) = Cluster::start(Replication::Asynchronous) else { return };
    migrate(&cluster).await;
    let seconds = env::var("REPLICA_SECONDS").map_or(4, |text| text.parse().expect("a number"));
    let nodes = [
        App::start_with(&cluster.primary.database(), options(&cluster)).await,
        App::start_with(&cluster.primary.database(), options(&cluster)).await,
    ];
    let (client, home) = nodes[0].owner_of("household").await;
    let bases: Arc<[String]> = nodes.iter().map(|node| node.base.clone()).collect();
    let until = Instant::now() + Duration::from_secs(seconds);
    let readers: Vec<_> = (0..4_usize)
        .map(|number| {
            let (client, home, bases) = (client.clone(), home.clone(), bases.clone());
            tokio::spawn(async move { go_round(number, (&client, &home), &bases, until).await })
        })
        .collect();
    while Instant::now() < until {
        pause(&cluster.replica).await;
        tokio::time::sleep(Duration::from_millis(250)).await;
        resume(&cluster.replica).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let (mut reads, mut written) = (0, 0);
    for reader in readers {
        let (read, wrote) = reader.await.expect("a reader sees no less than before");
        (reads, written) = (reads + read, written + wrote);
    }
    let reader = Reader { client, home };
    assert_eq!(reader.count(None).await, written);
    let metrics = nodes[0].anonymous().get("/metrics").await.text;
    let served: Vec<_> =
        metrics.lines().filter(|line| line.starts_with("steward_replica_reads_total")).collect();
    eprintln!("{reads} reads, {written} writes: {served:#?}");
    for node in nodes {
        node.stop().await;
    }
}

/// Reads and writes until then, and says how often each.
async fn go_round(
    number: usize,
    (client, home): (&Client, &str),
    bases: &[String],
    until: Instant,
) -> (i64, i64) {
    let (mut reads, mut written, mut seen) = (0, 0, 0);
    let mut shown = None;
    for turn in number.. {
        if Instant::now() >= until {
            break;
        }
        let client = client.at(&bases[turn % bases.len()]);
        let reader = Reader { client, home: home.to_owned() };
        if turn % 5 == number {
            shown = Some(reader.write().await);
            (written, seen) = (written + 1, seen + 1);
        }
        // Now and then a client has forgotten what it was told.
        let answer = reader.report(shown.filter(|_| turn % 3 > 0)).await;
        shown = answer.headers.contains_key(POSITION).then(|| position(&answer));
        let now = count(&answer.expect(200));
        assert!(now >= seen, "{now} after {seen}");
        (reads, seen) = (reads + 1, now);
    }
    (reads, written)
}

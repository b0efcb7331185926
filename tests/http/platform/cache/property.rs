//! Whatever is written and read on two nodes, and whatever becomes of the Redis that they share and of the way to it:
//! each report is the one that the database gives at the same moment.

use std::{
    collections::HashSet,
    env,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};
use tests::{
    Answer, App, Client, Database, RedisFault, RedisServer, at, for_all, id, on_postgresql,
    proxy::Proxy,
};

use super::{is_kept, tag, with_redis};

/// How many runs there are, if `CACHE_CASES` does not say it.
const CASES: u32 = 8;

/// The node that is asked, of two.
type Node = usize;

#[derive(Debug, Clone)]
enum Step {
    Spend(Node, i64, usize),
    Change(Node, usize, i64),
    Delete(Node, usize),
    Rename(Node, usize, u8),
    Budget(Node, i64),
    Work(Node, i64),
    /// Lets events have their positions, without which nothing is kept.
    Settle,
    /// Reads a report on one node, then on the other, and then on both as the database has it.
    Read(Node, usize),
    Suffer(RedisFault),
    /// Cuts the way of a node to Redis.
    Cut(Node),
    Mend,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let node = || 0..2_usize;
    let place = || 0..8_usize;
    let faults = vec![
        RedisFault::Killed,
        RedisFault::Flushed,
        RedisFault::Spoiled,
        RedisFault::Paused,
        RedisFault::Stopped,
        RedisFault::Full,
    ];
    let step = prop_oneof![
        3 => (node(), 1..1000_i64, place()).prop_map(|(node, amount, of)| Step::Spend(node, amount, of)),
        2 => (node(), place(), 1..1000_i64).prop_map(|(node, of, amount)| Step::Change(node, of, amount)),
        1 => (node(), place()).prop_map(|(node, of)| Step::Delete(node, of)),
        1 => (node(), place(), any::<u8>()).prop_map(|(node, of, name)| Step::Rename(node, of, name)),
        1 => (node(), 1..1000_i64).prop_map(|(node, amount)| Step::Budget(node, amount)),
        1 => (node(), 1..60_i64).prop_map(|(node, minutes)| Step::Work(node, minutes)),
        5 => Just(Step::Settle),
        14 => (node(), 0..5_usize).prop_map(|(node, report)| Step::Read(node, report)),
        2 => select(faults).prop_map(Step::Suffer),
        1 => node().prop_map(Step::Cut),
        2 => Just(Step::Mend),
    ];
    prop::collection::vec(step, 10..60)
}

/// Two nodes, and a Redis that each reaches on a way of its own.
struct World {
    apps: [App; 2],
    ways: [Proxy; 2],
    is_cut: [bool; 2],
    redis: RedisServer,
}

impl World {
    async fn start(database: &Database) -> Option<Self> {
        let redis = RedisServer::start().await?;
        let (way, url) = Proxy::to(&redis.url()).await;
        let (other_way, other_url) = Proxy::to(&redis.url()).await;
        let apps = [
            App::start_with(database, with_redis(&url)).await,
            App::start_with(database, with_redis(&other_url)).await,
        ];
        Some(Self { apps, ways: [way, other_way], is_cut: [false; 2], redis })
    }

    async fn suffer(&mut self, fault: RedisFault) {
        // What has happened to it stays so until it is well again.
        self.mend().await;
        self.redis.suffer(fault).await;
    }

    async fn cut(&mut self, node: Node) {
        if !std::mem::replace(&mut self.is_cut[node], true) {
            self.ways[node].cut().await;
        }
    }

    async fn mend(&mut self) {
        self.redis.mend().await;
        for (way, is_cut) in self.ways.iter_mut().zip(&mut self.is_cut) {
            if std::mem::take(is_cut) {
                way.mend().await;
            }
        }
    }
}

/// What was read.
#[derive(Debug, Default)]
struct Counts {
    reads: AtomicU64,
    kept: AtomicU64,
    /// Computed by the other node, and so from Redis.
    shared: AtomicU64,
}

/// An organization, and one who belongs to it.
struct Place<'a> {
    clients: [Client; 2],
    home: String,
    member: Value,
    project: Value,
    counts: &'a Counts,
    /// What each node has answered, by its tag.
    known: Mutex<[HashSet<String>; 2]>,
}

impl<'a> Place<'a> {
    async fn new(ada: &Client, apps: &[App; 2], counts: &'a Counts) -> Self {
        let home = ada.found("company").await;
        let project = ada.make(&format!("{home}/projects"), json!({ "name": "Roof" })).await;
        let member = ada.member_in(&home).await;
        let clients = [ada.at(&apps[0].base), ada.at(&apps[1].base)];
        for name in ["Food", "Fuel", "Tools"] {
            ada.make(&format!("{home}/categories"), json!({ "name": name })).await;
        }
        Self { clients, home, member, project, counts, known: Mutex::default() }
    }

    /// A row of a collection, if it has any.
    async fn pick(&self, node: Node, collection: &str, of: usize) -> Option<(String, Value)> {
        let collection = format!("{}/{collection}", self.home);
        let rows = self.clients[node].all(&collection, "").await;
        let row = rows.get(of % rows.len().max(1))?.clone();
        Some((at(&collection, &row), row))
    }

    async fn write(&self, step: &Step) {
        let path = |collection: &str| format!("{}/{collection}", self.home);
        match *step {
            Step::Spend(node, amount, of) => {
                let category = self.pick(node, "categories", of).await.expect("there are some").1;
                let new = json!({ "spent_on": format!("2026-11-{:02}", 1 + of), "amount_minor": amount,
                    "category_id": category["id"], "project_id": self.project["id"] });
                self.clients[node].make(&path("expenses"), new).await;
            }
            Step::Change(node, of, amount) => {
                let Some((path, row)) = self.pick(node, "expenses", of).await else { return };
                let change = json!({ "version": row["version"], "amount_minor": amount });
                drop(self.clients[node].patch(&path, change).await);
            }
            Step::Delete(node, of) => {
                let Some((path, row)) = self.pick(node, "expenses", of).await else { return };
                drop(
                    self.clients[node].delete(&format!("{path}?version={}", row["version"])).await,
                );
            }
            Step::Rename(node, of, name) => {
                let Some((path, row)) = self.pick(node, "categories", of).await else { return };
                let change =
                    json!({ "version": row["version"], "name": format!("Category {name}") });
                drop(self.clients[node].patch(&path, change).await);
            }
            Step::Budget(node, amount) => {
                let new = json!({ "name": format!("Budget {amount}"), "period": "month",
                    "amount_minor": amount, "starts_on": "2026-01-01" });
                drop(self.clients[node].post(&path("budgets"), new).await);
            }
            Step::Work(node, minutes) => {
                let new = json!({ "member_id": self.member["id"], "day": "2026-11-03",
                    "minutes": minutes, "project_id": self.project["id"] });
                drop(self.clients[node].post(&path("time-entries"), new).await);
            }
            _ => {}
        }
    }

    fn report(&self, report: usize) -> String {
        let report = match report {
            0 => "spending?from=2026-11-01&to=2026-11-30&group_by=category".to_owned(),
            1 => "budgets?on=2026-11-30".to_owned(),
            2 => "hours?from=2026-11-01&to=2026-11-30&group_by=project".to_owned(),
            3 => format!("timesheet?member_id={}&week=2026-11-02", id(&self.member)),
            _ => format!("job-cost?project_id={}", id(&self.project)),
        };
        format!("{}/reports/{report}", self.home)
    }

    async fn read(&self, node: Node, report: usize) {
        let path = self.report(report);
        let answers = [self.read_at(node, &path).await, self.read_at(1 - node, &path).await];
        for client in &self.clients {
            let anew = client.get_anew(&path).await;
            assert!(!is_kept(&anew), "{path}");
            for answer in &answers {
                assert_eq!(answer.text, anew.text, "{path}: {:?}", answer.headers);
            }
        }
    }

    async fn read_at(&self, node: Node, path: &str) -> Answer {
        let answer = self.clients[node].get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        self.counts.reads.fetch_add(1, Ordering::Relaxed);
        let is_new_here = self.known.lock().unwrap()[node].insert(tag(&answer));
        if is_kept(&answer) {
            self.counts.kept.fetch_add(1, Ordering::Relaxed);
            self.counts.shared.fetch_add(u64::from(is_new_here), Ordering::Relaxed);
        }
        answer
    }
}

#[on_postgresql(flavor = "multi_thread")]
async fn every_report_is_the_one_that_the_database_gives_whatever_becomes_of_redis(
    database: Database,
) {
    let Some(world) = World::start(&database).await else { return };
    let ada = world.apps[0].anonymous().sign_up("Ada").await;
    let counts = Counts::default();
    let world = tokio::sync::Mutex::new(world);
    let cases = env::var("CACHE_CASES").map_or(CASES, |cases| cases.parse().expect("a number"));
    for_all(cases, &steps(), async |steps: Vec<Step>| {
        let mut world = world.lock().await;
        world.mend().await;
        let place = Place::new(&ada, &world.apps, &counts).await;
        for step in &steps {
            match *step {
                Step::Settle => world.apps[0].wait_until_sequenced().await,
                Step::Read(node, report) => place.read(node, report).await,
                Step::Suffer(fault) => world.suffer(fault).await,
                Step::Cut(node) => world.cut(node).await,
                Step::Mend => world.mend().await,
                _ => place.write(step).await,
            }
        }
    });
    let [reads, kept, shared] =
        [&counts.reads, &counts.kept, &counts.shared].map(|count| count.load(Ordering::Relaxed));
    eprintln!(
        "{cases} runs: {reads} reports, {kept} of them computed before, {shared} by the other node"
    );
    assert!(kept > 0 && shared > 0, "this has tested too little");
    let World { apps, .. } = world.into_inner();
    for app in apps {
        app.stop().await;
    }
}

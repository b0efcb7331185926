//! Clients that write and read on two nodes at the same time, while Redis is killed, emptied, stopped and filled.

use std::{
    collections::HashMap,
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{App, Client, Database, RedisFault, RedisServer, on_postgresql};

use super::{is_kept, tag, with_redis};

/// How long the clients write and read, in seconds, if `CACHE_SECONDS` does not say it.
const SECONDS: u64 = 5;
/// How many clients there are.
const CLIENTS: usize = 8;
/// After how many reads a client writes.
const READS: usize = 12;
/// How long something lasts that has happened to Redis.
const FAULT: Duration = Duration::from_millis(400);
/// Longer than any answer takes, whatever becomes of Redis.
const LONGEST: Duration = Duration::from_secs(5);

/// What all clients have seen.
#[derive(Debug, Default)]
struct Seen {
    /// The report that each tag names.
    reports: Mutex<HashMap<String, String>>,
    kept: Mutex<u64>,
    took: Mutex<Vec<Duration>>,
}

/// A client that spends on a category of its own, and so knows what the report of all says of that.
struct Spender {
    nodes: [Client; 2],
    home: String,
    category: Value,
    spent: i64,
    turns: usize,
}

impl Spender {
    fn node(&self) -> &Client {
        &self.nodes[self.turns % 2]
    }

    async fn spend(&mut self) {
        let new = json!({ "spent_on": "2026-11-01", "amount_minor": 7, "category_id": self.category["id"] });
        self.node().make(&format!("{}/expenses", self.home), new).await;
        self.spent += 7;
        self.turns += 1;
    }

    async fn read(&mut self, seen: &Seen) {
        let path = format!(
            "{}/reports/spending?from=2026-11-01&to=2026-11-30&group_by=category",
            self.home
        );
        let begun = Instant::now();
        let answer = self.node().get(&path).await;
        seen.took.lock().unwrap().push(begun.elapsed());
        assert_eq!(answer.status, 200, "{}", answer.text);
        let rows = answer.json["rows"].as_array().expect("rows");
        let own = rows.iter().find(|row| row["key"] == self.category["id"]);
        let amount = |row: &Value, name: &str| row[name].as_i64().expect("an amount");
        let own = own.map_or(0, |row| amount(row, "amount_minor") + amount(row, "pending_minor"));
        assert_eq!(own, self.spent, "what this client has spent: {:?}", answer.headers);
        *seen.kept.lock().unwrap() += u64::from(is_kept(&answer));
        let mut reports = seen.reports.lock().unwrap();
        let known = reports.entry(tag(&answer)).or_insert_with(|| answer.text.clone());
        assert_eq!(*known, answer.text, "one tag names one report");
        drop(reports);
        self.turns += 1;
    }
}

/// Lets one thing after the other happen to Redis, until it is to stop. Gives how many.
async fn harm(mut redis: RedisServer, stop: &AtomicBool) -> u32 {
    let faults = [
        RedisFault::Stopped,
        RedisFault::Killed,
        RedisFault::Flushed,
        RedisFault::Spoiled,
        RedisFault::Full,
        RedisFault::Paused,
    ];
    let mut count = 0;
    for fault in faults.into_iter().cycle() {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        redis.suffer(fault).await;
        tokio::time::sleep(FAULT).await;
        redis.mend().await;
        tokio::time::sleep(FAULT).await;
        count += 1;
    }
    count
}

#[on_postgresql(flavor = "multi_thread")]
async fn a_client_finds_what_it_has_written_on_either_node_whatever_becomes_of_redis(
    database: Database,
) {
    let Some(redis) = RedisServer::start().await else { return };
    let apps = [
        App::start_with(&database, with_redis(&redis.url())).await,
        App::start_with(&database, with_redis(&redis.url())).await,
    ];
    let (ada, home) = apps[0].owner_of("household").await;
    let seconds = env::var("CACHE_SECONDS").map_or(SECONDS, |text| text.parse().expect("a number"));
    let (seen, stop) = (Arc::new(Seen::default()), AtomicBool::default());
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let mut clients = Vec::new();
    for n in 0..CLIENTS {
        let name = json!({ "name": format!("Category {n}") });
        let category = ada.make(&format!("{home}/categories"), name).await;
        let nodes = [ada.at(&apps[0].base), ada.at(&apps[1].base)];
        let mut spender = Spender { nodes, home: home.clone(), category, spent: 0, turns: n };
        let seen = seen.clone();
        clients.push(tokio::spawn(async move {
            while Instant::now() < deadline {
                spender.spend().await;
                for _ in 0..READS {
                    spender.read(&seen).await;
                }
            }
        }));
    }
    let ended = async {
        let ended = join_all(clients).await;
        stop.store(true, Ordering::SeqCst);
        ended.into_iter().for_each(|client| client.expect("a client ends"));
    };
    let (faults, ()) = tokio::join!(harm(redis, &stop), ended);
    let mut took = std::mem::take(&mut *seen.took.lock().unwrap());
    took.sort_unstable();
    let part = |of: usize| took[(took.len() - 1) * of / 100];
    let kept = *seen.kept.lock().unwrap();
    eprintln!(
        "{seconds} s, {faults} faults of Redis: {} reports, {kept} of them computed before; \
         half within {:?}, 99 of 100 within {:?}, all within {:?}",
        took.len(),
        part(50),
        part(99),
        part(100)
    );
    assert!(kept > 0 && faults > 2, "this has tested too little");
    assert!(part(100) < LONGEST, "{:?}", part(100));
    for app in apps {
        app.stop().await;
    }
}

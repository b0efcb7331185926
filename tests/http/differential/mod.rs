//! Nothing that a client can see differs between the databases: each route once, and one generated
//! script of calls over people and money, and one over work, run on both with the same clock and the
//! same randomness, get the same answers, byte for byte. So do they where each request goes to any of several
//! nodes on one PostgreSQL, and the work in the background is done by any of them. The script goes on from the
//! answers, so the first difference is the one to look at.

mod bodies;
mod choice;
mod coverage;
mod described;
mod documents;
mod ledger;
mod meters;
mod nodes;
mod past;
mod prologue;
mod queries;
mod script;
mod steps;
mod sync;
mod texts;
mod work;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use reqwest::{Method, header::HeaderValue};
use serde_json::{Value, json};
use tests::{
    Database, Exchange, Record, Route,
    database::{run_on_postgresql, run_on_sqlite},
};

use self::{
    nodes::Nodes,
    script::Script,
    steps::{MONEY, WORK},
};

/// Any number: another one makes another script.
const SEED: u64 = 7;
/// How many calls a script makes.
const CALLS: usize = 1500;
/// How many calls the script of work makes.
const WORK_CALLS: usize = 1000;

/// Of an answer, all that is not of the transport.
const HEADERS: &[&str] = &[
    "allow",
    "cache-control",
    "content-disposition",
    "content-type",
    "etag",
    "idempotent-replayed",
    "link",
    "location",
    "retry-after",
    "www-authenticate",
    "x-request-id",
];

/// People and money, and before that each route.
async fn run(nodes: Nodes) -> Vec<Exchange> {
    let record = Record::default();
    prologue::call_each_route(&nodes, &nodes.anonymous().recorded(&record)).await;
    go_on(&nodes, Script::new(&nodes.anonymous(), record.clone(), SEED, MONEY), CALLS).await;
    nodes.stop().await;
    record.exchanges()
}

/// Work, from nothing.
async fn run_work(nodes: Nodes) -> Vec<Exchange> {
    let record = Record::default();
    go_on(&nodes, Script::new(&nodes.anonymous(), record.clone(), SEED, WORK), WORK_CALLS).await;
    nodes.stop().await;
    record.exchanges()
}

async fn go_on(nodes: &Nodes, mut script: Script, calls: usize) {
    for _ in 0..calls {
        script.step().await;
        // Positions come with a change, or after it: what tells the log is the same once they are there.
        nodes.run_until_idle().await;
    }
    // At the end: what it goes on with reads the clock whenever it likes.
    script.listen().await;
}

/// What a script of bad and good calls is worth: half of them do something, and none is our fault.
fn assert_worth(exchanges: &[Exchange]) {
    let succeeded = exchanges.iter().filter(|it| it.answer.status.is_success()).count();
    let enough = succeeded * 2 >= exchanges.len();
    assert!(enough, "{succeeded} of {} succeed: {:?}", exchanges.len(), refusals(exchanges));
    for Exchange { call, answer } in exchanges {
        assert!(answer.status.as_u16() < 500, "{call}\n{}", answer.text);
    }
}

/// Why calls are refused, the commonest first.
fn refusals(exchanges: &[Exchange]) -> Vec<(usize, String)> {
    let mut counts = BTreeMap::<String, usize>::new();
    for Exchange { answer, .. } in exchanges.iter().filter(|it| !it.answer.status.is_success()) {
        let problem = &answer.json;
        let why = problem["violations"].get(0).map_or(Value::Null, |one| {
            let pointer = one["pointer"].as_str().unwrap_or_default();
            json!(format!("{pointer} {}", one["code"]))
        });
        *counts
            .entry(format!("{} {} {why}", answer.status.as_u16(), problem["code"]))
            .or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().map(|(why, count)| (count, why)).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    counts
}

fn assert_same(call: &str, here: &Exchange, there: &Exchange) {
    assert_eq!(here.call, there.call, "{call}: the script itself went another way");
    // A weak tag follows from the text, and from what is measured in it.
    let is_compared = |value: &&HeaderValue| !value.as_bytes().starts_with(b"W/");
    let headers = |it: &Exchange| {
        let value = |name: &str| it.answer.headers.get(name).filter(is_compared).cloned();
        HEADERS.iter().map(|name| (*name, value(name))).collect::<Vec<_>>()
    };
    assert_eq!(here.answer.status, there.answer.status, "{call}");
    assert_eq!(comparable(&here.answer.text), comparable(&there.answer.text), "{call}");
    assert_eq!(headers(here), headers(there), "{call}");
}

/// A text without what is measured in it: how long an endpoint took is the machine's.
fn comparable(text: &str) -> String {
    const MEASURED: &str = "\"duration_ms\":";
    let mut parts = text.split(MEASURED);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + MEASURED + part.trim_start_matches(|c: char| c.is_ascii_digit())
    })
}

/// A route that no call of the script succeeds on would be compared in its refusals alone.
fn assert_complete(exchanges: &[Exchange]) {
    let succeeded = exchanges.iter().filter(|it| it.answer.status.is_success());
    let called: BTreeSet<(&str, &str)> = succeeded.map(Exchange::target).collect();
    let is_met = |route: &Route| {
        called.iter().any(|(method, path)| *method == route.method && route.fits(path))
    };
    // The public ones besides POST tell of the process, and not of its data.
    let routes = Route::all().into_iter().filter(|it| !it.is_public() || it.method == Method::POST);
    let missed: Vec<String> = routes.filter(|it| !is_met(it)).map(|it| it.name()).collect();
    assert!(missed.is_empty(), "the script does not succeed on: {missed:#?}");
}

/// Runs a script on each database, and with so many nodes on PostgreSQL, and compares.
async fn compare(
    several: usize,
    run: impl AsyncFn(Nodes) -> Vec<Exchange>,
    look: impl Fn(&[Exchange]),
) {
    let first: Mutex<Option<Vec<Exchange>>> = Mutex::default();
    let run = async |database: Database, count: usize| {
        let exchanges = run(Nodes::start(&database, count, SEED).await).await;
        let before = first.lock().unwrap().replace(exchanges.clone());
        for (index, (here, there)) in before.iter().flatten().zip(&exchanges).enumerate() {
            let before = index.checked_sub(1).map(|before| &exchanges[before].call);
            let name = match before {
                Some(before) => format!("call {index}: {}\nafter {before}", here.call),
                None => format!("call {index}: {}", here.call),
            };
            assert_same(&name, here, there);
        }
        assert_eq!(before.map_or(exchanges.len(), |before| before.len()), exchanges.len());
        assert_worth(&exchanges);
        look(&exchanges);
    };
    run_on_sqlite(async |database| run(database, 1).await).await;
    run_on_postgresql(async |database| run(database, 1).await).await;
    run_on_postgresql(async |database| run(database, several).await).await;
}

#[tokio::test]
async fn the_same_calls_get_the_same_answers() {
    compare(3, run, assert_complete).await;
}

#[tokio::test]
async fn the_same_work_gets_the_same_answers() {
    compare(2, run_work, |_| {}).await;
}

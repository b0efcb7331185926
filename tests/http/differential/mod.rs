//! Nothing that a client can see differs between the databases: each route once, and one generated
//! script of calls over people and money, and one over work, run on both with the same clock and the
//! same randomness, get the same answers, byte for byte. The script goes on from the answers, so the
//! first difference is the one to look at.

mod bodies;
mod choice;
mod coverage;
mod described;
mod ledger;
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

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Method, header::HeaderValue};
use serde_json::{Value, json};
use service::{clock::Clock, random::Random, store::Options};
use tests::{App, AppOptions, Database, Exchange, Record, Route, database::run_in_turn, keyring};

use self::{
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

async fn start(database: &Database, seed: u64) -> App {
    let start: DateTime<Utc> = "2026-11-21T08:00:00Z".parse().unwrap();
    let store = Options {
        clock: Clock::stepping(start, TimeDelta::milliseconds(1)),
        random: Random::seeded(seed),
        keyring: keyring(),
        ..Options::default()
    };
    App::start_with(database, AppOptions { store, ..AppOptions::default() }).await
}

/// People and money, and before that each route.
async fn run(database: &Database) -> Vec<Exchange> {
    let app = start(database, SEED).await;
    let record = Record::default();
    prologue::call_each_route(&app, &app.anonymous().recorded(&record)).await;
    go_on(&app, Script::new(&app.anonymous(), record.clone(), SEED, MONEY), CALLS).await;
    app.stop().await;
    record.exchanges()
}

/// Work, from nothing.
async fn run_work(database: &Database) -> Vec<Exchange> {
    let app = start(database, SEED).await;
    let record = Record::default();
    go_on(&app, Script::new(&app.anonymous(), record.clone(), SEED, WORK), WORK_CALLS).await;
    app.stop().await;
    record.exchanges()
}

async fn go_on(app: &App, mut script: Script, calls: usize) {
    for _ in 0..calls {
        script.step().await;
        // Positions come with a change, or after it: what tells the log is the same once they are there.
        app.run_until_idle().await;
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

fn assert_same(index: usize, here: &Exchange, there: &Exchange) {
    assert_eq!(here.call, there.call, "call {index}: the script itself went another way");
    // A weak tag follows from the text, and from what is measured in it.
    let is_compared = |value: &&HeaderValue| !value.as_bytes().starts_with(b"W/");
    let headers = |it: &Exchange| {
        let value = |name: &str| it.answer.headers.get(name).filter(is_compared).cloned();
        HEADERS.iter().map(|name| (*name, value(name))).collect::<Vec<_>>()
    };
    let call = format!("call {index}: {}", here.call);
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

/// Runs a script on each database, and compares.
async fn compare(run: impl AsyncFn(&Database) -> Vec<Exchange>, look: impl Fn(&[Exchange])) {
    let first: Mutex<Option<Vec<Exchange>>> = Mutex::default();
    run_in_turn(async |database| {
        let exchanges = run(&database).await;
        let before = first.lock().unwrap().replace(exchanges.clone());
        for (index, (here, there)) in before.iter().flatten().zip(&exchanges).enumerate() {
            assert_same(index, here, there);
        }
        assert_worth(&exchanges);
        look(&exchanges);
    })
    .await;
}

#[tokio::test]
async fn the_same_calls_get_the_same_answers() {
    compare(run, assert_complete).await;
}

#[tokio::test]
async fn the_same_work_gets_the_same_answers() {
    compare(run_work, |_| {}).await;
}

//! The feed for offline clients over a log of 100,000 events: what one answer takes, near the
//! beginning and at the end, and all of it.

// A benchmark that cannot be set up has failed: there is nothing better to do than to panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::time::Instant;

use api::{config::Settings, state::State};
use serde_json::json;
use service::{
    Actor, Store,
    background::run_until_idle,
    catalogue::CONSUMERS,
    input::{Change, FromBody},
    money::expense::Expense,
    resource::Changeable,
    store::{Options, versioned::Expected},
    sync::{Changes, ChangesQuery, changes},
};
use support::{Database, median};
use uuid::Uuid;

/// New expenses, and then some of them again and again.
const EXPENSES: usize = 50_000;
const CHANGED: usize = 500;
const TIMES: i64 = 100;
const ANSWERS: usize = 15;

fn main() {
    support::run(async {
        println!("| database | 50 items | 500 items | none of 5,000 events | nothing new | all |");
        println!("|---|---:|---:|---:|---:|---:|");
        for (name, database) in Database::all().await {
            let store = database.store(Options::default()).await;
            let actor = support::household(&store).await;
            let categories = support::categories(&store, &actor, 20).await;
            let ids = support::expenses(&store, &actor, &categories, EXPENSES).await;
            for version in 1..=TIMES {
                change(&store, &actor, &ids[..CHANGED], version).await;
            }
            let state = State::new(store.clone(), Settings::default()).unwrap();
            run_until_idle(&state.workers(CONSUMERS)).await.unwrap();
            support::analyze(&store).await;
            measure(name, &store, &actor).await;
            database.end(store).await;
        }
    });
}

async fn change(store: &Store, actor: &Actor, ids: &[Uuid], version: i64) {
    let actor = actor.clone();
    let ids = ids.to_vec();
    let work = store.write(async move |tx| {
        let change = Change::from_body(json!({ "note": format!("note {version}") }))?;
        for id in &ids {
            Expense::change(tx, &actor, *id, Expected::Version(version), &change).await?;
        }
        Ok(())
    });
    work.await.unwrap();
}

async fn measure(name: &str, store: &Store, actor: &Actor) {
    let query = |since: Option<String>, limit, entities: Option<&str>| ChangesQuery {
        since,
        limit: Some(limit),
        entities: entities.map(str::to_owned),
    };
    let start = Instant::now();
    let (mut answers, mut items) = (0, 0);
    let mut page: Changes = changes(store, actor, &query(None, 500, None)).await.unwrap();
    loop {
        (answers, items) = (answers + 1, items + page.items.len());
        if !page.more {
            break;
        }
        page = changes(store, actor, &query(Some(page.cursor), 500, None)).await.unwrap();
    }
    let all = start.elapsed();
    assert!(items > EXPENSES, "each row once");
    let mut times = Vec::new();
    for query in [
        query(None, 50, None),
        query(None, 500, None),
        query(None, 500, Some("budget")),
        query(Some(page.cursor), 500, None),
    ] {
        let mut each = Vec::new();
        for _ in 0..ANSWERS {
            let start = Instant::now();
            changes(store, actor, &query).await.unwrap();
            each.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        times.push(median(each));
    }
    println!(
        "| {name} | {:.1} ms | {:.1} ms | {:.1} ms | {:.1} ms | {items} in {answers} answers, \
         {:.1} s |",
        times[0],
        times[1],
        times[2],
        times[3],
        all.as_secs_f64()
    );
}

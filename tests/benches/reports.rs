//! The spending report over 100,000 expenses with the index that covers it and without, and what
//! that index costs those who write.

// A benchmark that cannot be set up has failed: there is nothing better to do than to panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::time::{Duration, Instant};

use chrono::Days;
use sea_orm::ConnectionTrait;
use service::{
    Actor, Store,
    report::{self, GroupBy, SpendingQuery},
    store::Options,
};
use support::{Contestant, Database, FIRST_DAY, median};
use uuid::Uuid;

const EXPENSES: usize = 100_000;
const REPORTS: usize = 15;
const INSERTS: Duration = Duration::from_secs(3);
/// How many rows one transaction writes.
const CHUNK: usize = 500;

const DROP: &str = r#"DROP INDEX "idx-expense-spending""#;
/// What the lists need, if the reports did without.
const LEAN: &str =
    r#"CREATE INDEX "idx-expense-spending" ON "expense" ("organization_id", "spent_on", "id")"#;

fn main() {
    support::run(async {
        println!("| database | index | category | month | member | a month | rows written/s |");
        println!("|---|---|---:|---:|---:|---:|---:|");
        for (name, database) in Database::all().await {
            let store = database.store(Options::default()).await;
            let actor = support::household(&store).await;
            let categories = support::categories(&store, &actor, 20).await;
            support::expenses(&store, &actor, &categories, EXPENSES).await;
            measure(name, "covering", &store, &actor, &categories).await;
            schema(&store, DROP).await;
            schema(&store, LEAN).await;
            measure(name, "(spent_on, id)", &store, &actor, &categories).await;
            database.end(store).await;
        }
    });
}

async fn schema(store: &Store, sql: &'static str) {
    store.write(async move |tx| Ok(tx.execute_unprepared(sql).await.map(drop)?)).await.unwrap();
}

async fn measure(name: &str, index: &str, store: &Store, actor: &Actor, categories: &[Uuid]) {
    support::analyze(store).await;
    let mut times = Vec::new();
    for (group_by, days) in [
        (GroupBy::Category, 1096),
        (GroupBy::Month, 1096),
        (GroupBy::Member, 1096),
        (GroupBy::Category, 31),
    ] {
        let query = SpendingQuery {
            from: FIRST_DAY,
            to: FIRST_DAY + Days::new(days),
            group_by,
            project_id: None,
            largest: false,
            near: None,
            within: None,
        };
        let mut each = Vec::new();
        for _ in 0..REPORTS {
            let start = Instant::now();
            let report =
                report::compute(store, actor.organization_id, query.clone()).await.unwrap();
            each.push(start.elapsed().as_secs_f64() * 1000.0);
            assert!(!report.answer.rows.is_empty());
        }
        times.push(median(each));
    }
    // Into an organization of its own, so that the reports stay as they are.
    let other = support::household(store).await;
    let theirs = support::categories(store, &other, categories.len()).await;
    let (inserting, into) = (store.clone(), other.clone());
    let inserts = Contestant::new(move |_| {
        let (store, other, theirs) = (inserting.clone(), into.clone(), theirs.clone());
        async move { drop(support::expenses(&store, &other, &theirs, CHUNK).await) }
    });
    let rows = inserts.rate(1, INSERTS).await * CHUNK as f64;
    println!(
        "| {name} | {index} | {:.1} ms | {:.1} ms | {:.1} ms | {:.1} ms | {rows:.0} |",
        times[0], times[1], times[2], times[3]
    );
}

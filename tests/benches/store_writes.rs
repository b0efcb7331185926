//! Versioned updates a second, through `Store::write`: what group commit brings on SQLite, and what
//! more connections bring on PostgreSQL.

// A benchmark that cannot be set up has failed: there is nothing better to do than to panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::time::Duration;

use entity::category;
use sea_orm::ActiveValue::Set;
use service::{
    Store,
    event::Verb,
    money::category::Category,
    store::{Options, Synchronous, versioned},
};
use support::{Contestant, Database, Rows, Turn, compete};

const ROUNDS: usize = 15;
const TIME: Duration = Duration::from_millis(250);
const MAX_WRITERS: usize = 64;

fn main() {
    support::run(async {
        if support::wanted(&["sqlite"]) {
            sqlite().await;
        }
        if support::wanted(&["postgresql"]) {
            postgres().await;
        }
    });
}

async fn sqlite() {
    println!("SQLite, a file: versioned updates a second\n");
    println!("| synchronous | writers | a commit each | group commit | ratio |");
    println!("|---|---:|---:|---:|---:|");
    for synchronous in [Synchronous::Full, Synchronous::Normal] {
        let mut sides = Vec::new();
        for group_commit in [true, false] {
            let database = Database::sqlite();
            let options = Options { group_commit, synchronous, ..Options::default() };
            let store = database.store(options).await;
            let contestant = updates(&store).await;
            sides.push((database, store, contestant));
        }
        for writers in [1, MAX_WRITERS] {
            let contestants: Vec<_> = sides.iter().map(|(.., contestant)| contestant).collect();
            let (rates, ratios) = compete(&contestants, writers, ROUNDS, TIME).await;
            println!(
                "| {synchronous:?} | {writers} | {:.0} | {:.0} | {:.2} |",
                rates[1], rates[0], ratios[1]
            );
        }
        for (database, store, _) in sides {
            database.end(store).await;
        }
    }
    println!();
}

async fn postgres() {
    let mut sides = Vec::new();
    for connections in [1, 10, 30] {
        let Some(database) = Database::postgres().await else {
            println!("PostgreSQL: TEST_POSTGRES_URL is not set\n");
            return;
        };
        let options = Options {
            max_connections: connections,
            acquire_timeout: Duration::from_secs(30),
            ..Options::default()
        };
        let store = database.store(options).await;
        let contestant = updates(&store).await;
        sides.push((database, store, contestant));
    }
    println!("PostgreSQL: versioned updates a second, by connections in the pool\n");
    println!("| writers | 1 | 10 | 30 |");
    println!("|---:|---:|---:|---:|");
    for writers in [1, MAX_WRITERS] {
        let contestants: Vec<_> = sides.iter().map(|(.., contestant)| contestant).collect();
        let (rates, _) = compete(&contestants, writers, ROUNDS, TIME).await;
        println!("| {writers} | {:.0} | {:.0} | {:.0} |", rates[0], rates[1], rates[2]);
    }
    println!();
    for (database, store, _) in sides {
        database.end(store).await;
    }
}

/// Reads a category and writes its next version. Any error ends the benchmark: nobody ever sees
/// BUSY.
async fn updates(store: &Store) -> Contestant {
    let actor = support::household(store).await;
    let rows = Rows::of(&support::categories(store, &actor, MAX_WRITERS * 16).await, MAX_WRITERS);
    let store = store.clone();
    Contestant::new(move |turn: Turn| {
        let (store, rows) = (store.clone(), rows.clone());
        let actor = actor.clone();
        async move {
            let actor = actor.clone();
            let id = rows.at(turn).0;
            let number = turn.number;
            store
                .write(async move |tx| {
                    let current =
                        versioned::get::<category::Entity>(tx, actor.organization_id, id).await?;
                    let change = category::ActiveModel {
                        name: Set(format!("Name {number}")),
                        ..Default::default()
                    };
                    let verb = Verb::Updated;
                    versioned::update(tx, &actor, verb, &current, change, Category::try_from).await
                })
                .await
                .unwrap();
        }
    })
}

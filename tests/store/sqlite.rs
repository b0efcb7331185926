//! What only SQLite can suffer: a full disk, and another process that holds the file.

use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait, Database as SeaOrm, Statement};
use serde_json::{Value, json};
use service::{
    Store,
    store::{Engine, Options},
};
use tests::{App, AppOptions, Client, Database};

/// SQLite in a file, which goes with the folder.
fn file() -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("steward.db").display());
    (folder, Database { engine: Engine::Sqlite, url })
}

fn expense() -> Value {
    json!({ "spent_on": "2026-11-01", "amount_minor": 10, "note": "n".repeat(2000),
        "items": [{ "name": "a", "amount_minor": 4 }, { "name": "b", "amount_minor": 6 }] })
}

/// Limits how many pages the file may have.
async fn limit_pages(store: &Store, pages: u32) {
    let limited = store.write(async move |tx| {
        let pragma = format!("PRAGMA max_page_count = {pages}");
        let statement = Statement::from_string(tx.get_database_backend(), pragma);
        Ok(tx.query_all_raw(statement).await.map(drop)?)
    });
    limited.await.expect("a limit");
}

/// A file that is gone is written to no longer: all of it would go with the process.
#[tokio::test]
async fn a_file_that_is_removed_or_replaced_refuses_writes() {
    let (folder, database) = file();
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    ada.make(&expenses, expense()).await;
    ada.read("/ready").await;
    let path = folder.path().join("steward.db");
    let aside = folder.path().join("aside.db");
    std::fs::rename(&path, &aside).expect("moved");
    refused(&ada, &expenses).await;
    assert_eq!(ada.get("/ready").await.status, 503);
    std::fs::copy(&aside, &path).expect("another file");
    refused(&ada, &expenses).await;
    assert_eq!(ada.get("/ready").await.status, 503);
    std::fs::rename(&aside, &path).expect("moved back");
    ada.make(&expenses, expense()).await;
    ada.read("/ready").await;
    assert_eq!(ada.all(&expenses, "").await.len(), 2);
    app.stop().await;
}

async fn refused(client: &Client, expenses: &str) {
    let answer = client.post(expenses, expense()).await;
    assert_eq!(answer.headers["retry-after"], "1");
    answer.expect_problem(503, "unavailable");
}

/// SQLite takes the whole transaction back by itself, so that nothing is left to roll back. What is
/// written next must be in a transaction again, and not in a savepoint of none.
#[tokio::test]
async fn a_write_that_finds_no_room_is_refused_and_the_next_ones_last() {
    let (_folder, database) = file();
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let mut written = 0;
    for _ in 0..3 {
        // No smaller than the file is: from now on it does not grow.
        limit_pages(&app.store, 1).await;
        let refused_at = written + 50;
        loop {
            assert!(written < refused_at, "the file still grows");
            let answer = ada.post(&expenses, expense()).await;
            if answer.status == 503 {
                assert_eq!(answer.headers["retry-after"], "1");
                answer.expect_problem(503, "unavailable");
                break;
            }
            answer.expect(201);
            written += 1;
        }
        limit_pages(&app.store, u32::MAX).await;
        for _ in 0..2 {
            ada.make(&expenses, expense()).await;
            written += 1;
            assert_eq!(ada.all(&expenses, "?limit=500").await.len(), written);
        }
    }
    app.stop().await;
    let other = SeaOrm::connect(&database.url).await.expect("another connection");
    let count =
        Statement::from_string(other.get_database_backend(), "SELECT count(*) FROM expense");
    let count = other.query_one_raw(count).await.expect("a count").expect("a row");
    assert_eq!(count.try_get_by::<i64, _>(0), Ok(i64::try_from(written).expect("a few")));
    other.close().await.expect("closed");
}

#[tokio::test]
async fn a_file_that_another_process_holds_refuses_writes_until_it_is_let_go() {
    let (_folder, database) = file();
    let store = Options { busy_timeout: Duration::from_millis(50), ..Options::default() };
    let app = App::start_with(&database, AppOptions { store, ..AppOptions::default() }).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    ada.make(&expenses, expense()).await;
    let mut one = ConnectOptions::new(&database.url);
    one.max_connections(1);
    let other = SeaOrm::connect(one).await.expect("another connection");
    other.execute_unprepared("BEGIN IMMEDIATE").await.expect("the lock");
    for _ in 0..3 {
        refused(&ada, &expenses).await;
        assert_eq!(ada.all(&expenses, "").await.len(), 1);
    }
    other.execute_unprepared("ROLLBACK").await.expect("the lock back");
    ada.make(&expenses, expense()).await;
    assert_eq!(ada.all(&expenses, "").await.len(), 2);
    other.close().await.expect("closed");
    app.stop().await;
}

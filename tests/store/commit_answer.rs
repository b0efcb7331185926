//! A COMMIT whose answer is lost.

use serde_json::json;
use service::store::Engine;
use tests::{
    App, Database, on_postgresql,
    proxy::{NextCommit, Proxy},
};

/// SQLite's COMMIT has no way to go: `api/tests/process/disk.rs`.
#[on_postgresql]
async fn a_commit_whose_answer_is_lost_is_looked_for(database: Database) {
    let (proxy, url) = Proxy::to(&database.url).await;
    let app = App::start(&Database { engine: Engine::Postgres, url }).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let expense = || json!({ "spent_on": "2026-11-01", "amount_minor": 10 });
    for round in 1..=5 {
        proxy.next_commit(NextCommit::LosesItsAnswer);
        let answer = ada.post(&expenses, expense()).await;
        assert!(proxy.took_place());
        assert_eq!(answer.status, 201, "it was made: {}", answer.text);
        assert_eq!(ada.all(&expenses, "").await.len(), round);
    }
    proxy.next_commit(NextCommit::IsLost);
    let answer = ada.post(&expenses, expense()).await;
    assert!(proxy.took_place());
    assert!(!answer.headers.contains_key("retry-after"), "twice may be once too often");
    answer.expect_problem(503, "outcome_unknown");
    assert_eq!(ada.all(&expenses, "").await.len(), 5);
    // With a key, it can be sent again whatever has become of it.
    let keyed = ada.keyed("once");
    for next in [NextCommit::IsLost, NextCommit::LosesItsAnswer, NextCommit::IsLost] {
        proxy.next_commit(next);
        keyed.post(&expenses, expense()).await;
    }
    proxy.next_commit(NextCommit::Passes);
    keyed.make(&expenses, expense()).await;
    assert_eq!(ada.all(&expenses, "").await.len(), 6);
    app.stop().await;
}

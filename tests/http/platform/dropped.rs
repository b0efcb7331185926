//! Clients that go away in the middle of a request.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{App, Client, Database, each_lasting_database, wire::Wire};

const ROUNDS: u64 = 150;

/// An expense of two lines in a category that is made for it: two statements and more.
fn expense(round: u64) -> Value {
    json!({ "spent_on": "2026-11-01", "amount_minor": 10, "merchant": format!("shop {round}"),
        "items": [{ "name": "a", "amount_minor": 4 }, { "name": "b", "amount_minor": 6 }] })
}

/// Sends a request and goes away after a moment that is different each time: before it has been
/// read, in the middle of its transaction, or after its answer.
async fn send_and_leave(app: &App, request: &str, round: u64) {
    let mut wire = Wire::open(&app.base).await;
    wire.send(request).await;
    tokio::time::sleep(Duration::from_micros(round * 37 % 4000)).await;
    wire.reset();
}

/// Every expense that is there is whole.
async fn whole_expenses(client: &Client, expenses: &str) -> usize {
    let rows = client.all(expenses, "?limit=500").await;
    for row in &rows {
        assert_eq!(row["items"].as_array().map(Vec::len), Some(2), "{row}");
    }
    rows.len()
}

/// Were a BEGIN cancelled on PostgreSQL, its connection would go back to the pool with a transaction
/// that nobody knows of: what later requests write would be answered with 201 and lost.
#[each_lasting_database(flavor = "multi_thread")]
async fn a_client_that_goes_away_leaves_nothing_half_done_and_poisons_nothing(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let mut promised = 0;
    for round in 0..ROUNDS {
        let body = expense(round).to_string();
        let post = ada.written("POST", &expenses, "application/json", &body);
        let get = ada.written("GET", &format!("{expenses}?limit=5"), "application/json", "");
        let unknown = format!("{home}/reports/budgets?on=2026-11-01");
        let report = ada.written("GET", &unknown, "application/json", "");
        for request in [post, get, report] {
            send_and_leave(&app, &request, round).await;
        }
        if round % 10 == 0 {
            ada.make(&expenses, expense(round)).await;
            promised += 1;
        }
    }
    let there = whole_expenses(&ada, &expenses).await;
    assert!(there >= promised, "{there} of {promised}");
    // What was answered with 201 is there for another process too, not in an open transaction.
    let (store, settings) = (database.store(Default::default()).await, Default::default());
    let second = App::over(store, settings);
    let elsewhere = ada.at(&second.base);
    assert!(whole_expenses(&elsewhere, &expenses).await >= there);
    for round in 0..30 {
        ada.make(&expenses, expense(round)).await;
    }
    assert!(whole_expenses(&elsewhere, &expenses).await >= there + 30);
    second.stop().await;
    app.stop().await;
}

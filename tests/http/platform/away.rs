//! The database goes away and comes back.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use service::store::Options;
use tests::{Answer, App, AppOptions, Client, Database, on_postgresql, proxy::Proxy};
use tokio::sync::mpsc;

fn expense() -> Value {
    json!({ "spent_on": "2026-11-01", "amount_minor": 10,
        "items": [{ "name": "a", "amount_minor": 4 }, { "name": "b", "amount_minor": 6 }] })
}

fn unavailable(answer: Answer) {
    assert_eq!(answer.headers["retry-after"], "1");
    answer.expect_problem(503, "unavailable");
}

/// Writes until the database is away, and gives the ids that were promised.
async fn write_until_it_is_away(
    client: Client,
    expenses: String,
    written: mpsc::Sender<()>,
) -> Vec<Value> {
    let mut promised = Vec::new();
    while promised.len() < 10_000 {
        let answer = client.post(&expenses, expense()).await;
        if answer.status == 503 {
            // Where it went away in the middle of a COMMIT, nobody knows.
            match answer.json["code"].as_str() {
                Some("outcome_unknown") => assert!(!answer.headers.contains_key("retry-after")),
                _ => unavailable(answer),
            }
            break;
        }
        promised.push(answer.expect(201)["id"].clone());
        let _ = written.send(()).await;
    }
    promised
}

async fn is_ready(app: &App) -> bool {
    let answer = app.anonymous().get("/ready").await;
    let (status, word) = if answer.status == 200 { (200, "ok") } else { (503, "unavailable") };
    let body = json!({ "status": word, "database": word, "engine": "postgresql" });
    assert_eq!(answer.expect(status), body);
    status == 200
}

#[on_postgresql(flavor = "multi_thread")]
async fn requests_are_refused_while_the_database_is_away_and_served_when_it_is_back(
    database: Database,
) {
    let (mut way, url) = Proxy::to(&database.url).await;
    let store = Options { acquire_timeout: Duration::from_millis(500), ..Options::default() };
    let options = AppOptions { store, ..AppOptions::default() };
    let app = App::start_with(&Database { url, ..database }, options).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let mut promised = Vec::new();
    for _time in 0..3 {
        assert!(is_ready(&app).await);
        let (written, mut count) = mpsc::channel(1);
        let writers = (0..8).map(|_| {
            tokio::spawn(write_until_it_is_away(ada.clone(), expenses.clone(), written.clone()))
        });
        let writers: Vec<_> = writers.collect();
        drop(written);
        for _ in 0..30 {
            count.recv().await.expect("a writer writes");
        }
        way.cut().await;
        count.close();
        for ids in join_all(writers).await {
            promised.extend(ids.expect("a writer"));
        }
        assert!(!is_ready(&app).await);
        assert_eq!(app.anonymous().get("/health").await.status, 200);
        let anybody = app.anonymous();
        assert_eq!(anybody.get("/metrics").await.status, 200);
        unavailable(anybody.get("/v1/operations/database").await);
        unavailable(ada.get(&expenses).await);
        way.mend().await;
        serves_again(&app, &ada, &expenses).await;
    }
    let rows = ada.all(&expenses, "?limit=500").await;
    assert!(rows.iter().all(|row| row["items"].as_array().map(Vec::len) == Some(2)));
    for id in promised {
        assert!(rows.iter().any(|row| row["id"] == id), "{id} was promised");
    }
    app.stop().await;
}

/// At once ready, and then every request is served: no connection of before is still trusted.
async fn serves_again(app: &App, client: &Client, expenses: &str) {
    let mut tries = 0;
    while !is_ready(app).await {
        tries += 1;
        assert!(tries < 20, "the database is back and nobody notices");
    }
    for _ in 0..20 {
        client.read(&format!("{expenses}?limit=1")).await;
        client.make(expenses, expense()).await;
    }
}

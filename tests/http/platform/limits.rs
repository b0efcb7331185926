//! How much and for how long: bodies, headers, requests, and the stop.

use std::time::Duration;

use api::config::{Limits, Settings};
use serde_json::json;
use tests::{App, AppOptions, Database, each_database, wire::Wire};
use tokio::net::TcpStream;

fn settings(limits: impl FnOnce(&mut Limits)) -> Settings {
    let mut settings = Settings::default();
    limits(&mut settings.limits);
    settings
}

async fn app(database: &Database, settings: Settings, flags: Vec<&'static str>) -> App {
    App::start_with(database, AppOptions { settings, flags, ..AppOptions::default() }).await
}

#[each_database]
async fn a_body_that_is_too_large_is_refused(database: Database) {
    let settings = settings(|limits| {
        limits.body_bytes = 1000;
        limits.upload_bytes = 2000;
    });
    let app = app(&database, settings, Vec::new()).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/categories");
    ada.post(&path, json!({ "name": "x".repeat(1001) })).await.expect_problem(413, "too_large");
    assert_eq!(ada.post(&path, json!({ "name": "x".repeat(900) })).await.status, 422);
    let import = format!("{home}/expenses/import?date=d&amount=a");
    let file = format!("d,a\n{}", "2026-11-01,1.00\n".repeat(200));
    ada.upload(&import, file).await.expect_problem(413, "too_large");
    assert_eq!(ada.all(&format!("{home}/expenses"), "").await.len(), 0);
    app.stop().await;
}

#[each_database]
async fn headers_that_are_too_large_or_too_slow_end_their_connection_alone(database: Database) {
    let app = app(&database, Settings::default(), vec!["--header-timeout", "1"]).await;
    let mut slow = Wire::open(&app.base).await;
    slow.send("GET /health HTTP/1.1\r\nhost: stew").await;
    let mut large = Wire::open(&app.base).await;
    large.send("GET /health HTTP/1.1\r\nhost: steward\r\n").await;
    large.send(format!("x: {}\r\n", "y".repeat(1000)).repeat(1000)).await;
    let refused = large.rest().await;
    assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 4"), "{refused}");
    app.anonymous().read("/health").await;
    let refused = slow.rest().await;
    assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 408"), "{refused}");
    app.anonymous().read("/health").await;
    app.stop().await;
}

/// Whoever sends half a body holds nothing up for longer than a request may take.
#[each_database]
async fn a_request_has_a_deadline(database: Database) {
    let settings = settings(|limits| limits.request_timeout = Duration::from_millis(1500));
    let app = app(&database, settings, Vec::new()).await;
    let (ada, home) = app.owner_of("household").await;
    let body = json!({ "name": "Food" }).to_string();
    let request = ada.written("POST", &format!("{home}/categories"), "application/json", &body);
    let mut half = Wire::open(&app.base).await;
    half.send(&request[..request.len() - 5]).await;
    let answer = half.rest().await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    let lower = answer.to_lowercase();
    for part in ["application/problem+json", "retry-after: 1", "\"code\":\"unavailable\""] {
        assert!(lower.contains(part), "{answer}");
    }
    assert_eq!(ada.all(&format!("{home}/categories"), "").await.len(), 0);
    app.stop().await;
}

#[each_database(flavor = "multi_thread")]
async fn a_stop_waits_for_a_request_under_way(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let file = "d,a\n2026-11-01,1.00\n";
    let path = format!("{home}/expenses/import?date=d&amount=a");
    let request = ada.written("POST", &path, "text/csv", file);
    let mut under_way = Wire::open(&app.base).await;
    let (first, last) = request.split_at(request.len() - 5);
    under_way.send(first).await;
    // By now the server has read what was sent before.
    app.anonymous().read("/health").await;
    let address = app.base.trim_start_matches("http://").to_owned();
    let stopped = tokio::spawn(app.stop_when_done());
    let mut tries = 0;
    while TcpStream::connect(&address).await.is_ok() && tries < 10_000 {
        tries += 1;
        tokio::task::yield_now().await;
    }
    assert!(!stopped.is_finished());
    under_way.send(last).await;
    let answer = under_way.rest().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\"created\":1"), "{answer}");
    stopped.await.expect("it stops");
}

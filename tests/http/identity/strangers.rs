//! What somebody whom nobody knows can make steward hold: little, and not for long.

use std::time::Duration;

use api::config::{Limits, Settings};
use futures_util::future::select_all;
use tests::{App, AppOptions, Database, Route, each_database, wire::Wire};

/// The id of nothing.
const NOTHING: &str = "00000000-0000-7000-8000-000000000000";

async fn app(database: &Database, limits: impl FnOnce(&mut Limits)) -> App {
    let mut settings = Settings::default();
    limits(&mut settings.limits);
    App::start_with(database, AppOptions { settings, ..AppOptions::default() }).await
}

/// The head of a request of which the body is still to come.
fn head(method: &str, path: &str, header: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: steward\r\nauthorization: Bearer stw_s_nonsense\r\n\
         content-type: application/json\r\n{header}\r\n\r\n"
    )
}

/// No body is read of which it is known beforehand that nobody may send it.
#[each_database]
async fn every_route_answers_a_stranger_before_it_reads(database: Database) {
    let app = app(&database, |_| {}).await;
    for route in Route::all().into_iter().filter(|route| route.takes().is_some()) {
        // Who asks is found out before what they ask for.
        let path = route.variables().iter().fold(route.path.clone(), |path, variable| {
            path.replace(&format!("{{{variable}}}"), NOTHING)
        });
        let mut wire = Wire::open(&app.base).await;
        wire.send(head(route.method.as_str(), &path, "content-length: 1000000")).await;
        let answer = wire.text_until("\r\n\r\n").await.unwrap_or_default();
        let status = if route.is_public() { "413" } else { "401" };
        let expected = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&expected), "{}: {answer}", route.name());
    }
    app.stop().await;
}

/// Whether or not they say how long it will be.
#[each_database]
async fn a_stranger_sends_little(database: Database) {
    let app = app(&database, |_| {}).await;
    for path in ["/v1/sessions", "/v1/users"] {
        let mut wire = Wire::open(&app.base).await;
        wire.send(head("POST", path, "transfer-encoding: chunked")).await;
        wire.send(format!("5000\r\n{}\r\n", "x".repeat(0x5000))).await;
        let answer = wire.text_until("too_large").await;
        assert!(answer.is_some_and(|answer| answer.starts_with("HTTP/1.1 413")), "{path}");
    }
    app.stop().await;
}

#[each_database]
async fn a_body_that_does_not_come_is_not_waited_for(database: Database) {
    let app = app(&database, |limits| limits.body_timeout = Duration::from_millis(300)).await;
    let (ada, home) = app.owner_of("household").await;
    let import = format!("{home}/expenses/import?date=d&amount=a");
    let category = format!("{home}/categories");
    for (path, media_type, body) in [
        ("/v1/sessions", "application/json", r#"{"email":"a","#),
        (&category, "application/json", r#"{"name":"#),
        (&import, "text/csv", "d,a\n2026-11-01,1.00\n"),
    ] {
        let request = ada.written("POST", path, media_type, body);
        let mut half = Wire::open(&app.base).await;
        half.send(&request[..request.len() - 1]).await;
        let answer = half.rest().await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{path}: {answer}");
        assert!(answer.contains("urn:steward:problem:timeout"), "{path}: {answer}");
    }
    assert!(ada.all(&format!("{home}/expenses"), "").await.is_empty());
    app.stop().await;
}

/// A thousandth of what many may hold, so that few fill it.
#[each_database]
async fn strangers_leave_room_for_those_who_are_known(database: Database) {
    let app = app(&database, |limits| limits.body_budget = 64_000).await;
    let (ada, home) = app.owner_of("household").await;
    // There is room for two of them, whichever are read first.
    let strangers = (0..3).map(|_| {
        Box::pin(async {
            let mut wire = Wire::open(&app.base).await;
            wire.send(head("POST", "/v1/sessions", "content-length: 5000")).await;
            wire.send("x".repeat(4000)).await;
            wire.text_until("urn:steward:problem:unavailable").await
        })
    });
    let (answer, _, strangers) = select_all(strangers).await;
    assert!(answer.is_some_and(|answer| answer.starts_with("HTTP/1.1 503")));
    let refused = app.anonymous().log_in("user@example.org", &"x".repeat(500)).await;
    assert_eq!(refused.retry_after(), 1);
    refused.expect_problem(503, "unavailable");
    let name = serde_json::json!({ "name": "x".repeat(90) });
    ada.post(&format!("{home}/categories"), name).await.expect(201);
    drop(strangers);
    app.stop().await;
}

#[each_database]
async fn a_network_has_so_many_connections(database: Database) {
    let app = app(&database, |limits| limits.network_connections = 3).await;
    let request = "GET /health HTTP/1.1\r\nhost: steward\r\n\r\n";
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut wire = Wire::open(&app.base).await;
        wire.send(request).await;
        assert!(wire.read_until(r#""ok""#).await);
        open.push(wire);
    }
    let mut silent = Wire::open(&app.base).await;
    assert_eq!(silent.rest().await, "", "it is closed without having asked");
    let mut more = Wire::open(&app.base).await;
    more.send(request).await;
    let answer = more.rest().await;
    assert!(!answer.contains(r#""ok""#), "{answer}");
    let lower = answer.to_lowercase();
    assert!(answer.is_empty() || lower.contains("connection: close"), "{answer}");
    app.anonymous().from_address("127.0.0.2").read("/health").await;
    open.pop();
    while app.anonymous().try_get("/health").await.is_none_or(|answer| answer.status != 200) {
        tokio::task::yield_now().await;
    }
    app.stop().await;
}

//! What HTTP promises of every answer: methods, headers, conditions, codings.

use std::time::Duration;

use reqwest::{Method, header::HeaderMap};
use serde_json::json;
use tests::{App, AppOptions, Database, at, each_database};
use tokio::time::sleep;

/// The headers, without what differs from one answer to the next.
fn lasting(mut headers: HeaderMap) -> HeaderMap {
    for header in ["date", "x-request-id"] {
        headers.remove(header);
    }
    headers
}

#[each_database]
async fn a_head_is_answered_as_a_get_without_the_body(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let expense = ada.make(&expenses, json!({ "spent_on": "2026-11-01", "amount_minor": 1 })).await;
    let missing = format!("{expenses}/{}", home.rsplit('/').next().unwrap());
    let paths = [
        "/health",
        "/ready",
        "/docs/",
        "/docs/swagger-initializer.js",
        "/openapi.json",
        "/nowhere",
        &expenses,
        &at(&expenses, &expense),
        &missing,
        &format!("{expenses}?limit=0"),
        &format!("{expenses}/import"),
    ];
    for path in paths {
        let get = ada.get(path).await;
        let head = ada.send(Method::HEAD, path, None).await;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.text, "", "{path}");
        assert_eq!(head.headers["content-length"], get.text.len().to_string(), "{path}");
        assert_eq!(lasting(head.headers), lasting(get.headers), "{path}");
    }
    app.stop().await;
}

/// A HEAD of a stream does not hold one open.
#[each_database]
async fn a_head_of_a_stream_ends(database: Database) {
    let mut options = AppOptions::default();
    options.settings.streams.for_each_organization = 1;
    let app = App::start_with(&database, options).await;
    let (ada, home) = app.owner_of("household").await;
    let mut opened = 0;
    for _ in 0..500 {
        let head = ada.send(Method::HEAD, &format!("{home}/events/stream"), None).await;
        assert_eq!(head.text, "");
        if head.status == 200 {
            assert_eq!(head.headers["content-type"], "text/event-stream");
            opened += 1;
        }
        if opened == 3 {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(opened, 3);
    app.stop().await;
}

#[each_database]
async fn options_say_which_methods_there_are(database: Database) {
    let app = App::start(&database).await;
    let anybody = app.anonymous();
    let id = "01a1fc66-0000-7000-8000-000000000000";
    let expenses = format!("/v1/organizations/{id}/expenses");
    for (path, methods) in [
        ("/health", "GET, HEAD, OPTIONS"),
        ("/docs/", "GET, HEAD, OPTIONS"),
        (&*expenses, "GET, HEAD, POST, OPTIONS"),
        (&format!("{expenses}/import"), "POST, OPTIONS"),
        (&format!("{expenses}/{id}"), "DELETE, GET, HEAD, PATCH, OPTIONS"),
        (&format!("{expenses}/{id}/submit"), "POST, OPTIONS"),
    ] {
        let answer = anybody.send(Method::OPTIONS, path, None).await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.headers["allow"], methods, "{path}");
    }
    let nowhere = anybody.send(Method::OPTIONS, "/nowhere", None).await;
    nowhere.expect_problem(404, "not_found");
    app.stop().await;
}

#[each_database]
async fn the_root_leads_to_the_documentation(database: Database) {
    let app = App::start(&database).await;
    let page = app.anonymous().get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("swagger-ui"), "{}", page.text);
    app.stop().await;
}

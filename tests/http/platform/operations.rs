//! What operators and their machines look at.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use service::store::Engine;
use tests::{App, AppOptions, Client, Database, at, each_database};

#[each_database]
async fn health_and_readiness(database: Database) {
    let app = App::start(&database).await;
    let anybody = app.anonymous();
    assert_eq!(anybody.read("/health").await, json!({ "status": "ok" }));
    let engine = match database.engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgresql",
    };
    let ready = json!({ "status": "ok", "database": "ok", "engine": engine });
    assert_eq!(anybody.read("/ready").await, ready);
    // In this process, nobody has chosen the data of the machine.
    let verbose = anybody.read("/ready?verbose").await;
    let bundled = service::zone::Database::bundled_version();
    assert_eq!(verbose["time_zones"], json!({ "version": bundled, "source": "bundled" }));
    assert_eq!(verbose["status"], "ok");
    let answer = anybody.get("/nowhere").await;
    assert_ne!(
        answer.headers["x-request-id"],
        anybody.get("/nowhere").await.headers["x-request-id"]
    );
    answer.expect_problem(404, "not_found");
    app.stop().await;
}

/// Changes of one row at the same moment, until PostgreSQL has made one of them run again.
async fn collide(client: &Client, path: &str) {
    for version in 1..50 {
        let change = json!({ "version": version, "note": format!("x{version}") });
        let changes = (0..8).map(|_| client.patch(path, change.clone()));
        join_all(changes).await;
        let metrics = client.get("/metrics").await.text;
        if metrics.contains("\nsteward_transaction_retries_total ") {
            return;
        }
    }
}

#[each_database(flavor = "multi_thread")]
async fn every_metric_is_there_and_names_nobody(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let new = json!({ "spent_on": "2026-11-01", "amount_minor": 1 });
    let expense = ada.make(&expenses, new).await;
    let path = at(&expenses, &expense);
    let token = "stw_i_0199aaaa00007000800000000000000a_secret";
    ada.post(&format!("/v1/invitations/{token}/accept"), json!({})).await.expect(404);
    ada.get("/v1/nowhere/canary").await.expect(404);
    let import = format!("{expenses}/import?date=d&amount=a");
    app.import(&ada, &import, "d,a\n2026-11-01,1.00\n").await;
    let made_up = Method::from_bytes(b"CANARY").expect("a method");
    ada.send(made_up, &path, None).await;
    let mut names = vec![
        "steward_http_request_seconds_bucket",
        "steward_statement_seconds_bucket",
        "steward_pool_connections",
        "steward_cache_requests_total",
    ];
    match database.engine {
        Engine::Sqlite => names.extend(["steward_writer_queue", "steward_writer_batch_bucket"]),
        Engine::Postgres => {
            collide(&ada, &path).await;
            names.push("steward_transaction_retries_total");
        }
    }
    let metrics = ada.get("/metrics").await.text;
    for name in names {
        assert!(metrics.contains(&format!("\n{name}")), "{name} is not there");
    }
    for part in [
        "route=\"/v1/organizations/{organization_id}/expenses/{expense_id}\"",
        "route=\"/v1/organizations/{organization_id}/expenses/import\"",
        "route=\"/v1/invitations/{token}/accept\"",
        "route=\"unmatched\"",
        "method=\"other\"",
        "operation=\"INSERT\",result=\"ok\"",
    ] {
        assert!(metrics.contains(part), "{part} is not there");
    }
    let home = home.rsplit('/').next().expect("an id");
    let expense = path.rsplit('/').next().expect("an id");
    for part in [home, expense, token, "canary", "CANARY"] {
        assert!(!metrics.contains(part), "{part} is there");
    }
    app.stop().await;
}

/// What operators alone may see is where they ask, and the API is not there.
#[each_database]
async fn operators_have_an_address_of_their_own_where_that_is_set(database: Database) {
    let options = AppOptions { operations: true, ..AppOptions::default() };
    let app = App::start_with(&database, options).await;
    let anybody = app.anonymous();
    let operator = Client::new(app.operations.as_deref().expect("an address"));
    for client in [&anybody, &operator] {
        assert_eq!(client.read("/health").await, json!({ "status": "ok" }));
        assert_eq!(client.read("/ready").await["status"], "ok");
        assert_eq!(client.read("/ready?verbose=false").await["status"], "ok");
    }
    assert!(operator.get("/metrics").await.text.contains("steward_http_request_seconds"));
    assert!(operator.read("/ready?verbose").await["time_zones"].is_object());
    anybody.get("/metrics").await.expect_problem(404, "not_found");
    anybody.send(Method::OPTIONS, "/metrics", None).await.expect_problem(404, "not_found");
    anybody.get("/ready?verbose").await.expect_problem(403, "operators_only");
    for path in ["/", "/docs/", "/openapi.json", "/v1/users/me"] {
        operator.get(path).await.expect_problem(404, "not_found");
    }
    let user =
        json!({ "email": "ada@example.org", "display_name": "Ada", "password": "a long way home" });
    operator.post("/v1/users", user.clone()).await.expect_problem(404, "not_found");
    anybody.post("/v1/users", user).await.expect(201);
    app.stop().await;
}

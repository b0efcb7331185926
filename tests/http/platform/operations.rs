//! What operators and their machines look at.

use std::time::Duration;

use api::prometheus::{METRICS, Metric};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use service::{
    background::{Concurrency, Work},
    consumer::lag,
    event::sequencer::Sequencer,
    lease::Node,
    store::{Engine, Options},
};
use tests::{
    App, AppOptions, Client, Database, Route, at, each_database,
    exposition::{Families, parse},
    log::{behind, wait_until},
};

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
        let metrics = parse(&client.get("/metrics").await.text).expect("metrics");
        if metrics["steward_transaction_retries_total"].value(&[]) > Some(0.0) {
            return;
        }
    }
    panic!("no transaction ran again");
}

/// Everything slow, and all that is done in the background.
fn observed() -> AppOptions {
    let options = AppOptions::default();
    let store = Options { slow_statement: Duration::ZERO, ..options.store };
    AppOptions { store, background: true, ..options }
}

async fn metrics(client: &Client) -> Families {
    parse(&client.get("/metrics").await.text).unwrap_or_else(|why| panic!("{why}"))
}

#[each_database(flavor = "multi_thread")]
async fn every_metric_of_the_list_is_served_as_the_list_says(database: Database) {
    let app = App::start_with(&database, observed()).await;
    let (ada, home) = app.owner_of("household").await;
    let new = json!({ "spent_on": "2026-11-01", "amount_minor": 1 });
    ada.make(&format!("{home}/expenses"), new).await;
    // Those of a server that is not there are not.
    let is_of = |metric: &&Metric| {
        metric.engine.is_none_or(|engine| engine == database.engine)
            && !["steward_redis_", "steward_replica_"].iter().any(|it| metric.name.starts_with(it))
    };
    let expected: Vec<&Metric> = METRICS.iter().filter(is_of).collect();
    let mut missing = Vec::new();
    wait_until("every metric is there", async || {
        let there = metrics(&ada).await;
        missing = expected.iter().map(|it| it.name).filter(|it| !there.contains_key(*it)).collect();
        eprintln!("missing: {missing:?}");
        missing.is_empty()
    })
    .await;
    for (name, family) in metrics(&ada).await {
        let metric = METRICS.iter().find(|metric| metric.name == name);
        let metric = metric.unwrap_or_else(|| panic!("{name} is not in the list"));
        assert_eq!((&*family.kind, &*family.help), (metric.kind.as_str(), metric.help), "{name}");
        for sample in family.samples {
            let mut labels: Vec<&str> = sample.labels.keys().map(String::as_str).collect();
            labels.retain(|label| *label != "le");
            let mut listed = metric.labels.to_vec();
            listed.sort_unstable();
            assert_eq!(labels, listed, "{name}");
        }
    }
    app.stop().await;
}

/// The value of a metric comes to be what it should.
async fn comes_to_be(client: &Client, name: &str, labels: &[(&str, &str)], so: fn(f64) -> bool) {
    wait_until(name, async || {
        metrics(client).await.get(name).and_then(|it| it.value(labels)).is_some_and(so)
    })
    .await;
}

#[each_database(flavor = "multi_thread")]
async fn the_figures_are_those_of_the_database(database: Database) {
    let app = App::start_with(&database, observed()).await;
    let (ada, home) = app.owner_of("household").await;
    ada.read(&home).await;
    ada.read(&home).await;
    comes_to_be(&ada, "steward_database_size_bytes", &[], |bytes| bytes > 100_000.0).await;
    let event = [("table", "event")];
    comes_to_be(&ada, "steward_table_size_bytes", &event, |bytes| bytes > 0.0).await;
    let read = [("layer", "memory"), ("entity", "role"), ("result", "hit")];
    comes_to_be(&ada, "steward_cache_requests_total", &read, |hits| hits >= 1.0).await;
    let lease = [("lease", "consumer:budget_thresholds")];
    comes_to_be(&ada, "steward_lease_held", &lease, |held| held == 1.0).await;
    let slow = metrics(&ada).await["steward_slow_statements_total"].clone();
    let named = slow.samples.iter().filter(|it| it.labels["statement"] != "other");
    let named: Vec<_> = named.collect();
    assert!(!named.is_empty() && named.iter().all(|it| it.labels["fingerprint"].len() == 16));
    app.stop().await;
}

/// How far a consumer is behind is what the log says, and nothing once it has worked.
#[each_database]
async fn a_consumer_is_as_far_behind_as_there_is_left(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for amount in 1..=3 {
        let new = json!({ "spent_on": "2026-11-01", "amount_minor": amount });
        ada.make(&format!("{home}/expenses"), new).await;
    }
    let sequencer = Sequencer::new(&app.store, &Node::new(&app.store));
    while sequencer.turn(Concurrency::Sequential).await.expect("positions") > 0 {}
    let name = "budget_thresholds";
    let (events, seconds) = lag::behind(&app.store, name).await.expect("a lag");
    assert!(events >= 3 && (0.0..3600.0).contains(&seconds), "{events} events, {seconds} s");
    assert_eq!(events, behind(&app.store, name).await);
    app.run_until_idle().await;
    assert_eq!(lag::behind(&app.store, name).await.expect("a lag"), (0, 0.0));
    app.stop().await;
}

/// A report on the database: its findings and its statements, none with a value.
#[each_database]
async fn operators_are_shown_the_state_of_the_database(database: Database) {
    let options = AppOptions { background: false, ..observed() };
    let app = App::start_with(&database, options).await;
    let (ada, home) = app.owner_of("household").await;
    let new = json!({ "spent_on": "2026-11-01", "amount_minor": 1, "merchant": "Canary Merchant" });
    ada.make(&format!("{home}/expenses"), new).await;
    // Often enough that it has taken longer in all than the migrations, whose statements have no plan.
    for _ in 0..100 {
        ada.all(&format!("{home}/expenses"), "?q=canary").await;
    }
    app.run_until_idle().await;
    let routes = Route::all();
    let route = routes.iter().find(|it| it.path == "/v1/operations/database").expect("the route");
    let before = app.store.statements();
    let answer = route.request(&*route.path).send(&app.anonymous()).await;
    assert_eq!(app.store.statements(), before, "whoever looks is no part of what is seen");
    for hidden in ["Canary", "canary", "household", home.rsplit('/').next().expect("an id")] {
        assert!(!answer.text.contains(hidden), "{hidden} is in {}", answer.text);
    }
    let report = answer.expect(200);
    let engine = database.engine.as_str();
    assert_eq!(report["engine"], engine);
    let checks: Vec<&str> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|finding| finding["check"].as_str().expect("a check"))
        .collect();
    let expected: &[&str] = match database.engine {
        Engine::Sqlite => {
            &["pool", "server_transactions", "writer_queue", "file", "write_ahead_log"]
        }
        Engine::Postgres => &[
            "pool",
            "server_transactions",
            "connections",
            "cache",
            "lock_waits",
            "transactions",
            "vacuum",
            "transaction_ids",
            "bloat",
            "sequential_scans",
            "indexes",
        ],
    };
    for check in expected {
        assert!(checks.contains(check), "{check} is not among {checks:?}");
    }
    let statements = report["statements"].as_array().expect("statements");
    let mut own = statements.iter().filter(|it| it["source"] == "server");
    assert!(own.any(|statement| statement["plan"].is_string()), "{report}");
    // Whoever asks again at once is shown the same.
    let again = app.anonymous().read("/v1/operations/database").await;
    assert_eq!(again["examined_at"], report["examined_at"]);
    app.stop().await;
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
        "steward_limit_decisions_total",
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
    assert!(operator.read("/v1/operations/database").await["findings"].is_array());
    anybody.get("/v1/operations/database").await.expect_problem(404, "not_found");
    for path in ["/", "/docs/", "/openapi.json", "/v1/users/me"] {
        operator.get(path).await.expect_problem(404, "not_found");
    }
    let user =
        json!({ "email": "ada@example.org", "display_name": "Ada", "password": "a long way home" });
    operator.post("/v1/users", user.clone()).await.expect_problem(404, "not_found");
    anybody.post("/v1/users", user).await.expect(201);
    app.stop().await;
}

//! Telemetry over OTLP: what a collector gets of what the program does, and what it does without one.

mod collector;

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use collector::{Collector, attribute, hex, text};
use opentelemetry_proto::tonic::{
    metrics::v1::{Metric, metric::Data},
    trace::v1::{Span, span::SpanKind},
};
use reqwest::Method;
use serde_json::{Value, json};
use service::{random::Random, seal::Keyring, store::Engine};
use tests::{Answer, Client, Database, Receiver, at, each_lasting_database, id, log::wait_until};

use crate::support::Process;

/// The trace that requests of these tests are part of, and the span that they are sent in.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
/// What is in the data of these tests, and in nothing that is sent.
const CANARY: &str = "canary-merchant-7c1e";
/// A key of the collector's.
const SECRET: &str = "s3cr3t-of-the-collector";
/// How long a connection of the program to a webhook may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Serves, and sends telemetry soon.
fn start(database: &Database, endpoint: &str, flags: &[&str], more: &[(&str, &str)]) -> Process {
    let headers = format!("x-collector-key={SECRET}");
    let mut variables = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", &headers),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "50"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
    ];
    variables.extend(more);
    Process::start_with(database, flags, &variables)
}

/// Sends a request that is part of the trace.
async fn traced(client: &Client, method: Method, path: &str, body: Option<Value>) -> Answer {
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let body = body.map(|body| body.to_string().into_bytes());
    let headers = [("traceparent", &*traceparent)];
    client.send_bytes(method, path, "application/json", body, &headers).await
}

fn expense() -> Value {
    json!({ "spent_on": "2026-11-01", "amount_minor": 10, "merchant": CANARY })
}

fn is_of_trace(span: &Span) -> bool {
    hex(&span.trace_id) == TRACE
}

fn is_linked_to_trace(span: &Span) -> bool {
    span.links.iter().any(|link| hex(&link.trace_id) == TRACE)
}

fn has(span: &Span, key: &str, value: &str) -> bool {
    attribute(&span.attributes, key) == value
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_request_is_part_of_its_clients_trace(database: Database) {
    let collector = Collector::start();
    let process = start(&database, collector.url(), &[], &[]);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let expenses = format!("{home}/expenses");
    let answer = traced(&ada, Method::POST, &expenses, Some(expense())).await;
    let request_id = answer.headers["x-request-id"].to_str().expect("text").to_owned();
    answer.expect(201);
    let is_request = |span: &Span| is_of_trace(span) && span.kind == SpanKind::Server as i32;
    let request = collector.span("the request", is_request).await;
    assert_eq!(hex(&request.parent_span_id), PARENT);
    assert_eq!(request.name, "POST /v1/organizations/{organization_id}/expenses");
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/v1/organizations/{organization_id}/expenses"),
        ("url.path", &*expenses),
        ("http.response.status_code", "201"),
        ("steward.request_id", &*request_id),
        ("error.type", ""),
    ] {
        assert_eq!(attribute(&request.attributes, key), value, "{key}");
    }
    let system = match database.engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgresql",
    };
    let is_insert = |span: &Span| is_of_trace(span) && span.name == "INSERT expense";
    let insert = collector.span("the insert", is_insert).await;
    assert!(has(&insert, "db.system.name", system) && has(&insert, "db.operation.name", "INSERT"));
    let text = attribute(&insert.attributes, "db.query.text");
    assert!(text.starts_with("INSERT INTO \"expense\"") && text.contains("VALUES"), "{text}");
    let write = collector.span("the write", |it| it.span_id == insert.parent_span_id).await;
    assert_eq!((&*write.name, &write.parent_span_id), ("write", &request.span_id));
    let is_wait = |span: &Span| span.name == "queue" && span.parent_span_id == write.span_id;
    collector.span("the wait", is_wait).await;
    let batch = match database.engine {
        Engine::Sqlite => {
            let batch = write.links.first().expect("a write is linked to its batch").clone();
            let batch = collector.span("the batch", |it| it.span_id == batch.span_id).await;
            assert!(batch.name == "batch" && batch.parent_span_id.is_empty());
            assert_ne!(attribute(&batch.attributes, "steward.batch.writes"), "");
            batch
        }
        Engine::Postgres => write,
    };
    let is_commit = |span: &Span| span.name == "COMMIT" && span.parent_span_id == batch.span_id;
    collector.span("the commit", is_commit).await;
    for hidden in [CANARY, "example.org", SECRET] {
        assert!(!collector.has_heard(hidden), "{hidden} was sent");
    }
    assert!(collector.headers("x-collector-key").iter().all(|it| it.as_deref() == Some(SECRET)));
    let names_both = |line: &String| line.contains(&request_id) && line.contains(TRACE);
    wait_until("the log names both ids", async || process.log().iter().any(names_both)).await;
    assert!(!process.log().iter().any(|line| line.contains(SECRET)));
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_line_of_the_log_and_a_problem_name_the_trace(database: Database) {
    let collector = Collector::start();
    let process = start(&database, collector.url(), &[], &[]);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let token = "stw_i_0199aaaa00007000800000000000000a_canary";
    let accept = format!("/v1/invitations/{token}/accept");
    let problem = traced(&ada, Method::POST, &accept, Some(json!({}))).await.expect(404);
    assert_eq!(problem["trace_id"], TRACE);
    let own = ada.get("/v1/nowhere").await.expect(404)["trace_id"].clone();
    assert!(own.as_str().is_some_and(|it| it.len() == 32 && it != TRACE), "{own}");
    let of_trace = |it: &Collector| {
        let logs = it.logs().into_iter();
        let mut answered = logs.filter(|it| text(it.body.as_ref()) == "answered");
        answered.find(|it| hex(&it.trace_id) == TRACE)
    };
    let line = collector.until("the line of the log", of_trace).await;
    assert_eq!(attribute(&line.attributes, "status"), "404");
    let request = collector.span("the request", |it| it.span_id == line.span_id).await;
    let path = "/v1/invitations/{token}/accept";
    assert!(has(&request, "url.path", path) && has(&request, "http.route", path));
    let nowhere = |span: &Span| hex(&span.trace_id) == own && span.name == "GET";
    let nowhere = collector.span("the request of no route", nowhere).await;
    assert!(has(&nowhere, "url.path", "") && has(&nowhere, "http.response.status_code", "404"));
    for hidden in [token, "nowhere", "example.org"] {
        assert!(!collector.has_heard(hidden), "{hidden} was sent");
    }
}

/// Whether a histogram has counted something.
fn is_counted(metric: &Metric) -> bool {
    match &metric.data {
        Some(Data::Histogram(histogram)) => histogram.data_points.iter().any(|it| it.count > 0),
        _ => false,
    }
}

#[each_lasting_database(flavor = "multi_thread")]
async fn the_metrics_are_sent_as_they_are_shown(database: Database) {
    let collector = Collector::start();
    let named = [("OTEL_SERVICE_NAME", "back office")];
    let process = start(&database, collector.url(), &[], &named);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    ada.make(&format!("{home}/expenses"), expense()).await;
    let wanted = ["steward_http_request_seconds", "steward_statement_seconds"];
    let sent = collector.until("what was counted", |it| {
        let metrics = it.metrics();
        let find = |name: &str| metrics.iter().find(|metric| metric.name == name).cloned();
        let counted = wanted.iter().map(|name| find(name).filter(is_counted));
        let counted: Option<Vec<_>> = counted.collect();
        Some((counted?, find("steward_pool_connections")?))
    });
    let (counted, gauge) = sent.await;
    let shown = ada.get("/metrics").await.text;
    for metric in counted {
        assert_eq!(metric.unit, "s");
        let help = format!("# HELP {} {}", metric.name, metric.description);
        assert!(shown.contains(&help), "{help} is not shown");
        let Some(Data::Histogram(histogram)) = metric.data else { panic!("a histogram") };
        for bound in &histogram.data_points[0].explicit_bounds {
            assert!(shown.contains(&format!("le=\"{bound}\"")), "{bound} is not shown");
        }
    }
    assert!(matches!(gauge.data, Some(Data::Gauge(gauge)) if !gauge.data_points.is_empty()));
    collector.until("a span", |it| it.spans().pop()).await;
    let resources = collector.resources();
    assert!(!resources.is_empty());
    for resource in resources {
        let of = |key| attribute(&resource.attributes, key);
        assert_eq!(of("service.name"), "back office");
        assert!(!of("service.version").is_empty() && !of("service.instance.id").is_empty());
    }
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_webhook_and_a_payout_get_the_trace_that_they_are_sent_in(database: Database) {
    let collector = Collector::start();
    let receiver = Receiver::answering(200);
    let key = Keyring::new_key("test", &Random::system());
    let variables = [("STEWARD_ENCRYPTION_KEYS", &*key), ("STEWARD_OUTBOUND_ALLOW", "127.0.0.1")];
    let process = start(&database, collector.url(), &[], &variables);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let payouts = json!({ "version": 1, "payout_url": format!("{}/payouts", receiver.url) });
    ada.patch(&home, payouts).await.expect(200);
    let hook =
        json!({ "url": format!("{}/hook?{SECRET}", receiver.url), "kinds": ["expense.created"] });
    ada.make(&format!("{home}/webhooks"), hook).await;
    let expenses = format!("{home}/expenses");
    let made = traced(&ada, Method::POST, &expenses, Some(expense())).await.expect(201);
    let pay = format!("{}/pay", at(&expenses, &made));
    traced(&ada, Method::POST, &pay, Some(json!({ "version": 1 }))).await.expect(200);
    let expected = [
        ("/hook", "webhook delivery", ("steward.event.kind", "expense.created")),
        ("/payouts", "saga step", ("steward.saga.step", "reimbursement.payout")),
    ];
    for (path, name, (key, value)) in expected {
        receiver.until(TIMEOUT, |all| all.iter().any(|message| message.path == path)).await;
        let messages = receiver.messages();
        let message = messages.iter().find(|message| message.path == path).expect("a message");
        let traceparent = message.headers["traceparent"].to_str().expect("text");
        let parts: Vec<_> = traceparent.split('-').collect();
        assert!(matches!(parts[..], ["00", trace, _, "01"] if trace != TRACE), "{traceparent}");
        let is_call = |span: &Span| [hex(&span.trace_id), hex(&span.span_id)] == parts[1..3];
        let call = collector.span("the call", is_call).await;
        assert_eq!(call.kind, SpanKind::Client as i32);
        assert!(has(&call, "server.address", "127.0.0.1"));
        assert!(has(&call, "http.response.status_code", "200"));
        let work = collector.span("the work", |it| it.span_id == call.parent_span_id).await;
        assert!(work.name == name && has(&work, key, value), "{work:?}");
        assert!(is_linked_to_trace(&work), "{name} is linked to the request that it is of");
    }
    assert!(!collector.has_heard(SECRET));
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_reaction_is_linked_to_the_request_that_it_follows(database: Database) {
    let collector = Collector::start();
    let process = start(&database, collector.url(), &[], &[]);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let rule = json!({ "name": "Look", "when": { "kind": "expense.created" },
        "then": [{ "create_task": { "title": "Look" } }] });
    ada.make(&format!("{home}/rules"), rule).await;
    traced(&ada, Method::POST, &format!("{home}/expenses"), Some(expense())).await.expect(201);
    let is_turn = |span: &Span| span.name == "process rules" && is_linked_to_trace(span);
    let turn = collector.span("the turn", is_turn).await;
    assert!(turn.kind == SpanKind::Consumer as i32 && turn.parent_span_id.is_empty());
    let is_task = |span: &Span| span.name == "INSERT task" && span.trace_id == turn.trace_id;
    collector.span("what the rule does", is_task).await;
    // Workers that look for work, and find none, leave no traces.
    let known = ["GET", "POST", "PATCH", "HTTP", "batch", "process", "sequence"];
    for root in collector.spans().iter().filter(|span| span.parent_span_id.is_empty()) {
        let word = root.name.split(' ').next().unwrap_or_default();
        assert!(known.contains(&word), "{} is a trace of its own", root.name);
    }
}

/// Whoever takes connections, and never answers.
#[each_lasting_database(flavor = "multi_thread")]
async fn a_collector_that_hangs_slows_nobody_and_is_told_once(database: Database) {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", silent.local_addr().expect("an address"));
    let impatient = [("OTEL_EXPORTER_OTLP_TIMEOUT", "300")];
    let flags = ["--shutdown-delay", "0"];
    let mut process = start(&database, &endpoint, &flags, &impatient);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let expenses = format!("{home}/expenses");
    let told = |process: &Process| {
        let lines = process.log().into_iter();
        lines.filter(|line| line.contains("telemetry cannot be sent")).count()
    };
    wait_until("it is told of each signal", async || {
        ada.make(&expenses, expense()).await;
        told(&process) >= 3
    })
    .await;
    // As long as several attempts take.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        let sent = Instant::now();
        ada.make(&expenses, expense()).await;
        assert!(sent.elapsed() < Duration::from_secs(2), "a write took {:?}", sent.elapsed());
    }
    process.terminate();
    let stopping = Instant::now();
    wait_until("it stops", async || process.ended().is_some()).await;
    assert!(stopping.elapsed() < Duration::from_secs(20), "it took {:?}", stopping.elapsed());
    wait_until("its log ends", async || process.log().iter().any(|it| it.contains("stopped")))
        .await;
    assert_eq!(told(&process), 3, "{:#?}", process.log());
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_stop_sends_what_is_left(database: Database) {
    let collector = Collector::start();
    let late = [
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "3600000"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "3600000"),
    ];
    let mut process = start(&database, collector.url(), &["--shutdown-delay", "0"], &late);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    traced(&ada, Method::GET, "/v1/users/me", None).await.expect(200);
    process.terminate();
    wait_until("it stops", async || process.ended().is_some()).await;
    assert!(collector.spans().iter().any(|it| is_of_trace(it) && it.name == "GET /v1/users/me"));
    assert!(collector.metrics().iter().any(|it| it.name == "steward_http_request_seconds"));
    assert!(collector.logs().iter().any(|it| text(it.body.as_ref()) == "stopped"));
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_trace_that_its_client_does_not_record_is_not_sent(database: Database) {
    let collector = Collector::start();
    let process = start(&database, collector.url(), &[], &[]);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let unsampled = format!("00-{TRACE}-{PARENT}-00");
    for traceparent in [&*unsampled, "00-nonsense", "ff"] {
        let headers = [("traceparent", traceparent)];
        let path = "/v1/users/me";
        let answer = ada.send_bytes(Method::GET, path, "application/json", None, &headers).await;
        assert_eq!(id(&answer.expect(200)).len(), 36, "{traceparent}");
    }
    // Those whose header says nothing have traces of their own, which are sent after the first.
    let others = |it: &Collector| {
        let spans = it.spans().into_iter().filter(|span| span.name == "GET /v1/users/me");
        (spans.count() >= 2).then_some(())
    };
    collector.until("the other requests", others).await;
    assert!(!collector.spans().iter().any(is_of_trace));
}

#[test]
fn a_check_says_where_telemetry_is_sent_and_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |variables: &[(&str, &str)]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_steward"));
        command.env_clear().current_dir(folder.path()).arg("check");
        let output = command.envs(variables.iter().copied()).output().expect("steward runs");
        String::from_utf8(output.stdout).expect("text")
    };
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
    let headers = ("OTEL_EXPORTER_OTLP_HEADERS", SECRET);
    let shown = run(&[endpoint, headers, ("OTEL_LOGS_EXPORTER", "none")]);
    for line in [
        "telemetry      traces to http://collector:4318/v1/traces\n",
        "telemetry      metrics to http://collector:4318/v1/metrics\n",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
    assert!(!shown.contains("logs to") && !shown.contains(SECRET), "{shown}");
    assert!(run(&[]).contains("telemetry      none"));
    let refused = run(&[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
    assert!(
        refused.contains("telemetry      failed: OTEL_EXPORTER_OTLP_PROTOCOL must"),
        "{refused}"
    );
}

//! What HTTP promises of every answer: methods, headers, conditions, codings.

use std::time::Duration;

use actix_http::{encoding::Decoder, error::PayloadError};
use actix_web::web::Bytes;
use futures_util::{TryStreamExt, stream};
use reqwest::{
    Method,
    header::{HeaderMap, HeaderValue},
};
use serde_json::{Value, json};
use tests::{
    Answer, App, AppOptions, Client, Database, Route, Sample, at, each_database, wire::Wire,
};
use tokio::time::sleep;

/// The headers, without what differs from one answer to the next.
fn lasting(mut headers: HeaderMap) -> HeaderMap {
    for header in ["date", "ratelimit", "x-request-id"] {
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

const PAGE: &str = "https://app.example.org";

/// What an answer to a page says of origins.
fn cors(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let ours = |name: &str, value: &HeaderValue| match name {
        "vary" => value == "origin",
        _ => name.starts_with("access-control-"),
    };
    let named = headers.iter().filter(|(name, value)| ours(name.as_str(), value));
    let mut named: Vec<_> =
        named.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    named.sort_unstable();
    named
}

#[each_database]
async fn pages_of_the_origins_that_are_named_may_read_answers(database: Database) {
    let mut options = AppOptions::default();
    options.settings.cors_origins = format!("http://localhost:5173,{PAGE}").parse().unwrap();
    let app = App::start_with(&database, options).await;
    let (ada, home) = app.owner_of("household").await;
    let paths = [format!("{home}/expenses"), format!("{home}/nowhere"), "/health".to_owned()];
    for path in paths {
        for origin in [PAGE, "http://localhost:5173"] {
            let answer = get_from(&ada, &path, origin).await;
            let exposed = answer.headers["access-control-expose-headers"].to_str().unwrap();
            let read = [
                "Age",
                "ETag",
                "Link",
                "Location",
                "RateLimit",
                "RateLimit-Policy",
                "Retry-After",
                "Idempotent-Replayed",
                "X-Steward-Position",
            ];
            for header in read {
                assert!(exposed.split(", ").any(|name| name == header), "{exposed}");
            }
            assert_eq!(answer.headers["access-control-allow-origin"], origin, "{path}");
            assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{path}");
            assert!(varies_by(&answer.headers, "origin"), "{path}");
        }
        for origin in ["https://evil.example", "https://app.example.org:8443", "null"] {
            let answer = get_from(&ada, &path, origin).await;
            assert_eq!(cors(&answer.headers), [("vary", "origin")], "{path} {origin}");
        }
    }
    app.stop().await;
}

async fn get_from(client: &Client, path: &str, origin: &str) -> Answer {
    client.send_bytes(Method::GET, path, "", None, &[("origin", origin)]).await
}

#[each_database]
async fn a_browser_is_told_what_a_page_may_send(database: Database) {
    let mut options = AppOptions::default();
    options.settings.cors_origins = PAGE.parse().unwrap();
    let app = App::start_with(&database, options).await;
    let id = "01a1fc66-0000-7000-8000-000000000000";
    let path = format!("/v1/organizations/{id}/expenses/{id}");
    let ask = async |origin| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "PATCH"),
            ("access-control-request-headers", "authorization,if-match"),
        ];
        app.anonymous().send_bytes(Method::OPTIONS, &path, "", None, &headers).await
    };
    let answer = ask(PAGE).await;
    assert_eq!(answer.status, 204);
    let accepted = "Authorization, Cache-Control, Content-Type, Idempotency-Key, If-Match, \
                    If-None-Match, Last-Event-ID, X-Steward-Position";
    let told = [
        ("access-control-allow-headers", accepted),
        ("access-control-allow-methods", "DELETE, GET, HEAD, PATCH, OPTIONS"),
        ("access-control-allow-origin", PAGE),
        ("access-control-max-age", "86400"),
        ("vary", "origin"),
    ];
    assert_eq!(cors(&answer.headers), told);
    assert_eq!(cors(&ask("https://evil.example").await.headers), [("vary", "origin")]);
    app.stop().await;
}

#[each_database]
async fn by_default_no_page_may_read_answers(database: Database) {
    let app = App::start(&database).await;
    let answer = get_from(&app.anonymous(), "/health", PAGE).await;
    assert!(cors(&answer.headers).is_empty());
    app.stop().await;
}

/// Whoever is told that it took too long is told so in a page, too.
#[each_database]
async fn a_page_may_read_that_a_request_took_too_long(database: Database) {
    let mut options = AppOptions::default();
    options.settings.cors_origins = PAGE.parse().unwrap();
    options.settings.limits.request_timeout = Duration::from_millis(500);
    let app = App::start_with(&database, options).await;
    let mut half = Wire::open(&app.base).await;
    let request = app.anonymous().written("POST", "/v1/users", "application/json", "{}");
    let request = request.replacen("\r\n", &format!("\r\norigin: {PAGE}\r\n"), 1);
    half.send(&request[..request.len() - 1]).await;
    let answer = half.rest().await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains(&format!("access-control-allow-origin: {PAGE}")), "{answer}");
    app.stop().await;
}

/// A body without its coding.
async fn decoded(headers: &HeaderMap, body: Vec<u8>) -> String {
    let coding = headers["content-encoding"].to_str().unwrap().parse().unwrap();
    let body = stream::iter([Ok::<_, PayloadError>(Bytes::from(body))]);
    let chunks: Vec<Bytes> = Decoder::new(body, coding).try_collect().await.unwrap();
    String::from_utf8(chunks.concat()).unwrap()
}

/// Whether an answer says that it is another by this header: that of a list is another by `Accept`, too.
fn varies_by(headers: &HeaderMap, header: &str) -> bool {
    headers.get_all("vary").iter().any(|value| value == header)
}

#[each_database]
async fn answers_are_compressed_where_that_is_asked_for(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    for day in 1..=9 {
        let spent_on = format!("2026-11-0{day}");
        ada.make(&expenses, json!({ "spent_on": spent_on, "amount_minor": 1 })).await;
    }
    for path in ["/openapi.json", &expenses] {
        let plain = ada.get(path).await;
        assert!(!plain.headers.contains_key("content-encoding"), "{path}");
        assert!(varies_by(&plain.headers, "accept-encoding"), "{path}");
        for (asked, coding) in
            [("gzip, deflate, br, zstd", "br"), ("gzip;q=0.5, zstd", "zstd"), ("gzip", "gzip")]
        {
            let (headers, body) = ada.get_coded(path, asked).await;
            assert_eq!(headers["content-encoding"], coding, "{path}");
            assert!(varies_by(&headers, "accept-encoding"), "{path}");
            assert!(body.len() < plain.text.len() / 2, "{path}: {} bytes", body.len());
            assert_eq!(decoded(&headers, body).await, plain.text, "{path}");
        }
    }
    let first = ada.read(&expenses).await["items"][0].clone();
    for path in ["/health", &at(&expenses, &first), &format!("{home}/nowhere")] {
        let (headers, _) = ada.get_coded(path, "gzip").await;
        assert!(!headers.contains_key("content-encoding"), "{path}");
    }
    let token = ada.written("GET", &format!("{home}/events/stream"), "", "");
    let mut stream = Wire::open(&app.base).await;
    stream.send(token.replacen("\r\n", "\r\naccept-encoding: gzip\r\n", 1)).await;
    let head = stream.text_until(": open").await.expect("a stream");
    assert!(!head.contains("content-encoding"), "{head}");
    app.stop().await;
}

#[each_database]
async fn a_body_that_is_compressed_is_refused(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let categories = format!("{home}/categories");
    let import = format!("{home}/expenses/import?date=d&amount=a");
    let bodies = [
        (&categories, "application/json", json!({ "name": "Food" }).to_string()),
        (&import, "text/csv", "d,a\n2026-11-01,1.00\n".to_owned()),
    ];
    for (path, media_type, body) in bodies {
        let send = async |coding| {
            let body = Some(body.clone().into_bytes());
            let headers = [("content-encoding", coding)];
            ada.send_bytes(Method::POST, path, media_type, body, &headers).await
        };
        for coding in ["gzip", "br", "identity, gzip", "made-up"] {
            let answer = send(coding).await;
            assert_eq!(answer.headers["accept-encoding"], "identity", "{path} {coding}");
            answer.expect_problem(415, "unsupported_content_coding");
        }
        assert!(send("Identity").await.status.is_success(), "{path}");
    }
    assert_eq!(ada.all(&categories, "").await.len(), 1);
    app.stop().await;
}

#[each_database]
async fn if_match_may_name_several_versions(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let categories = format!("{home}/categories");
    let made = ada.make(&categories, json!({ "name": "Food" })).await;
    let path = at(&categories, &made);
    let change = async |if_match: &str, body: Value| {
        let body = Some(body.to_string().into_bytes());
        let headers = [("if-match", if_match)];
        ada.send_bytes(Method::PATCH, &path, "application/json", body, &headers).await
    };
    assert_eq!(change("\"7\", \"1\"", json!({ "name": "a" })).await.expect(200)["version"], 2);
    let stale = change("\"7\", \"1\"", json!({ "name": "b" })).await;
    let stale = stale.expect_problem(412, "precondition_failed");
    assert_eq!((&stale["current_version"], &stale["expected_version"]), (&json!(2), &Value::Null));
    change("W/\"2\", \"x\"", json!({ "name": "b" })).await.expect(412);
    change("\"1\", \"2\"", json!({ "name": "b", "version": 3 })).await.expect(400);
    let both = change("\"1\",\"2\"", json!({ "name": "b", "version": 2 })).await;
    assert_eq!(both.expect(200)["version"], 3);
    let headers = [("if-match", "\"2\", \"3\"")];
    let deleted = ada.send_bytes(Method::DELETE, &path, "", None, &headers).await;
    deleted.expect(204);
    app.stop().await;
}

#[each_database]
async fn a_page_that_the_client_has_is_not_sent_again(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    let pages = Route::all().into_iter().filter(|route| route.query().contains(&"cursor"));
    for route in pages {
        let first = sample.request(&route).send(&sample.owner).await;
        assert_eq!(first.status, 200, "{}", route.name());
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        assert!(tag.starts_with("W/\""), "{}: {tag}", route.name());
        let again = sample.request(&route).header("if-none-match", &*tag).send(&sample.owner).await;
        // Such as how long a timer has run.
        let has_changed = again.status == 200 && again.text != first.text;
        if !has_changed {
            assert_eq!((again.status.as_u16(), &*again.text), (304, ""), "{}", route.name());
            assert_eq!(again.headers["etag"], tag, "{}", route.name());
        }
    }
    app.stop().await;
}

#[each_database]
async fn a_page_that_shows_something_else_has_another_tag(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let tag = async |query: &str| {
        let answer = ada.get(&format!("{expenses}{query}")).await;
        answer.headers["etag"].to_str().unwrap().to_owned()
    };
    let mut tags = vec![tag("").await];
    let new = json!({ "spent_on": "2026-11-01", "amount_minor": 1, "note": "x" });
    let made = ada.make(&expenses, new).await;
    tags.push(tag("").await);
    let path = at(&expenses, &made);
    ada.patch(&path, json!({ "version": 1, "note": "y" })).await.expect(200);
    tags.push(tag("").await);
    assert_eq!(tag("?limit=10").await, tags[2], "the same page");
    ada.delete(&format!("{path}?version=2")).await.expect(204);
    assert_eq!(tag("").await, tags[0], "as it was");
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), 3);
    app.stop().await;
}

/// The resource, or the first of a page.
fn shown(answer: &Value) -> Option<&Value> {
    if answer.get("next_cursor").is_some() { answer["items"].get(0) } else { Some(answer) }
}

fn names(resource: &Value) -> Vec<String> {
    resource.as_object().unwrap().keys().cloned().collect()
}

/// Each property that is shown can be asked for, and then it is all that is shown besides the id and the version.
#[each_database]
async fn fields_pick_what_a_client_wants(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    app.run_until_idle().await;
    let mut resources = 0;
    for route in Route::all().into_iter().filter(|route| route.query().contains(&"fields")) {
        let whole = sample.request(&route).send(&sample.owner).await.expect(200);
        let Some(whole) = shown(&whole) else { continue };
        resources += 1;
        for name in names(whole) {
            let request = sample.request(&route).query(&format!("fields={name}"));
            let answer = request.send(&sample.owner).await;
            assert_eq!(answer.status, 200, "{} {name}: {}", route.name(), answer.text);
            let answer = answer.expect(200);
            let picked = shown(&answer).expect("the same");
            let mut expected: Vec<&str> = ["id", "version"].into_iter().collect();
            expected.push(&name);
            expected.retain(|name| whole.get(name).is_some());
            expected.sort_unstable();
            expected.dedup();
            let mut found = names(picked);
            found.sort_unstable();
            assert_eq!(found, expected, "{}", route.name());
            let (id, version) = (&picked["id"], &picked["version"]);
            assert_eq!((id, version), (&whole["id"], &whole["version"]), "{}", route.name());
        }
    }
    assert!(resources > 30, "{resources}");
    app.stop().await;
}

#[each_database]
async fn fields_go_with_all_else_that_can_be_asked_for(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    for amount in 1..=3 {
        let new = json!({ "spent_on": "2026-11-01", "amount_minor": amount, "note": "x" });
        ada.make(&expenses, new).await;
    }
    let all = ada.read(&expenses).await["items"].clone();
    let query = "fields=amount_minor,note&limit=2";
    let first = ada.get(&format!("{expenses}?{query}")).await;
    let link = first.headers["link"].to_str().unwrap().to_owned();
    let next = link.trim_start_matches('<').split('>').next().unwrap();
    let pages = [first.expect(200), ada.read(next).await];
    let picked = pages.iter().flat_map(|page| page["items"].as_array().unwrap());
    for (picked, whole) in picked.zip(all.as_array().unwrap()) {
        // In the order of the whole resource.
        let same = ["id", "version", "amount_minor", "note"];
        assert_eq!(names(picked), same);
        assert!(same.iter().all(|name| picked[name] == whole[name]), "{picked}");
    }
    let path = at(&expenses, &all[0]);
    let one = ada.get(&format!("{path}?fields=note")).await;
    assert_eq!(one.headers["etag"], "\"1\"");
    let created_at = all[0]["created_at"].as_str().unwrap();
    let then = ada.read(&format!("{path}?as_of={created_at}&fields=note")).await;
    assert_eq!(then, one.expect(200));
    app.stop().await;
}

#[each_database]
async fn fields_that_there_are_not_are_refused(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let made = ada.make(&expenses, json!({ "spent_on": "2026-11-01", "amount_minor": 1 })).await;
    for path in [&expenses, &at(&expenses, &made), &home] {
        for bad in
            ["fields=", "fields", "fields=id,nonsense", "fields=id&fields=id", "fields=items.name"]
        {
            let refused = ada.get(&format!("{path}?{bad}")).await;
            assert_eq!(refused.expect_violations(), ["?fields"], "{path} {bad}");
        }
        app.anonymous().get(&format!("{path}?fields=nonsense")).await.expect(401);
    }
    // What answers with no resource has none.
    let report = format!("{home}/reports/spending?from=2026-11-01&to=2026-11-30&fields=id");
    assert_eq!(ada.get(&report).await.expect_violations(), ["?fields"]);
    let changed = ada.patch(&at(&expenses, &made), json!({ "version": 1, "note": "x" })).await;
    assert_eq!(changed.expect(200)["version"], 2);
    app.stop().await;
}

#[each_database]
async fn the_documentation_is_part_of_no_other_page_and_takes_nothing_from_elsewhere(
    database: Database,
) {
    let app = App::start(&database).await;
    let anybody = app.anonymous();
    for path in ["/docs/", "/docs/index.html", "/docs/swagger-initializer.js", "/docs/nothing"] {
        let answer = anybody.get(path).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        let parts: Vec<&str> = policy.split("; ").collect();
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
            assert!(parts.contains(&part), "{path}: {policy}");
        }
        assert_eq!(answer.headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
    }
    let page = anybody.get("/docs/").await.text;
    assert!(!page.contains("://") && !page.contains("<script>"), "{page}");
    for path in ["/health", "/openapi.json", "/nowhere"] {
        assert_eq!(anybody.get(path).await.headers["x-content-type-options"], "nosniff", "{path}");
    }
    app.stop().await;
}

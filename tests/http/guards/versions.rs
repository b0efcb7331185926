//! Nothing is changed, moved or removed but at the version that the client has seen.

use std::collections::BTreeSet;

use entity::VERSIONED_TABLES;
use reqwest::Method;
use serde_json::Value;
use tests::{Answer, App, Database, Route, Sample, each_database};

/// Changes that take no version, and why.
const UNVERSIONED: &[(&str, &str)] = &[
    (
        "POST /v1/organizations/{organization_id}/collections/{collection}/aggregate",
        "nothing is changed",
    ),
    (
        "POST /v1/organizations/{organization_id}/collections/{collection}/explain",
        "nothing is changed",
    ),
    (
        "POST /v1/organizations/{organization_id}/collections/{collection}/query",
        "nothing is changed",
    ),
    (
        "POST /v1/organizations/{organization_id}/collections/{collection}/documents",
        "a new document has no version, and its collection does not change",
    ),
    (
        "POST /v1/organizations/{organization_id}/collections/{collection}/bulk",
        "each write names a version of its own",
    ),
    (
        "POST /v1/organizations/{organization_id}/collections/{collection}/check-schema",
        "nothing is changed",
    ),
    (
        "POST /v1/organizations/{organization_id}/meters/{meter}/readings",
        "readings have no version, and the meter does not change",
    ),
    (
        "DELETE /v1/organizations/{organization_id}/meters/{meter}/readings",
        "readings have no version, and the meter does not change",
    ),
    (
        "PUT /v1/organizations/{organization_id}/meters/{meter}/readings/{at}",
        "readings have no version, and the meter does not change",
    ),
    (
        "PUT /v1/organizations/{organization_id}/meters/{meter}/exchanges/{at}",
        "where a counter began anew has no version, and the meter does not change",
    ),
    (
        "DELETE /v1/organizations/{organization_id}/meters/{meter}/exchanges/{at}",
        "where a counter began anew has no version, and the meter does not change",
    ),
    ("DELETE /v1/sessions/current", "a session begins and ends, and nothing in it changes"),
    ("DELETE /v1/sessions/{session_id}", "a session begins and ends, and nothing in it changes"),
    ("POST /v1/invitations/{token}/accept", "the token opens once, and names no version"),
    ("POST /v1/organizations/{organization_id}/rules/{rule_id}/dry-run", "nothing is changed"),
    (
        "POST /v1/organizations/{organization_id}/deliveries/{delivery_id}/resend",
        "a delivery has no version, and is sent as often as somebody asks",
    ),
    (
        "POST /v1/organizations/{organization_id}/imports/{import_id}/cancel",
        "how far an import is changes all the time, and it is called off whatever it is",
    ),
    (
        "POST /v1/organizations/{organization_id}/webhooks/{webhook_id}/test",
        "a test changes nothing of the webhook",
    ),
];

/// Versioned tables that no route changes, and why.
const WITHOUT_ROUTE: &[(&str, &str)] = &[];

fn versioned() -> Vec<Route> {
    Route::all().into_iter().filter(Route::is_versioned).collect()
}

#[test]
fn every_change_of_a_row_takes_a_version() {
    let all = Route::all();
    for route in &all {
        let last = route.path.rsplit('/').next().unwrap_or_default();
        let lists = |it: &Route| it.method == Method::GET && it.path == route.path;
        let adds_to_list = all.iter().any(lists);
        let of_row = route.has_row() && !last.starts_with('{') && !adds_to_list;
        let transition = route.method == Method::POST && (of_row || last == "revert");
        let changes =
            transition || [Method::PATCH, Method::PUT, Method::DELETE].contains(&route.method);
        let excepted = UNVERSIONED.iter().any(|(name, _)| *name == route.name());
        assert_eq!(route.is_versioned(), changes && !excepted, "{}", route.name());
    }
}

/// `ApiKey` is a row of `api_key`.
pub(super) fn table(resource: &str) -> String {
    let mut name = String::new();
    for (at, letter) in resource.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[test]
fn every_versioned_table_is_one_of_the_resources_under_guard() {
    let readable = Route::all().into_iter().filter(|route| route.method == Method::GET);
    // What is changed by transitions alone is under guard by them.
    let changed: BTreeSet<String> = versioned()
        .into_iter()
        .map(|route| match route.path.rsplit_once('/') {
            Some((row, _)) if route.method == Method::POST => row.to_owned(),
            _ => route.path,
        })
        .collect();
    let guarded: BTreeSet<String> = readable
        .filter(|route| changed.contains(&route.path))
        .filter_map(|route| route.resource().map(table))
        .collect();
    let excepted = WITHOUT_ROUTE.iter().map(|(table, _)| (*table).to_owned());
    let tables: BTreeSet<_> = VERSIONED_TABLES.iter().map(|table| (*table).to_owned()).collect();
    assert_eq!(guarded.into_iter().chain(excepted).collect::<BTreeSet<_>>(), tables);
}

/// A conflict shows the version that was named and the resource as it is.
#[track_caller]
fn assert_conflict(answer: Answer, code: &str, expected: Option<i64>, current: &Value) {
    let status = if code == "version_conflict" { 409 } else { 412 };
    let problem = answer.expect_problem(status, code);
    assert_eq!(problem["expected_version"].as_i64(), expected);
    assert_eq!(problem["current_version"], current["version"]);
    assert_eq!(&problem["current"], current);
}

#[each_database]
async fn a_stale_version_changes_nothing_and_is_told_what_is_there(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    let before = sample.state().await;
    for route in versioned() {
        let current = sample.current(&route).await;
        let version = current["version"].as_i64().unwrap();
        for stale in [version - 1, version + 1, i64::MAX, i64::MIN] {
            let named = sample.request(&route).version(stale).send(&sample.owner).await;
            assert_conflict(named, "version_conflict", Some(stale), &current);
        }
        for stale in [version - 1, version + 1, i64::MAX] {
            let tag = format!("\"{stale}\"");
            let request = sample.request(&route).header("if-match", &tag);
            let answer = request.clone().send(&sample.owner).await;
            assert_conflict(answer, "precondition_failed", Some(stale), &current);
            let both = request.version(stale).send(&sample.owner).await;
            assert_conflict(both, "precondition_failed", Some(stale), &current);
        }
    }
    sample.assert_unchanged(&before).await;
    app.stop().await;
}

#[each_database]
async fn a_version_is_named_once_and_by_a_strong_tag(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    let before = sample.state().await;
    for route in versioned() {
        let current = sample.current(&route).await;
        let version = current["version"].as_i64().unwrap();
        let request = || sample.request(&route);
        request().send(&sample.owner).await.expect_problem(428, "version_required");
        let any = request().header("if-match", "*").send(&sample.owner).await;
        any.expect_problem(428, "version_required");
        let other = format!("\"{}\"", version + 1);
        let both = request().header("if-match", other).version(version);
        both.send(&sample.owner).await.expect_problem(400, "versions_differ");
        for tag in [
            format!("W/\"{version}\""),
            format!("{version}"),
            "nonsense".into(),
            format!("\"{}\", \"{}\"", version + 1, version + 2),
            "\"\"".into(),
            "\"+1\"".into(),
        ] {
            let answer = request().header("if-match", &tag).send(&sample.owner).await;
            assert_conflict(answer, "precondition_failed", None, &current);
        }
    }
    sample.assert_unchanged(&before).await;
    app.stop().await;
}

#[each_database]
async fn every_resource_has_its_version_as_an_etag_and_is_sent_once(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    // The ETag of a file's content is its hash (`attachment::content`).
    let shown = |route: &&Route| route.method == Method::GET && !route.path.ends_with("/content");
    for route in Route::all().iter().filter(shown) {
        let answer = sample.request(route).send(&sample.owner).await;
        let etag = answer.headers.get("etag").map_or("", |etag| etag.to_str().unwrap());
        // A page has a weak one.
        if etag.is_empty() || etag.starts_with("W/") {
            assert_eq!(route.resource(), None, "{} has no ETag", route.name());
            continue;
        }
        assert_eq!(etag, format!("\"{}\"", answer.json["version"]), "{}", route.name());
        for known in [etag, &format!("\"0\", W/{etag}"), "*"] {
            let request = sample.request(route).header("if-none-match", known);
            let unchanged = request.send(&sample.owner).await;
            assert_eq!(unchanged.status, 304, "{}", route.name());
            assert_eq!(
                (&*unchanged.text, &unchanged.headers["etag"]),
                ("", &answer.headers["etag"])
            );
        }
        let request = sample.request(route).header("if-none-match", "\"0\"");
        assert_eq!(request.send(&sample.owner).await.json, answer.json, "{}", route.name());
    }
    app.stop().await;
}

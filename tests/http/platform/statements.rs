//! How many SQL statements each route takes, the same on both databases: a query in a loop, or a
//! round trip that nobody needs, shows here first.
//!
//! The caller and the organization are remembered from a request before; the row has what the
//! sample's has (an expense two lines), and the request succeeds.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use api::config::Settings;
use entity::event;
use reqwest::Method;
use service::store::Engine;
use tests::{App, AppOptions, Client, Database, Route, Sample, each_database, route::ORGANIZATION};

use crate::guards::log::assert_told;

/// How many a standard route of a resource takes, by its method and what follows the collection in its path.
const STANDARD: &[(&str, &str, u64)] = &[
    ("GET", "", 1),
    ("POST", "", 2),
    ("GET", "/{}", 1),
    ("PATCH", "/{}", 3),
    ("DELETE", "/{}", 3),
    ("GET", "/{}/history", 1),
    ("POST", "/{}/revert", 4),
];

/// The routes that take more or fewer than [`STANDARD`] says, and those that it does not know. By path, and what reads
/// before what writes.
const STATEMENTS: &[(&str, u64)] = &[
    ("GET /health", 0),
    ("GET /metrics", 0),
    ("GET /ready", 0),
    ("POST /v1/invitations/{token}/accept", 7),
    ("GET /v1/operations/database", 0),
    ("GET /v1/organizations", 1),
    ("POST /v1/organizations", 4),
    ("GET /v1/organizations/{organization_id}", 1),
    ("PATCH /v1/organizations/{organization_id}", 3),
    ("DELETE /v1/organizations/{organization_id}", 8),
    ("POST /v1/organizations/{organization_id}/accounts", 3),
    ("PATCH /v1/organizations/{organization_id}/accounts/{account_id}", 4),
    ("DELETE /v1/organizations/{organization_id}/accounts/{account_id}", 4),
    ("GET /v1/organizations/{organization_id}/accounts/{account_id}/balance", 2),
    ("POST /v1/organizations/{organization_id}/accounts/{account_id}/revert", 5),
    ("DELETE /v1/organizations/{organization_id}/api-keys/{api_key_id}", 5),
    ("PATCH /v1/organizations/{organization_id}/attachments/{attachment_id}", 4),
    ("DELETE /v1/organizations/{organization_id}/attachments/{attachment_id}", 8),
    ("GET /v1/organizations/{organization_id}/attachments/{attachment_id}/content", 2),
    ("POST /v1/organizations/{organization_id}/attachments/{attachment_id}/revert", 5),
    ("GET /v1/organizations/{organization_id}/balances", 2),
    ("GET /v1/organizations/{organization_id}/changes", 3),
    ("POST /v1/organizations/{organization_id}/collections", 3),
    ("POST /v1/organizations/{organization_id}/collections/{collection}/aggregate", 2),
    ("POST /v1/organizations/{organization_id}/collections/{collection}/bulk", 4),
    ("GET /v1/organizations/{organization_id}/collections/{collection}/changes", 4),
    ("POST /v1/organizations/{organization_id}/collections/{collection}/check-schema", 2),
    ("GET /v1/organizations/{organization_id}/collections/{collection}/documents", 2),
    ("POST /v1/organizations/{organization_id}/collections/{collection}/documents", 4),
    ("GET /v1/organizations/{organization_id}/collections/{collection}/documents/{document_id}", 2),
    ("PUT /v1/organizations/{organization_id}/collections/{collection}/documents/{document_id}", 4),
    (
        "PATCH /v1/organizations/{organization_id}/collections/{collection}/documents/{document_id}",
        5,
    ),
    (
        "DELETE /v1/organizations/{organization_id}/collections/{collection}/documents/{document_id}",
        5,
    ),
    (
        "GET /v1/organizations/{organization_id}/collections/{collection}/documents/{document_id}/history",
        2,
    ),
    (
        "POST /v1/organizations/{organization_id}/collections/{collection}/documents/{document_id}/revert",
        6,
    ),
    ("GET /v1/organizations/{organization_id}/collections/{collection}/effective", 3),
    ("POST /v1/organizations/{organization_id}/collections/{collection}/explain", 1),
    ("POST /v1/organizations/{organization_id}/collections/{collection}/query", 2),
    ("DELETE /v1/organizations/{organization_id}/collections/{collection_id}", 4),
    ("GET /v1/organizations/{organization_id}/daily-reports", 3),
    ("POST /v1/organizations/{organization_id}/daily-reports", 5),
    ("GET /v1/organizations/{organization_id}/daily-reports/{daily_report_id}", 3),
    ("PATCH /v1/organizations/{organization_id}/daily-reports/{daily_report_id}", 5),
    ("DELETE /v1/organizations/{organization_id}/daily-reports/{daily_report_id}", 6),
    ("GET /v1/organizations/{organization_id}/daily-reports/{daily_report_id}/attachments", 2),
    ("POST /v1/organizations/{organization_id}/daily-reports/{daily_report_id}/attachments", 12),
    ("POST /v1/organizations/{organization_id}/daily-reports/{daily_report_id}/amend", 5),
    ("GET /v1/organizations/{organization_id}/daily-reports/{daily_report_id}/amendments", 2),
    ("POST /v1/organizations/{organization_id}/daily-reports/{daily_report_id}/approve", 5),
    ("GET /v1/organizations/{organization_id}/daily-reports/{daily_report_id}/crew-hours", 4),
    ("POST /v1/organizations/{organization_id}/daily-reports/{daily_report_id}/revert", 6),
    ("POST /v1/organizations/{organization_id}/daily-reports/{daily_report_id}/submit", 5),
    ("POST /v1/organizations/{organization_id}/daily-reports/{daily_report_id}/take-hours", 8),
    ("GET /v1/organizations/{organization_id}/deliveries/{delivery_id}", 2),
    ("POST /v1/organizations/{organization_id}/deliveries/{delivery_id}/resend", 3),
    ("GET /v1/organizations/{organization_id}/events", 2),
    ("GET /v1/organizations/{organization_id}/events/stream", 1),
    ("GET /v1/organizations/{organization_id}/expenses", 3),
    ("POST /v1/organizations/{organization_id}/expenses", 4),
    ("POST /v1/organizations/{organization_id}/expenses/batch", 4),
    ("POST /v1/organizations/{organization_id}/expenses/import", 6),
    ("POST /v1/organizations/{organization_id}/expenses/import/preview", 0),
    ("GET /v1/organizations/{organization_id}/expenses/{expense_id}", 3),
    ("PATCH /v1/organizations/{organization_id}/expenses/{expense_id}", 4),
    ("DELETE /v1/organizations/{organization_id}/expenses/{expense_id}", 6),
    ("GET /v1/organizations/{organization_id}/expenses/{expense_id}/attachments", 2),
    ("POST /v1/organizations/{organization_id}/expenses/{expense_id}/attachments", 10),
    ("POST /v1/organizations/{organization_id}/expenses/{expense_id}/approve", 5),
    ("POST /v1/organizations/{organization_id}/expenses/{expense_id}/pay", 6),
    ("POST /v1/organizations/{organization_id}/expenses/{expense_id}/reimburse", 4),
    ("POST /v1/organizations/{organization_id}/expenses/{expense_id}/reject", 5),
    ("POST /v1/organizations/{organization_id}/expenses/{expense_id}/revert", 5),
    ("POST /v1/organizations/{organization_id}/expenses/{expense_id}/submit", 4),
    ("GET /v1/organizations/{organization_id}/imports", 2),
    ("GET /v1/organizations/{organization_id}/imports/{import_id}", 2),
    ("POST /v1/organizations/{organization_id}/imports/{import_id}/cancel", 4),
    ("POST /v1/organizations/{organization_id}/incidents", 5),
    ("GET /v1/organizations/{organization_id}/incidents/osha-300", 2),
    ("GET /v1/organizations/{organization_id}/incidents/osha-300a", 3),
    ("DELETE /v1/organizations/{organization_id}/incidents/{incident_id}", 4),
    ("GET /v1/organizations/{organization_id}/incidents/{incident_id}/attachments", 2),
    ("POST /v1/organizations/{organization_id}/incidents/{incident_id}/attachments", 8),
    ("GET /v1/organizations/{organization_id}/journal-entries", 2),
    ("POST /v1/organizations/{organization_id}/journal-entries", 6),
    ("GET /v1/organizations/{organization_id}/journal-entries/{journal_entry_id}", 2),
    ("GET /v1/organizations/{organization_id}/journal-entries/{journal_entry_id}/attachments", 2),
    ("POST /v1/organizations/{organization_id}/journal-entries/{journal_entry_id}/attachments", 8),
    ("POST /v1/organizations/{organization_id}/journal-entries/{journal_entry_id}/reverse", 10),
    ("POST /v1/organizations/{organization_id}/members", 5),
    ("DELETE /v1/organizations/{organization_id}/members/{member_id}", 8),
    ("GET /v1/organizations/{organization_id}/members/{member_id}/attachments", 2),
    ("POST /v1/organizations/{organization_id}/members/{member_id}/attachments", 8),
    ("POST /v1/organizations/{organization_id}/members/{member_id}/offboard", 5),
    ("POST /v1/organizations/{organization_id}/meters", 3),
    ("GET /v1/organizations/{organization_id}/meters/{meter}/exchanges", 2),
    ("PUT /v1/organizations/{organization_id}/meters/{meter}/exchanges/{at}", 12),
    ("DELETE /v1/organizations/{organization_id}/meters/{meter}/exchanges/{at}", 12),
    ("GET /v1/organizations/{organization_id}/meters/{meter}/explain", 5),
    ("GET /v1/organizations/{organization_id}/meters/{meter}/readings", 2),
    ("POST /v1/organizations/{organization_id}/meters/{meter}/readings", 8),
    ("DELETE /v1/organizations/{organization_id}/meters/{meter}/readings", 14),
    ("GET /v1/organizations/{organization_id}/meters/{meter}/readings/{at}", 3),
    ("PUT /v1/organizations/{organization_id}/meters/{meter}/readings/{at}", 13),
    ("GET /v1/organizations/{organization_id}/meters/{meter}/series", 4),
    ("DELETE /v1/organizations/{organization_id}/meters/{meter_id}", 4),
    ("DELETE /v1/organizations/{organization_id}/projects/{project_id}", 4),
    ("GET /v1/organizations/{organization_id}/projects/{project_id}/attachments", 2),
    ("POST /v1/organizations/{organization_id}/projects/{project_id}/attachments", 8),
    ("POST /v1/organizations/{organization_id}/rates", 7),
    ("PATCH /v1/organizations/{organization_id}/rates/{rate_id}", 7),
    ("DELETE /v1/organizations/{organization_id}/rates/{rate_id}", 7),
    ("POST /v1/organizations/{organization_id}/rates/{rate_id}/revert", 7),
    ("GET /v1/organizations/{organization_id}/reports/budgets", 5),
    ("GET /v1/organizations/{organization_id}/reports/hours", 4),
    ("GET /v1/organizations/{organization_id}/reports/job-cost", 10),
    ("GET /v1/organizations/{organization_id}/reports/spending", 4),
    ("GET /v1/organizations/{organization_id}/reports/timesheet", 5),
    ("POST /v1/organizations/{organization_id}/revert", 4),
    ("POST /v1/organizations/{organization_id}/rules", 3),
    ("POST /v1/organizations/{organization_id}/rules/dry-run", 1),
    ("POST /v1/organizations/{organization_id}/rules/{rule_id}/dry-run", 2),
    ("POST /v1/organizations/{organization_id}/sagas/{saga_id}/compensate", 3),
    ("POST /v1/organizations/{organization_id}/sagas/{saga_id}/mark-paid", 3),
    ("POST /v1/organizations/{organization_id}/sagas/{saga_id}/retry", 3),
    ("POST /v1/organizations/{organization_id}/sync", 8),
    ("POST /v1/organizations/{organization_id}/tasks", 3),
    ("DELETE /v1/organizations/{organization_id}/tasks/{task_id}", 4),
    ("GET /v1/organizations/{organization_id}/tasks/{task_id}/attachments", 2),
    ("POST /v1/organizations/{organization_id}/tasks/{task_id}/attachments", 8),
    ("POST /v1/organizations/{organization_id}/time-entries", 7),
    ("POST /v1/organizations/{organization_id}/time-entries/batch", 7),
    ("POST /v1/organizations/{organization_id}/time-entries/import", 18),
    ("POST /v1/organizations/{organization_id}/time-entries/start", 8),
    ("PATCH /v1/organizations/{organization_id}/time-entries/{time_entry_id}", 6),
    ("DELETE /v1/organizations/{organization_id}/time-entries/{time_entry_id}", 6),
    ("POST /v1/organizations/{organization_id}/time-entries/{time_entry_id}/revert", 7),
    ("POST /v1/organizations/{organization_id}/time-entries/{time_entry_id}/stop", 6),
    ("POST /v1/organizations/{organization_id}/timecards", 3),
    ("POST /v1/organizations/{organization_id}/timecards/decide", 4),
    ("POST /v1/organizations/{organization_id}/timecards/{timecard_id}/approve", 4),
    ("POST /v1/organizations/{organization_id}/timecards/{timecard_id}/reject", 4),
    ("POST /v1/organizations/{organization_id}/timecards/{timecard_id}/reopen", 3),
    ("POST /v1/organizations/{organization_id}/timecards/{timecard_id}/submit", 5),
    ("GET /v1/organizations/{organization_id}/timecards/{timecard_id}/totals", 2),
    ("POST /v1/organizations/{organization_id}/webhooks", 4),
    ("GET /v1/organizations/{organization_id}/webhooks/{webhook_id}/deliveries", 2),
    ("POST /v1/organizations/{organization_id}/webhooks/{webhook_id}/rotate-secret", 3),
    ("POST /v1/organizations/{organization_id}/webhooks/{webhook_id}/test", 2),
    ("GET /v1/sessions", 1),
    ("POST /v1/sessions", 5),
    ("DELETE /v1/sessions/current", 1),
    ("DELETE /v1/sessions/{session_id}", 1),
    ("POST /v1/users", 3),
    ("GET /v1/users/me", 1),
    ("PATCH /v1/users/me", 3),
    ("GET /v1/users/me/history", 1),
    ("POST /v1/users/me/password", 5),
    ("POST /v1/users/me/revert", 4),
];

/// What [`STANDARD`] says of a route.
fn standard(route: &Route) -> Option<u64> {
    let path = route.path.strip_prefix(ORGANIZATION)?.strip_prefix('/')?;
    let below = path.find('/').map_or("", |at| &path[at..]);
    let row = route.variables().get(1).map_or(below.to_owned(), |row| below.replace(row, ""));
    let known = |(method, shape, _): &&(&str, &str, u64)| route.method == *method && row == *shape;
    STANDARD.iter().find(known).map(|(_, _, statements)| *statements)
}

/// What is remembered of a caller does not run out between two requests.
async fn start(database: &Database) -> App {
    let settings = Settings { access_ttl: Duration::from_secs(86_400), ..Settings::default() };
    App::start_with(database, AppOptions { settings, ..AppOptions::default() }).await
}

#[each_database]
async fn each_route_takes_as_many_statements_as_this_table_says_and_is_in_the_log(
    database: Database,
) {
    let app = start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    // Reads change nothing. What has happened so far can be told by then, and what is under way has ended.
    let read = Sample::of(&ada).await;
    app.run_until_idle().await;
    let mut counted = BTreeMap::new();
    for route in Route::all() {
        let took = match route.method {
            Method::GET => count(&app, &read, &ada, &route).await,
            _ => count_change(&app, &ada, &route).await,
        };
        if standard(&route) != Some(took) {
            counted.insert(route.name(), took);
        }
    }
    let table: BTreeMap<_, _> = STATEMENTS.iter().map(|(name, n)| ((*name).into(), *n)).collect();
    let lines: String = counted.iter().map(|(name, n)| format!("    ({name:?}, {n}),\n")).collect();
    assert_eq!(counted, table, "the whole table, as counted:\n{lines}");
    app.stop().await;
}

/// Of a route that changes something, on a sample of its own.
async fn count_change(app: &App, ada: &Client, route: &Route) -> u64 {
    let owner = match route.permission() {
        Some(_) => ada.clone(),
        // What is a user's own takes a user of its own: a session ends, a list grows.
        None => app.anonymous().sign_up("Grace").await,
    };
    let sample = Sample::of(&owner).await;
    sample.prepare(route).await;
    let caller = match route.variables()[..] {
        // Nobody accepts an invitation into what they belong to.
        ["token"] => app.anonymous().sign_up("Linus").await,
        _ => owner,
    };
    count(app, &sample, &caller, route).await
}

async fn count(app: &App, sample: &Sample, caller: &Client, route: &Route) -> u64 {
    let request = sample.valid(route).await;
    // Answers 404 to one who does not belong there, and is remembered all the same: for some seconds, so it
    // comes last.
    caller.get(&sample.organization).await;
    let before = app.store.statements();
    let answer = request.send(caller).await;
    assert!(answer.status.is_success(), "{}: {}", route.name(), answer.text);
    let took = app.store.statements() - before;
    let told = assert_told(&app.store, route, &answer).await;
    took - statements_of_positions(app.store.engine(), &told)
}

/// SQLite's writer reads where each log ends and moves the ends as it commits, once for all that it
/// commits together. PostgreSQL's positions come afterwards.
fn statements_of_positions(engine: Engine, told: &[event::Model]) -> u64 {
    if engine == Engine::Postgres {
        return 0;
    }
    let logs: HashSet<_> = told.iter().map(|event| event.organization_id).collect();
    let is_first = |event: &&event::Model| event.position == Some(1);
    let begun: HashSet<_> = told.iter().filter(is_first).map(|it| it.organization_id).collect();
    let moved = u64::from(begun.len() < logs.len());
    logs.len() as u64 + u64::from(!begun.is_empty()) + moved
}

#[each_database]
async fn no_list_takes_more_statements_where_there_are_more_rows(database: Database) {
    let app = start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    for _ in 0..3 {
        sample.add_rows().await;
    }
    app.run_until_idle().await;
    let reads = |route: &Route| route.method == Method::GET && !route.has_row();
    for route in Route::all().into_iter().filter(reads) {
        let known = |(name, _): &&(&str, u64)| *name == route.name();
        let alone = STATEMENTS.iter().find(known).map(|(_, statements)| *statements);
        let counted = count(&app, &sample, &sample.owner, &route).await;
        assert_eq!(Some(counted), alone.or(standard(&route)), "{}", route.name());
    }
    app.stop().await;
}

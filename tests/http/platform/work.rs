//! How much the databases do for the commonest requests, and for the background after them: counted, so that it is the
//! same on each machine. [`statements`](super::statements) says in how many statements, [`growth`](super::growth) that
//! no list reads more where there is more; this says how much the statements are.

use reqwest::Method;
use serde_json::{Value, json};
use service::store::{Engine, Options};
use tests::{
    App, AppOptions, Database, Sample, crowd, each_lasting_database,
    work::{Counter, Statements},
};

/// How many rows of each kind the organization has.
const ROWS: u32 = 3000;

/// What each costs: instructions on SQLite, rows on PostgreSQL.
const WORK: &[(&str, u64, u64)] = &[
    ("get an expense", 141, 4),
    ("list expenses", 3949, 104),
    ("list a project's expenses", 6144, 51),
    ("report a year's spending", 185, 4),
    ("report budgets", 480, 3),
    ("list tasks", 1603, 51),
    ("list time entries", 1346, 51),
    ("read the log", 1644, 51),
    ("change an expense", 454, 4),
    ("create an expense", 690, 1),
    ("create a time entry", 798, 4),
    ("create a task", 453, 0),
    ("the background after it", 4253, 89),
    ("the background with nothing to do", 474, 16),
];

/// Of how much the count may differ from the table: SQLite walks a page's free blocks by where random ids fall.
const TOLERANCE: f64 = 0.05;

/// The requests, in the order in which they are made.
fn requests(sample: &Sample) -> Vec<(&'static str, Method, String, Option<Value>)> {
    let (site, payer) = (sample.value("site"), sample.value("payer"));
    let category = sample.value("category_id");
    let one = format!("/expenses/{}", sample.value("expense_id"));
    let expense = json!({
        "spent_on": "2026-11-20", "amount_minor": 1250, "currency": "EUR", "merchant": "Shop",
        "member_id": payer, "project_id": site, "category_id": category, "tags": ["common"],
    });
    let time_entry = json!({
        "member_id": payer, "day": "2026-11-20", "minutes": 90, "project_id": site,
    });
    let of_project = format!("/expenses?project_id={site}");
    let of_a_year = "/reports/spending?group_by=category&from=1903-01-01&to=1903-12-31";
    let read = |name, path: &str| (name, Method::GET, path.to_owned(), None);
    let create = |name, path: &str, body| (name, Method::POST, path.to_owned(), Some(body));
    vec![
        read("get an expense", &one),
        read("list expenses", "/expenses"),
        read("list a project's expenses", &of_project),
        read("report a year's spending", of_a_year),
        read("report budgets", "/reports/budgets?on=2026-06-15"),
        read("list tasks", "/tasks"),
        read("list time entries", "/time-entries"),
        read("read the log", "/events"),
        ("change an expense", Method::PATCH, one, Some(json!({ "note": "Changed" }))),
        create("create an expense", "/expenses", expense),
        create("create a time entry", "/time-entries", time_entry),
        create("create a task", "/tasks", json!({ "title": "Roof" })),
    ]
}

async fn start(database: &Database, heard: &Statements) -> App {
    let observer = Some(heard.observer());
    let store = Options { observer, ..AppOptions::default().store };
    App::start_with(database, AppOptions { store, ..AppOptions::default() }).await
}

async fn remove_webhook(sample: &Sample) {
    let webhook = format!("{}/webhooks/{}", sample.organization, sample.value("webhook_id"));
    let version = sample.owner.read(&webhook).await["version"].clone();
    let removed = sample.owner.delete(&format!("{webhook}?version={version}")).await;
    assert!(removed.status.is_success(), "{}", removed.text);
}

#[each_lasting_database]
async fn the_commonest_requests_cost_what_this_table_says(database: Database) {
    let heard = Statements::default();
    let app = start(&database, &heard).await;
    let sample = Sample::make(&app.anonymous()).await;
    // When what it sends is due again is chance.
    remove_webhook(&sample).await;
    app.run_until_idle().await;
    crowd::fill(&app.store, &sample, ROWS).await;
    app.run_until_idle().await;
    app.stop().await;
    // What is done to the one is counted on the other, which is as the one was before.
    let copy = database.copy().await;
    let app = start(&database, &heard).await;
    let counter = Counter::connect(&copy).await;
    let owner = sample.owner.at(&app.base);
    owner.get(&sample.organization).await;
    let mut counted = Vec::new();
    for (name, method, path, body) in requests(&sample) {
        let path = format!("{}{path}", sample.organization);
        let body = match body {
            Some(mut body) if method == Method::PATCH => {
                body["version"] = owner.read(&path).await["version"].clone();
                Some(body)
            }
            body => body,
        };
        heard.take();
        let answer = owner.send(method, &path, body).await;
        assert!(answer.status.is_success(), "{name}: {}", answer.text);
        counted.push((name, counter.reads(heard.take()).await));
    }
    for name in ["the background after it", "the background with nothing to do"] {
        heard.take();
        app.run_until_idle().await;
        counted.push((name, counter.reads(heard.take()).await));
    }
    assert_same(database.engine, &counted);
    app.stop().await;
    copy.remove().await;
}

fn assert_same(engine: Engine, counted: &[(&str, u64)]) {
    let table = WORK.iter().map(|(name, sqlite, postgres)| match engine {
        Engine::Sqlite => (*name, *sqlite),
        Engine::Postgres => (*name, *postgres),
    });
    let table: Vec<_> = table.collect();
    let near = |(one, other): (&(&str, u64), &(&str, u64))| {
        let tolerated = (one.1 as f64 * TOLERANCE).ceil() as u64;
        one.0 == other.0 && one.1.abs_diff(other.1) <= tolerated
    };
    let same = counted.len() == table.len() && table.iter().zip(counted).all(near);
    assert!(same, "the whole table on {engine:?}, as counted: {counted:#?}");
}

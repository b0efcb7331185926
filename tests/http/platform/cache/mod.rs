//! Reports that were computed before: they are never older than what a client has written, and say how old they are.

mod load;
mod property;
mod shared;

use api::config::Settings;
use reqwest::Method;
use serde_json::json;
use tests::{Answer, App, AppOptions, Client, Database, each_database, id};

/// Settings with a Redis.
fn with_redis(url: &str) -> AppOptions {
    let settings = Settings { redis_url: Some(url.into()), ..Settings::default() };
    AppOptions { settings, background: true, ..AppOptions::default() }
}

/// What names the content of an answer.
fn tag(answer: &Answer) -> String {
    answer.headers["etag"].to_str().expect("a tag").to_owned()
}

/// Whether an answer was computed for an earlier request.
fn is_kept(answer: &Answer) -> bool {
    answer.headers.contains_key("age")
}

async fn spend(client: &Client, home: &str, amount: i64) {
    let new = json!({ "spent_on": "2026-11-01", "amount_minor": amount });
    client.make(&format!("{home}/expenses"), new).await;
}

async fn get_with(client: &Client, path: &str, header: (&str, &str)) -> Answer {
    client.send_bytes(Method::GET, path, "", None, &[header]).await
}

/// Each report of an organization with a project and a member.
async fn reports(client: &Client, home: &str) -> Vec<String> {
    let roof = client.make(&format!("{home}/projects"), json!({ "name": "Roof" })).await;
    let member = client.member_in(home).await;
    let reports = [
        "spending?from=2026-11-01&to=2026-11-30&group_by=month".to_owned(),
        "budgets?on=2026-11-30".to_owned(),
        "hours?from=2026-11-01&to=2026-11-30&group_by=member".to_owned(),
        format!("timesheet?member_id={}&week=2026-11-02", id(&member)),
        format!("job-cost?project_id={}", id(&roof)),
    ];
    reports.map(|report| format!("{home}/reports/{report}")).into()
}

#[each_database]
async fn a_report_is_computed_once_until_something_is_written(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    for report in reports(&ada, &home).await {
        app.run_until_idle().await;
        let first = ada.get(&report).await;
        assert!(!is_kept(&first), "{report}: {:?}", first.headers);
        let again = ada.get(&report).await;
        assert!(is_kept(&again), "{report}: {:?}", again.headers);
        assert_eq!((&again.text, tag(&again)), (&first.text, tag(&first)), "{report}");
        let etag = tag(&first);
        let unchanged = get_with(&ada, &report, ("if-none-match", &etag)).await;
        assert_eq!((unchanged.status.as_u16(), &*unchanged.text), (304, ""), "{report}");
        assert_eq!(tag(&unchanged), etag, "{report}");
        spend(&ada, &home, 5).await;
        let changed = get_with(&ada, &report, ("if-none-match", &etag)).await;
        assert!(changed.status == 200 && !is_kept(&changed), "{report}: {:?}", changed.headers);
        assert_ne!(tag(&changed), etag, "{report}");
    }
    app.stop().await;
}

/// On PostgreSQL, too, where what has just happened has no position yet.
#[each_database]
async fn a_client_finds_in_a_report_what_it_has_just_written(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let report = format!("{home}/reports/spending?from=2026-11-01&to=2026-11-30&group_by=month");
    for written in 1..=10 {
        spend(&ada, &home, 100).await;
        for _ in 0..2 {
            let shown = ada.read(&report).await;
            assert_eq!(shown["totals"][0]["amount_minor"], written * 100);
            assert_eq!(shown["totals"][0]["count"], written);
        }
        if written % 3 == 0 {
            app.run_until_idle().await;
        }
    }
    app.stop().await;
}

#[each_database]
async fn a_client_may_ask_for_what_is_computed_anew(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let report = format!("{home}/reports/budgets?on=2026-11-30");
    app.run_until_idle().await;
    ada.read(&report).await;
    let kept = ada.get(&report).await;
    assert!(is_kept(&kept));
    for directive in ["no-cache", "max-age=0", "no-store", "max-age=60, No-Cache"] {
        let anew = get_with(&ada, &report, ("cache-control", directive)).await;
        assert!(!is_kept(&anew), "{directive}");
        assert_eq!((&anew.text, tag(&anew)), (&kept.text, tag(&kept)), "{directive}");
    }
    assert!(is_kept(&get_with(&ada, &report, ("cache-control", "max-age=60")).await));
    app.stop().await;
}

/// What one role may see, and what one organization has, is found by no other.
#[each_database]
async fn who_may_not_read_a_report_does_not_get_it_from_the_cache(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let (grace, other) = app.owner_of("household").await;
    spend(&ada, &home, 7).await;
    let report = |home: &str| {
        format!("{home}/reports/spending?from=2026-11-01&to=2026-11-30&group_by=month")
    };
    let viewer = ada.invite(&home, "viewer").await;
    app.run_until_idle().await;
    ada.read(&report(&home)).await;
    assert!(is_kept(&ada.get(&report(&home)).await));
    grace.get(&report(&home)).await.expect_problem(404, "not_found");
    app.anonymous().get(&report(&home)).await.expect(401);
    let theirs = grace.read(&report(&other)).await;
    assert_eq!(theirs["totals"], json!([]));
    let tag = tag(&ada.get(&report(&home)).await);
    let asked = get_with(&grace, &report(&home), ("if-none-match", &tag)).await;
    asked.expect_problem(404, "not_found");
    let of_viewer = viewer.get(&report(&home)).await;
    assert!(of_viewer.status == 200 && is_kept(&of_viewer), "{}", of_viewer.text);
    app.stop().await;
}

#[each_database]
async fn without_memory_every_report_is_computed(database: Database) {
    let mut options = AppOptions::default();
    options.settings.cache_bytes = 0;
    let app = App::start_with(&database, options).await;
    let (ada, home) = app.owner_of("household").await;
    let report = format!("{home}/reports/budgets?on=2026-11-30");
    app.run_until_idle().await;
    let first = ada.get(&report).await;
    let again = ada.get(&report).await;
    assert!(!is_kept(&first) && !is_kept(&again));
    assert_eq!(tag(&first), tag(&again));
    app.stop().await;
}

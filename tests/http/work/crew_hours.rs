//! The hours of a daily report's crew, beside the time that was recorded.

use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database};

const DAY: &str = "2026-11-20";

/// Records time that somebody worked.
async fn record(
    ada: &Client,
    company: &str,
    member: &Value,
    project: &Value,
    day: &str,
    minutes: i64,
) {
    let entry = json!({ "member_id": member["id"], "project_id": project["id"], "day": day,
        "minutes": minutes });
    ada.make(&format!("{company}/time-entries"), entry).await;
}

async fn member(ada: &Client, company: &str, name: &str) -> Value {
    ada.make(&format!("{company}/members"), json!({ "name": name })).await
}

#[each_database]
async fn a_report_says_where_its_hours_differ_and_takes_those_that_were_recorded(
    database: Database,
) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let projects = format!("{company}/projects");
    let roof = ada.make(&projects, json!({ "name": "Roof" })).await;
    let attic = ada.make(&projects, json!({ "name": "Attic" })).await;
    let grace = member(&ada, &company, "Grace").await;
    let edsger = member(&ada, &company, "Edsger").await;
    let barbara = member(&ada, &company, "Barbara").await;
    for (member, project, day, minutes) in [
        (&grace, &roof, DAY, 240),
        (&grace, &roof, DAY, 180),
        (&barbara, &roof, DAY, 480),
        // Not of this project, or not of this day.
        (&grace, &attic, DAY, 60),
        (&edsger, &Value::Null, DAY, 60),
        (&edsger, &roof, "2026-11-21", 60),
    ] {
        record(&ada, &company, member, project, day, minutes).await;
    }
    let masons = json!({ "member_id": null, "trade": "Masons", "count": 3, "seconds": 86_400 });
    let line = |member: &Value, seconds: i64| {
        json!({
            "member_id": member["id"], "trade": null, "count": 1, "seconds": seconds
        })
    };
    let reports = format!("{company}/daily-reports");
    let new = json!({ "project_id": roof["id"], "day": DAY,
        "crew": [line(&grace, 28_800), masons, line(&edsger, 7200)] });
    let path = at(&reports, &ada.make(&reports, new).await);
    let compared = format!("{path}/crew-hours");
    let hours = |member: &Value, reported: Option<i64>, recorded: Option<i64>| {
        json!({ "member_id": member["id"], "reported_seconds": reported,
            "recorded_seconds": recorded,
            "difference_seconds": reported.unwrap_or(0) - recorded.unwrap_or(0) })
    };
    let differing = ada.read(&compared).await;
    let expected = json!({
        "daily_report_id": path.rsplit('/').next().unwrap(), "project_id": roof["id"],
        "day": DAY, "agrees": false,
        "reported_seconds": 36_000, "recorded_seconds": 54_000, "trade_seconds": 86_400,
        "members": [
            hours(&grace, Some(28_800), Some(25_200)),
            hours(&edsger, Some(7200), None),
            hours(&barbara, None, Some(28_800)),
        ],
    });
    // By id, which are in the order in which they were made.
    assert_eq!(differing, expected);
    let take = json!({ "version": 1 });
    let taken = ada.post(&format!("{path}/take-hours"), take.clone()).await.expect(200);
    assert_eq!(taken["version"], 2);
    assert_eq!(taken["crew"], json!([line(&grace, 25_200), masons, line(&barbara, 28_800)]));
    assert_eq!(ada.read(&path).await, taken);
    let same = ada.read(&compared).await;
    assert_eq!((&same["agrees"], &same["trade_seconds"]), (&json!(true), &json!(86_400)));
    ada.post(&format!("{path}/take-hours"), take).await.expect_problem(409, "version_conflict");
    // What is recorded later shows, and the report is as it was.
    record(&ada, &company, &edsger, &roof, DAY, 1).await;
    let later = ada.read(&compared).await;
    assert_eq!((&later["agrees"], &later["recorded_seconds"]), (&json!(false), &json!(54_060)));
    assert_eq!(ada.read(&path).await, taken);
    app.stop().await;
}

#[each_database]
async fn more_members_than_a_report_holds_are_not_taken(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let roof = ada.make(&format!("{company}/projects"), json!({ "name": "Roof" })).await;
    let grace = member(&ada, &company, "Grace").await;
    record(&ada, &company, &grace, &roof, DAY, 1).await;
    let reports = format!("{company}/daily-reports");
    let crew = vec![json!({ "trade": "Masons", "seconds": 60 }); 200];
    let new = json!({ "project_id": roof["id"], "day": DAY, "crew": crew });
    let made = ada.make(&reports, new).await;
    let path = at(&reports, &made);
    let refused = ada.post(&format!("{path}/take-hours"), json!({ "version": 1 })).await;
    refused.expect_problem(409, "crew_too_large");
    assert_eq!(ada.read(&path).await, made);
    app.stop().await;
}

//! Time that other trackers have exported: what a row may say.

use serde_json::{Value, json};
use tests::{Answer, App, Client, Database, at, each_database};

use crate::work::time_entry::{crew, span};

async fn import(client: &Client, company: &str, query: &str, file: &str) -> Answer {
    client.upload(&format!("{company}/time-entries/import?{query}"), file).await
}

async fn entries(client: &Client, company: &str) -> Vec<Value> {
    client.all(&format!("{company}/time-entries"), "?sort=started_at").await
}

/// Start, end, seconds of work.
fn times(row: &Value) -> (&str, &str, i64) {
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    (text("started_at"), text("ended_at"), row["seconds"].as_i64().expect("seconds"))
}

const ZERO: &str = "Start date,Start time,End time,Duration,Description\n\
    2026-11-16,09:00,10:00,,Work\n\
    2026-11-16,10:23,10:23,,A slip of the finger\n\
    2026-11-16,10:24,10:24,0:00,Another\n";

#[each_database]
async fn a_row_of_no_time_is_a_bad_row_unless_somebody_says_otherwise(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let problem = import(&ada, &company, "", ZERO).await.expect_problem(422, "import_failed");
    let errors = problem["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 2);
    for (error, line) in errors.iter().zip([3, 4]) {
        let told = (&error["line"], &error["column"], &error["code"]);
        assert_eq!(told, (&json!(line), &json!("End time"), &json!("order")));
        assert!(error["message"].as_str().expect("a message").contains("zero=skip"));
    }
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.ends_with("see lines 3, 4"), "{detail}");
    let report = import(&ada, &company, "on_error=skip", ZERO).await.expect(200);
    assert_eq!((&report["created"], &report["failed"]), (&json!(1), &json!(2)));
    let report = import(&ada, &company, "zero=skip", ZERO).await.expect(200);
    let counts = ["created", "duplicates", "failed", "skipped"].map(|it| report[it].as_u64());
    assert_eq!(counts, [0, 1, 0, 2].map(Some));
    let report = import(&ada, &company, "zero=keep", ZERO).await.expect(200);
    let counts = ["created", "duplicates", "failed", "skipped"].map(|it| report[it].as_u64());
    assert_eq!(counts, [2, 1, 0, 0].map(Some));
    let rows = entries(&ada, &company).await;
    let (start, seconds) = ("2026-11-16T09:23:00Z", 0);
    assert_eq!(times(&rows[1]), (start, start, seconds));
    assert_eq!(rows[1]["starts_on"], "2026-11-16");
    // It can be changed, it is in nobody's way, and nobody makes another by hand.
    let path = format!("{company}/time-entries");
    let change = json!({ "version": 1, "note": "Kept" });
    ada.patch(&at(&path, &rows[1]), change).await.expect(200);
    ada.post(&path, span("2026-11-16T09:15:00Z", "2026-11-16T09:45:00Z")).await.expect(201);
    let refused = ada.post(&path, span(start, start)).await;
    assert_eq!(refused.expect_violations(), ["/ended_at"]);
    let change = json!({ "version": 1, "ended_at": rows[0]["started_at"] });
    let refused = ada.patch(&at(&path, &rows[0]), change).await;
    assert_eq!(refused.expect_violations(), ["/ended_at"]);
    let refused = import(&ada, &company, "zero=drop", ZERO).await;
    assert_eq!(refused.expect_violations(), ["?zero"]);
    app.stop().await;
}

#[each_database]
async fn the_hour_that_comes_twice_and_the_end_of_the_day(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let file = "Start date,Start time,End time,Duration\n\
        2026-10-25,02:45,02:15,0:30\n\
        2026-11-16,22:00,24:00,\n\
        2026-11-17,24:00,01:00,1h\n\
        2026-11-18,22:00,06:00,8:00\n\
        2026-11-20,10:23,10:23,24:00:00\n";
    let query = "time_zone=Europe/Vienna";
    let report = import(&ada, &company, query, file).await.expect(200);
    assert_eq!(report["created"], 5, "{report}");
    let rows = entries(&ada, &company).await;
    let found: Vec<_> = rows.iter().map(times).collect();
    let expected = [
        ("2026-10-25T00:45:00Z", "2026-10-25T01:15:00Z", 1800),
        ("2026-11-16T21:00:00Z", "2026-11-16T23:00:00Z", 7200),
        ("2026-11-17T23:00:00Z", "2026-11-18T00:00:00Z", 3600),
        ("2026-11-18T21:00:00Z", "2026-11-19T05:00:00Z", 28_800),
        ("2026-11-20T09:23:00Z", "2026-11-21T09:23:00Z", 86_400),
    ];
    assert_eq!(found, expected);
    app.stop().await;
}

#[each_database]
async fn instants_breaks_durations_and_words(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let file = "started_at,ended_at,breaks,duration,billable,note,Colour,\n\
        2026-11-16T08:00:00Z,2026-11-16T16:30:00+00:00,12:00-12:30,8h 30m,Ja,with,red,\n\
        2026-11-17T09:00:00+01:00,,0:30,PT8H,nein,without,red,\n\
        2026-11-18T08:00:00Z,,,18:25 min,verrechenbar,short,red,\n\
        2026-11-19T08:00:00Z,2026-11-19T16:00:00Z,12:00-12:30; 15:00-15:15,7:15,,net,red,\n";
    let query = "billable_true=JA,%20verrechenbar";
    let report = import(&ada, &company, query, file).await.expect(200);
    assert_eq!(report["created"], 4, "{report}");
    assert_eq!(report["ignored_columns"], json!(["Colour", ""]));
    let rows = entries(&ada, &company).await;
    let found: Vec<_> = rows.iter().map(times).collect();
    let expected = [
        ("2026-11-16T08:00:00Z", "2026-11-16T16:30:00Z", 28_800),
        ("2026-11-17T08:00:00Z", "2026-11-17T16:30:00Z", 28_800),
        ("2026-11-18T08:00:00Z", "2026-11-18T08:18:25Z", 1105),
        ("2026-11-19T08:00:00Z", "2026-11-19T16:00:00Z", 26_100),
    ];
    assert_eq!(found, expected);
    let noon = json!([{ "started_at": "2026-11-16T11:00:00Z",
        "ended_at": "2026-11-16T11:30:00Z" }]);
    assert_eq!(rows[0]["breaks"], noon);
    let billable: Vec<_> = rows.iter().map(|row| row["billable"] == true).collect();
    assert_eq!(billable, [true, false, true, false]);
    let again = import(&ada, &company, query, file).await.expect(200);
    assert_eq!((&again["created"], &again["duplicates"]), (&json!(0), &json!(4)));

    let bad = "started_at,ended_at,breaks,duration,billable,Colour\n\
        2026-11-23,2026-11-23T16:00:00Z,,,,\n\
        2026-11-23T08:00:00Z,2026-11-23T08:00:00Z,,,,\n\
        2026-11-23T08:00:00Z,2026-11-23T16:00:00Z,7:00-7:30,,,\n\
        2026-11-23T08:00:00Z,2026-11-23T16:00:00Z,lunch,,,\n\
        2026-11-23T08:00:00Z,2026-11-23T16:00:00Z,12:00-12:30,7:00,,\n\
        2026-11-23T08:00:00Z,,,,,\n\
        ,2026-11-23T08:00:00Z,,,,\n\
        2026-11-23T08:00:00Z,,,1h,Ja,\n";
    let problem = import(&ada, &company, "", bad).await.expect_problem(422, "import_failed");
    let errors = problem["errors"].as_array().expect("errors").iter();
    let found: Vec<_> = errors.map(|it| (it["column"].as_str(), it["code"].as_str())).collect();
    let expected = [
        ("started_at", "instant"),
        ("ended_at", "order"),
        ("breaks", "breaks"),
        ("breaks", "breaks"),
        ("duration", "duration_differs"),
        ("ended_at", "required"),
        ("started_at", "required"),
        ("billable", "billable"),
    ];
    assert_eq!(found, expected.map(|(column, code)| (Some(column), Some(code))));
    assert_eq!(problem["ignored_columns"], json!(["Colour"]));
    app.stop().await;
}

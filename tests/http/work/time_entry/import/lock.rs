//! Imports beside what is there, and beside others at the same moment.

use std::time::Duration;

use api::config::{Limits, Settings};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tests::{App, AppOptions, Client, Database, at, each_database, id};

use crate::work::time_entry::{crew, span};

const HEADER: &str = "User,Start date,Start time,Duration,Project,Task\n";

async fn import(client: &Client, company: &str, query: &str, file: &str) -> tests::Answer {
    client.upload(&format!("{company}/time-entries/import?{query}"), file).await
}

#[each_database]
async fn rows_that_overlap_or_lie_in_a_locked_week_are_bad(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    let there = ada.make(&entries, span("2026-11-16T08:00:00Z", "2026-11-16T09:00:00Z")).await;
    ada.make(&entries, json!({ "day": "2026-11-09", "minutes": 5 })).await;
    let card = &ada.all(&format!("{company}/timecards"), "?to=2026-11-09").await[0];
    let submit = format!("{}/submit", at(&format!("{company}/timecards"), card));
    ada.post(&submit, json!({ "version": card["version"] })).await.expect(200);
    let file = format!(
        "{HEADER},2026-11-16,09:30,1:00,,\n,2026-11-16,11:00,1:00,,\n,2026-11-15,23:30,1:00,,\n\
         ,2026-11-10,08:00,1:00,,\n,2026-11-16,00:00,0:30,,\n"
    );
    let codes = |report: &Value| {
        let errors = report["errors"].as_array().expect("errors").clone();
        errors
            .iter()
            .map(|it| (it["line"].as_u64().expect("a line"), it["code"].clone()))
            .collect::<Vec<_>>()
    };
    let expected = [(2, "overlap"), (4, "week_locked"), (5, "week_locked")];
    let expected = expected.map(|(line, code)| (line, json!(code)));
    let problem = import(&ada, &company, "", &file).await.expect_problem(422, "import_failed");
    assert_eq!(codes(&problem), expected);
    assert_eq!(problem["created"], 0);
    let message = problem["errors"][0]["message"].as_str().expect("a message");
    assert!(message.contains(id(&there)), "{message}");
    let report = import(&ada, &company, "on_error=skip", &file).await.expect(200);
    assert_eq!((codes(&report), &report["created"]), (expected.to_vec(), &json!(2)));
    // Whose week is not locked, or who may overlap, is not concerned.
    drop(bob);
    let ours = ada.read(&company).await;
    let allow = json!({ "version": ours["version"], "overlap_allowed": true });
    ada.patch(&company, allow).await.expect(200);
    let report = import(&ada, &company, "on_error=skip", &file).await.expect(200);
    assert_eq!((&report["created"], &report["duplicates"]), (&json!(1), &json!(2)));
    app.stop().await;
}

/// The log, in order.
async fn events(client: &Client, company: &str) -> Vec<Value> {
    let (mut events, mut after) = (Vec::new(), 0);
    loop {
        let page = client.read(&format!("{company}/events?after={after}&limit=500")).await;
        let items = page["items"].as_array().expect("items");
        if items.is_empty() {
            return events;
        }
        events.extend(items.iter().cloned());
        after = page["next_after"].as_i64().expect("a position");
    }
}

/// A submission and an import of the same week: whichever is first, nothing is written into a week after
/// it was submitted.
#[each_database(flavor = "multi_thread")]
async fn an_import_and_a_submission_do_not_both_win(database: Database) {
    const ROUNDS: i64 = 20;
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let cards = format!("{company}/timecards");
    let monday = chrono::NaiveDate::from_ymd_opt(2026, 1, 5).expect("a day");
    for round in 0..ROUNDS {
        let day = monday + chrono::TimeDelta::weeks(round);
        let card = ada.make(&cards, json!({ "week_starts_on": day })).await;
        let path = at(&cards, &card);
        let submit = format!("{path}/submit");
        let file = format!("{HEADER},{day},09:00,1:00,,\n,{day},11:00,1:00,,\n");
        let (answer, submitted) = join(
            import(&ada, &company, "on_error=skip", &file),
            ada.post(&submit, json!({ "version": 1 })),
        )
        .await;
        let created = answer.expect(200)["created"].as_u64().expect("a count");
        submitted.expect(200);
        let range = format!("?from={day}&to={day}");
        let rows = ada.all(&format!("{company}/time-entries"), &range).await;
        assert_eq!(rows.len() as u64, created, "round {round}");
        assert!(created == 0 || created == 2);
    }
    app.run_until_idle().await;
    let mut submitted = std::collections::HashSet::new();
    for event in events(&ada, &company).await {
        let data = &event["data"];
        match event["kind"].as_str().expect("a kind") {
            "timecard.submitted" => _ = submitted.insert(data["week_starts_on"].clone()),
            "time_entry.created" => assert!(!submitted.contains(&data["starts_on"]), "{data}"),
            _ => {}
        }
    }
    assert_eq!(submitted.len() as i64, ROUNDS);
    app.stop().await;
}

/// The same file at the same moment, several times: its rows are there once, and what they name.
#[each_database(flavor = "multi_thread")]
async fn imports_of_one_file_at_once_create_its_rows_once(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let rows: String = (1..=100)
        .map(|n| {
            let (day, who) = (n % 28 + 1, n % 3);
            format!("Kim {who},2026-02-{day:02},{:02}:00,0:30,Roof,Task {who}\n", n / 28)
        })
        .collect();
    let file = format!("{HEADER}{rows}");
    let query = "create_projects=true&create_tasks=true&create_members=true";
    let reports = join_all((0..4).map(|_| import(&ada, &company, query, &file))).await;
    let mut sums = [0; 5];
    for report in reports {
        let report = report.expect(200);
        let names =
            ["created", "duplicates", "created_projects", "created_tasks", "created_members"];
        for (sum, name) in sums.iter_mut().zip(names) {
            *sum += report[name].as_u64().expect("a count");
        }
    }
    assert_eq!(sums, [100, 300, 1, 3, 3]);
    assert_eq!(ada.all(&format!("{company}/projects"), "").await.len(), 1);
    assert_eq!(ada.all(&format!("{company}/tasks"), "").await.len(), 3);
    app.stop().await;
}

/// How many statements it takes does not grow with the rows, but with how many of them go into one.
#[each_database]
async fn ten_thousand_rows_in_one_import(database: Database) {
    // A debug build under load is slow, and this is no test of the deadline.
    let limits = Limits { request_timeout: Duration::from_secs(600), ..Settings::default().limits };
    let settings = Settings { limits, ..Settings::default() };
    let app = App::start_with(&database, AppOptions { settings, ..AppOptions::default() }).await;
    let (ada, company, _) = crew(&app).await;
    let row = |n: i64| {
        let (who, hour, day) = (n % 10, n / 10 % 20, n / 200);
        let day = chrono::NaiveDate::from_ymd_opt(2026, 1, 5).expect("a day")
            + chrono::TimeDelta::days(day);
        format!("Kim {who},{day},{hour:02}:00,0:30,Job {},\n", n % 7)
    };
    let file: String = std::iter::once(HEADER.to_owned()).chain((0..10_000).map(row)).collect();
    let query = "create_projects=true&create_members=true";
    let more = import(&ada, &company, query, &format!("{file}{}", row(10_000))).await;
    assert_eq!(more.expect_violations(), [""]);
    let (before, started) = (app.store.statements(), std::time::Instant::now());
    let path = format!("{company}/time-entries/import?{query}");
    let report = app.import(&ada, &path, file.clone()).await;
    let (statements, took) = (app.store.statements() - before, started.elapsed());
    println!("10,000 rows took {took:?} and {statements} statements");
    assert_eq!((&report["created"], &report["created_projects"]), (&json!(10_000), &json!(7)));
    // In slices of 100 rows, each of which holds members and reads their time.
    assert!(statements < 100 * 80, "{statements} statements");
    let again = import(&ada, &company, query, &file).await.expect(200);
    assert_eq!((&again["created"], &again["duplicates"]), (&json!(0), &json!(10_000)));
    app.stop().await;
}

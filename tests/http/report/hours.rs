//! The reports of what was worked.

use serde_json::{Value, json};
use tests::{App, Client, Database, each_database, id};

/// A company in Zurich, its roof and its barn, and two who have worked: Ada and Bob. Bob's week is submitted.
struct Crew {
    ada: Client,
    home: String,
    roof: Value,
    barn: Value,
    people: [Value; 2],
}

async fn crew(app: &App) -> Crew {
    let (ada, home) = app.owner_of("company").await;
    let ours = json!({ "version": 1, "time_zone": "Europe/Zurich" });
    ada.patch(&home, ours).await.expect(200);
    let bob = ada.invite(&home, "member").await;
    let projects = format!("{home}/projects");
    let roof = ada.make(&projects, json!({ "name": "Roof" })).await;
    let barn = ada.make(&projects, json!({ "name": "barn" })).await;
    let people = [ada.member_in(&home).await, bob.member_in(&home).await];
    let entries = format!("{home}/time-entries");
    // From 23:00 on Sunday to 2:00 on Monday, there.
    let night = json!({ "started_at": "2026-11-15T22:00:00Z", "ended_at": "2026-11-16T01:00:00Z",
        "project_id": roof["id"], "billable": true, "note": "night" });
    bob.make(&entries, night).await;
    let day = json!({ "day": "2026-11-16", "minutes": 30, "project_id": barn["id"] });
    bob.make(&entries, day).await;
    let none = json!({ "day": "2026-11-18", "minutes": 10, "billable": true });
    ada.make(&entries, none).await;
    let cards = bob.all(&format!("{home}/timecards"), "").await;
    for card in cards {
        if card["member_id"] == people[1]["id"] && card["week_starts_on"] == "2026-11-16" {
            let path = format!("{home}/timecards/{}/submit", id(&card));
            bob.post(&path, json!({ "version": card["version"] })).await.expect(200);
        }
    }
    Crew { ada, home, roof, barn, people }
}

impl Crew {
    /// Label, seconds and billable seconds of each group, and of all.
    async fn hours(&self, query: &str) -> (Vec<(String, i64, i64)>, (i64, i64)) {
        let path = format!("{}/reports/hours?from=2026-11-01&to=2026-11-30&{query}", self.home);
        let report = self.ada.read(&path).await;
        let sums = |row: &Value| {
            [&row["seconds"], &row["billable_seconds"]].map(|sum| sum.as_i64().expect("seconds"))
        };
        let rows = report["rows"].as_array().expect("rows").iter();
        let rows = rows.map(|row| {
            let [seconds, billable] = sums(row);
            (row["label"].as_str().expect("a label").to_owned(), seconds, billable)
        });
        let [seconds, billable] = sums(&report);
        (rows.collect(), (seconds, billable))
    }
}

fn row(label: &str, seconds: i64, billable: i64) -> (String, i64, i64) {
    (label.to_owned(), seconds, billable)
}

#[each_database]
async fn hours_by_project_member_day_week_and_task(database: Database) {
    let app = App::start(&database).await;
    let crew = crew(&app).await;
    let all = (13_200, 11_400);
    for (group_by, rows) in [
        (
            "project",
            vec![row("barn", 1800, 0), row("No project", 600, 600), row("Roof", 10_800, 10_800)],
        ),
        (
            "member",
            vec![
                row("Ada", 600, 600),
                row(crew.people[1]["name"].as_str().unwrap(), 12_600, 10_800),
            ],
        ),
        (
            "day",
            vec![
                row("2026-11-15", 3600, 3600),
                row("2026-11-16", 9000, 7200),
                row("2026-11-18", 600, 600),
            ],
        ),
        ("week", vec![row("2026-11-09", 3600, 3600), row("2026-11-16", 9600, 7800)]),
        ("task", vec![row("No task", 13_200, 11_400)]),
    ] {
        assert_eq!(crew.hours(&format!("group_by={group_by}")).await, (rows, all), "{group_by}");
    }
    let [roof, bob] = [id(&crew.roof), id(&crew.people[1])];
    for (filter, all) in [
        (format!("project_id={roof}"), (10_800, 10_800)),
        (format!("project_id={roof}&billable=false"), (0, 0)),
        (format!("member_id={bob}"), (12_600, 10_800)),
        (format!("member_id={bob}&status=submitted"), (9000, 7200)),
        ("status=open".to_owned(), (4200, 4200)),
        ("status=approved".to_owned(), (0, 0)),
        ("billable=true".to_owned(), (11_400, 11_400)),
        (format!("task_id={roof}"), (0, 0)),
    ] {
        for group_by in ["project", "member", "day", "week", "task"] {
            let (rows, sum) = crew.hours(&format!("group_by={group_by}&{filter}")).await;
            assert_eq!(sum, all, "{group_by} {filter}");
            assert_eq!(rows.iter().map(|row| row.1).sum::<i64>(), all.0, "{group_by} {filter}");
        }
    }
    let only = "reports/hours?from=2026-11-16&to=2026-11-16&group_by=day";
    let only = crew.ada.read(&format!("{}/{only}", crew.home)).await;
    assert_eq!(only["seconds"], 9000, "of the night, what lies in that day");
    app.stop().await;
}

#[each_database]
async fn a_timesheet_has_the_week_day_by_day(database: Database) {
    let app = App::start(&database).await;
    let crew = crew(&app).await;
    let [ada, bob] = [id(&crew.people[0]), id(&crew.people[1])];
    let path = format!("{}/reports/timesheet", crew.home);
    let read = async |member: &str, week: &str| {
        crew.ada.read(&format!("{path}?member_id={member}&week={week}")).await
    };
    let sheet = read(bob, "2026-11-16").await;
    assert_eq!(sheet["timecard"]["status"], "submitted");
    assert_eq!(sheet["timecard"]["version"], 2);
    assert_eq!((&sheet["seconds"], &sheet["billable_seconds"]), (&json!(9000), &json!(7200)));
    let days = sheet["days"].as_array().unwrap();
    assert_eq!(days.len(), 7);
    assert_eq!((&days[0]["day"], &days[6]["day"]), (&json!("2026-11-16"), &json!("2026-11-22")));
    let entries = days[0]["entries"].as_array().unwrap();
    let night = entries.iter().find(|entry| entry["note"] == "night").expect("the night");
    assert_eq!((&night["seconds"], &night["project_name"]), (&json!(7200), &json!("Roof")));
    assert_eq!(entries.len(), 2);
    assert!(days[1..].iter().all(|day| day["seconds"] == 0 && day["entries"] == json!([])));
    let projects = json!([
        { "project_id": crew.barn["id"], "label": "barn", "seconds": 1800, "billable_seconds": 0 },
        { "project_id": crew.roof["id"], "label": "Roof", "seconds": 7200, "billable_seconds": 7200 },
    ]);
    assert_eq!(sheet["projects"], projects);
    let before = read(bob, "2026-11-09").await;
    assert_eq!((&before["seconds"], &before["timecard"]["status"]), (&json!(3600), &json!("open")));
    let never = read(ada, "2026-11-02").await;
    assert_eq!((&never["timecard"], &never["seconds"]), (&Value::Null, &json!(0)));
    for (query, at) in [
        (format!("member_id={bob}&week=2026-11-17"), "?week"),
        (format!("member_id={}&week=2026-11-16", id(&crew.roof)), "?member_id"),
    ] {
        let refused = crew.ada.get(&format!("{path}?{query}")).await;
        assert_eq!(refused.expect_violations(), [at]);
    }
    app.stop().await;
}

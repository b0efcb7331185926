use serde_json::json;
use tests::{App, Client, Database, each_database};

use super::{add, made};

async fn titles(app: &App, ada: &Client, home: &str) -> Vec<String> {
    app.run_until_idle().await;
    let tasks = ada.all(&format!("{home}/tasks"), "").await;
    let title = |task: &serde_json::Value| {
        assert_eq!(task["assignee_role"], "manager");
        task["title"].as_str().unwrap().to_owned()
    };
    let mut titles: Vec<_> = tasks.iter().map(title).collect();
    titles.sort();
    titles
}

#[each_database]
async fn a_limit_that_is_passed_makes_one_task_for_each_excursion(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let more =
        json!({ "name": "Freezer", "unit": "Cel", "high": -15, "hysteresis": 2, "precision": 1 });
    let meter = made(&ada, &home, "gauge", more).await;
    let read = async |at: &str, value: f64| add(&ada, &meter, &[(at, value)]).await;
    read("2026-11-02T08:00:00Z", -15.0).await;
    assert_eq!(titles(&app, &ada, &home).await, [""; 0]);
    read("2026-11-02T08:15:00Z", -14.9).await;
    let first = "Check Freezer: -14.9 Cel is above -15".to_owned();
    assert_eq!(titles(&app, &ada, &home).await, [first.as_str()]);
    // Not back by as much, and what is late tells of nothing.
    read("2026-11-02T08:30:00Z", -16.5).await;
    read("2026-11-02T08:45:00Z", -10.0).await;
    read("2026-11-02T08:20:00Z", -17.5).await;
    assert_eq!(titles(&app, &ada, &home).await, [first.as_str()]);
    read("2026-11-02T09:00:00Z", -17.0).await;
    read("2026-11-02T09:15:00Z", -12.0).await;
    let second = "Check Freezer: -12 Cel is above -15".to_owned();
    assert_eq!(titles(&app, &ada, &home).await, [second, first]);
    let events = ada.all(&format!("{meter}/history"), "").await;
    let passed = events.iter().filter(|event| event["kind"] == "meter.limit_passed").count();
    assert_eq!(passed, 2);
    app.stop().await;
}

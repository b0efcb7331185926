//! Expenses: what a stale change is told.

mod approval;
mod batch;
mod input;
mod list;
mod plan;
mod project;

use serde_json::json;
use tests::{App, Database, each_database};

#[each_database]
async fn a_stale_change_is_a_conflict_that_shows_what_is_there(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let home = ada.found("household").await;
    let new = json!({ "spent_on": "2026-11-01", "amount_minor": 1250, "merchant": "Café" });
    let expense = ada.post(&format!("{home}/expenses"), new).await.expect(201);
    let path = format!("{home}/expenses/{}", expense["id"].as_str().unwrap());

    let changed = ada.patch(&path, json!({ "version": 1, "note": "x" })).await.expect(200);
    assert_eq!(changed["version"], 2);
    let conflict = ada.patch(&path, json!({ "version": 1, "note": "y" })).await;
    let problem = conflict.expect_problem(409, "version_conflict");
    assert_eq!(problem["expected_version"], 1);
    assert_eq!(problem["current_version"], 2);
    assert_eq!(problem["current"], changed);
    app.stop().await;
}

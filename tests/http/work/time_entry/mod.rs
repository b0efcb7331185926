//! Entries of time: what they may be, and what they come to.

mod import;
mod list;
mod race;
mod timer;

use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database, id};

/// A company in Zurich where time is recorded, and a member of it.
pub(crate) async fn crew(app: &App) -> (Client, String, Client) {
    let (ada, company) = app.owner_of("company").await;
    let ours = ada.read(&company).await;
    let zurich = json!({ "version": ours["version"], "time_zone": "Europe/Zurich" });
    ada.patch(&company, zurich).await.expect(200);
    let bob = ada.invite(&company, "member").await;
    (ada, company, bob)
}

/// An entry from one instant to another.
pub(crate) fn span(start: &str, end: &str) -> Value {
    json!({ "started_at": start, "ended_at": end })
}

#[each_database]
async fn an_entry_has_a_start_and_an_end_or_a_day_and_minutes(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    let new = json!({
        "started_at": "2026-11-16T08:00:00+01:00", "ended_at": "2026-11-16T11:00:00.5Z",
        "breaks": [{ "started_at": "2026-11-16T10:00:00Z", "ended_at": "2026-11-16T10:30:00Z" }],
        "cost_code": "04-100", "note": "  wörk \\ \"quoted\" 👷\n", "tags": ["Roof", "Süd"],
    });
    let made = bob.make(&entries, new).await;
    let shown = json!({
        "started_at": "2026-11-16T07:00:00Z", "ended_at": "2026-11-16T11:00:00.500Z",
        "breaks": [{ "started_at": "2026-11-16T10:00:00Z", "ended_at": "2026-11-16T10:30:00Z" }],
        "day": null, "minutes": null, "starts_on": "2026-11-16", "seconds": 12_600,
        "running": false, "billable": false, "cost_code": "04-100", "project_id": null,
        "task_id": null, "note": "  wörk \\ \"quoted\" 👷\n", "tags": ["Roof", "Süd"],
    });
    for (name, value) in shown.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    assert_eq!(bob.read(&at(&entries, &made)).await, made);

    let day = bob.make(&entries, json!({ "day": "2026-11-16", "minutes": 90 })).await;
    assert_eq!(day["starts_on"], "2026-11-16");
    assert_eq!((&day["started_at"], &day["ended_at"]), (&Value::Null, &Value::Null));
    assert_eq!((day["seconds"].as_i64(), day["minutes"].as_i64()), (Some(5400), Some(90)));

    let change = json!({ "version": 1, "day": null, "minutes": null,
        "started_at": "2026-11-16T22:30:00Z", "ended_at": "2026-11-16T23:30:00Z" });
    let changed = bob.patch(&at(&entries, &day), change).await.expect(200);
    assert_eq!(changed["seconds"], 3600);
    assert_eq!(changed["starts_on"], "2026-11-16");
    let back = json!({ "version": 2, "to_version": 1 });
    let back = bob.post(&format!("{}/revert", at(&entries, &day)), back).await.expect(200);
    assert_eq!(back["minutes"], 90);
    assert_eq!(back["started_at"], Value::Null);

    let cards = ada.read(&format!("{company}/timecards")).await;
    assert_eq!(cards["items"].as_array().unwrap().len(), 1, "{cards}");
    let card = &cards["items"][0];
    assert_eq!(card["week_starts_on"], "2026-11-16");
    let totals = ada.read(&format!("{company}/timecards/{}/totals", id(card))).await;
    assert_eq!(totals["seconds"], 12_600 + 5400);
    bob.delete(&format!("{}?version=3", at(&entries, &day))).await.expect(204);
    let totals = ada.read(&format!("{company}/timecards/{}/totals", id(card))).await;
    assert_eq!(totals["seconds"], 12_600);
    app.stop().await;
}

#[each_database]
async fn an_entry_that_is_neither_is_refused(database: Database) {
    let app = App::start(&database).await;
    let (_, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    let (eight, nine, ten) =
        ("2026-11-16T08:00:00Z", "2026-11-16T09:00:00Z", "2026-11-16T10:00:00Z");
    let pause = |from, until| json!([{ "started_at": from, "ended_at": until }]);
    for (new, pointer) in [
        (json!({}), "/started_at"),
        (json!({ "day": "2026-11-16" }), "/minutes"),
        (json!({ "minutes": 60 }), "/day"),
        (json!({ "started_at": eight, "day": "2026-11-16" }), "/day"),
        (json!({ "started_at": eight, "minutes": 60 }), "/minutes"),
        (json!({ "day": "2026-11-16", "minutes": 60, "ended_at": nine }), "/ended_at"),
        (json!({ "day": "2026-11-16", "minutes": 60, "breaks": pause(eight, nine) }), "/breaks"),
        (json!({ "day": "2026-11-16", "minutes": 0 }), "/minutes"),
        (json!({ "day": "2026-11-16", "minutes": 1441 }), "/minutes"),
        (json!({ "day": "1000-12-31", "minutes": 1 }), "/day"),
        (span(nine, eight), "/ended_at"),
        (span(nine, nine), "/ended_at"),
        (span(nine, "2026-12-17T09:00:00.000001Z"), "/ended_at"),
        (span("2026-11-16T08:00:00.0000001Z", nine), "/started_at"),
        (span("2026-11-16T08:59:60Z", nine), "/started_at"),
        (json!({ "started_at": "2999-01-01T00:00:00Z" }), "/started_at"),
        (
            json!({ "started_at": eight, "ended_at": ten, "breaks": pause(ten, nine) }),
            "/breaks/0/ended_at",
        ),
        (
            json!({ "started_at": nine, "ended_at": ten, "breaks": pause(eight, ten) }),
            "/breaks/0/started_at",
        ),
        (
            json!({ "started_at": eight, "ended_at": nine, "breaks": pause(eight, ten) }),
            "/breaks/0/ended_at",
        ),
    ] {
        let refused = bob.post(&entries, new.clone()).await.expect_violations();
        assert_eq!(refused, [pointer], "{new}");
    }
    // As long as it may be.
    bob.make(&entries, span(nine, "2026-12-17T09:00:00Z")).await;
    app.stop().await;
}

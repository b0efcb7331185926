//! Timers, and times that would overlap.

use serde_json::{Value, json};
use tests::{App, Database, at, each_database, id};

use crate::work::time_entry::{crew, span};

#[each_database]
async fn a_timer_runs_until_it_is_stopped(database: Database) {
    let app = App::start(&database).await;
    let (_, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    let start = format!("{entries}/start");
    let timer = bob.make(&start, json!({ "note": "roof", "tags": ["a"] })).await;
    assert_eq!((&timer["running"], &timer["seconds"]), (&json!(true), &json!(0)));
    assert_eq!(timer["ended_at"], Value::Null);
    let path = at(&entries, &timer);
    assert_eq!(bob.read(&path).await, timer);
    let running = bob.all(&entries, "?running=true").await;
    assert_eq!(running, std::slice::from_ref(&timer));
    // A member has one, however it is begun.
    let another = bob.post(&start, json!({})).await.expect_problem(409, "timer_running");
    assert_eq!(another["conflicting_id"], timer["id"]);
    let since = json!({ "started_at": "2026-11-16T08:00:00Z" });
    bob.post(&entries, since.clone()).await.expect_problem(409, "timer_running");
    let two = json!({ "items": [since] });
    let two = bob.post(&format!("{entries}/batch"), two).await;
    assert_eq!(two.expect_problem(409, "timer_running")["conflicting_id"], timer["id"]);

    let stop = format!("{path}/stop");
    let before = json!({ "version": 1, "ended_at": timer["started_at"] });
    assert_eq!(bob.post(&stop, before).await.expect_violations(), ["/ended_at"]);
    let stopped = bob.post(&stop, json!({ "version": 1 })).await.expect(200);
    assert_eq!((&stopped["running"], &stopped["version"]), (&json!(false), &json!(2)));
    assert!(stopped["ended_at"].as_str() > timer["started_at"].as_str());
    assert!(bob.all(&entries, "?running=true").await.is_empty());
    assert_eq!(bob.all(&entries, "?running=false").await, [stopped]);

    bob.post(&stop, json!({ "version": 2 })).await.expect_problem(409, "not_running");
    let again = json!({ "version": 2, "ended_at": null });
    bob.patch(&path, again).await.expect_problem(409, "not_running");
    let back = json!({ "version": 2, "to_version": 1 });
    bob.post(&format!("{path}/revert"), back).await.expect_problem(409, "not_running");
    let history = bob.all(&format!("{path}/history"), "").await;
    let kinds: Vec<_> = history.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["time_entry.stopped", "time_entry.created"]);
    app.stop().await;
}

#[each_database]
async fn a_timer_is_stopped_when_one_says_and_within_31_days(database: Database) {
    let app = App::start(&database).await;
    let (_, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    let pause = json!({ "started_at": "2026-01-05T12:00:00Z", "ended_at": "2026-01-05T13:00:00Z" });
    let new = json!({ "started_at": "2026-01-05T08:00:00Z", "breaks": [pause] });
    let timer = bob.make(&entries, new).await;
    let stop = format!("{}/stop", at(&entries, &timer));
    // Forgotten for long: it takes an end.
    let now = bob.post(&stop, json!({ "version": 1 })).await;
    assert_eq!(now.expect_violations(), ["/ended_at"]);
    let in_the_break = json!({ "version": 1, "ended_at": "2026-01-05T12:30:00Z" });
    assert_eq!(bob.post(&stop, in_the_break).await.expect_violations(), ["/ended_at"]);
    let evening = json!({ "version": 1, "ended_at": "2026-01-05T17:00:00Z" });
    assert_eq!(bob.post(&stop, evening).await.expect(200)["seconds"], 8 * 3600);
    app.stop().await;
}

#[each_database]
async fn times_of_one_member_do_not_overlap(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    let first = bob.make(&entries, span("2026-11-16T08:00:00Z", "2026-11-16T10:00:00Z")).await;
    let mut long = span("2026-10-20T00:00:00Z", "2026-11-16T08:00:00Z");
    long["note"] = json!("touches the first");
    let long = bob.make(&entries, long).await;
    for (start, end, other) in [
        ("2026-11-16T09:59:59.999999Z", "2026-11-16T12:00:00Z", &first),
        ("2026-11-16T08:30:00Z", "2026-11-16T09:00:00Z", &first),
        ("2026-10-19T23:00:00Z", "2026-10-20T00:00:00.000001Z", &long),
        ("2026-11-16T07:00:00Z", "2026-11-16T08:00:00Z", &long),
        ("2026-10-18T00:00:00Z", "2026-11-16T09:00:00Z", &long),
    ] {
        let refused = bob.post(&entries, span(start, end)).await;
        let problem = refused.expect_problem(409, "overlap");
        assert_eq!(problem["conflicting_id"], other["id"], "{start}");
    }
    // What touches does not overlap, nor does another's, nor what has only a day.
    let next = bob.make(&entries, span("2026-11-16T10:00:00Z", "2026-11-16T11:00:00Z")).await;
    ada.make(&entries, span("2026-11-16T08:00:00Z", "2026-11-16T10:00:00Z")).await;
    bob.make(&entries, json!({ "day": "2026-11-16", "minutes": 600 })).await;
    let longer = json!({ "version": 1, "started_at": "2026-11-16T09:00:00Z" });
    let longer = bob.patch(&at(&entries, &next), longer).await;
    assert_eq!(longer.expect_problem(409, "overlap")["conflicting_id"], first["id"]);
    let moved = json!({ "version": 1, "started_at": "2026-11-16T10:30:00Z",
        "ended_at": "2026-11-16T12:00:00Z" });
    bob.patch(&at(&entries, &next), moved).await.expect(200);
    // Of a batch, too: with one that is there, and with one of its own.
    let batch = format!("{entries}/batch");
    let fits = span("2026-11-17T08:00:00Z", "2026-11-17T10:00:00Z");
    let there = span("2026-11-16T11:00:00Z", "2026-11-16T11:30:00Z");
    let refused = bob.post(&batch, json!({ "items": [fits, there] })).await;
    assert_eq!(refused.expect_problem(409, "overlap")["conflicting_id"], next["id"]);
    let own = span("2026-11-17T09:00:00Z", "2026-11-17T09:30:00Z");
    let refused = bob.post(&batch, json!({ "items": [fits, own] })).await;
    assert_eq!(refused.expect_violations(), ["/items/1/started_at"]);
    assert_eq!(bob.all(&entries, "?from=2026-11-17").await.len(), 0);
    app.stop().await;
}

#[each_database]
async fn a_timer_takes_all_time_from_its_start(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    let later = bob.make(&entries, span("2026-11-16T12:00:00Z", "2026-11-16T13:00:00Z")).await;
    let early = json!({ "started_at": "2026-11-16T08:00:00Z" });
    let refused = bob.post(&entries, early.clone()).await.expect_problem(409, "overlap");
    assert_eq!(refused["conflicting_id"], later["id"]);
    let timer = bob.make(&entries, json!({ "started_at": "2026-11-16T13:00:00Z" })).await;
    // In another week, where the timer has no timecard.
    let other = span("2026-11-30T08:00:00Z", "2026-11-30T09:00:00Z");
    let refused = bob.post(&entries, other.clone()).await.expect_problem(409, "overlap");
    assert_eq!(refused["conflicting_id"], timer["id"]);
    bob.make(&entries, span("2026-11-16T07:00:00Z", "2026-11-16T12:00:00Z")).await;

    let ours = ada.read(&company).await;
    let allow = json!({ "version": ours["version"], "overlap_allowed": true });
    ada.patch(&company, allow).await.expect(200);
    let made = bob.make(&entries, other).await;
    bob.post(&entries, early).await.expect_problem(409, "timer_running");
    let ours = ada.read(&company).await;
    let forbid = json!({ "version": ours["version"], "overlap_allowed": false });
    ada.patch(&company, forbid).await.expect(200);
    // What overlaps already may stay as it is, and get shorter.
    let note = json!({ "version": 1, "note": "told", "ended_at": "2026-11-30T08:30:00Z" });
    bob.patch(&at(&entries, &made), note).await.expect(200);
    let stop = json!({ "version": 1, "ended_at": "2026-12-01T00:00:00Z" });
    bob.post(&format!("{}/stop", at(&entries, &timer)), stop).await.expect(200);
    app.stop().await;
}

#[each_database]
async fn a_timer_that_goes_to_another_member_is_their_one(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    let hers = ada.make(&format!("{entries}/start"), json!({})).await;
    let his = bob.make(&format!("{entries}/start"), json!({})).await;
    let to_bob = json!({ "version": 1, "member_id": his["member_id"] });
    let refused = ada.patch(&at(&entries, &hers), to_bob.clone()).await;
    assert_eq!(refused.expect_problem(409, "timer_running")["conflicting_id"], his["id"]);
    bob.delete(&format!("{}?version=1", at(&entries, &his))).await.expect(204);
    ada.patch(&at(&entries, &hers), to_bob).await.expect(200);
    let again = bob.post(&format!("{entries}/start"), json!({})).await;
    assert_eq!(again.expect_problem(409, "timer_running")["conflicting_id"], json!(id(&hers)));
    ada.make(&format!("{entries}/start"), json!({})).await;
    app.stop().await;
}

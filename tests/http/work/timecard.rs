//! The weeks of members: what is in them, how they are decided, and that a locked one stays as it is.

use serde_json::{Value, json};
use tests::{Answer, App, Client, Database, at, each_database, id};

use crate::work::time_entry::{crew, span};

/// The only timecard of a week.
pub(crate) async fn card_of(
    client: &Client,
    company: &str,
    member_id: &Value,
    monday: &str,
) -> Value {
    let member_id = member_id.as_str().unwrap();
    let query = format!("?member_id={member_id}&from={monday}&to={monday}");
    let cards = client.all(&format!("{company}/timecards"), &query).await;
    assert_eq!(cards.len(), 1, "{monday}: {cards:?}");
    cards[0].clone()
}

/// Makes a move against the version that the card has.
pub(crate) async fn go(client: &Client, path: &str, by: &str, mut with: Value) -> Answer {
    with["version"] = client.read(path).await["version"].clone();
    client.post(&format!("{path}/{by}"), with).await
}

#[each_database]
async fn an_entry_over_midnight_belongs_to_both_days_and_weeks(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let projects = format!("{company}/projects");
    let roof = ada.make(&projects, json!({ "name": "Roof" })).await;
    let entries = format!("{company}/time-entries");
    // Sunday 22:00 to Monday 06:00 in Zurich, with a break from 23:30 to 00:30.
    let mut night = span("2026-11-22T21:00:00Z", "2026-11-23T05:00:00Z");
    night["breaks"] =
        json!([{ "started_at": "2026-11-22T22:30:00Z", "ended_at": "2026-11-22T23:30:00Z" }]);
    night["project_id"] = roof["id"].clone();
    night["billable"] = json!(true);
    let night = bob.make(&entries, night).await;
    bob.make(&entries, json!({ "day": "2026-11-23", "minutes": 10 })).await;
    let member = &night["member_id"];
    let totals = async |monday: &str| {
        let card = card_of(&ada, &company, member, monday).await;
        ada.read(&format!("{company}/timecards/{}/totals", id(&card))).await
    };
    let first = totals("2026-11-16").await;
    assert_eq!((&first["seconds"], &first["billable_seconds"]), (&json!(5400), &json!(5400)));
    assert_eq!(first["days"].as_array().unwrap().len(), 7);
    let sunday = json!({ "day": "2026-11-22", "seconds": 5400, "billable_seconds": 5400 });
    assert_eq!(first["days"][6], sunday);
    let second = totals("2026-11-23").await;
    let monday =
        json!({ "day": "2026-11-23", "seconds": 19_800 + 600, "billable_seconds": 19_800 });
    assert_eq!(second["days"][0], monday);
    let by_project = json!([
        { "project_id": null, "seconds": 600, "billable_seconds": 0 },
        { "project_id": roof["id"], "seconds": 19_800, "billable_seconds": 19_800 },
    ]);
    assert_eq!(second["projects"], by_project);
    // It is found on both of its days, and on no other.
    for (query, found) in [
        ("?from=2026-11-22&to=2026-11-22", 1),
        ("?from=2026-11-23&to=2026-11-23", 2),
        ("?from=2026-11-24", 0),
        ("?to=2026-11-21", 0),
    ] {
        assert_eq!(bob.all(&entries, query).await.len(), found, "{query}");
    }
    // Another time zone moves nothing that is written, unless its times change.
    let ours = ada.read(&company).await;
    let utc = json!({ "version": ours["version"], "time_zone": "UTC" });
    ada.patch(&company, utc).await.expect(200);
    let path = at(&entries, &night);
    bob.patch(&path, json!({ "version": 1, "note": "cold" })).await.expect(200);
    assert_eq!(totals("2026-11-16").await, first);
    assert_eq!(totals("2026-11-23").await, second);
    bob.patch(&path, json!({ "version": 2, "breaks": [] })).await.expect(200);
    assert_eq!(totals("2026-11-16").await["seconds"], 3 * 3600);
    assert_eq!(totals("2026-11-23").await["seconds"], 5 * 3600 + 600);
    app.stop().await;
}

#[each_database]
async fn a_timecard_takes_the_moves_of_its_status_and_no_other(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let manager = ada.invite(&company, "manager").await;
    let cards = format!("{company}/timecards");
    let twice = json!({ "week_starts_on": "2026-11-16" });
    let path = at(&cards, &bob.make(&cards, twice.clone()).await);
    let taken = bob.post(&cards, twice.clone()).await.expect_problem(409, "duplicate");
    assert_eq!(taken["violations"][0]["pointer"], "/week_starts_on");
    let tuesday = bob.post(&cards, json!({ "week_starts_on": "2026-11-17" })).await;
    assert_eq!(tuesday.expect_violations(), ["/week_starts_on"]);
    let why = json!({ "reason": "a day is missing" });
    for (by, status) in [("approve", 409), ("reject", 409), ("submit", 200)] {
        go(&ada, &path, by, json!({})).await.expect(status);
    }
    // Who decides, and who does not.
    go(&bob, &path, "approve", json!({})).await.expect_problem(403, "role_insufficient");
    go(&manager, &path, "reopen", why.clone()).await.expect_problem(403, "role_insufficient");
    go(&bob, &path, "submit", json!({})).await.expect_problem(409, "wrong_status");
    let rejected = go(&manager, &path, "reject", json!({ "note": "no" })).await.expect(200);
    assert_eq!(
        (&rejected["status"], &rejected["decision_note"]),
        (&json!("rejected"), &json!("no"))
    );
    go(&bob, &path, "submit", json!({})).await.expect(200);
    let approved = go(&manager, &path, "approve", json!({})).await.expect(200);
    assert_eq!(approved["status"], "approved");
    assert_eq!(approved["decision_note"], Value::Null);
    assert_eq!(go(&ada, &path, "reopen", json!({})).await.expect_violations(), ["/reason"]);
    let blank = go(&ada, &path, "reopen", json!({ "reason": " " })).await;
    assert_eq!(blank.expect_violations(), ["/reason"]);
    let open = go(&ada, &path, "reopen", why).await.expect(200);
    assert_eq!(
        (&open["status"], &open["decision_note"]),
        (&json!("open"), &json!("a day is missing"))
    );
    let history = ada.all(&format!("{path}/history"), "").await;
    assert_eq!(history[0]["kind"], "timecard.reopened");

    // One's own is decided by others, and what is others' is left to those who manage time.
    let own = at(&cards, &manager.make(&cards, twice).await);
    go(&manager, &own, "submit", json!({})).await.expect(200);
    go(&manager, &own, "approve", json!({})).await.expect_problem(403, "own_timecard");
    go(&bob, &own, "submit", json!({})).await.expect_problem(403, "not_your_timecard");
    let hers =
        json!({ "member_id": approved["decided_by_member_id"], "week_starts_on": "2026-11-02" });
    bob.post(&cards, hers).await.expect_problem(403, "not_your_timecard");
    let nobody = json!({ "member_id": open["id"], "week_starts_on": "2026-11-02" });
    assert_eq!(ada.post(&cards, nobody).await.expect_violations(), ["/member_id"]);
    app.stop().await;
}

#[each_database]
async fn where_nobody_decides_a_week_is_approved_when_it_is_submitted(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let entry = ada
        .make(&format!("{home}/time-entries"), json!({ "day": "2026-11-16", "minutes": 1 }))
        .await;
    let card = card_of(&ada, &home, &entry["member_id"], "2026-11-16").await;
    let path = at(&format!("{home}/timecards"), &card);
    let approved = go(&ada, &path, "submit", json!({})).await.expect(200);
    assert_eq!(
        (&approved["status"], &approved["decided_by_member_id"]),
        (&json!("approved"), &Value::Null)
    );
    assert_eq!(approved["decided_at"], approved["submitted_at"]);
    app.stop().await;
}

/// Every way to write time, against the weeks of two submitted cards.
#[each_database]
async fn a_locked_week_stays_as_it_is_on_every_path(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    let inside = bob.make(&entries, span("2026-11-09T08:00:00Z", "2026-11-09T10:00:00Z")).await;
    let inside =
        bob.patch(&at(&entries, &inside), json!({ "version": 1, "note": "b" })).await.expect(200);
    let outside = bob.make(&entries, span("2026-11-05T08:00:00Z", "2026-11-05T10:00:00Z")).await;
    let card = card_of(&ada, &company, &inside["member_id"], "2026-11-09").await;
    let path = at(&format!("{company}/timecards"), &card);
    go(&bob, &path, "submit", json!({})).await.expect(200);
    let totals = ada.read(&format!("{path}/totals")).await;

    for status in ["submitted", "approved"] {
        assert_eq!(ada.read(&path).await["status"], status);
        let day = json!({ "day": "2026-11-15", "minutes": 5 });
        let night = span("2026-11-08T22:59:00Z", "2026-11-08T23:01:00Z");
        let timer = json!({ "started_at": "2026-11-10T08:00:00Z" });
        let locked = |answer: Answer| {
            let problem = answer.expect_problem(409, "week_locked");
            assert_eq!(problem["conflicting_id"], card["id"]);
        };
        for client in [&ada, &bob] {
            for new in [&day, &night, &timer] {
                let mut new = new.clone();
                new["member_id"] = inside["member_id"].clone();
                locked(client.post(&entries, new.clone()).await);
                locked(client.post(&format!("{entries}/batch"), json!({ "items": [new] })).await);
            }
            let mut timer = timer.clone();
            timer["member_id"] = inside["member_id"].clone();
            locked(client.post(&format!("{entries}/start"), timer).await);
            let entry = at(&entries, &inside);
            for change in [
                json!({ "note": "c" }),
                json!({ "started_at": "2026-11-04T08:00:00Z", "ended_at": "2026-11-04T09:00:00Z" }),
                json!({ "billable": true }),
            ] {
                let mut change = change;
                change["version"] = json!(2);
                locked(client.patch(&entry, change).await);
            }
            locked(client.delete(&format!("{entry}?version=2")).await);
            let back = json!({ "version": 2, "to_version": 1 });
            locked(client.post(&format!("{entry}/revert"), back).await);
            // In from outside, in time or in whose it is.
            let moved = json!({ "version": 1, "ended_at": "2026-11-09T08:00:00Z" });
            locked(client.patch(&at(&entries, &outside), moved).await);
            let edits = json!({ "changes": [
                { "entity": "time_entry", "op": "create", "id": "0199aaaa-0000-7000-8000-000000000001",
                    "data": { "day": "2026-11-12", "minutes": 5, "member_id": inside["member_id"] } },
                { "entity": "time_entry", "op": "update", "id": inside["id"], "version": 2,
                    "data": { "note": "d" } },
                { "entity": "time_entry", "op": "delete", "id": inside["id"], "version": 2 },
            ] });
            let report = client.post(&format!("{company}/sync"), edits).await.expect(200);
            for result in report["results"].as_array().unwrap() {
                assert_eq!(result["code"], "week_locked", "{result}");
                assert_eq!(result["conflicting_id"], card["id"]);
            }
        }
        let hers = ada.make(&entries, json!({ "day": "2026-11-09", "minutes": 5 })).await;
        let to_bob = json!({ "version": 1, "member_id": inside["member_id"] });
        locked(ada.patch(&at(&entries, &hers), to_bob).await);
        assert_eq!(ada.read(&format!("{path}/totals")).await, totals);
        assert_eq!(bob.read(&at(&entries, &inside)).await, inside);
        if status == "submitted" {
            go(&ada, &path, "approve", json!({})).await.expect(200);
        }
    }
    // Rejected or opened again, it can be changed.
    go(&ada, &path, "reopen", json!({ "reason": "late" })).await.expect(200);
    let change = json!({ "version": 2, "note": "c" });
    bob.patch(&at(&entries, &inside), change).await.expect(200);
    go(&bob, &path, "submit", json!({})).await.expect(200);
    go(&ada, &path, "reject", json!({})).await.expect(200);
    bob.delete(&format!("{}?version=3", at(&entries, &inside))).await.expect(204);
    app.stop().await;
}

#[each_database]
async fn a_week_is_submitted_once_its_timer_is_stopped(database: Database) {
    let app = App::start(&database).await;
    let (_, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    let timer = bob.make(&entries, json!({ "started_at": "2026-11-11T08:00:00Z" })).await;
    let cards = format!("{company}/timecards");
    for (monday, status) in [("2026-11-02", 200), ("2026-11-09", 409), ("2026-11-16", 409)] {
        let query = format!("?from={monday}&to={monday}");
        let card = match bob.all(&cards, &query).await.pop() {
            Some(card) => card,
            None => bob.make(&cards, json!({ "week_starts_on": monday })).await,
        };
        let answer = go(&bob, &at(&cards, &card), "submit", json!({})).await;
        if status == 409 {
            let problem = answer.expect_problem(409, "timer_running");
            assert_eq!(problem["conflicting_id"], timer["id"], "{monday}");
        } else {
            answer.expect(status);
        }
    }
    app.stop().await;
}

#[each_database]
async fn many_are_decided_at_once_each_by_itself(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let cards = format!("{company}/timecards");
    let mut made = Vec::new();
    for (client, monday) in
        [(&bob, "2026-11-02"), (&bob, "2026-11-09"), (&bob, "2026-11-16"), (&ada, "2026-11-02")]
    {
        let card = client.make(&cards, json!({ "week_starts_on": monday })).await;
        go(client, &at(&cards, &card), "submit", json!({})).await.expect(200);
        made.push(card);
    }
    let open = bob.make(&cards, json!({ "week_starts_on": "2026-10-05" })).await;
    let item = |card: &Value, version: i64, decision: &str| {
        json!({
            "id": card["id"], "version": version, "decision": decision, "note": "seen"
        })
    };
    let items = json!({ "items": [
        item(&made[0], 2, "approve"),
        item(&made[1], 1, "approve"),
        item(&made[2], 2, "reject"),
        item(&made[3], 2, "approve"),
        item(&open, 1, "approve"),
        item(&json!({ "id": "0199aaaa-0000-7000-8000-000000000001" }), 1, "reject"),
        item(&made[0], 3, "reject"),
    ] });
    let decide = format!("{cards}/decide");
    bob.post(&decide, items.clone()).await.expect_problem(403, "role_insufficient");
    let results = ada.keyed("once").post(&decide, items.clone()).await.expect(200);
    let told: Vec<_> = results["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| {
            format!(
                "{} {}",
                result["status"].as_str().unwrap(),
                result["code"].as_str().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "applied -",
            "conflict -",
            "applied -",
            "forbidden own_timecard",
            "invalid wrong_status",
            "not_found not_found",
            "invalid wrong_status"
        ]
    );
    assert_eq!(results["results"][0]["data"], ada.read(&at(&cards, &made[0])).await);
    assert_eq!(results["results"][1]["current"], ada.read(&at(&cards, &made[1])).await);
    let statuses: Vec<_> = ada
        .all(&cards, "?sort=week_starts_on")
        .await
        .iter()
        .map(|card| card["status"].as_str().unwrap().to_owned())
        .collect();
    let mut sorted = statuses.clone();
    sorted.sort();
    assert_eq!(sorted, ["approved", "open", "rejected", "submitted", "submitted"]);
    let again = ada.keyed("once").post(&decide, items).await;
    assert!(again.is_replayed());
    assert_eq!(again.expect(200), results);
    let none = ada.post(&decide, json!({ "items": [] })).await;
    assert_eq!(none.expect_violations(), ["/items"]);
    app.stop().await;
}

/// Whoever submitted a week, or recorded or last changed time in it, does not decide it, alone or among many.
#[each_database]
async fn nobody_decides_a_week_that_they_had_a_hand_in(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let manager = ada.invite(&company, "manager").await;
    let (entries, cards) = (format!("{company}/time-entries"), format!("{company}/timecards"));
    let of_bob = bob.member_in(&company).await["id"].clone();
    for (part, day) in [
        ("recorded", "2026-11-02"),
        ("batch", "2026-11-09"),
        ("changed", "2026-11-16"),
        ("submitted", "2026-11-23"),
        ("imported", "2026-11-30"),
    ] {
        let own = json!({ "day": day, "minutes": 60 });
        let theirs = json!({ "day": day, "minutes": 30, "member_id": of_bob });
        let entry = bob.make(&entries, own).await;
        match part {
            "recorded" => {
                manager.make(&entries, theirs).await;
            }
            "batch" => {
                let items = json!({ "items": [theirs] });
                manager.post(&format!("{entries}/batch"), items).await.expect(201);
            }
            "changed" => {
                let longer = json!({ "version": 1, "minutes": 600 });
                manager.patch(&at(&entries, &entry), longer).await.expect(200);
            }
            "imported" => {
                let member = of_bob.as_str().expect("an id");
                let path = format!("{entries}/import?member_id={member}");
                let file = format!("Start date,Start time,Duration\n{day},05:00,0:30\n");
                manager.upload(&path, file).await.expect(200);
            }
            _ => {}
        }
        let path = at(&cards, &card_of(&ada, &company, &of_bob, day).await);
        let submits = if part == "submitted" { &manager } else { &bob };
        let card = go(submits, &path, "submit", json!({})).await.expect(200);
        for by in ["approve", "reject"] {
            let refused = go(&manager, &path, by, json!({})).await;
            let problem = refused.expect_problem(403, "own_timecard");
            let detail = problem["detail"].as_str().expect("a detail");
            assert!(
                detail.starts_with("members cannot decide timecards that they"),
                "{part}: {detail}"
            );
        }
        let items = json!({ "items": [
            { "id": card["id"], "version": card["version"], "decision": "approve" }] });
        let report = manager.post(&format!("{cards}/decide"), items).await.expect(200);
        assert_eq!(report["results"][0]["code"], "own_timecard", "{part}");
        go(&ada, &path, "approve", json!({})).await.expect(200);
    }
    app.stop().await;
}

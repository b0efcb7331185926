//! Daily reports: what they keep, their way, and how they are found.

use serde_json::{Value, json};
use tests::{Answer, App, Client, Database, at, each_database, id};

/// A company with a project, and where its reports are.
async fn site(app: &App) -> (Client, String, String) {
    let (ada, company) = app.owner_of("company").await;
    let project = ada.make(&format!("{company}/projects"), json!({ "name": "Roof" })).await;
    (ada, company, id(&project).to_owned())
}

fn of(project: &str, day: &str) -> Value {
    json!({ "project_id": project, "day": day, "summary": "Dry and cold" })
}

/// Does something with a report at the version that it has.
async fn go(client: &Client, path: &str, verb: &str) -> Answer {
    let version = client.read(path).await["version"].clone();
    client.post(&format!("{path}/{verb}"), json!({ "version": version })).await
}

async fn amend(client: &Client, path: &str, reason: &str, changes: Value) -> Answer {
    let version = client.read(path).await["version"].clone();
    let body = json!({ "version": version, "reason": reason, "changes": changes });
    client.post(&format!("{path}/amend"), body).await
}

#[each_database]
async fn a_report_keeps_what_it_is_given(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, project) = site(&app).await;
    let grace = ada.make(&format!("{company}/members"), json!({ "name": "Grace" })).await;
    let reports = format!("{company}/daily-reports");
    let new = json!({
        "project_id": project, "day": "2026-11-20", "summary": "Rafters 👷 up to the \"ridge\"",
        "weather": { "conditions": "Fog, then sun", "temperature_low_tenths": -25,
            "temperature_high_tenths": 61, "precipitation_tenths": 0, "wind_kmh": 12 },
        "crew": [
            { "member_id": grace["id"], "trade": null, "count": 1, "seconds": 28_800 },
            { "member_id": null, "trade": "Masons", "count": 3, "seconds": 86_400 },
            { "member_id": null, "trade": "Masons", "count": 1, "seconds": 0 },
        ],
        "items": [
            { "kind": "work", "text": "Rafters", "quantity_milli": 12_500, "unit": "m³",
                "minutes": null },
            { "kind": "delay", "text": "No crane", "quantity_milli": null, "unit": null,
                "minutes": 45 },
            { "kind": "visitor", "text": "The owner", "quantity_milli": null, "unit": null,
                "minutes": null },
        ],
    });
    let made = ada.make(&reports, new.clone()).await;
    for (name, value) in new.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    assert_eq!((&made["status"], &made["version"]), (&json!("draft"), &json!(1)));
    assert_eq!(made["created_by_member_id"], ada.member_in(&company).await["id"]);
    let path = at(&reports, &made);
    assert_eq!(ada.read(&path).await, made);
    assert_eq!(ada.all(&reports, "").await, std::slice::from_ref(&made));
    let patch = json!({ "version": 1, "weather": { "wind_kmh": null },
        "items": [new["items"][2], new["items"][0]], "crew": [{ "trade": "Roofers" }] });
    let changed = ada.patch(&path, patch).await.expect(200);
    assert_eq!(changed["weather"]["wind_kmh"], Value::Null);
    assert_eq!(changed["weather"]["temperature_low_tenths"], -25);
    assert_eq!(changed["items"], json!([new["items"][2], new["items"][0]]));
    assert_eq!(
        changed["crew"],
        json!([{ "member_id": null, "trade": "Roofers", "count": 1, "seconds": 0 }])
    );
    assert_eq!(ada.read(&path).await, changed);
    let back = json!({ "version": 2, "to_version": 1 });
    let reverted = ada.post(&format!("{path}/revert"), back).await.expect(200);
    assert_eq!((&reverted["crew"], &reverted["items"]), (&made["crew"], &made["items"]));
    assert_eq!(ada.read(&path).await, reverted);
    let busy = at(&format!("{company}/members"), &grace);
    ada.delete(&format!("{busy}?version=1")).await.expect_problem(409, "in_use");
    ada.delete(&format!("{path}?version=3")).await.expect(204);
    ada.delete(&format!("{busy}?version=1")).await.expect(204);
    app.stop().await;
}

#[each_database]
async fn what_is_no_report_is_refused_where_it_is_wrong(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, project) = site(&app).await;
    let (_, elsewhere, foreign) = site(&app).await;
    let (grace, _) = (ada.member_in(&company).await["id"].clone(), elsewhere);
    let item = |more: Value| {
        let mut item = json!({ "kind": "work", "text": "Rafters" });
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "items": [{ "kind": "work", "text": "fine" }, item] })
    };
    for (wrong, pointers) in [
        (json!({ "day": "0999-01-01" }), vec!["/day"]),
        (json!({ "project_id": foreign }), vec!["/project_id"]),
        (json!({ "summary": "x".repeat(5001) }), vec!["/summary"]),
        (json!({ "weather": { "sun": true } }), vec!["/weather/sun"]),
        (json!({ "weather": { "wind_kmh": 1.5 } }), vec!["/weather/wind_kmh"]),
        (
            json!({ "weather": { "temperature_low_tenths": 5, "temperature_high_tenths": 4 } }),
            vec!["/weather/temperature_high_tenths"],
        ),
        (json!({ "weather": { "wind_kmh": -1 } }), vec!["/weather/wind_kmh"]),
        (json!({ "crew": [{}] }), vec!["/crew/0/member_id"]),
        (json!({ "crew": [{ "member_id": grace, "trade": "Masons" }] }), vec!["/crew/0/trade"]),
        (json!({ "crew": [{ "member_id": grace, "count": 2 }] }), vec!["/crew/0/count"]),
        (json!({ "crew": [{ "trade": "Masons", "count": 0 }] }), vec!["/crew/0/count"]),
        (json!({ "crew": [{ "trade": "Masons", "seconds": -1 }] }), vec!["/crew/0/seconds"]),
        (json!({ "crew": [{ "trade": " " }] }), vec!["/crew/0/trade"]),
        (
            json!({ "crew": [{ "member_id": grace }, { "member_id": grace }] }),
            vec!["/crew/1/member_id"],
        ),
        (
            json!({ "project_id": foreign, "crew": [{ "trade": "x" }, { "member_id": project }] }),
            vec!["/project_id", "/crew/1/member_id"],
        ),
        (json!({ "crew": vec![json!({ "trade": "Masons" }); 201] }), vec!["/crew"]),
        (item(json!({ "kind": "lunch" })), vec!["/items/1/kind"]),
        (item(json!({ "text": "" })), vec!["/items/1/text"]),
        (item(json!({ "minutes": 5 })), vec!["/items/1/minutes"]),
        (item(json!({ "kind": "delay", "minutes": 0 })), vec!["/items/1/minutes"]),
        (item(json!({ "quantity_milli": 0 })), vec!["/items/1/quantity_milli"]),
    ] {
        let mut new = of(&project, "2026-11-20");
        new.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let refused = ada.post(&format!("{company}/daily-reports"), new).await;
        assert_eq!(refused.expect_violations(), pointers, "{wrong}");
    }
    assert!(ada.all(&format!("{company}/daily-reports"), "").await.is_empty());
    app.stop().await;
}

#[each_database]
async fn a_project_has_one_report_a_day(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, project) = site(&app).await;
    let reports = format!("{company}/daily-reports");
    let at_once = (0..4).map(|_| ada.post(&reports, of(&project, "2026-11-20")));
    let answers = futures_util::future::join_all(at_once).await;
    let (made, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(made.len(), 1);
    for answer in refused {
        let problem = answer.expect_problem(409, "duplicate");
        assert_eq!(problem["violations"][0]["pointer"], "/day");
    }
    let first = at(&reports, &made[0].json);
    let other = ada.make(&format!("{company}/projects"), json!({ "name": "Attic" })).await;
    ada.make(&reports, of(id(&other), "2026-11-20")).await;
    let next = ada.make(&reports, of(&project, "2026-11-21")).await;
    let next = at(&reports, &next);
    let moved = ada.patch(&next, json!({ "version": 1, "day": "2026-11-20" })).await;
    assert_eq!(moved.expect_problem(409, "duplicate")["violations"][0]["pointer"], "/day");
    go(&ada, &next, "submit").await.expect(200);
    let moved = amend(&ada, &next, "wrong day", json!({ "day": "2026-11-20" })).await;
    let problem = moved.expect_problem(409, "duplicate");
    assert_eq!(problem["violations"][0]["pointer"], "/changes/day");
    ada.delete(&format!("{first}?version=1")).await.expect(204);
    let moved = amend(&ada, &next, "wrong day", json!({ "day": "2026-11-20" })).await;
    assert_eq!(moved.expect(200)["day"], "2026-11-20");
    app.stop().await;
}

#[each_database]
async fn an_archived_project_takes_no_new_report(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, project) = site(&app).await;
    let reports = format!("{company}/daily-reports");
    let old = at(&reports, &ada.make(&reports, of(&project, "2026-11-20")).await);
    let other = ada.make(&format!("{company}/projects"), json!({ "name": "Attic" })).await;
    let elsewhere = at(&reports, &ada.make(&reports, of(id(&other), "2026-11-20")).await);
    let path = format!("{company}/projects/{project}");
    for (version, status) in [(1, "completed"), (2, "archived")] {
        let change = json!({ "version": version, "status": status });
        ada.patch(&path, change).await.expect(200);
    }
    let refused = ada.post(&reports, of(&project, "2026-11-21")).await;
    refused.expect_problem(409, "project_archived");
    let there = json!({ "version": 1, "project_id": project, "day": "2026-11-22" });
    ada.patch(&elsewhere, there).await.expect_problem(409, "project_archived");
    go(&ada, &elsewhere, "submit").await.expect(200);
    let there = json!({ "project_id": project, "day": "2026-11-22" });
    let refused = amend(&ada, &elsewhere, "wrong project", there).await;
    refused.expect_problem(409, "project_archived");
    ada.patch(&old, json!({ "version": 1, "summary": "Wet" })).await.expect(200);
    go(&ada, &old, "submit").await.expect(200);
    amend(&ada, &old, "dry after all", json!({ "summary": "Dry" })).await.expect(200);
    ada.delete(&format!("{path}?version=3")).await.expect_problem(409, "in_use");
    app.stop().await;
}

#[each_database]
async fn a_report_is_a_draft_then_submitted_then_approved(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, project) = site(&app).await;
    let bob = ada.invite(&company, "member").await;
    let reports = format!("{company}/daily-reports");
    let path = at(&reports, &bob.make(&reports, of(&project, "2026-11-20")).await);
    go(&ada, &path, "approve").await.expect_problem(409, "wrong_status");
    amend(&ada, &path, "why", json!({})).await.expect_problem(409, "wrong_status");
    let submitted = go(&bob, &path, "submit").await.expect(200);
    assert_eq!(submitted["status"], "submitted");
    assert_eq!(submitted["submitted_by_member_id"], bob.member_in(&company).await["id"]);
    let approval = json!({ "version": 2, "note": "well done" });
    for (status, version) in [("submitted", 2), ("approved", 3)] {
        if status == "approved" {
            let path = format!("{path}/approve");
            let approved = ada.post(&path, approval.clone()).await.expect(200);
            assert_eq!(approved["decision_note"], "well done");
            assert_eq!(approved["decided_by_member_id"], ada.member_in(&company).await["id"]);
        }
        let before = ada.read(&path).await;
        assert_eq!((&before["status"], &before["version"]), (&json!(status), &json!(version)));
        go(&ada, &path, "submit").await.expect_problem(409, "wrong_status");
        go(&ada, &path, "take-hours").await.expect_problem(409, "wrong_status");
        let change = json!({ "version": version, "summary": "other" });
        ada.patch(&path, change).await.expect_problem(409, "wrong_status");
        let back = json!({ "version": version, "to_version": 1 });
        let refused = ada.post(&format!("{path}/revert"), back).await;
        refused.expect_problem(409, "wrong_status");
        let removal = format!("{path}?version={version}");
        ada.delete(&removal).await.expect_problem(409, "wrong_status");
        assert_eq!(ada.read(&path).await, before);
    }
    go(&ada, &path, "approve").await.expect_problem(409, "wrong_status");
    app.stop().await;
}

#[each_database]
async fn what_was_submitted_is_amended_with_a_reason_and_each_version_stays_readable(
    database: Database,
) {
    let app = App::start(&database).await;
    let (ada, company, project) = site(&app).await;
    let bob = ada.invite(&company, "member").await;
    let reports = format!("{company}/daily-reports");
    let path = at(&reports, &bob.make(&reports, of(&project, "2026-11-20")).await);
    go(&bob, &path, "submit").await.expect(200);
    assert!(ada.all(&format!("{path}/amendments"), "").await.is_empty());
    let crew = json!({ "crew": [{ "trade": "Masons", "count": 2, "seconds": 57_600 }] });
    let first = amend(&bob, &path, "The masons were missing", crew.clone()).await.expect(200);
    assert_eq!(first["status"], "submitted");
    assert_eq!(first["crew"][0]["count"], 2);
    assert_eq!(first["amendment_reason"], "The masons were missing");
    assert_eq!(first["amended_by_member_id"], bob.member_in(&company).await["id"]);
    assert_eq!(go(&ada, &path, "approve").await.expect(200)["status"], "approved");
    let second = json!({ "items": [{ "kind": "safety", "text": "Net torn" }], "summary": null });
    let second = amend(&bob, &path, "The net", second).await.expect(200);
    assert_eq!((&second["status"], &second["version"]), (&json!("submitted"), &json!(5)));
    for forgotten in ["decided_at", "decided_by_member_id", "decision_note", "summary"] {
        assert_eq!(second[forgotten], Value::Null, "{forgotten}");
    }
    assert_eq!(second["crew"], first["crew"]);
    assert_eq!(ada.read(&path).await, second);
    // Each version as it was, with its reason.
    let history = ada.all(&format!("{path}/history"), "").await;
    let told: Vec<_> = history
        .iter()
        .map(|event| (event["kind"].as_str().unwrap(), event["data"]["amendment_reason"].clone()))
        .collect();
    let reason = "The masons were missing";
    assert_eq!(
        told,
        [
            ("daily_report.amended", json!("The net")),
            ("daily_report.approved", json!(reason)),
            ("daily_report.amended", json!(reason)),
            ("daily_report.submitted", Value::Null),
            ("daily_report.created", Value::Null),
        ]
    );
    let then = format!("{path}?as_of={}", first["updated_at"].as_str().unwrap());
    assert_eq!(ada.read(&then).await, first);
    let amendments = ada.all(&format!("{path}/amendments"), "?limit=1").await;
    let listed = [&second, &first].map(|report| {
        json!({ "version": report["version"], "at": report["amended_at"],
            "member_id": report["amended_by_member_id"], "reason": report["amendment_reason"] })
    });
    assert_eq!(amendments, listed);
    // What is no amendment.
    for (body, pointers) in [
        (json!({ "changes": {} }), vec!["/reason"]),
        (json!({ "reason": " ", "changes": {} }), vec!["/reason"]),
        (json!({ "reason": "x".repeat(501), "changes": {} }), vec!["/reason"]),
        (json!({ "reason": "why" }), vec!["/changes"]),
        (json!({ "reason": "why", "changes": { "version": 5 } }), vec!["/changes/version"]),
        (json!({ "reason": "why", "changes": { "status": "draft" } }), vec!["/changes/status"]),
        (
            json!({ "reason": "why", "changes": { "crew": [{ "member_id": project }] } }),
            vec!["/changes/crew/0/member_id"],
        ),
        (json!({ "reason": "why", "changes": { "day": null } }), vec!["/changes/day"]),
    ] {
        let mut body = body;
        body["version"] = json!(5);
        let refused = ada.post(&format!("{path}/amend"), body.clone()).await;
        assert_eq!(refused.expect_violations(), pointers, "{body}");
    }
    assert_eq!(ada.read(&path).await, second);
    app.stop().await;
}

#[each_database]
async fn nobody_approves_what_they_submitted_or_amended(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, project) = site(&app).await;
    let manager = ada.invite(&company, "manager").await;
    let (bob, eve) = (ada.invite(&company, "member").await, ada.invite(&company, "viewer").await);
    let reports = format!("{company}/daily-reports");
    let path = at(&reports, &bob.make(&reports, of(&project, "2026-11-20")).await);
    // A report is the crew's, whoever began it.
    let change = json!({ "version": 1, "summary": "Windy" });
    eve.patch(&path, change.clone()).await.expect_problem(403, "role_insufficient");
    manager.patch(&path, change).await.expect(200);
    go(&manager, &path, "submit").await.expect(200);
    go(&bob, &path, "approve").await.expect_problem(403, "role_insufficient");
    go(&manager, &path, "approve").await.expect_problem(403, "own_daily_report");
    amend(&ada, &path, "typo", json!({ "summary": "Wild" })).await.expect(200);
    let program = ada.with_key(&company, "owner").await;
    for own in [&ada, &program, &manager] {
        go(own, &path, "approve").await.expect_problem(403, "own_daily_report");
    }
    amend(&bob, &path, "typo", json!({ "summary": "Windy" })).await.expect(200);
    assert_eq!(go(&ada, &path, "approve").await.expect(200)["status"], "approved");
    app.stop().await;
}

#[each_database]
async fn where_nobody_decides_a_submitted_report_is_approved(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let project = ada.make(&format!("{home}/projects"), json!({ "name": "Shed" })).await;
    let reports = format!("{home}/daily-reports");
    let path = at(&reports, &ada.make(&reports, of(id(&project), "2026-11-20")).await);
    let submitted = go(&ada, &path, "submit").await.expect(200);
    assert_eq!(submitted["status"], "approved");
    assert!(submitted["decided_at"].is_string() && submitted["decided_by_member_id"].is_null());
    let amended = amend(&ada, &path, "late", json!({ "summary": "Done" })).await.expect(200);
    assert_eq!((&amended["status"], &amended["version"]), (&json!("approved"), &json!(3)));
    assert_eq!(amended["decided_at"], amended["amended_at"]);
    app.stop().await;
}

#[each_database]
async fn reports_are_found_by_project_day_status_item_and_text(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, roof) = site(&app).await;
    let attic = ada.make(&format!("{company}/projects"), json!({ "name": "Attic" })).await;
    let attic = id(&attic).to_owned();
    let reports = format!("{company}/daily-reports");
    for (project, day, summary, kind, text) in [
        (&roof, "2026-11-18", "Straße gesperrt", "delay", "Crane late"),
        (&roof, "2026-11-19", "ΟΔΟΣ", "delivery", "Tiles"),
        (&attic, "2026-11-19", "Quiet", "delivery", "İnsulation"),
        (&attic, "2026-11-20", "Tiles cut", "work", "100 % done"),
    ] {
        let mut new = of(project, day);
        new["summary"] = json!(summary);
        new["items"] = json!([{ "kind": kind, "text": text }, { "kind": "safety", "text": "-" }]);
        let made = ada.make(&reports, new).await;
        if day == "2026-11-20" {
            go(&ada, &at(&reports, &made), "submit").await.expect(200);
        }
    }
    let only_roof = format!("?project_id={roof}");
    let in_attic = format!("?project_id={attic}&sort=day&limit=1");
    for (query, found) in [
        ("?limit=1", &["20", "19", "19", "18"][..]),
        ("?sort=day&limit=3", &["18", "19", "19", "20"]),
        (&only_roof, &["19", "18"]),
        (&in_attic, &["19", "20"]),
        ("?from=2026-11-19&to=2026-11-19", &["19", "19"]),
        ("?from=2026-11-21", &[]),
        ("?status=submitted", &["20"]),
        ("?status=approved", &[]),
        ("?item_kind=delivery", &["19", "19"]),
        ("?item_kind=safety&limit=2", &["20", "19", "19", "18"]),
        ("?item_kind=visitor", &[]),
        ("?q=tiles", &["20", "19"]),
        ("?q=tiles&item_kind=work", &["20"]),
        ("?q=STRASSE", &[]),
        ("?q=STRA%C3%9FE", &["18"]),
        ("?q=%CE%BF%CE%B4%CE%BF%CF%82", &["19"]),
        ("?q=%25", &["20"]),
        ("?q=_", &[]),
    ] {
        let days = ada.all(&reports, query).await;
        let days: Vec<_> = days.iter().map(|it| &it["day"].as_str().unwrap()[8..]).collect();
        assert_eq!(days, found, "{query}");
    }
    app.stop().await;
}

#[each_database]
async fn a_report_is_written_submitted_and_amended_offline(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, project) = site(&app).await;
    let bob = ada.invite(&company, "member").await;
    let report = uuid::Uuid::from_u128(7).to_string();
    let edit = |op: &str, version: Option<i64>, data: Value| {
        json!({ "entity": "daily_report", "op": op, "id": report, "version": version,
            "data": data })
    };
    let nobody = json!({ "crew": [{ "member_id": project }] });
    let changes = json!([
        edit("create", None, of(&project, "2026-11-20")),
        edit("update", Some(1), json!({ "summary": "Wet" })),
        edit("submit", Some(2), json!({})),
        edit("update", Some(3), json!({ "summary": "Dry" })),
        edit("amend", Some(3), json!({ "changes": { "summary": "Dry" } })),
        edit("amend", Some(3), json!({ "reason": "crew", "changes": nobody })),
        edit("amend", Some(3), json!({ "reason": "dry", "changes": { "summary": "Dry" } })),
        edit("amend", Some(3), json!({ "reason": "late", "changes": {} })),
        edit("approve", Some(4), json!({})),
    ]);
    let path = format!("{company}/sync");
    let answer = bob.post(&path, json!({ "changes": changes })).await.expect(200);
    let results = answer["results"].as_array().unwrap();
    let statuses: Vec<_> = results.iter().map(|it| it["status"].as_str().unwrap()).collect();
    assert_eq!(
        statuses,
        [
            "applied",
            "applied",
            "applied",
            "invalid",
            "invalid",
            "invalid",
            "applied",
            "conflict",
            "forbidden"
        ]
    );
    assert_eq!(results[3]["code"], "wrong_status");
    assert_eq!(results[4]["violations"][0]["pointer"], "/data/reason");
    assert_eq!(results[5]["violations"][0]["pointer"], "/data/changes/crew/0/member_id");
    let now = bob.read(&format!("{company}/daily-reports/{report}")).await;
    assert_eq!(results[6]["data"], now);
    assert_eq!((&now["summary"], &now["version"]), (&json!("Dry"), &json!(4)));
    app.stop().await;
}

#[each_database]
async fn nobody_approves_a_report_that_they_made_or_were_the_last_to_change(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, project) = site(&app).await;
    let manager = ada.invite(&company, "manager").await;
    let bob = ada.invite(&company, "member").await;
    let reports = format!("{company}/daily-reports");
    for (part, day) in [("made", "2026-11-18"), ("changed", "2026-11-19")] {
        let makes = if part == "made" { &manager } else { &bob };
        let made = makes.make(&reports, of(&project, day)).await;
        assert_eq!(made["changed_by_member_id"], Value::Null);
        let path = at(&reports, &made);
        if part == "changed" {
            let change = json!({ "version": 1, "summary": "Windy" });
            let changed = manager.patch(&path, change).await.expect(200);
            assert_eq!(changed["changed_by_member_id"], manager.member_in(&company).await["id"]);
        }
        go(&bob, &path, "submit").await.expect(200);
        go(&manager, &path, "approve").await.expect_problem(403, "own_daily_report");
        go(&ada, &path, "approve").await.expect(200);
    }
    app.stop().await;
}

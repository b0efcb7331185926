//! Incidents, as those see them who may.

mod hidden;
mod osha;
mod sealed;

use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database, id};
use uuid::Uuid;

/// An organization with somebody in it to whom something has happened.
pub(crate) struct Site {
    pub(crate) ada: Client,
    pub(crate) home: String,
    pub(crate) incidents: String,
    pub(crate) grace: Value,
}

impl Site {
    pub(crate) async fn of(app: &App) -> Self {
        let (ada, home) = app.owner_of("company").await;
        let grace = ada.make(&format!("{home}/members"), json!({ "name": "Grace" })).await;
        Self { ada, incidents: format!("{home}/incidents"), home, grace }
    }

    pub(crate) fn report(&self) -> Value {
        json!({ "member_id": self.grace["id"], "occurred_at": "2026-03-02T08:15:00Z",
            "place": "Hall 2", "job_title": "Carpenter", "body_part": "left thumb",
            "nature": "laceration", "cause": "a saw", "treatment": "five stitches",
            "narrative": "The guard was off.", "witnesses": ["Linus", "Edsger"],
            "claim_number": "C-1", "insurer": "Suva" })
    }
}

#[each_database]
async fn an_incident_is_what_was_reported(database: Database) {
    let app = App::start(&database).await;
    let site = Site::of(&app).await;
    let report = site.report();
    let made = site.ada.make(&site.incidents, report.clone()).await;
    for (name, value) in report.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    assert_eq!((&made["status"], &made["case_number"]), (&json!("reported"), &json!(1)));
    assert_eq!((&made["days_away"], &made["recordable"]), (&json!(0), &json!(false)));
    let path = at(&site.incidents, &made);
    assert_eq!(site.ada.read(&path).await, made);
    let least =
        json!({ "member_id": site.grace["id"], "occurred_at": "2026-03-01T00:00:00.1234567Z" });
    let least = site.ada.make(&site.incidents, least).await;
    assert_eq!(least["occurred_at"], "2026-03-01T00:00:00.123456Z");
    assert_eq!((&least["witnesses"], &least["narrative"]), (&json!([]), &Value::Null));
    assert_eq!(least["case_number"], 2);

    let patch = json!({ "version": 1, "narrative": null, "treatment": "six stitches",
        "witnesses": [], "days_away": 3, "status": "open" });
    let changed = site.ada.patch(&path, patch).await.expect(200);
    assert_eq!((&changed["narrative"], &changed["witnesses"]), (&Value::Null, &json!([])));
    assert_eq!(
        (&changed["body_part"], &changed["treatment"]),
        (&made["body_part"], &json!("six stitches"))
    );
    assert_eq!(site.ada.read(&path).await, changed);
    let then = made["updated_at"].as_str().unwrap();
    assert_eq!(site.ada.read(&format!("{path}?as_of={then}")).await, made);
    let history = site.ada.all(&format!("{path}/history"), "").await;
    let data: Vec<_> = history.iter().map(|event| &event["data"]).collect();
    assert_eq!(data, [&changed, &made]);
    let back = json!({ "version": 2, "to_version": 1 });
    let refused = site.ada.post(&format!("{path}/revert"), back).await;
    refused.expect_problem(409, "wrong_status");
    let patch = json!({ "version": 2, "status": "closed" });
    site.ada.patch(&path, patch).await.expect(200);
    let back = json!({ "version": 3, "to_version": 2 });
    let reverted = site.ada.post(&format!("{path}/revert"), back).await.expect(200);
    assert_eq!(
        (&reverted["status"], &reverted["treatment"]),
        (&json!("open"), &json!("six stitches"))
    );
    site.ada.delete(&format!("{path}?version=4")).await.expect(204);
    let last = &site.ada.all(&format!("{path}/history"), "").await[0];
    assert_eq!((&last["kind"], &last["data"]), (&json!("incident.deleted"), &reverted));
    app.stop().await;
}

#[each_database]
async fn what_a_log_needs_is_asked_for_and_what_is_no_way_is_refused(database: Database) {
    let app = App::start(&database).await;
    let site = Site::of(&app).await;
    let report = |with: &[(&str, Value)]| {
        let mut report = site.report();
        for (name, value) in with {
            report[*name] = value.clone();
        }
        report
    };
    let recordable = ("recordable", json!(true));
    let long = json!("x".repeat(20_001));
    for (with, pointers) in [
        (&[recordable.clone()][..], &["/classification"][..]),
        (&[recordable.clone(), ("classification", json!("death"))], &["/injury_type"]),
        (&[("classification", json!("bruised"))], &["/classification"]),
        (&[("status", json!("done"))], &["/status"]),
        (
            &[("days_away", json!(-1)), ("days_restricted", json!(100_000))],
            &["/days_away", "/days_restricted"],
        ),
        (&[("narrative", long)], &["/narrative"]),
        (&[("witnesses", json!(["Linus", " "]))], &["/witnesses/1"]),
        (&[("case_number", json!(9))], &["/case_number"]),
        (&[("occurred_at", json!("+12000-01-01T00:00:00Z"))], &["/occurred_at"]),
        (
            &[("member_id", json!(Uuid::nil())), ("project_id", json!(Uuid::nil()))],
            &["/member_id", "/project_id"],
        ),
    ] {
        let refused = site.ada.post(&site.incidents, report(with)).await;
        assert_eq!(refused.expect_violations(), pointers);
    }
    let made = site.ada.make(&site.incidents, site.report()).await;
    let path = at(&site.incidents, &made);
    let mut version = 1;
    for (to, status) in [
        ("closed", 200),
        ("reported", 409),
        ("open", 200),
        ("closed", 200),
        ("open", 200),
        ("reported", 409),
    ] {
        let answer = site.ada.patch(&path, json!({ "version": version, "status": to })).await;
        assert_eq!(answer.status, status, "{to}: {}", answer.text);
        version += i64::from(status == 200);
    }
    app.stop().await;
}

#[each_database]
async fn a_report_is_not_refused_because_its_project_is_archived(database: Database) {
    let app = App::start(&database).await;
    let site = Site::of(&app).await;
    let archived = json!({ "name": "Bridge", "status": "archived" });
    let archived = site.ada.make(&format!("{}/projects", site.home), archived).await;
    let mut report = site.report();
    report["project_id"] = archived["id"].clone();
    let made = site.ada.make(&site.incidents, report).await;
    assert_eq!(made["project_id"], archived["id"]);
    let member = at(&format!("{}/members", site.home), &site.grace);
    site.ada.delete(&format!("{member}?version=1")).await.expect_problem(409, "in_use");
    app.stop().await;
}

#[each_database]
async fn incidents_are_listed_from_the_latest_and_filtered(database: Database) {
    let app = App::start(&database).await;
    let site = Site::of(&app).await;
    let zone = json!({ "version": 1, "time_zone": "America/New_York" });
    site.ada.patch(&site.home, zone).await.expect(200);
    let bridge = json!({ "name": "Bridge" });
    let bridge = site.ada.make(&format!("{}/projects", site.home), bridge).await;
    let bridge = id(&bridge);
    let linus = site.ada.make(&format!("{}/members", site.home), json!({ "name": "Linus" })).await;
    let mut made = Vec::new();
    for (at, member, project, status) in [
        ("2026-03-02T04:59:59Z", &site.grace, None, "open"),
        ("2026-03-02T05:00:00Z", &site.grace, Some(bridge), "reported"),
        ("2026-03-03T05:00:00Z", &linus, Some(bridge), "reported"),
    ] {
        let mut report = site.report();
        report["member_id"] = member["id"].clone();
        (report["occurred_at"], report["status"]) = (json!(at), json!(status));
        report["project_id"] = json!(project);
        made.push(site.ada.make(&site.incidents, report).await);
    }
    let (grace, linus) = (id(&site.grace), id(&linus));
    for (query, expected) in [
        (String::new(), &[2, 1, 0][..]),
        ("?limit=1".into(), &[2, 1, 0]),
        ("?status=reported".into(), &[2, 1]),
        (format!("?member_id={grace}"), &[1, 0]),
        (format!("?member_id={linus}&status=open"), &[]),
        (format!("?project_id={bridge}"), &[2, 1]),
        ("?from=2026-03-02".into(), &[2, 1]),
        ("?from=2026-03-02&to=2026-03-02".into(), &[1]),
        ("?to=2026-03-01".into(), &[0]),
    ] {
        let listed = site.ada.all(&site.incidents, &query).await;
        let expected: Vec<_> = expected.iter().map(|index| made[*index].clone()).collect();
        assert_eq!(listed, expected, "{query}");
    }
    app.stop().await;
}

#[each_database]
async fn two_reports_at_once_have_two_numbers(database: Database) {
    let app = App::start(&database).await;
    let site = Site::of(&app).await;
    let reports = (0..4).map(|_| site.ada.make(&site.incidents, site.report()));
    let made = futures_util::future::join_all(reports).await;
    let mut numbers: Vec<_> = made.iter().map(|it| it["case_number"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=4).collect::<Vec<_>>());
    app.stop().await;
}

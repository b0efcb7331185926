//! Projects.

use serde_json::{Value, json};
use tests::{App, Database, at, each_database};

#[each_database]
async fn a_project_keeps_what_it_is_given(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let projects = format!("{home}/projects");
    let new = json!({
        "job_number": "2026-017", "name": "Roof, Elm Street", "client": "Mrs. Müller",
        "starts_on": "2026-11-02", "ends_on": "2026-12-18", "budget_minor": 4_500_000,
        "address": "Elm Street 5", "latitude": 47.376_886_6, "longitude": -8.5,
        "details": { "permit": "B-12", "floors": 2.0 },
    });
    let made = ada.make(&projects, new.clone()).await;
    for (name, value) in new.as_object().unwrap() {
        let kept =
            if name == "details" { &json!({ "permit": "B-12", "floors": 2 }) } else { value };
        assert_eq!(&made[name], kept, "{name}");
    }
    assert_eq!((&made["status"], &made["currency"]), (&json!("active"), &json!("EUR")));
    assert_eq!(ada.read(&at(&projects, &made)).await, made);
    let nowhere = json!({ "version": 1, "latitude": null, "longitude": null });
    let changed = ada.patch(&at(&projects, &made), nowhere).await.expect(200);
    assert_eq!((&changed["latitude"], &changed["longitude"]), (&Value::Null, &Value::Null));
    app.stop().await;
}

#[each_database]
async fn what_is_no_project_is_refused_where_it_is_wrong(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    for (wrong, pointer) in [
        (json!({ "name": " " }), "/name"),
        (json!({ "job_number": " " }), "/job_number"),
        (json!({ "status": "done" }), "/status"),
        (json!({ "starts_on": "2026-11-02", "ends_on": "2026-11-01" }), "/ends_on"),
        (json!({ "latitude": 1.0 }), "/longitude"),
        (json!({ "longitude": 1.0 }), "/latitude"),
        (json!({ "latitude": 90.1, "longitude": 1.0 }), "/latitude"),
        (json!({ "latitude": 1.0, "longitude": 1.000_000_01 }), "/longitude"),
        (json!({ "budget_minor": -1 }), "/budget_minor"),
        (json!({ "currency": "XXX" }), "/currency"),
        (json!({ "details": { "much": "x".repeat(17_000) } }), "/details"),
    ] {
        let mut new = json!({ "name": "Roof" });
        new.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let refused = ada.post(&format!("{home}/projects"), new).await;
        assert_eq!(refused.expect_violations(), [pointer], "{wrong}");
    }
    app.stop().await;
}

#[each_database]
async fn a_job_number_is_the_only_one_in_any_case(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let (eve, elsewhere) = app.owner_of("company").await;
    let projects = format!("{home}/projects");
    let numbered = |number: &str| json!({ "name": "Roof", "job_number": number });
    ada.make(&projects, numbered("Ä-1")).await;
    for taken in ["Ä-1", "ä-1", " ä-1 "] {
        let problem = ada.post(&projects, numbered(taken)).await;
        let problem = problem.expect_problem(409, "duplicate");
        assert_eq!(problem["violations"][0]["pointer"], "/job_number", "{taken:?}");
    }
    eve.make(&format!("{elsewhere}/projects"), numbered("Ä-1")).await;
    for _ in 0..2 {
        ada.make(&projects, json!({ "name": "Without a number" })).await;
    }
    app.stop().await;
}

#[each_database]
async fn a_project_moves_on_as_it_may(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let projects = format!("{home}/projects");
    let made = ada.make(&projects, json!({ "name": "Roof", "status": "planned" })).await;
    let path = at(&projects, &made);
    let to = |version: i64, status: &str| json!({ "version": version, "status": status });
    ada.patch(&path, to(1, "completed")).await.expect_problem(409, "wrong_status");
    let mut version = 1;
    for status in ["active", "on_hold", "active", "completed", "archived"] {
        let moved = ada.patch(&path, to(version, status)).await.expect(200);
        assert_eq!(moved["status"], status);
        version += 1;
    }
    ada.patch(&path, to(version, "active")).await.expect_problem(409, "wrong_status");
    let renamed = json!({ "version": version, "name": "The roof" });
    assert_eq!(ada.patch(&path, renamed).await.expect(200)["status"], "archived");
    app.stop().await;
}

#[each_database]
async fn projects_are_found_by_status_and_by_text(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let projects = format!("{home}/projects");
    for (name, number, client, status) in [
        ("Roof", "26-1", "Müller", "active"),
        ("attic", "26-2", "Meier", "planned"),
        ("Cellar", "25-9", "MÜLLER & Söhne", "completed"),
    ] {
        let new = json!({ "name": name, "job_number": number, "client": client, "status": status });
        ada.make(&projects, new).await;
    }
    for (query, found) in [
        ("?limit=1", vec!["attic", "Cellar", "Roof"]),
        ("?q=müller", vec!["Cellar", "Roof"]),
        ("?q=26-", vec!["attic", "Roof"]),
        ("?q=ROOF", vec!["Roof"]),
        ("?status=planned", vec!["attic"]),
        ("?status=active&q=müller", vec!["Roof"]),
        ("?q=nothing", vec![]),
    ] {
        let names = ada.all(&projects, query).await;
        let names: Vec<_> = names.iter().map(|project| &project["name"]).collect();
        assert_eq!(names, found, "{query}");
    }
    app.stop().await;
}

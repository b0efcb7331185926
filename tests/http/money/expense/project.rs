//! The projects of expenses and of their lines.

use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database, id};

async fn project(client: &Client, home: &str, name: &str) -> Value {
    client.make(&format!("{home}/projects"), json!({ "name": name })).await
}

/// Puts a project where it takes nothing new.
async fn archive(client: &Client, home: &str, project: &Value) {
    let path = at(&format!("{home}/projects"), project);
    for (version, status) in (1..).zip(["completed", "archived"]) {
        client.patch(&path, json!({ "version": version, "status": status })).await.expect(200);
    }
}

async fn spend(client: &Client, home: &str, more: Value) -> Value {
    let mut new = json!({ "spent_on": "2026-11-10", "amount_minor": 1000 });
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.make(&format!("{home}/expenses"), new).await
}

/// Two lines, of 900 and of 100.
fn lines(projects: [&Value; 2]) -> Value {
    json!([
        { "name": "a", "amount_minor": 900, "project_id": projects[0]["id"] },
        { "name": "b", "amount_minor": 100, "project_id": projects[1]["id"] },
    ])
}

/// The ids of the expenses for a project, in order.
async fn of(client: &Client, home: &str, project: &Value) -> Vec<String> {
    let query = format!("?project_id={}", id(project));
    let rows = client.all(&format!("{home}/expenses"), &query).await;
    let mut ids: Vec<_> = rows.iter().map(|row| id(row).to_owned()).collect();
    ids.sort_unstable();
    ids
}

#[each_database]
async fn expenses_are_found_by_the_projects_that_they_and_their_lines_name(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let [roof, barn] = [project(&ada, &home, "Roof").await, project(&ada, &home, "Barn").await];
    let whole = spend(&ada, &home, json!({ "project_id": roof["id"] })).await;
    assert_eq!(whole["project_id"], roof["id"]);
    let items = lines([&barn, &Value::Null]);
    let mixed = spend(&ada, &home, json!({ "project_id": roof["id"], "items": items })).await;
    assert_eq!(mixed["items"][0]["project_id"], barn["id"]);
    assert_eq!(mixed["items"][1]["project_id"], Value::Null);
    let path = format!("{home}/expenses");
    assert_eq!(ada.read(&at(&path, &mixed)).await, mixed);
    spend(&ada, &home, json!({})).await;
    let mut both = [id(&whole), id(&mixed)];
    both.sort_unstable();
    assert_eq!(of(&ada, &home, &roof).await, both);
    assert_eq!(of(&ada, &home, &barn).await, [id(&mixed)]);

    let moved = json!({ "version": 1, "items": lines([&Value::Null, &Value::Null]) });
    let moved = ada.patch(&at(&path, &mixed), moved).await.expect(200);
    assert!(of(&ada, &home, &barn).await.is_empty());
    assert_eq!(of(&ada, &home, &roof).await, both);
    let none = json!({ "version": moved["version"], "project_id": null });
    ada.patch(&at(&path, &mixed), none).await.expect(200);
    assert_eq!(of(&ada, &home, &roof).await, [id(&whole)]);

    let back = format!("{}/revert", at(&path, &mixed));
    let back = ada.post(&back, json!({ "version": 3, "to_version": 1 })).await.expect(200);
    assert_eq!((&back["project_id"], &back["items"]), (&roof["id"], &mixed["items"]));
    assert_eq!(of(&ada, &home, &barn).await, [id(&mixed)]);
    app.stop().await;
}

#[each_database]
async fn a_project_that_an_expense_names_stays(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let roof = project(&ada, &home, "Roof").await;
    let spent = spend(&ada, &home, json!({ "items": lines([&roof, &roof]) })).await;
    let path = at(&format!("{home}/projects"), &roof);
    ada.delete(&format!("{path}?version=1")).await.expect_problem(409, "in_use");
    let expense = at(&format!("{home}/expenses"), &spent);
    ada.delete(&format!("{expense}?version=1")).await.expect(204);
    ada.delete(&format!("{path}?version=1")).await.expect(204);
    app.stop().await;
}

#[each_database]
async fn what_is_no_project_here_is_named_where_it_stands(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let (eve, elsewhere) = app.owner_of("company").await;
    let roof = project(&ada, &home, "Roof").await;
    let theirs = project(&eve, &elsewhere, "Theirs").await;
    let of = |project: &Value, lines: Value| {
        json!({ "spent_on": "2026-11-10", "amount_minor": 1000,
            "project_id": project["id"], "items": lines })
    };
    let path = format!("{home}/expenses");
    let refused = ada.post(&path, of(&theirs, lines([&roof, &theirs]))).await;
    assert_eq!(refused.expect_violations(), ["/project_id", "/items/1/project_id"]);
    let batch = json!({ "items": [of(&roof, json!([])), of(&roof, lines([&theirs, &roof]))] });
    let refused = ada.post(&format!("{path}/batch"), batch).await;
    assert_eq!(refused.expect_violations(), ["/items/1/items/0/project_id"]);
    let kept = spend(&ada, &home, json!({})).await;
    let change = json!({ "version": 1, "project_id": theirs["id"] });
    let refused = ada.patch(&at(&path, &kept), change).await;
    assert_eq!(refused.expect_violations(), ["/project_id"]);
    assert_eq!(ada.all(&path, "").await, [kept]);
    app.stop().await;
}

#[each_database]
async fn an_archived_project_keeps_what_it_has_and_takes_nothing_new(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let [roof, barn] = [project(&ada, &home, "Roof").await, project(&ada, &home, "Barn").await];
    let items = lines([&roof, &Value::Null]);
    let spent = spend(&ada, &home, json!({ "items": items, "project_id": barn["id"] })).await;
    let other = spend(&ada, &home, json!({ "project_id": barn["id"] })).await;
    archive(&ada, &home, &roof).await;

    let path = format!("{home}/expenses");
    let whole = json!({ "spent_on": "2026-11-10", "amount_minor": 1, "project_id": roof["id"] });
    ada.post(&path, whole.clone()).await.expect_problem(409, "project_archived");
    let batch = json!({ "items": [whole] });
    ada.post(&format!("{path}/batch"), batch).await.expect_problem(409, "project_archived");
    let change = json!({ "version": 1, "items": lines([&roof, &barn]) });
    ada.patch(&at(&path, &other), change).await.expect_problem(409, "project_archived");

    let change = json!({ "version": 1, "note": "as before", "project_id": null });
    let changed = ada.patch(&at(&path, &spent), change).await.expect(200);
    assert_eq!(changed["items"][0]["project_id"], roof["id"]);
    // What it named stands in its lines, and may as well name the whole.
    let change = json!({ "version": 2, "project_id": roof["id"] });
    ada.patch(&at(&path, &spent), change).await.expect(200);
    app.stop().await;
}

#[each_database]
async fn a_file_names_projects_by_job_number_or_by_name(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let numbered = json!({ "name": "Barn", "job_number": "J-7" });
    let barn = ada.make(&format!("{home}/projects"), numbered).await;
    let named = project(&ada, &home, "j-7").await;
    project(&ada, &home, "Twice").await;
    project(&ada, &home, "twice").await;
    let closed = project(&ada, &home, "Closed").await;
    archive(&ada, &home, &closed).await;
    let import = format!("{home}/expenses/import?date=Day&amount=Sum&project=Job");
    let file = "Day,Sum,Job\n2026-11-01,1,J-7\n2026-11-02,2, barn \n2026-11-03,3,\n";
    for created in [3, 0] {
        let report = ada.upload(&import, file).await.expect(200);
        assert_eq!(report["created"], created);
    }
    let rows = ada.all(&format!("{home}/expenses"), "?sort=spent_on").await;
    let projects: Vec<_> = rows.iter().map(|row| row["project_id"].clone()).collect();
    assert_eq!(projects, [barn["id"].clone(), barn["id"].clone(), Value::Null]);
    assert_eq!(of(&ada, &home, &barn).await.len(), 2);
    assert!(of(&ada, &home, &named).await.is_empty(), "a job number goes before a name");

    let bad = "Day,Sum,Job\n2026-11-01,1,Twice\n2026-11-01,1,Closed\n2026-11-01,1,None\n";
    let refused = ada.upload(&import, bad).await;
    let problem = refused.expect_problem(422, "import_failed");
    let errors = problem["errors"].as_array().unwrap();
    let codes: Vec<_> = errors.iter().map(|error| &error["code"]).collect();
    assert_eq!(codes, ["ambiguous_project", "project_archived", "unknown_project"]);
    let skip = "&on_error=skip&sign=debit_positive";
    let skipped = ada.upload(&format!("{import}{skip}"), bad).await.expect(200);
    assert_eq!((&skipped["created"], &skipped["failed"]), (&json!(0), &json!(3)));
    app.stop().await;
}

#[each_database]
async fn spending_groups_and_filters_by_project(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let [roof, barn] = [project(&ada, &home, "Roof").await, project(&ada, &home, "barn").await];
    let roofs = json!({ "project_id": roof["id"] });
    spend(&ada, &home, roofs.clone()).await;
    spend(&ada, &home, json!({})).await;
    let mut mixed = roofs.clone();
    mixed["items"] = lines([&barn, &Value::Null]);
    spend(&ada, &home, mixed).await;
    let refund = json!({ "kind": "refund", "amount_minor": 30, "project_id": roof["id"] });
    spend(&ada, &home, refund).await;

    let report = format!("{home}/reports/spending?from=2026-11-01&to=2026-11-30");
    let rows = async |query: String| {
        let report = ada.read(&format!("{report}&{query}")).await;
        let row = |row: &Value| {
            let label = row["label"].as_str().unwrap_or_default().to_owned();
            (label, row["amount_minor"].as_i64(), row["count"].as_i64())
        };
        let rows: Vec<_> = report["rows"].as_array().unwrap().iter().map(row).collect();
        (rows, row(&report["totals"][0]))
    };
    let row = |label: &str, amount, count| (label.to_owned(), Some(amount), Some(count));
    let (by_project, total) = rows("group_by=project".into()).await;
    assert_eq!(by_project, [row("barn", 900, 1), row("No project", 1000, 1), row("Roof", 1070, 3)]);
    assert_eq!(total, row("", 2970, 4), "which counts the mixed one once");
    let roof = id(&roof);
    for group_by in ["month", "member", "category", "project"] {
        let (groups, total) = rows(format!("group_by={group_by}&project_id={roof}")).await;
        assert_eq!(groups.iter().map(|group| group.1.unwrap()).sum::<i64>(), 1070);
        assert_eq!(total, row("", 1070, 3), "{group_by}");
    }
    let (_, total) = rows(format!("group_by=month&project_id={}", id(&barn))).await;
    assert_eq!(total, row("", 900, 1));
    app.stop().await;
}

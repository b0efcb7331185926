//! Entries of time: whose they are, what they name, and how they are found.

use entity::task;
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database, id};
use uuid::Uuid;

use crate::work::{
    time_entry::{crew, span},
    timecard::{card_of, go},
};

/// A task of a project.
async fn task_of(app: &App, company: &str, project: &Value) -> Uuid {
    let ids = [company.rsplit('/').next().unwrap(), id(project)];
    let [organization_id, project_id] = ids.map(|id| id.parse::<Uuid>().unwrap());
    let written = app.store.write(async move |tx| {
        let now = tx.now().fixed_offset();
        let row = task::ActiveModel {
            organization_id: Set(organization_id),
            id: Set(tx.new_id()),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
            title: Set("Lay tiles".into()),
            status: Set("pending".into()),
            open: Set(true),
            priority: Set("low".into()),
            pressing: Set(false),
            due_key: Set(String::new()),
            project_id: Set(Some(project_id)),
            search_key: Set("lay tiles".into()),
            ..Default::default()
        };
        let task_id = row.id.clone().unwrap();
        task::Entity::insert(row).exec_without_returning(tx).await?;
        Ok(task_id)
    });
    written.await.expect("a task")
}

#[each_database]
async fn one_records_ones_own_time_and_a_manager_everybodys(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    let new = json!({ "day": "2026-11-16", "minutes": 30 });
    let his = bob.make(&entries, new.clone()).await;
    let hers = ada.make(&entries, new.clone()).await;
    let mut for_her = new.clone();
    for_her["member_id"] = hers["member_id"].clone();
    let start = json!({ "member_id": hers["member_id"] });
    for (path, body) in [
        (entries.clone(), for_her.clone()),
        (format!("{entries}/batch"), json!({ "items": [new, for_her] })),
        (format!("{entries}/start"), start),
    ] {
        bob.post(&path, body).await.expect_problem(403, "not_your_time");
    }
    let path = at(&entries, &hers);
    let note = json!({ "version": 1, "note": "x" });
    bob.patch(&path, note.clone()).await.expect_problem(403, "not_your_time");
    bob.delete(&format!("{path}?version=1")).await.expect_problem(403, "not_your_time");
    let to_her = json!({ "version": 1, "member_id": hers["member_id"] });
    bob.patch(&at(&entries, &his), to_her).await.expect_problem(403, "not_your_time");
    let changed = ada.patch(&at(&entries, &his), note).await.expect(200);
    assert_eq!(changed["member_id"], his["member_id"]);
    let viewer = ada.invite(&company, "viewer").await;
    assert_eq!(viewer.all(&entries, "").await.len(), 2);
    viewer.post(&entries, new).await.expect_problem(403, "role_insufficient");
    // Who has time stays, and so does the project that it names.
    let grace = ada.make(&format!("{company}/members"), json!({ "name": "Grace" })).await;
    let hers = json!({ "day": "2026-11-16", "minutes": 1, "member_id": grace["id"] });
    ada.make(&entries, hers).await;
    let path = at(&format!("{company}/members"), &grace);
    ada.delete(&format!("{path}?version=1")).await.expect_problem(409, "in_use");
    app.stop().await;
}

#[each_database]
async fn an_entry_names_what_is_there_and_takes_time(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let (entries, projects) = (format!("{company}/time-entries"), format!("{company}/projects"));
    let roof = ada.make(&projects, json!({ "name": "Roof" })).await;
    let wall = ada.make(&projects, json!({ "name": "Wall" })).await;
    let task = task_of(&app, &company, &roof).await;
    let new = json!({ "day": "2026-11-16", "minutes": 30, "task_id": task });
    // The task's project, where none is named; also when it is sent again from a queue.
    let chosen = "0199aaaa-0000-7000-8000-000000000001";
    let sync = json!({ "changes": [
        { "entity": "time_entry", "op": "create", "id": chosen, "data": new }] });
    for _ in 0..2 {
        let report = bob.post(&format!("{company}/sync"), sync.clone()).await.expect(200);
        let result = &report["results"][0];
        assert_eq!(
            (&result["status"], &result["data"]["project_id"]),
            (&json!("applied"), &roof["id"])
        );
    }
    let path = format!("{entries}/{chosen}");
    let none = json!({ "version": 1, "project_id": null });
    assert_eq!(bob.patch(&path, none).await.expect(200)["project_id"], Value::Null);
    let mut other = new.clone();
    other["project_id"] = wall["id"].clone();
    assert_eq!(bob.make(&entries, other).await["project_id"], wall["id"]);

    let nobody = "0199aaaa-0000-7000-8000-000000000009";
    let unknown = json!({ "day": "2026-11-16", "minutes": 30, "member_id": nobody,
        "project_id": nobody, "task_id": nobody });
    let pointers = ["/member_id", "/project_id", "/task_id"];
    assert_eq!(ada.post(&entries, unknown.clone()).await.expect_violations(), pointers);
    let batch = json!({ "items": [new, unknown] });
    let refused = ada.post(&format!("{entries}/batch"), batch).await.expect_violations();
    assert_eq!(refused, pointers.map(|pointer| format!("/items/1{pointer}")));
    let start = json!({ "task_id": nobody });
    let refused = ada.post(&format!("{entries}/start"), start).await.expect_violations();
    assert_eq!(refused, ["/task_id"]);
    let moved = json!({ "version": 2, "project_id": nobody });
    assert_eq!(ada.patch(&path, moved).await.expect_violations(), ["/project_id"]);

    let archived = json!({ "version": 1, "status": "completed" });
    ada.patch(&at(&projects, &roof), archived).await.expect(200);
    let archived = json!({ "version": 2, "status": "archived" });
    ada.patch(&at(&projects, &roof), archived).await.expect(200);
    bob.post(&entries, new.clone()).await.expect_problem(409, "project_archived");
    let items = json!({ "items": [json!({ "day": "2026-11-16", "minutes": 1 }), new] });
    bob.post(&format!("{entries}/batch"), items).await.expect_problem(409, "project_archived");
    let back = json!({ "version": 2, "project_id": roof["id"] });
    bob.patch(&path, back).await.expect_problem(409, "project_archived");
    app.stop().await;
}

async fn found(client: &Client, entries: &str, query: &str) -> Vec<String> {
    let rows = client.all(entries, query).await;
    rows.iter().map(|row| row["note"].as_str().unwrap().to_owned()).collect()
}

#[each_database]
async fn entries_are_found_by_what_they_are(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    let roof = ada.make(&format!("{company}/projects"), json!({ "name": "Roof" })).await;
    let task = task_of(&app, &company, &roof).await;
    let mut first = span("2026-11-16T08:00:00Z", "2026-11-16T10:00:00Z");
    first["note"] = json!("a: Größe");
    first["tags"] = json!(["Süd", "Roof"]);
    first["task_id"] = json!(task);
    let first = bob.make(&entries, first).await;
    let second = json!({ "day": "2026-11-17", "minutes": 5, "note": "b", "cost_code": "K-7",
        "billable": true });
    let second = bob.make(&entries, second).await;
    let third = json!({ "day": "2026-12-01", "minutes": 5, "note": "c", "tags": ["roof top"] });
    let third = ada.make(&entries, third).await;
    ada.make(&format!("{entries}/start"), json!({ "note": "d" })).await;
    let card = card_of(&ada, &company, &first["member_id"], "2026-11-16").await;
    let path = at(&format!("{company}/timecards"), &card);
    go(&bob, &path, "submit", json!({})).await.expect(200);
    let project = id(&roof);
    let bobs = first["member_id"].as_str().unwrap();
    for (query, notes) in [
        ("?to=2026-12-31&running=false".to_owned(), &["c", "b", "a: Größe"][..]),
        ("?running=false&sort=started_at".to_owned(), &["a: Größe", "b", "c"]),
        ("?running=true".to_owned(), &["d"]),
        (format!("?member_id={bobs}"), &["b", "a: Größe"]),
        (format!("?project_id={project}"), &["a: Größe"]),
        (format!("?task_id={task}"), &["a: Größe"]),
        ("?from=2026-11-17&running=false".to_owned(), &["c", "b"]),
        ("?from=2026-11-17&to=2026-11-17".to_owned(), &["b"]),
        ("?billable=true".to_owned(), &["b"]),
        ("?billable=false&running=false".to_owned(), &["c", "a: Größe"]),
        ("?status=submitted".to_owned(), &["b", "a: Größe"]),
        ("?status=open&running=false".to_owned(), &["c"]),
        ("?status=approved".to_owned(), &[]),
        ("?status=approved,submitted&limit=1".to_owned(), &["b", "a: Größe"]),
        (format!("?project_id={project},none&running=false&limit=1"), &["c", "b", "a: Größe"]),
        ("?task_id=none&running=false&limit=1".to_owned(), &["c", "b"]),
        ("?project_id=none&running=true".to_owned(), &["d"]),
        (format!("?task_id=none,{task}&member_id={bobs}&sort=started_at"), &["a: Größe", "b"]),
        ("?tag=ROOF".to_owned(), &["a: Größe"]),
        ("?q=roof&sort=started_at".to_owned(), &["a: Größe", "c"]),
        ("?q=gr%C3%96%C3%9FE".to_owned(), &["a: Größe"]),
        ("?q=k-7".to_owned(), &["b"]),
    ] {
        assert_eq!(found(&ada, &entries, &query).await, notes, "{query}");
    }
    // What has changed since an instant, in its order.
    let since = second["updated_at"].as_str().unwrap();
    let change = json!({ "version": 1, "note": "c2", "tags": [] });
    ada.patch(&at(&entries, &third), change).await.expect(200);
    let query = format!("?changed_since={since}&sort=updated_at");
    assert_eq!(found(&ada, &entries, &query).await, ["b", "d", "c2"]);
    assert_eq!(found(&ada, &entries, "?q=top").await, [""; 0]);
    for (query, parameter) in [("?status=draft", "?status"), ("?from=0999-01-01", "?from")] {
        let refused = ada.get(&format!("{entries}{query}")).await.expect_violations();
        assert_eq!(refused, [parameter]);
    }
    app.stop().await;
}

#[each_database]
async fn a_batch_is_written_whole_or_not_at_all(database: Database) {
    let app = App::start(&database).await;
    let (_, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    let batch = format!("{entries}/batch");
    let day = |minutes: i64| json!({ "day": "2026-11-16", "minutes": minutes });
    let bad = json!({ "items": [day(1), day(0), json!({ "day": "2026-11-16" })] });
    let refused = bob.post(&batch, bad).await.expect_violations();
    assert_eq!(refused, ["/items/1/minutes", "/items/2/minutes"]);
    assert_eq!(bob.all(&entries, "").await.len(), 0);
    let many: Vec<_> = (0..500).map(|minute| day(minute % 60 + 1)).collect();
    let made = bob.post(&batch, json!({ "items": many })).await.expect(201);
    let minutes = |row: &Value| row["minutes"].as_i64().unwrap();
    let made = made["items"].as_array().unwrap();
    assert!(made.iter().zip(&many).all(|(made, new)| minutes(made) == minutes(new)));
    assert_eq!(bob.all(&entries, "?limit=500").await.len(), 500);
    let cards = bob.all(&format!("{company}/timecards"), "").await;
    assert_eq!(cards.len(), 1);
    app.stop().await;
}

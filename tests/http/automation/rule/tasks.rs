//! Rules that make tasks.

use serde_json::{Value, json};
use tests::{App, Database, at, each_database, id, log::events};

#[each_database]
async fn a_rule_makes_the_tasks_that_it_says_once(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let path = |collection: &str| format!("{home}/{collection}");
    let grace = ada.make(&path("members"), json!({ "name": "Grace" })).await;
    let roof = ada.make(&path("projects"), json!({ "name": "Roof" })).await;
    let task = json!({ "title": "Look at {it}", "priority": "high", "due_in_days": 3,
        "assignee_member_id": id(&grace), "assignee_role": "manager", "project_id": id(&roof) });
    let when = json!({ "kind": "expense.created",
        "condition": { "field": "amount_minor", "op": "gte", "value": 100 } });
    let rule = json!({ "name": "Look", "when": when,
        "then": [{ "add_tag": "seen" }, { "create_task": task }] });
    let made = ada.make(&path("rules"), rule.clone()).await;
    assert_eq!(made["then"][1]["create_task"], task);
    let expense = json!({ "spent_on": "2026-11-02", "amount_minor": 100 });
    let expense = ada.make(&path("expenses"), expense).await;
    ada.make(&path("expenses"), json!({ "spent_on": "2026-11-02", "amount_minor": 99 })).await;
    app.run_until_idle().await;
    app.run_until_idle().await;
    let tasks = ada.all(&path("tasks"), "").await;
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    for name in ["title", "priority", "assignee_member_id", "assignee_role", "project_id"] {
        assert_eq!(tasks[0][name], task[name], "{name}");
    }
    let created: chrono::DateTime<chrono::Utc> =
        expense["created_at"].as_str().unwrap().parse().unwrap();
    let due = created.date_naive() + chrono::Days::new(3);
    assert_eq!(tasks[0]["due_on"], due.to_string());
    assert_eq!(tasks[0]["metadata"], json!({ "expense_id": id(&expense) }));
    let told = events(&app.store, "task.created").await;
    assert_eq!(
        (&*told[0].author, told[0].author_id.unwrap().to_string()),
        ("rule", id(&made).to_owned())
    );
    assert_eq!(ada.read(&at(&path("expenses"), &expense)).await["tags"], json!(["seen"]));

    // What it would have done.
    let trial = json!({ "when": when, "then": [{ "create_task": task }] });
    let ran = ada.post(&path("rules/dry-run"), trial).await.expect(200);
    assert_eq!(
        (&ran["tasks"], &ran["changed"], &ran["matched"]),
        (&json!(1), &json!(0), &json!(1))
    );
    let would = &ran["items"][0]["tasks"][0];
    assert_eq!((&would["title"], &would["due_on"]), (&task["title"], &json!(due.to_string())));
    assert_eq!(ada.all(&path("tasks"), "").await.len(), 1);
    app.stop().await;
}

#[each_database]
async fn what_a_task_names_is_there_when_the_rule_is_written_and_when_it_applies(
    database: Database,
) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let path = |collection: &str| format!("{home}/{collection}");
    let rule = |task: Value| {
        json!({ "name": "Look", "when": { "kind": "expense.approved" },
        "then": [{ "create_task": task }] })
    };
    let nobody = "0199d7a0-0000-7000-8000-000000000000";
    let unknown = json!({ "title": "x", "assignee_member_id": nobody, "project_id": nobody });
    let refused = ada.post(&path("rules"), rule(unknown)).await.expect_violations();
    let at_task = |rest: &str| format!("/then/0/create_task{rest}");
    let both = [at_task("/assignee_member_id"), at_task("/project_id")];
    assert_eq!(refused, both);
    for (task, pointer) in [
        (json!({ "title": " " }), "/title"),
        (json!({ "title": "x", "due_in_days": -1 }), "/due_in_days"),
    ] {
        let refused = ada.post(&path("rules"), rule(task)).await.expect_violations();
        assert_eq!(refused, [at_task(pointer)]);
    }
    let twice = json!({ "name": "Twice", "when": { "kind": "expense.created" },
        "then": [{ "create_task": { "title": "x" } }, { "create_task": { "title": "x" } }] });
    let refused = ada.post(&path("rules"), twice).await.expect_violations();
    assert_eq!(refused, ["/then/1/create_task"]);

    // An expense that cannot be changed any more makes its task; a project that is archived, none.
    let roof = ada.make(&path("projects"), json!({ "name": "Roof" })).await;
    let mut first = rule(json!({ "title": "File", "project_id": id(&roof) }));
    first["when"]["kind"] = "expense.created".into();
    let made = ada.make(&path("rules"), first).await;
    let expense = || json!({ "spent_on": "2026-11-02", "amount_minor": 100 });
    ada.make(&path("expenses"), expense()).await;
    app.run_until_idle().await;
    assert_eq!(ada.all(&path("tasks"), "").await.len(), 1);
    for status in ["completed", "archived"] {
        let now = ada.read(&at(&path("projects"), &roof)).await;
        let next = json!({ "version": now["version"], "status": status });
        ada.patch(&at(&path("projects"), &roof), next).await.expect(200);
    }
    ada.make(&path("expenses"), expense()).await;
    app.run_until_idle().await;
    assert_eq!(ada.all(&path("tasks"), "").await.len(), 1);
    let skipped = events(&app.store, "rule.skipped").await;
    assert_eq!(skipped.len(), 1);
    assert_eq!(skipped[0].data.as_ref().unwrap()["code"], "project_archived");
    // The rule can be changed all the same: what it named was there.
    let renamed = json!({ "version": 1, "name": "Later" });
    ada.patch(&at(&path("rules"), &made), renamed).await.expect(200);
    app.stop().await;
}

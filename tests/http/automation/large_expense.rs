//! Expenses that somebody is asked to look at because they are large.

use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database, id};

/// The titles of the tasks, with the expenses that they are about.
async fn asked(app: &App, ada: &Client, home: &str) -> Vec<(String, String)> {
    app.run_until_idle().await;
    let tasks = ada.all(&format!("{home}/tasks"), "").await;
    let mut asked: Vec<_> = tasks
        .iter()
        .map(|task| {
            assert_eq!(task["assignee_role"], "manager");
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&task["title"]), text(&task["metadata"]["expense_id"]))
        })
        .collect();
    asked.sort();
    asked
}

fn row(expense: &Value, category: &str) -> (String, String) {
    (format!("Review large expense: {category}"), id(expense).to_owned())
}

#[each_database]
async fn a_large_expense_makes_one_task_however_it_came_to_be(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let spend = async |amount: i64, more: Value| {
        let mut new = json!({ "spent_on": "2026-11-02", "amount_minor": amount });
        for (name, value) in more.as_object().unwrap() {
            new[name] = value.clone();
        }
        ada.make(&expenses, new).await
    };
    let before = spend(5000, json!({})).await;
    assert_eq!(asked(&app, &ada, &home).await, []);
    let least = json!({ "version": 1, "large_expense_minor": 1000 });
    ada.patch(&home, least).await.expect(200);
    let roof = ada.make(&format!("{home}/categories"), json!({ "name": "Roof" })).await;
    // To the minor unit, in this currency, of what was spent.
    spend(1000, json!({})).await;
    spend(9000, json!({ "currency": "USD" })).await;
    spend(9000, json!({ "kind": "refund" })).await;
    assert_eq!(asked(&app, &ada, &home).await, []);
    let large = spend(1001, json!({ "category_id": id(&roof) })).await;
    let mut all = vec![row(&large, "Roof")];
    assert_eq!(asked(&app, &ada, &home).await, all);
    // Lowered and raised again; and one that is not raised.
    let change = async |expense: &Value, version: i64, change: Value| {
        let mut body = change;
        body["version"] = json!(version);
        ada.patch(&at(&expenses, expense), body).await.expect(200);
    };
    change(&large, 1, json!({ "amount_minor": 10 })).await;
    change(&large, 2, json!({ "amount_minor": 2000 })).await;
    change(&before, 1, json!({ "note": "still so" })).await;
    assert_eq!(asked(&app, &ada, &home).await, all);
    // Raised by a change, by a revert, by an import and by a sync.
    let raised = spend(10, json!({})).await;
    change(&raised, 1, json!({ "amount_minor": 1001 })).await;
    let back = spend(10, json!({})).await;
    change(&back, 1, json!({ "currency": "USD", "amount_minor": 3000 })).await;
    change(&back, 2, json!({ "amount_minor": 20 })).await;
    change(&back, 3, json!({ "currency": "EUR", "amount_minor": 20 })).await;
    all.extend([row(&raised, "without a category")]);
    all.sort();
    assert_eq!(asked(&app, &ada, &home).await, all);
    change(&back, 4, json!({ "amount_minor": 4000 })).await;
    change(&before, 2, json!({ "amount_minor": 5001 })).await;
    let csv = "Date,Amount\n2026-11-03,12.34\n2026-11-03,1.00\n";
    let import = format!("{expenses}/import?date=Date&amount=Amount");
    ada.upload(&import, csv).await.expect(200);
    let rows = ada.all(&expenses, "").await;
    let imported = rows.iter().find(|row| row["amount_minor"] == 1234).unwrap();
    all.extend([&back, &before, imported].map(|it| row(it, "without a category")));
    all.sort();
    assert_eq!(asked(&app, &ada, &home).await, all);
    // One that is removed with its task is not asked about again.
    let tasks = ada.all(&format!("{home}/tasks"), "").await;
    let task = tasks.iter().find(|task| task["metadata"]["expense_id"] == large["id"]).unwrap();
    let path = at(&format!("{home}/tasks"), task);
    ada.delete(&format!("{path}?version=1")).await.expect(204);
    change(&large, 3, json!({ "amount_minor": 9999 })).await;
    all.retain(|(_, expense)| expense != id(&large));
    assert_eq!(asked(&app, &ada, &home).await, all);
    app.stop().await;
}

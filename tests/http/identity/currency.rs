//! What stands in the way of another currency of an organization.

use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database};

async fn change(client: &Client, home: &str, fields: Value) -> tests::Answer {
    let mut body = fields;
    body["version"] = client.read(home).await["version"].clone();
    client.patch(home, body).await
}

/// What an amount is called in the problem, where it is made, and with what.
fn amounts(member_id: &Value) -> [(&'static str, &'static str, Value); 4] {
    [
        (
            "rates",
            "rates",
            json!({ "member_id": member_id, "starts_on": "2026-01-01",
            "hourly_rate_minor": 40_000 }),
        ),
        (
            "budgets",
            "budgets",
            json!({ "name": "Food", "period": "month", "amount_minor": 40_000,
            "starts_on": "2026-01-01" }),
        ),
        ("expenses", "expenses", json!({ "spent_on": "2026-01-01", "amount_minor": 40_000 })),
        ("projects with a budget", "projects", json!({ "name": "Roof", "budget_minor": 40_000 })),
    ]
}

#[each_database]
async fn a_currency_changes_until_there_are_amounts(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    ada.make(&format!("{home}/projects"), json!({ "name": "No budget" })).await;
    for currency in ["JPY", "EUR"] {
        let changed = change(&ada, &home, json!({ "currency": currency })).await.expect(200);
        assert_eq!(changed["currency"], currency);
    }
    let member_id = ada.member_in(&home).await["id"].clone();
    for (name, path, new) in amounts(&member_id) {
        let path = format!("{home}/{path}");
        let made = ada.make(&path, new).await;
        assert_eq!(made["currency"], "EUR", "{name} carry their currency");
        let refused = change(&ada, &home, json!({ "currency": "JPY" })).await;
        let problem = refused.expect_problem(409, "currency_in_use");
        let detail = problem["detail"].as_str().expect("a text");
        assert_eq!(detail, format!("there are amounts in EUR: {name}"));
        change(&ada, &home, json!({ "name": "Ours", "currency": "EUR" })).await.expect(200);
        let version = ada.read(&at(&path, &made)).await["version"].clone();
        ada.delete(&format!("{}?version={version}", at(&path, &made))).await.expect(204);
    }
    change(&ada, &home, json!({ "currency": "JPY" })).await.expect(200);
    app.stop().await;
}

/// Nor does a limit become another one by itself, nor by going back to an earlier version.
#[each_database]
async fn a_limit_is_set_anew_with_the_currency(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    change(&ada, &home, json!({ "large_expense_minor": 40_000 })).await.expect(200);
    let refused = change(&ada, &home, json!({ "currency": "JPY" })).await;
    let problem = refused.expect_problem(409, "currency_in_use");
    assert_eq!(problem["detail"], "there are amounts in EUR: large_expense_minor");
    let both = json!({ "currency": "JPY", "large_expense_minor": 6_000_000 });
    change(&ada, &home, both).await.expect(200);
    let new = json!({ "spent_on": "2026-11-01", "amount_minor": 5 });
    assert_eq!(ada.make(&format!("{home}/expenses"), new).await["currency"], "JPY");
    let version = ada.read(&home).await["version"].clone();
    let back = json!({ "version": version, "to_version": 1 });
    let refused = ada.post(&format!("{home}/revert"), back).await;
    let problem = refused.expect_problem(409, "currency_in_use");
    assert_eq!(problem["detail"], "there are amounts in JPY: expenses");
    app.stop().await;
}

#[each_database]
async fn of_a_rate_and_a_change_of_the_currency_at_once_one_is_seen_by_the_other(
    database: Database,
) {
    let app = App::start(&database).await;
    for _ in 0..8 {
        let (ada, home) = app.owner_of("household").await;
        let member_id = ada.member_in(&home).await["id"].clone();
        let new = json!({ "member_id": member_id, "starts_on": "2026-01-01",
            "hourly_rate_minor": 40_000 });
        let rates = format!("{home}/rates");
        let (made, changed) = futures_util::future::join(
            ada.post(&rates, new),
            change(&ada, &home, json!({ "currency": "JPY" })),
        )
        .await;
        let rate = made.expect(201);
        let currency = ada.read(&home).await["currency"].clone();
        assert_eq!(rate["currency"], currency);
        assert_eq!(changed.status, if currency == "JPY" { 200 } else { 409 });
    }
    app.stop().await;
}

//! Budgets, and where they stand.

use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database};

async fn spend(client: &Client, home: &str, day: &str, amount: i64, more: Value) -> Value {
    let mut new = json!({ "spent_on": day, "amount_minor": amount });
    for (name, value) in more.as_object().into_iter().flatten() {
        new[name] = value.clone();
    }
    client.make(&format!("{home}/expenses"), new).await
}

/// The rows of the report of a day, by the budgets' names.
async fn standing(client: &Client, home: &str, on: &str) -> Vec<Value> {
    let report = client.read(&format!("{home}/reports/budgets?on={on}")).await;
    assert_eq!(report["on"], on);
    report["rows"].as_array().expect("rows").clone()
}

#[each_database]
async fn a_budget_keeps_its_rules(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let budgets = format!("{home}/budgets");
    let good = json!({ "name": "All", "period": "month", "amount_minor": 1,
        "starts_on": "2026-01-01" });
    let with = |name: &str, value: Value| {
        let mut new = good.clone();
        new[name] = value;
        new
    };
    for (name, value) in [
        ("amount_minor", json!(0)),
        ("amount_minor", json!(9_007_199_254_740_992_i64)),
        ("amount_minor", json!(1.5)),
        ("name", json!(" ")),
        ("period", json!("day")),
        ("currency", json!("EURO")),
        ("starts_on", json!("2026-02-30")),
        ("ends_on", json!("2025-12-31")),
        ("category_id", json!(home.rsplit('/').next())),
    ] {
        let refused = ada.post(&budgets, with(name, value)).await;
        assert_eq!(refused.expect_violations(), [format!("/{name}")]);
    }
    let budget = ada.make(&budgets, with("ends_on", json!("2026-01-01"))).await;
    assert_eq!(budget["currency"], "EUR", "the organization's");
    let path = at(&budgets, &budget);
    let early = json!({ "version": 1, "starts_on": "2026-01-02" });
    assert_eq!(ada.patch(&path, early).await.expect_violations(), ["/ends_on"]);
    let open = json!({ "version": 1, "ends_on": null, "category_id": null });
    assert_eq!(ada.patch(&path, open).await.expect(200)["ends_on"], Value::Null);
    let cleared = json!({ "version": 2, "currency": null });
    assert_eq!(ada.patch(&path, cleared).await.expect_violations(), ["/currency"]);
    app.stop().await;
}

/// A category's budget counts what lies below it, each line by its own category; refunds count
/// against it, other currencies and other periods not at all.
#[each_database]
async fn a_budget_counts_its_categories_lines_and_refunds(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let (categories, budgets) = (format!("{home}/categories"), format!("{home}/budgets"));
    let food = ada.make(&categories, json!({ "name": "Food" })).await;
    let new = json!({ "name": "Sweets", "parent_id": food["id"] });
    let sweets = ada.make(&categories, new).await;
    let other = ada.make(&categories, json!({ "name": "Other" })).await;
    for (name, category) in [("all", None), ("food", Some(&food)), ("sweets", Some(&sweets))] {
        let new = json!({ "name": name, "category_id": category.map(|row| &row["id"]),
            "period": "month", "amount_minor": 10_000, "starts_on": "2020-01-01" });
        ada.make(&budgets, new).await;
    }
    let of = |row: &Value| json!({ "category_id": row["id"] });
    spend(&ada, &home, "2026-11-01", 1000, of(&food)).await;
    spend(&ada, &home, "2026-11-30", 200, of(&sweets)).await;
    spend(&ada, &home, "2026-10-31", 7777, of(&food)).await;
    spend(&ada, &home, "2026-12-01", 7777, of(&food)).await;
    spend(&ada, &home, "2026-11-02", 7777, json!({ "currency": "USD" })).await;
    let lines = json!({ "category_id": other["id"], "items": [
        { "name": "chocolate", "amount_minor": 30, "category_id": sweets["id"] },
        { "name": "soap", "amount_minor": 70 },
    ] });
    spend(&ada, &home, "2026-11-10", 100, lines).await;
    let mut refund = of(&food);
    refund["kind"] = "refund".into();
    spend(&ada, &home, "2026-11-12", 400, refund).await;
    let actual = |rows: Vec<Value>| -> Vec<i64> {
        rows.iter().filter_map(|row| row["actual_minor"].as_i64()).collect()
    };
    assert_eq!(actual(standing(&ada, &home, "2026-11-30").await), [900, 830, 230]);
    assert_eq!(actual(standing(&ada, &home, "2026-11-11").await), [1100, 1030, 30]);
    assert_eq!(actual(standing(&ada, &home, "2026-11-01").await), [1000, 1000, 0]);
    app.stop().await;
}

#[each_database]
async fn a_budget_has_a_period_and_a_pace(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let budgets = format!("{home}/budgets");
    for period in ["month", "quarter", "week", "year"] {
        let new = json!({ "name": period, "period": period, "amount_minor": 3000,
            "starts_on": "2024-02-05" });
        ada.make(&budgets, new).await;
    }
    spend(&ada, &home, "2024-02-04", 9999, json!({})).await;
    spend(&ada, &home, "2024-02-10", 1000, json!({})).await;
    spend(&ada, &home, "2024-02-15", 2000, json!({})).await;
    let rows = standing(&ada, &home, "2024-02-14").await;
    let spans: Vec<_> = rows.iter().map(|row| [&row["from"], &row["to"]]).collect();
    assert_eq!(
        spans,
        [
            [&json!("2024-02-05"), &json!("2024-02-29")],
            [&json!("2024-02-05"), &json!("2024-03-31")],
            [&json!("2024-02-12"), &json!("2024-02-18")],
            [&json!("2024-02-05"), &json!("2024-12-31")],
        ]
    );
    let pace = json!({ "elapsed_days": 10, "days": 25, "expected_minor": 1200,
        "projected_minor": 2500, "status": "on_track" });
    assert_eq!(rows[0]["pace"], pace);
    assert_eq!(
        (&rows[0]["actual_minor"], &rows[0]["remaining_minor"]),
        (&json!(1000), &json!(2000))
    );
    assert_eq!(
        (&rows[2]["actual_minor"], &rows[2]["pace"]["status"]),
        (&json!(0), &json!("on_track"))
    );
    let rows = standing(&ada, &home, "2024-02-15").await;
    assert_eq!(rows[0]["pace"]["status"], "ahead", "3000 of 1320, and not over 3000");
    spend(&ada, &home, "2024-02-15", 1, json!({})).await;
    let rows = standing(&ada, &home, "2024-02-15").await;
    assert_eq!(
        (&rows[0]["pace"]["status"], &rows[0]["remaining_minor"]),
        (&json!("over"), &json!(-1))
    );
    assert_eq!(standing(&ada, &home, "2024-02-04").await, Vec::<Value>::new());
    app.stop().await;
}

#[each_database]
async fn a_budget_holds_from_its_first_to_its_last_day(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let new = json!({ "name": "x", "period": "month", "amount_minor": 100,
        "starts_on": "2026-11-10", "ends_on": "2026-11-20" });
    ada.make(&format!("{home}/budgets"), new).await;
    spend(&ada, &home, "2026-11-12", 60, json!({})).await;
    for (day, holds) in [("2026-11-09", 0), ("2026-11-10", 1), ("2026-11-20", 1), ("2026-11-21", 0)]
    {
        assert_eq!(standing(&ada, &home, day).await.len(), holds, "{day}");
    }
    let row = &standing(&ada, &home, "2026-11-20").await[0];
    assert_eq!((&row["actual_minor"], &row["pending_minor"]), (&json!(0), &json!(60)), "a draft");
    for bad in ["", "on=2026-02-30", "on=2026-11-21&x=1", "on=x"] {
        let refused = ada.get(&format!("{home}/reports/budgets?{bad}")).await;
        assert_eq!(refused.expect_violations().len(), 1, "{bad}");
    }
    app.stop().await;
}

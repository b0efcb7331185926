//! Budgets of which spending has reached a part.

use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database, id, log::events};

/// What was told: the budget, the percent, the first day, and what was spent.
async fn told(app: &App) -> Vec<(String, i64, String, i64)> {
    app.run_until_idle().await;
    let events = events(&app.store, "budget.threshold_reached").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let told = events.into_iter().map(|event| {
        assert_eq!((&*event.effect, &*event.author), ("none", "system"));
        let data = event.data.unwrap();
        assert_eq!(text(&data["id"]), event.entity_id.to_string());
        let number = |name: &str| data[name].as_i64().unwrap();
        (text(&data["name"]), number("percent"), text(&data["from"]), number("spent_minor"))
    });
    told.collect()
}

fn row(name: &str, percent: i64, from: &str, spent: i64) -> (String, i64, String, i64) {
    (name.to_owned(), percent, from.to_owned(), spent)
}

async fn budget(ada: &Client, home: &str, more: Value) -> Value {
    let mut new = json!({ "name": "All", "period": "month", "amount_minor": 1000,
        "starts_on": "2026-01-01" });
    for (name, value) in more.as_object().unwrap() {
        new[name] = value.clone();
    }
    ada.make(&format!("{home}/budgets"), new).await
}

async fn spend(ada: &Client, home: &str, on: &str, amount: i64, more: Value) -> Value {
    let mut new = json!({ "spent_on": on, "amount_minor": amount });
    for (name, value) in more.as_object().unwrap() {
        new[name] = value.clone();
    }
    ada.make(&format!("{home}/expenses"), new).await
}

#[each_database]
async fn each_part_of_each_period_is_told_once(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    budget(&ada, &home, json!({})).await;
    let expenses = format!("{home}/expenses");
    spend(&ada, &home, "2026-11-02", 799, json!({})).await;
    assert_eq!(told(&app).await, []);
    // To the minor unit.
    let one = spend(&ada, &home, "2026-11-30", 1, json!({})).await;
    let mut all = vec![row("All", 80, "2026-11-01", 800)];
    assert_eq!(told(&app).await, all);
    // It falls and rises again: that is told already.
    ada.delete(&format!("{}?version=1", at(&expenses, &one))).await.expect(204);
    assert_eq!(told(&app).await, all);
    let large = spend(&ada, &home, "2026-11-30", 150, json!({})).await;
    assert_eq!(told(&app).await, all);
    // Another month, both at once, and the day after it.
    spend(&ada, &home, "2026-10-31", 1200, json!({})).await;
    all.extend([row("All", 80, "2026-10-01", 1200), row("All", 100, "2026-10-01", 1200)]);
    assert_eq!(told(&app).await, all);
    // A change counts as a new expense does, and a refund against it.
    spend(&ada, &home, "2026-11-15", 49, json!({ "kind": "refund" })).await;
    let change = json!({ "version": 1, "amount_minor": 249 });
    ada.patch(&at(&expenses, &large), change).await.expect(200);
    assert_eq!(told(&app).await, all, "999");
    let change = json!({ "version": 2, "amount_minor": 250 });
    ada.patch(&at(&expenses, &large), change).await.expect(200);
    all.push(row("All", 100, "2026-11-01", 1000));
    assert_eq!(told(&app).await, all);
    app.stop().await;
}

#[each_database]
async fn only_what_a_budget_is_for_counts(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let category =
        async |name: &str| ada.make(&format!("{home}/categories"), json!({ "name": name })).await;
    let (food, bread, travel) =
        (category("Food").await, category("Bread").await, category("Travel").await);
    let of = |category: &Value| json!({ "category_id": id(category) });
    budget(&ada, &home, json!({ "name": "Food", "category_id": id(&food) })).await;
    budget(&ada, &home, json!({ "name": "Dollars", "currency": "USD" })).await;
    budget(&ada, &home, json!({ "name": "Ended", "ends_on": "2026-10-31" })).await;
    spend(&ada, &home, "2026-11-02", 5000, of(&travel)).await;
    spend(&ada, &home, "2026-11-02", 850, of(&bread)).await;
    assert_eq!(told(&app).await, []);
    // A line has a category of its own.
    let lines = json!({ "category_id": id(&travel), "items": [
        { "name": "a", "amount_minor": 100 },
        { "name": "b", "amount_minor": 800, "category_id": id(&food) },
    ] });
    spend(&ada, &home, "2026-11-03", 900, lines).await;
    let mut all = vec![row("Food", 80, "2026-11-01", 800)];
    assert_eq!(told(&app).await, all);
    spend(&ada, &home, "2026-12-31", 900, json!({ "currency": "USD" })).await;
    all.push(row("Dollars", 80, "2026-12-01", 900));
    assert_eq!(told(&app).await, all);
    app.stop().await;
}

/// The day on which the test runs, in the time zone of the organization, which is UTC.
fn today(app: &App) -> String {
    app.store.now().format("%Y-%m-%d").to_string()
}

#[each_database]
async fn a_budget_or_a_category_that_changes_is_looked_at_today(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let categories = format!("{home}/categories");
    let food = ada.make(&categories, json!({ "name": "Food" })).await;
    let bread = ada.make(&categories, json!({ "name": "Bread" })).await;
    let budget = async |name: &str, more: Value| {
        let mut new = json!({ "name": name, "period": "year", "amount_minor": 10_000 });
        new["starts_on"] = "2020-01-01".into();
        new["category_id"] = more;
        ada.make(&format!("{home}/budgets"), new).await
    };
    let all = budget("All", Value::Null).await;
    budget("Food", json!(id(&food))).await;
    let today = today(&app);
    let from = format!("{}-01-01", &today[..4]);
    spend(&ada, &home, &today, 1000, json!({ "category_id": id(&bread) })).await;
    assert_eq!(told(&app).await, []);
    let path = at(&format!("{home}/budgets"), &all);
    ada.patch(&path, json!({ "version": 1, "amount_minor": 1250 })).await.expect(200);
    let mut told_then = vec![row("All", 80, &from, 1000)];
    assert_eq!(told(&app).await, told_then);
    // A new budget is behind from the beginning.
    let new = json!({ "name": "New", "period": "year", "amount_minor": 1,
        "starts_on": "2020-01-01" });
    ada.make(&format!("{home}/budgets"), new).await;
    told_then.extend([row("New", 80, &from, 1000), row("New", 100, &from, 1000)]);
    assert_eq!(told(&app).await, told_then);
    // Bread goes below food, and what was spent on it goes with it.
    spend(&ada, &home, &today, 8000, json!({ "category_id": id(&bread) })).await;
    told_then.push(row("All", 100, &from, 9000));
    assert_eq!(told(&app).await, told_then);
    let moved = json!({ "version": 1, "parent_id": id(&food) });
    ada.patch(&at(&categories, &bread), moved).await.expect(200);
    told_then.push(row("Food", 80, &from, 9000));
    assert_eq!(told(&app).await, told_then);
    app.stop().await;
}

#[each_database]
async fn drafts_count_once_they_are_approved(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    budget(&ada, &company, json!({})).await;
    let edsger = ada.make(&format!("{company}/members"), json!({ "name": "Edsger" })).await;
    let of = json!({ "member_id": id(&edsger) });
    let clerk = ada.invite(&company, "manager").await;
    let expense = spend(&clerk, &company, "2026-11-02", 2000, of).await;
    let path = at(&format!("{company}/expenses"), &expense);
    assert_eq!(told(&app).await, []);
    for (version, verb, count) in [(1, "submit", 0), (2, "approve", 2), (3, "reimburse", 2)] {
        let body = json!({ "version": version });
        let by = if verb == "submit" { &clerk } else { &ada };
        by.post(&format!("{path}/{verb}"), body).await.expect(200);
        assert_eq!(told(&app).await.len(), count, "{verb}");
    }
    app.stop().await;
}

/// And not in that of their ids, which may differ from one database to the other.
#[each_database]
async fn what_is_reached_at_once_is_told_by_first_day_and_name(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for (name, period) in [("c", "month"), ("b", "year"), ("a", "month")] {
        budget(&ada, &home, json!({ "name": name, "period": period })).await;
    }
    spend(&ada, &home, "2026-11-02", 800, json!({})).await;
    let rows = [
        row("b", 80, "2026-01-01", 800),
        row("a", 80, "2026-11-01", 800),
        row("c", 80, "2026-11-01", 800),
    ];
    assert_eq!(told(&app).await, rows);
    app.stop().await;
}

/// What is entered late counts against the amount of its own time.
#[each_database]
async fn each_period_is_compared_with_its_own_amount(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let amounts = json!([{ "starts_on": "2026-01-01", "amount_minor": 400 },
        { "starts_on": "2026-11-01", "amount_minor": 1000 }]);
    budget(&ada, &home, json!({ "amounts": amounts })).await;
    spend(&ada, &home, "2026-11-02", 350, json!({})).await;
    assert_eq!(told(&app).await, []);
    spend(&ada, &home, "2026-10-02", 350, json!({})).await;
    assert_eq!(told(&app).await, [row("All", 80, "2026-10-01", 350)]);
    let events = events(&app.store, "budget.threshold_reached").await;
    assert_eq!(events[0].data.as_ref().unwrap()["amount_minor"], 400);
    app.stop().await;
}

#[each_database]
async fn a_budget_that_is_reverted_is_looked_at(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let budgets = format!("{home}/budgets");
    let today = today(&app);
    let new = json!({ "name": "All", "period": "year", "amount_minor": 10,
        "starts_on": "2020-01-01" });
    let path = at(&budgets, &ada.make(&budgets, new).await);
    ada.patch(&path, json!({ "version": 1, "amount_minor": 1000 })).await.expect(200);
    spend(&ada, &home, &today, 9, json!({})).await;
    assert_eq!(told(&app).await, []);
    ada.post(&format!("{path}/revert"), json!({ "version": 2, "to_version": 1 })).await.expect(200);
    assert_eq!(told(&app).await, [row("All", 80, &format!("{}-01-01", &today[..4]), 9)]);
    app.stop().await;
}

#[each_database]
async fn a_month_from_the_25th_is_told_of_by_its_first_day(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    budget(&ada, &home, json!({ "starts_on": "2026-01-25" })).await;
    spend(&ada, &home, "2026-10-24", 700, json!({})).await;
    spend(&ada, &home, "2026-10-25", 400, json!({})).await;
    assert_eq!(told(&app).await, []);
    spend(&ada, &home, "2026-11-24", 400, json!({})).await;
    assert_eq!(told(&app).await, [row("All", 80, "2026-10-25", 800)]);
    spend(&ada, &home, "2026-09-25", 100, json!({})).await;
    let all = [row("All", 80, "2026-10-25", 800), row("All", 80, "2026-09-25", 800)];
    assert_eq!(told(&app).await, all);
    app.stop().await;
}

#[each_database]
async fn a_part_of_a_first_period_is_a_part_of_its_part_of_the_amount(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let new = json!({ "period": "week", "amount_minor": 700, "starts_on": "2026-11-11" });
    budget(&ada, &home, new).await;
    spend(&ada, &home, "2026-11-12", 399, json!({})).await;
    spend(&ada, &home, "2026-11-18", 559, json!({})).await;
    assert_eq!(told(&app).await, []);
    spend(&ada, &home, "2026-11-15", 1, json!({})).await;
    spend(&ada, &home, "2026-11-16", 1, json!({})).await;
    let all = [row("All", 80, "2026-11-11", 400), row("All", 80, "2026-11-16", 560)];
    assert_eq!(told(&app).await, all);
    app.stop().await;
}

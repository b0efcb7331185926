//! Budgets, and where they stand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use api::config::Settings;
use serde_json::{Value, json};
use service::{
    clock::Clock,
    store::{Engine, Options},
};
use tests::{
    App, AppOptions, Client, Database, Sample, at, crowd, each_database, each_lasting_database,
    work::{Counter, Statements},
};

/// steward at an instant, and what moves its clock on by days.
async fn start_at(database: &Database, instant: &str) -> (App, impl Fn(i64)) {
    let passed = Arc::new(AtomicI64::new(0));
    let clock = Clock::by_hand(instant.parse().unwrap(), passed.clone());
    let default = AppOptions::default();
    let store = Options { clock, ..default.store };
    let app = App::start_with(database, AppOptions { store, ..default }).await;
    (app, move |days| {
        passed.fetch_add(days * 86_400_000_000, Ordering::SeqCst);
    })
}

/// The amounts of a budget, with the days from which they hold.
fn amounts(budget: &Value) -> Vec<(&str, i64)> {
    let amounts = budget["amounts"].as_array().expect("amounts").iter();
    let amount = |it: &'_ Value| it["amount_minor"].as_i64().expect("an amount");
    amounts.map(|it| (it["starts_on"].as_str().expect("a day"), amount(it))).collect()
}

/// The amounts that the report of a day has, and what remains of them.
async fn limits(client: &Client, home: &str, on: &str) -> Vec<(i64, i64)> {
    let number = |value: &Value| value.as_i64().expect("a number");
    let rows = standing(client, home, on).await;
    let limit = |row: &Value| (number(&row["amount_minor"]), number(&row["remaining_minor"]));
    rows.iter().map(limit).collect()
}

async fn spend(client: &Client, home: &str, day: &str, amount: i64, more: Value) -> Value {
    let mut new = json!({ "spent_on": day, "amount_minor": amount });
    for (name, value) in more.as_object().into_iter().flatten() {
        new[name] = value.clone();
    }
    client.make(&format!("{home}/expenses"), new).await
}

/// The rows of the report of a day, by the budgets' names.
async fn standing(client: &Client, home: &str, on: &str) -> Vec<Value> {
    let report = client.read_anew(&format!("{home}/reports/budgets?on={on}")).await;
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
/// against it, other currencies are beside it, and other periods not at all.
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
    let other = |rows: Vec<Value>| -> Vec<Value> {
        rows.into_iter().map(|row| row["other_currencies"].clone()).collect()
    };
    let dollars = json!([{ "currency": "USD", "actual_minor": 7777, "pending_minor": 0 }]);
    let none = json!([]);
    let shown = other(standing(&ada, &home, "2026-11-30").await);
    assert_eq!(shown, [dollars, none.clone(), none.clone()], "of no category");
    let shown = other(standing(&ada, &home, "2026-11-01").await);
    assert_eq!(shown, [none.clone(), none.clone(), none]);
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
            [&json!("2024-02-05"), &json!("2024-03-04")],
            [&json!("2024-02-05"), &json!("2024-03-31")],
            [&json!("2024-02-12"), &json!("2024-02-18")],
            [&json!("2024-02-05"), &json!("2024-12-31")],
        ]
    );
    let pace = json!({ "elapsed_days": 10, "days": 29, "expected_minor": 1034,
        "projected_minor": 2900, "status": "on_pace" });
    assert_eq!(rows[0]["pace"], pace);
    let prorations: Vec<_> =
        rows.iter().map(|row| (&row["amount_minor"], &row["proration"])).collect();
    let of_quarter = json!({ "days": 56, "period_days": 91, "full_amount_minor": 3000 });
    let of_year = json!({ "days": 331, "period_days": 366, "full_amount_minor": 3000 });
    assert_eq!(
        prorations,
        [
            (&json!(3000), &Value::Null),
            (&json!(1847), &of_quarter),
            (&json!(3000), &Value::Null),
            (&json!(2714), &of_year),
        ]
    );
    assert_eq!(rows[1]["remaining_minor"], 847);
    let rows = standing(&ada, &home, "2024-04-01").await;
    assert_eq!((&rows[1]["amount_minor"], &rows[1]["proration"]), (&json!(3000), &Value::Null));
    let rows = standing(&ada, &home, "2024-02-14").await;
    assert_eq!(
        (&rows[0]["actual_minor"], &rows[0]["remaining_minor"]),
        (&json!(1000), &json!(2000))
    );
    assert_eq!(
        (&rows[2]["actual_minor"], &rows[2]["pace"]["status"]),
        (&json!(0), &json!("under_pace"))
    );
    let rows = standing(&ada, &home, "2024-02-15").await;
    let status = |row: &Value| (row["pace"]["status"].clone(), row["remaining_minor"].clone());
    assert_eq!(status(&rows[0]), (json!("over_pace"), json!(0)), "3000 of 1137");
    spend(&ada, &home, "2024-02-15", 1, json!({})).await;
    let rows = standing(&ada, &home, "2024-02-15").await;
    assert_eq!(status(&rows[0]), (json!("over_pace"), json!(-1)));
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

#[each_database]
async fn a_raise_leaves_the_reports_of_earlier_periods_as_they_were(database: Database) {
    let (app, pass) = start_at(&database, "2026-11-10T12:00:00Z").await;
    let (ada, home) = app.owner_of("household").await;
    let budgets = format!("{home}/budgets");
    let new = json!({ "name": "All", "period": "month", "amount_minor": 400,
        "starts_on": "2026-01-01" });
    let budget = ada.make(&budgets, new).await;
    assert_eq!(amounts(&budget), [("2026-01-01", 400)]);
    let path = at(&budgets, &budget);
    spend(&ada, &home, "2026-01-20", 300, json!({})).await;
    spend(&ada, &home, "2026-11-01", 450, json!({})).await;
    let raise = async |version: i64, amount: i64| {
        let change = json!({ "version": version, "amount_minor": amount });
        ada.patch(&path, change).await.expect(200)
    };
    let raised = raise(1, 500).await;
    assert_eq!(amounts(&raised), [("2026-01-01", 400), ("2026-11-01", 500)]);
    assert_eq!(raised["amount_minor"], 500);
    for (on, limit) in [
        ("2026-01-31", (400, 100)),
        ("2026-10-31", (400, 400)),
        ("2026-11-01", (500, 50)),
        ("2027-05-01", (500, 500)),
    ] {
        assert_eq!(limits(&ada, &home, on).await, [limit], "{on}");
    }
    // What else is changed is no raise, and within a period the last word counts.
    let named = json!({ "version": 2, "name": "Everything", "amount_minor": 500 });
    let named = ada.patch(&path, named).await.expect(200);
    assert_eq!(named["amounts"], raised["amounts"]);
    assert_eq!(amounts(&raise(3, 600).await), [("2026-01-01", 400), ("2026-11-01", 600)]);
    assert_eq!(amounts(&raise(4, 400).await), [("2026-01-01", 400)], "as if nothing had been");
    pass(21);
    let december = [("2026-01-01", 400), ("2026-12-01", 700)];
    assert_eq!(amounts(&raise(5, 700).await), december);

    let revert = async |version: i64, to: i64| {
        let body = json!({ "version": version, "to_version": to });
        ada.post(&format!("{path}/revert"), body).await.expect(200)
    };
    let back = revert(6, 2).await;
    assert_eq!((&back["amounts"], &back["amount_minor"]), (&raised["amounts"], &json!(500)));
    assert_eq!(amounts(&revert(7, 6).await), december);
    let then = raised["updated_at"].as_str().expect("an instant");
    let then = ada.read(&format!("{path}?as_of={then}")).await;
    assert_eq!(then["amounts"], raised["amounts"]);
    app.stop().await;
}

/// Noon of the last day of October is November in Kiritimati.
#[each_database]
async fn a_raise_holds_from_the_period_of_today_where_the_organization_is(database: Database) {
    let (app, _) = start_at(&database, "2026-10-31T12:00:00Z").await;
    let (ada, home) = app.owner_of("household").await;
    let new = json!({ "name": "All", "period": "month", "amount_minor": 400,
        "starts_on": "2026-01-01" });
    let path = at(&format!("{home}/budgets"), &ada.make(&format!("{home}/budgets"), new).await);
    let raised = ada.patch(&path, json!({ "version": 1, "amount_minor": 500 })).await.expect(200);
    assert_eq!(amounts(&raised), [("2026-01-01", 400), ("2026-10-01", 500)]);
    let version = ada.read(&home).await["version"].clone();
    let moved = json!({ "version": version, "time_zone": "Pacific/Kiritimati" });
    ada.patch(&home, moved).await.expect(200);
    let raised = ada.patch(&path, json!({ "version": 2, "amount_minor": 600 })).await.expect(200);
    let all = [("2026-01-01", 400), ("2026-10-01", 500), ("2026-11-01", 600)];
    assert_eq!(amounts(&raised), all);
    app.stop().await;
}

#[each_database]
async fn amounts_are_corrected_and_planned(database: Database) {
    let (app, _) = start_at(&database, "2026-11-10T12:00:00Z").await;
    let (ada, home) = app.owner_of("household").await;
    let budgets = format!("{home}/budgets");
    let list = |amounts: &[(&str, i64)]| -> Value {
        let amount =
            |(day, amount): &(&str, i64)| json!({ "starts_on": day, "amount_minor": amount });
        amounts.iter().map(amount).collect()
    };
    let planned = [("2026-01-01", 400), ("2026-03-15", 450), ("2027-01-01", 500)];
    let new = |amounts: Value| {
        json!({ "name": "All", "period": "month", "amount_minor": 500,
            "starts_on": "2026-01-01", "amounts": amounts })
    };
    for (bad, at) in [
        (json!([]), "/amounts"),
        (list(&[("2026-01-01", 400), ("2026-02-01", 499)]), "/amount_minor"),
        (list(&[("2026-01-02", 500)]), "/amounts/0/starts_on"),
        (list(&[("2025-12-31", 500)]), "/amounts/0/starts_on"),
        (list(&[("2026-01-01", 400), ("2026-01-01", 500)]), "/amounts/1/starts_on"),
        (list(&[("2026-01-01", 0), ("2026-02-01", 500)]), "/amounts/0/amount_minor"),
        (json!([{ "starts_on": "2026-01-01", "amount_minor": 500, "x": 1 }]), "/amounts/0/x"),
    ] {
        let refused = ada.post(&budgets, new(bad.clone())).await;
        assert_eq!(refused.expect_violations(), [at], "{bad}");
    }
    let budget = ada.make(&budgets, new(list(&planned))).await;
    assert_eq!(amounts(&budget), planned);
    // An amount that begins within a period is that of the whole period.
    for (on, amount) in
        [("2026-02-28", 400), ("2026-03-01", 450), ("2026-12-31", 450), ("2027-01-01", 500)]
    {
        assert_eq!(limits(&ada, &home, on).await, [(amount, amount)], "{on}");
    }
    let path = at(&budgets, &budget);
    let patch = async |version: i64, mut change: Value| {
        change["version"] = version.into();
        ada.patch(&path, change).await.expect(200)
    };
    // The latest one is still to come: it is the one that is shown and changed.
    let changed = patch(1, json!({ "amount_minor": 550 })).await;
    assert_eq!(amounts(&changed)[1..], [("2026-03-15", 450), ("2027-01-01", 550)]);
    let corrected = list(&[("2026-01-01", 390), ("2026-03-01", 450)]);
    let changed = patch(2, json!({ "amounts": corrected })).await;
    assert_eq!((&changed["amounts"], &changed["amount_minor"]), (&corrected, &json!(450)));
    // The budget begins later, and earlier.
    let changed = patch(3, json!({ "starts_on": "2026-04-01" })).await;
    assert_eq!(amounts(&changed), [("2026-04-01", 450)]);
    let changed = patch(4, json!({ "starts_on": "2025-01-01", "amount_minor": 500 })).await;
    assert_eq!(amounts(&changed), [("2025-01-01", 450), ("2026-11-01", 500)]);
    let changed = patch(5, json!({ "amounts": null, "amount_minor": 480 })).await;
    assert_eq!(amounts(&changed), [("2025-01-01", 480)]);
    let other = json!({ "version": 6, "amount_minor": 1,
        "amounts": list(&[("2025-01-01", 2)]) });
    assert_eq!(ada.patch(&path, other).await.expect_violations(), ["/amount_minor"]);
    // 200, and not one more.
    let days = chrono::NaiveDate::from_ymd_opt(2025, 1, 1).expect("a day").iter_days();
    let many: Vec<_> = days.take(200).map(|day| (day.to_string(), 480)).collect();
    let many: Vec<_> = many.iter().map(|(day, amount)| (&**day, *amount)).collect();
    patch(6, json!({ "amounts": list(&many) })).await;
    let more = json!({ "version": 7, "amount_minor": 481 });
    assert_eq!(ada.patch(&path, more).await.expect_violations(), ["/amounts"]);
    app.stop().await;
}

#[each_database]
async fn months_begin_on_the_day_of_the_first_one(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for (name, starts_on) in [("last day", "2026-01-31"), ("payday", "2026-01-25")] {
        let new = json!({ "name": name, "period": "month", "amount_minor": 3100,
            "starts_on": starts_on });
        ada.make(&format!("{home}/budgets"), new).await;
    }
    for (day, amount) in [
        ("2026-02-24", 1),
        ("2026-02-25", 20),
        ("2026-02-28", 300),
        ("2026-03-24", 4000),
        ("2026-03-30", 50_000),
        ("2026-03-31", 600_000),
    ] {
        spend(&ada, &home, day, amount, json!({})).await;
    }
    for (on, last_day, payday) in [
        ("2026-02-24", ("2026-01-31", "2026-02-27", 1), ("2026-01-25", "2026-02-24", 1)),
        ("2026-02-27", ("2026-01-31", "2026-02-27", 21), ("2026-02-25", "2026-03-24", 20)),
        ("2026-03-24", ("2026-02-28", "2026-03-30", 4300), ("2026-02-25", "2026-03-24", 4320)),
        ("2026-03-30", ("2026-02-28", "2026-03-30", 54_300), ("2026-03-25", "2026-04-24", 50_000)),
        (
            "2026-04-01",
            ("2026-03-31", "2026-04-29", 600_000),
            ("2026-03-25", "2026-04-24", 650_000),
        ),
    ] {
        let rows = standing(&ada, &home, on).await;
        for (row, (from, to, actual)) in rows.iter().zip([last_day, payday]) {
            let stands = (&row["from"], &row["to"], &row["actual_minor"]);
            assert_eq!(stands, (&json!(from), &json!(to), &json!(actual)), "{on}: {row}");
        }
    }
    // 28 days of the month from February 25 on have passed, of 28.
    let pace = &standing(&ada, &home, "2026-03-24").await[1]["pace"];
    assert_eq!((&pace["elapsed_days"], &pace["expected_minor"]), (&json!(28), &json!(3100)));
    app.stop().await;
}

/// Wednesday to Sunday, and from Monday to Tuesday of the week after.
#[each_database]
async fn a_first_week_is_prorated_and_a_last_one_is_not(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let new = json!({ "name": "x", "period": "week", "amount_minor": 700,
        "starts_on": "2026-11-11", "ends_on": "2026-11-17" });
    ada.make(&format!("{home}/budgets"), new).await;
    let first = &standing(&ada, &home, "2026-11-12").await[0];
    let proration = json!({ "days": 5, "period_days": 7, "full_amount_minor": 700 });
    assert_eq!((&first["amount_minor"], &first["proration"]), (&json!(500), &proration));
    assert_eq!((&first["from"], &first["to"]), (&json!("2026-11-11"), &json!("2026-11-15")));
    assert_eq!(first["pace"]["expected_minor"], 200);
    let last = &standing(&ada, &home, "2026-11-17").await[0];
    assert_eq!((&last["amount_minor"], &last["proration"]), (&json!(700), &Value::Null));
    assert_eq!((&last["from"], &last["to"]), (&json!("2026-11-16"), &json!("2026-11-17")));
    app.stop().await;
}

/// With whole months and days around them, as whole expenses and as lines; in the budget's own currency nothing.
#[each_database]
async fn spending_in_other_currencies_is_shown_beside(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let food = ada.make(&format!("{home}/categories"), json!({ "name": "Food" })).await;
    let new = json!({ "name": "x", "period": "year", "amount_minor": 365, "currency": "CHF",
        "category_id": food["id"], "starts_on": "2025-01-01" });
    ada.make(&format!("{home}/budgets"), new).await;
    let of_food = json!({ "category_id": food["id"] });
    spend(&ada, &home, "2026-01-02", 100, of_food.clone()).await;
    let mut dollars = of_food.clone();
    dollars["currency"] = "USD".into();
    spend(&ada, &home, "2026-02-28", 20, dollars.clone()).await;
    let line = json!({ "name": "a", "amount_minor": 3, "category_id": food["id"] });
    let lines = json!({ "currency": "USD", "items": [line] });
    spend(&ada, &home, "2026-03-02", 3, lines).await;
    // What was given back leaves nothing to show.
    for kind in ["purchase", "refund"] {
        let new = json!({ "category_id": food["id"], "currency": "JPY", "kind": kind });
        spend(&ada, &home, "2026-01-03", 5, new).await;
    }
    app.run_until_idle().await;
    let shown = json!([
        { "currency": "EUR", "actual_minor": 0, "pending_minor": 100 },
        { "currency": "USD", "actual_minor": 0, "pending_minor": 23 },
    ]);
    // Before the totals are kept, and after.
    for _ in 0..2 {
        let row = &standing(&ada, &home, "2026-03-03").await[0];
        assert_eq!((&row["actual_minor"], &row["pending_minor"]), (&json!(0), &json!(0)));
        assert_eq!((&row["other_currencies"], &row["remaining_minor"]), (&shown, &json!(365)));
        app.run_until_idle().await;
    }
    app.stop().await;
}

/// Where budgets begin on every day of the month, and some of them within a week, a quarter or a year.
#[each_database]
async fn many_budgets_are_reported_in_as_many_statements_as_few(database: Database) {
    // What is remembered of a caller does not run out between two requests.
    let settings = Settings { access_ttl: Duration::from_secs(86_400), ..Settings::default() };
    let app = App::start_with(&database, AppOptions { settings, ..AppOptions::default() }).await;
    let (ada, home) = app.owner_of("household").await;
    let food = ada.make(&format!("{home}/categories"), json!({ "name": "Food" })).await;
    for day in ["2026-01-31", "2026-06-12", "2026-09-30", "2026-10-05", "2026-11-02", "2026-11-18"]
    {
        spend(&ada, &home, day, 7, json!({ "category_id": food["id"] })).await;
        let line = json!({ "name": "a", "amount_minor": 3, "category_id": food["id"] });
        spend(&ada, &home, day, 3, json!({ "items": [line] })).await;
    }
    let make = async |period: &str, starts_on: &str| {
        let new = json!({ "name": starts_on, "period": period, "amount_minor": 1000,
            "starts_on": starts_on, "category_id": food["id"] });
        ada.make(&format!("{home}/budgets"), new).await;
    };
    make("year", "2026-01-15").await;
    // The first report asks for the totals.
    standing(&ada, &home, "2026-11-20").await;
    app.run_until_idle().await;
    let statements = async || {
        standing(&ada, &home, "2026-11-20").await;
        let before = app.store.statements();
        let rows = standing(&ada, &home, "2026-11-20").await;
        (rows, app.store.statements() - before)
    };
    let (rows, few) = statements().await;
    assert_eq!(
        (rows.len(), few),
        (1, 6),
        "the log, budgets, categories, totals, expenses and lines"
    );
    for month in 1..=10 {
        for (period, day) in [("month", month * 3 - 2), ("quarter", month + 10), ("year", 28)] {
            make(period, &format!("2026-{month:02}-{day:02}")).await;
        }
        make("week", &format!("2026-11-{:02}", month + 9)).await;
    }
    let (rows, many) = statements().await;
    assert_eq!((rows.len(), many), (41, few));
    let days = [
        ("2026-01-31", 10),
        ("2026-06-12", 10),
        ("2026-09-30", 10),
        ("2026-10-05", 10),
        ("2026-11-02", 10),
        ("2026-11-18", 10),
    ];
    for row in rows {
        let (from, on) = (row["from"].as_str().expect("a day"), "2026-11-20");
        let spent: i64 =
            days.iter().filter(|(day, _)| from <= *day && *day <= on).map(|it| it.1).sum();
        assert_eq!(row["actual_minor"], spent, "{row}");
    }
    app.stop().await;
}

/// Of thousands of expenses, those of the days around whole months, and these for all budgets together: rows on
/// PostgreSQL, instructions on SQLite. Each budget by itself would read them up to 28 times.
#[each_lasting_database]
async fn a_report_of_many_budgets_reads_each_day_once(database: Database) {
    let heard = Statements::default();
    let observer = Some(heard.observer());
    let store = Options { observer, ..AppOptions::default().store };
    let app = App::start_with(&database, AppOptions { store, ..AppOptions::default() }).await;
    let sample = Sample::make(&app.anonymous()).await;
    app.run_until_idle().await;
    // One each day from 1900 on.
    crowd::fill(&app.store, &sample, 3000).await;
    let (owner, home) = (&sample.owner, &sample.organization);
    for day in 1..=28 {
        for period in ["month", "year"] {
            let new = json!({ "name": period, "period": period, "amount_minor": 1000,
                "starts_on": format!("1904-05-{day:02}") });
            owner.make(&format!("{home}/budgets"), new).await;
        }
    }
    let counter = Counter::connect(&database).await;
    // The second time, who asks is remembered.
    assert_eq!(standing(owner, home, "1905-06-15").await.len(), 56);
    heard.take();
    standing(owner, home, "1905-06-15").await;
    let cost = counter.reads(heard.take()).await;
    let bound = match database.engine {
        Engine::Sqlite => 12_000,
        Engine::Postgres => 200,
    };
    assert!(cost <= bound, "{cost}");
    app.stop().await;
}

//! The report of what was spent.

mod totals;

use serde_json::{Value, json};
use tests::{App, Client, Database, each_database, id};

async fn report(client: &Client, home: &str, group_by: &str) -> Value {
    let range = "from=2026-10-01&to=2026-11-30";
    client.read(&format!("{home}/reports/spending?{range}&group_by={group_by}")).await
}

/// Label, currency, amount, pending and count of each row.
fn rows(report: &Value) -> Vec<(String, String, i64, i64, i64)> {
    let rows = report["rows"].as_array().expect("rows");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let number = |value: &Value| value.as_i64().expect("a number");
    rows.iter()
        .map(|row| {
            let amounts = [&row["amount_minor"], &row["pending_minor"], &row["count"]].map(number);
            let [amount, pending, count] = amounts;
            (text(&row["label"]), text(&row["currency"]), amount, pending, count)
        })
        .collect()
}

fn row(
    label: &str,
    currency: &str,
    [amount, pending, count]: [i64; 3],
) -> (String, String, i64, i64, i64) {
    (label.to_owned(), currency.to_owned(), amount, pending, count)
}

/// What is Kim's is recorded and submitted by a clerk, and decided by the other client.
async fn spend(
    [client, clerk]: [&Client; 2],
    company: &str,
    amount: i64,
    more: Value,
    way: &[&str],
) -> Value {
    let records = if more["member_id"].is_null() { client } else { clerk };
    let mut new = json!({ "spent_on": "2026-11-10", "amount_minor": amount });
    for (name, value) in more.as_object().into_iter().flatten() {
        new[name] = value.clone();
    }
    let expense = records.make(&format!("{company}/expenses"), new).await;
    for (version, by) in (1..).zip(way) {
        let path = format!("{company}/expenses/{}/{by}", id(&expense));
        let moves = if *by == "submit" { records } else { client };
        moves.post(&path, json!({ "version": version })).await.expect(200);
    }
    expense
}

/// A company in which Kim has expenses in every status, and Ada one of lines in another currency.
async fn company(client: &Client, company: &str) -> [Value; 3] {
    let categories = format!("{company}/categories");
    let food = client.make(&categories, json!({ "name": "Food" })).await;
    let travel = client.make(&categories, json!({ "name": "travel" })).await;
    let kim = client.make(&format!("{company}/members"), json!({ "name": "Kim" })).await;
    let clerk = client.invite(company, "manager").await;
    let both = [client, &clerk];
    let of = |category: &Value| json!({ "category_id": category["id"], "member_id": kim["id"] });
    spend(both, company, 1, of(&food), &[]).await;
    spend(both, company, 20, of(&food), &["submit"]).await;
    spend(both, company, 300, of(&food), &["submit", "approve"]).await;
    spend(both, company, 4000, of(&food), &["submit", "approve", "reimburse"]).await;
    spend(both, company, 50_000, of(&travel), &["submit", "reject"]).await;
    let mut refund = of(&travel);
    refund["kind"] = "refund".into();
    refund["spent_on"] = "2026-10-31".into();
    spend(both, company, 70, refund, &["submit", "approve"]).await;
    let lines = json!({ "currency": "USD", "category_id": travel["id"], "items": [
        { "name": "a", "amount_minor": 600, "category_id": food["id"] },
        { "name": "b", "amount_minor": 30 },
        { "name": "c", "amount_minor": 5, "category_id": food["id"] },
    ] });
    spend(both, company, 635, lines, &[]).await;
    for day in ["2026-09-30", "2026-12-01"] {
        spend(both, company, 9999, json!({ "spent_on": day }), &[]).await;
    }
    spend(both, company, 8, json!({ "spent_on": "2026-10-01" }), &[]).await;
    [food, travel, kim]
}

#[each_database]
async fn spending_by_category_month_and_member(database: Database) {
    let app = App::start(&database).await;
    let (ada, path) = app.owner_of("company").await;
    let [food, _, kim] = company(&ada, &path).await;
    let totals = json!([
        { "currency": "EUR", "amount_minor": 4230, "pending_minor": 29, "count": 6 },
        { "currency": "USD", "amount_minor": 0, "pending_minor": 635, "count": 1 },
    ]);
    let by_category = report(&ada, &path, "category").await;
    assert_eq!(
        rows(&by_category),
        [
            row("Food", "EUR", [4300, 21, 4]),
            row("Food", "USD", [0, 605, 1]),
            row("No category", "EUR", [0, 8, 1]),
            row("travel", "EUR", [-70, 0, 1]),
            row("travel", "USD", [0, 30, 1]),
        ]
    );
    assert_eq!(
        (&by_category["rows"][0]["key"], &by_category["rows"][2]["key"]),
        (&food["id"], &Value::Null)
    );
    let by_month = report(&ada, &path, "month").await;
    assert_eq!(
        rows(&by_month),
        [
            row("2026-10", "EUR", [-70, 8, 2]),
            row("2026-11", "EUR", [4300, 21, 4]),
            row("2026-11", "USD", [0, 635, 1]),
        ]
    );
    assert_eq!(by_month["rows"][0]["key"], "2026-10");
    let by_member = report(&ada, &path, "member").await;
    assert_eq!(
        rows(&by_member),
        [
            row("Ada", "EUR", [0, 8, 1]),
            row("Ada", "USD", [0, 635, 1]),
            row("Kim", "EUR", [4230, 21, 5]),
        ]
    );
    assert_eq!(by_member["rows"][2]["key"], kim["id"]);
    for report in [by_category, by_month, by_member] {
        assert_eq!(report["totals"], totals, "{}", report["group_by"]);
    }
    app.stop().await;
}

#[each_database]
async fn a_discount_reduces_its_own_category(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let food = ada.make(&format!("{home}/categories"), json!({ "name": "Food" })).await;
    let deposits = ada.make(&format!("{home}/categories"), json!({ "name": "Deposits" })).await;
    let line = |category: &Value, amount: i64| {
        json!({ "name": "x", "category_id": category["id"], "amount_minor": amount })
    };
    let items = json!([line(&food, 1100), line(&food, -100), line(&deposits, -250)]);
    let new = json!({ "spent_on": "2026-11-10", "amount_minor": 750, "items": items });
    ada.make(&format!("{home}/expenses"), new).await;
    for _ in 0..2 {
        let report = report(&ada, &home, "category").await;
        let expected = [row("Deposits", "EUR", [-250, 0, 1]), row("Food", "EUR", [1000, 0, 1])];
        assert_eq!(rows(&report), expected);
        assert_eq!(report["totals"][0]["amount_minor"], 750);
        // The second time from the totals.
        app.run_until_idle().await;
    }
    app.stop().await;
}

#[each_database]
async fn a_report_takes_two_days_in_order_and_a_way_to_group(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for (query, at) in [
        ("from=2026-11-02&to=2026-11-01&group_by=month", "?to"),
        ("from=2026-11-01&group_by=month", "?to"),
        ("from=2026-11-01&to=2026-11-01", "?group_by"),
        ("from=2026-11-01&to=2026-11-01&group_by=week", "?group_by"),
        ("from=2026-02-30&to=2026-11-01&group_by=month", "?from"),
    ] {
        let refused = ada.get(&format!("{home}/reports/spending?{query}")).await;
        assert_eq!(refused.expect_violations(), [at], "{query}");
    }
    let empty = report(&ada, &home, "month").await;
    assert_eq!((&empty["rows"], &empty["totals"]), (&json!([]), &json!([])));
    app.stop().await;
}

/// 1,500 expenses of 2^53 - 1 sum to more than 2^63: that is exact too.
#[each_database]
async fn sums_beyond_64_bits_are_exact(database: Database) {
    const LARGEST: i128 = 9_007_199_254_740_991;
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let category = ada.make(&format!("{home}/categories"), json!({ "name": "c" })).await;
    let item = json!({ "spent_on": "2026-11-01", "amount_minor": 9_007_199_254_740_991_i64,
        "category_id": category["id"] });
    let items = vec![item.clone(); 500];
    for _ in 0..3 {
        ada.make(&format!("{home}/expenses/batch"), json!({ "items": items })).await;
    }
    let mut refund = item;
    refund["kind"] = "refund".into();
    refund["amount_minor"] = 7.into();
    ada.make(&format!("{home}/expenses"), refund).await;
    let sum = 1500 * LARGEST - 7;
    for group_by in ["category", "month", "member"] {
        let path =
            format!("{home}/reports/spending?from=2026-01-01&to=2026-12-31&group_by={group_by}");
        let answer = ada.get(&path).await;
        let exactly = format!("\"amount_minor\":{sum},");
        assert_eq!(answer.text.matches(&exactly).count(), 2, "{group_by}: {}", answer.text);
        answer.expect(200);
    }
    for (name, category) in [("all", &Value::Null), ("one", &category["id"])] {
        let budget = json!({ "name": name, "category_id": category, "period": "year",
            "amount_minor": 1, "starts_on": "2026-01-01" });
        ada.make(&format!("{home}/budgets"), budget).await;
    }
    let budgets = ada.get(&format!("{home}/reports/budgets?on=2026-12-31")).await;
    for (name, value) in [("actual", sum), ("remaining", 1 - sum), ("projected", sum)] {
        let exactly = format!("\"{name}_minor\":{value},");
        assert_eq!(budgets.text.matches(&exactly).count(), 2, "{name}: {}", budgets.text);
    }
    app.stop().await;
}

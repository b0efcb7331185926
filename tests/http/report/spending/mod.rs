//! The report of what was spent.

mod totals;

use serde_json::{Value, json};
use tests::{App, Client, Database, each_database, id};

async fn report(client: &Client, home: &str, group_by: &str) -> Value {
    let range = "from=2026-10-01&to=2026-11-30";
    client.read_anew(&format!("{home}/reports/spending?{range}&group_by={group_by}")).await
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

/// Key, label, sum, count, average and largest of each row.
fn shapes(report: &Value) -> Vec<Value> {
    let rows = report["rows"].as_array().expect("rows");
    let names = ["key", "label", "amount_minor", "count", "average_minor", "largest_minor"];
    rows.iter().map(|row| names.map(|name| row[name].clone()).to_vec().into()).collect()
}

#[each_database]
async fn spending_by_merchant_tag_week_and_year(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for (day, amount, kind, merchant, tags) in [
        ("2025-12-28", 100, "purchase", json!("Coop"), json!(["Trip"])),
        ("2025-12-29", 201, "purchase", json!("COOP "), json!(["trip", "food"])),
        ("2026-01-04", 50, "refund", json!("Coop"), json!([])),
        ("2026-01-05", 7, "purchase", json!(null), json!(["FOOD"])),
        ("2026-01-05", 8, "purchase", json!(" "), json!([])),
        ("2026-02-10", 5, "refund", json!("Ärzte"), json!([])),
    ] {
        let new = json!({ "spent_on": day, "amount_minor": amount, "kind": kind, "merchant": merchant, "tags": tags });
        ada.make(&format!("{home}/expenses"), new).await;
    }
    let read = async |query: &str| {
        let range = "from=2025-12-01&to=2026-02-28";
        ada.read(&format!("{home}/reports/spending?{range}&{query}")).await
    };
    for _ in 0..2 {
        let by_merchant = read("group_by=merchant").await;
        let merchants = [
            json!(["coop", "Coop", 251, 3, 84, 201]),
            json!([null, "No merchant", 15, 2, 8, 8]),
            json!(["ärzte", "Ärzte", -5, 1, -5, null]),
        ];
        assert_eq!(shapes(&by_merchant), merchants);
        let by_tag = read("group_by=tag").await;
        let tags = [
            json!(["food", "food", 208, 2, 104, 201]),
            json!([null, "No tag", -47, 3, -16, 8]),
            json!(["trip", "trip", 301, 2, 150, 201]),
        ];
        assert_eq!(shapes(&by_tag), tags);
        let by_week = read("group_by=week").await;
        let weeks = [
            json!(["2025-12-22", "2025-12-22", 100, 1, 100, 100]),
            json!(["2025-12-29", "2025-12-29", 151, 2, 76, 201]),
            json!(["2026-01-05", "2026-01-05", 15, 2, 8, 8]),
            json!(["2026-02-09", "2026-02-09", -5, 1, -5, null]),
        ];
        assert_eq!(shapes(&by_week), weeks);
        let by_year = read("group_by=year").await;
        let years = [
            json!(["2025", "2025", 301, 2, 150, null]),
            json!(["2026", "2026", -40, 4, -10, null]),
        ];
        assert_eq!(shapes(&by_year), years);
        let largest = read("group_by=year&largest=true").await;
        let years =
            [json!(["2025", "2025", 301, 2, 150, 201]), json!(["2026", "2026", -40, 4, -10, 8])];
        assert_eq!(shapes(&largest), years);
        let totals =
            json!([{ "currency": "EUR", "amount_minor": 261, "pending_minor": 0, "count": 6 }]);
        for report in [by_merchant, by_tag, by_week, by_year, largest] {
            assert_eq!(report["totals"], totals, "{}", report["group_by"]);
        }
        // The second time from the totals.
        app.run_until_idle().await;
    }
    app.stop().await;
}

#[each_database]
async fn spending_by_place(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let places = [json!("Zürich HB"), json!(" zürich hb"), json!("ZÜRICH HB"), json!("Zürich HB")];
    for place in places.into_iter().chain([json!(null), json!("")]) {
        let new = json!({ "spent_on": "2026-11-10", "amount_minor": 100, "place": place });
        ada.make(&format!("{home}/expenses"), new).await;
    }
    let by_place = report(&ada, &home, "place").await;
    let places = [
        json!([null, "No place", 200, 2, 100, 100]),
        json!(["zürich hb", "Zürich HB", 400, 4, 100, 100]),
    ];
    assert_eq!(shapes(&by_place), places);
    app.stop().await;
}

#[each_database]
async fn the_largest_of_a_category_is_an_expense_or_a_line(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let food = ada.make(&format!("{home}/categories"), json!({ "name": "Food" })).await;
    let line =
        |amount: i64| json!({ "name": "x", "category_id": food["id"], "amount_minor": amount });
    let of_lines = json!({ "spent_on": "2026-11-10", "amount_minor": 900,
        "tags": ["a", "b"], "items": [line(500), line(400)] });
    let whole = json!({ "spent_on": "2026-11-11", "amount_minor": 450, "category_id": food["id"] });
    for new in [of_lines, whole] {
        ada.make(&format!("{home}/expenses"), new).await;
    }
    let by_category = report(&ada, &home, "category&largest=true").await;
    assert_eq!(shapes(&by_category), [json!([food["id"], "Food", 1350, 2, 675, 500])]);
    let none = json!({ "spent_on": "2026-12-01", "amount_minor": 3 });
    let of_food = json!({ "spent_on": "2026-12-01", "amount_minor": 900, "items": [line(900)] });
    for new in [none, of_food] {
        ada.make(&format!("{home}/expenses"), new).await;
    }
    let december = "from=2026-12-01&to=2026-12-31&group_by=category&largest=true";
    let december = ada.read(&format!("{home}/reports/spending?{december}")).await;
    let groups =
        [json!([food["id"], "Food", 900, 1, 900, 900]), json!([null, "No category", 3, 1, 3, 3])];
    assert_eq!(shapes(&december), groups);
    let by_tag = report(&ada, &home, "tag").await;
    let tags = [
        json!(["a", "a", 900, 1, 900, 900]),
        json!(["b", "b", 900, 1, 900, 900]),
        json!([null, "No tag", 450, 1, 450, 450]),
    ];
    assert_eq!(shapes(&by_tag), tags);
    app.stop().await;
}

#[each_database]
async fn a_discount_reduces_its_own_category(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let food = ada.make(&format!("{home}/categories"), json!({ "name": "Food" })).await;
    let deposits = ada.make(&format!("{home}/categories"), json!({ "name": "Deposits" })).await;
    let line = |category: &Value, amount: i64| {
        let category = &category["id"];
        json!({ "name": "x", "category_id": category, "amount_minor": amount })
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
        ("from=2026-11-01&to=2026-11-01&group_by=hour", "?group_by"),
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

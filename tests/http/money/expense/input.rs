//! What an expense may be, and how a change is laid over it.

use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database, id};

const MAX_AMOUNT_MINOR: i64 = 9_007_199_254_740_991;

fn lunch() -> Value {
    json!({ "spent_on": "2026-11-01", "amount_minor": 1250 })
}

fn with(mut expense: Value, name: &str, value: Value) -> Value {
    expense[name] = value;
    expense
}

#[each_database]
async fn what_an_expense_cannot_be_is_refused_with_a_pointer(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let unknown = "0199aaaa-0000-7000-8000-000000000000";
    for (name, value) in [
        ("amount_minor", json!(0)),
        ("amount_minor", json!(-1)),
        ("amount_minor", json!(MAX_AMOUNT_MINOR + 1)),
        ("amount_minor", json!(i64::MIN)),
        ("amount_minor", json!(u64::MAX)),
        ("amount_minor", json!(12.5)),
        ("amount_minor", json!("1250")),
        ("amount_minor", json!(null)),
        ("spent_on", json!("2026-02-29")),
        ("spent_on", json!("0999-12-31")),
        ("spent_on", json!("+10000-01-01")),
        ("spent_on", json!("2026-11-01T00:00:00Z")),
        ("currency", json!("eur")),
        ("currency", json!("XXX")),
        ("currency", json!("EURO")),
        ("kind", json!("gift")),
        ("merchant", json!("x".repeat(201))),
        ("note", json!("ü".repeat(2001))),
        ("payment_method", json!("x".repeat(51))),
        ("details", json!([1])),
        ("details", json!({ "x": "y".repeat(17_000) })),
        ("category_id", json!(unknown)),
        ("category_id", json!("x")),
        ("member_id", json!(unknown)),
        ("status", json!("approved")),
        ("id", json!("x")),
    ] {
        let refused = ada.post(&expenses, with(lunch(), name, value.clone())).await;
        assert_eq!(refused.expect_violations(), [format!("/{name}")], "{value}");
    }
    let nothing = ada.post(&expenses, json!({})).await.expect_violations();
    assert_eq!(nothing.len(), 1, "{nothing:?}");
    let many = json!({ "spent_on": "2026-11-01", "amount_minor": 0, "currency": "?",
        "merchant": "x".repeat(201) });
    let all = ada.post(&expenses, many).await.expect_violations();
    assert_eq!(all, ["/amount_minor", "/currency", "/merchant"], "all at once");
    assert_eq!(ada.all(&expenses, "").await, Vec::<Value>::new());
    app.stop().await;
}

/// Characters are counted, not bytes, and come back as they went.
#[each_database]
async fn the_most_that_an_expense_may_be_comes_back_as_it_went(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let category = ada.make(&format!("{home}/categories"), json!({ "name": "c" })).await;
    let full = json!({
        "kind": "refund", "member_id": ada.member_in(&home).await["id"],
        "category_id": category["id"], "spent_on": "9999-12-31", "amount_minor": MAX_AMOUNT_MINOR,
        "currency": "JPY", "merchant": "İ".repeat(200), "payment_method": "💳".repeat(50),
        "note": "İ".repeat(2000), "place": " \t\n\u{7f}\u{feff} ",
        "latitude": -89.999_999_9, "longitude": 179.999_999_9,
        "details": { "a": [1, -2, 0.5, 1e300, true, null, { "": "\u{1f600}" }], "z": {}, "ä": "" },
        "items": [
            { "name": "İ".repeat(200), "amount_minor": MAX_AMOUNT_MINOR - 1, "quantity_milli": MAX_AMOUNT_MINOR,
              "unit": "km²", "category_id": category["id"], "project_id": null },
            { "name": "b", "amount_minor": 1, "quantity_milli": null, "unit": null,
              "category_id": null, "project_id": null },
        ],
    });
    let expenses = format!("{home}/expenses");
    let made = ada.make(&expenses, full.clone()).await;
    for expense in [&made, &ada.read(&at(&expenses, &made)).await, &ada.all(&expenses, "").await[0]]
    {
        for (name, value) in full.as_object().expect("an object") {
            assert_eq!(&expense[name], value, "{name}");
        }
    }
    app.stop().await;
}

#[each_database]
async fn lines_sum_to_their_expense(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let line = |amount: i64| json!({ "name": "x", "amount_minor": amount });
    let of = |lines: Vec<Value>| with(lunch(), "items", lines.into());
    for lines in [vec![line(1249)], vec![line(1250), line(1)], vec![line(MAX_AMOUNT_MINOR); 200]] {
        assert_eq!(ada.post(&expenses, of(lines)).await.expect_violations(), ["/items"]);
    }
    for (lines, at) in [
        (vec![line(1250), line(0)], "/items/1/amount_minor"),
        (vec![line(1250), line(-9_007_199_254_740_992)], "/items/1/amount_minor"),
        (vec![line(9_007_199_254_740_991), line(-9_007_199_254_740_991), line(1250)], "/items"),
        (vec![json!({ "name": " ", "amount_minor": 1250 })], "/items/0/name"),
        (vec![json!({ "name": "x", "amount_minor": 1250, "y": 1 })], "/items/0/y"),
        (vec![json!({ "name": "x" })], "/items/0/amount_minor"),
        (vec![line(1), json!(5)], "/items/1"),
    ] {
        assert_eq!(ada.post(&expenses, of(lines)).await.expect_violations(), [at]);
    }
    let discounted = ada.make(&expenses, of(vec![line(1500), line(-300), line(50)])).await;
    assert_eq!(discounted["items"][1]["amount_minor"], -300);
    assert_eq!(ada.read(&at(&expenses, &discounted)).await, discounted);
    let unknown = with(line(1250), "category_id", json!("0199aaaa-0000-7000-8000-000000000000"));
    let refused = ada.post(&expenses, of(vec![unknown])).await;
    assert_eq!(refused.expect_violations(), ["/items/0/category_id"]);
    let expense = ada.make(&expenses, of(vec![line(1000), line(250)])).await;
    let path = at(&expenses, &expense);
    let more = json!({ "version": 1, "amount_minor": 1251 });
    assert_eq!(ada.patch(&path, more).await.expect_violations(), ["/items"]);
    let both = json!({ "version": 1, "amount_minor": 7, "items": [line(3), line(4)] });
    let changed = ada.patch(&path, both).await.expect(200);
    assert_eq!(changed["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(ada.read(&path).await, changed);
    let none = json!({ "version": 2, "amount_minor": 5, "items": null });
    assert_eq!(ada.patch(&path, none).await.expect(200)["items"], json!([]));
    app.stop().await;
}

#[each_database]
async fn a_client_may_choose_the_id(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let (eve, elsewhere) = app.owner_of("household").await;
    let chosen = "0199AAAA-0000-4000-8000-000000000001";
    for (collection, new) in [
        ("expenses", lunch()),
        ("categories", json!({ "name": "a" })),
        (
            "budgets",
            json!({ "name": "a", "period": "week", "amount_minor": 1,
            "starts_on": "2026-01-01" }),
        ),
        ("members", json!({ "name": "a" })),
    ] {
        let path = format!("{home}/{collection}");
        let new = with(new, "id", json!(chosen));
        let made = ada.make(&path, new.clone()).await;
        assert_eq!(id(&made), chosen.to_lowercase());
        let again = with(new.clone(), "name", json!("b"));
        let again = if collection == "expenses" { new.clone() } else { again };
        let problem = ada.post(&path, again).await.expect_problem(409, "duplicate");
        assert_eq!(problem["violations"][0]["pointer"], "/id", "{collection}");
        assert_eq!(ada.read(&at(&path, &made)).await, made);
        eve.make(&format!("{elsewhere}/{collection}"), new).await;
    }
    app.stop().await;
}

/// An expense with something in every field, and its path.
async fn full(client: &Client, home: &str) -> (Value, String) {
    let category = client.make(&format!("{home}/categories"), json!({ "name": "c" })).await;
    let expense = json!({ "spent_on": "2026-11-01", "amount_minor": 10, "currency": "USD",
        "category_id": category["id"], "merchant": "Café", "payment_method": "card", "note": "n",
        "place": "here", "details": { "a": 1, "b": { "c": 2, "d": [3] } },
        "items": [{ "name": "x", "amount_minor": 10 }] });
    let expenses = format!("{home}/expenses");
    let expense = client.make(&expenses, expense).await;
    let path = at(&expenses, &expense);
    (expense, path)
}

#[each_database]
async fn null_clears_a_field_and_what_is_not_named_stays(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let (mut expected, path) = full(&ada, &home).await;
    for (version, (name, cleared)) in (1..).zip([
        ("merchant", Value::Null),
        ("payment_method", Value::Null),
        ("note", Value::Null),
        ("place", Value::Null),
        ("category_id", Value::Null),
        ("details", Value::Null),
        ("items", json!([])),
        ("kind", json!("purchase")),
    ]) {
        let changed = ada.patch(&path, json!({ "version": version, name: null })).await.expect(200);
        expected[name] = cleared;
        expected["version"] = json!(version + 1);
        expected["updated_at"] = changed["updated_at"].clone();
        expected["changed_by_member_id"] = expected["created_by_member_id"].clone();
        assert_eq!(changed, expected, "{name}");
    }
    for name in ["amount_minor", "spent_on", "currency", "member_id"] {
        let refused = ada.patch(&path, json!({ "version": 9, name: null })).await;
        assert_eq!(refused.expect_violations(), [format!("/{name}")]);
    }
    assert_eq!(ada.read(&path).await, expected);
    app.stop().await;
}

#[each_database]
async fn details_are_merged_deeply_and_lines_replaced_whole(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let (_, path) = full(&ada, &home).await;
    for (version, (patch, merged)) in (1..).zip([
        (json!({ "b": { "c": null } }), json!({ "a": 1, "b": { "d": [3] } })),
        (json!({ "b": { "d": [null] } }), json!({ "a": 1, "b": { "d": [null] } })),
        (json!({ "a": { "x": { "y": null } } }), json!({ "a": { "x": {} }, "b": { "d": [null] } })),
        (json!({ "a": null, "b": 5, "new": { "z": 1 } }), json!({ "b": 5, "new": { "z": 1 } })),
        (json!({}), json!({ "b": 5, "new": { "z": 1 } })),
    ]) {
        let change = json!({ "version": version, "details": patch });
        assert_eq!(ada.patch(&path, change).await.expect(200)["details"], merged);
    }
    let lines =
        json!([{ "name": "only", "amount_minor": 4 }, { "name": "two", "amount_minor": 6 }]);
    let change = json!({ "version": 6, "items": lines });
    let items = ada.patch(&path, change).await.expect(200)["items"].clone();
    assert_eq!((&items[0]["name"], &items[1]["amount_minor"]), (&json!("only"), &json!(6)));
    for bad in [json!(5), json!("x"), json!([1])] {
        let refused = ada.patch(&path, json!({ "version": 7, "details": bad })).await;
        assert_eq!(refused.expect_violations(), ["/details"]);
    }
    let unknown = json!({ "version": 7, "status": "approved", "id": "x", "note": "y" });
    assert_eq!(ada.patch(&path, unknown).await.expect_violations(), ["/id", "/status"]);
    for body in [json!([]), json!("x"), json!(null)] {
        ada.patch(&path, body).await.expect_violations();
    }
    assert_eq!(ada.read(&path).await["version"], 7);
    app.stop().await;
}

//! Many expenses at once: all or none.

use serde_json::{Value, json};
use tests::{App, Client, Database, each_database};

fn lunch(amount: Value) -> Value {
    json!({ "spent_on": "2026-11-01", "amount_minor": amount })
}

async fn count(client: &Client, home: &str) -> usize {
    client.all(&format!("{home}/expenses"), "?limit=500").await.len()
}

#[each_database]
async fn a_batch_comes_back_in_its_order_with_lines_and_chosen_ids(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let items: Vec<Value> = (1..=500_i64)
        .map(|number| match number % 3 {
            0 => json!({ "spent_on": "2026-11-01", "amount_minor": number,
                "id": format!("{:08x}-0000-7000-8000-000000000000", 1000 - number) }),
            1 => json!({ "spent_on": "2026-11-01", "amount_minor": number,
                "items": [{ "name": format!("line {number}"), "amount_minor": number }] }),
            _ => lunch(number.into()),
        })
        .collect();
    let batch = json!({ "items": items });
    let made = ada.make(&format!("{home}/expenses/batch"), batch).await;
    let made = made["items"].as_array().expect("items");
    assert_eq!(made.len(), 500);
    for (asked, made) in items.iter().zip(made) {
        assert_eq!(asked["amount_minor"], made["amount_minor"]);
        assert!(asked["id"].is_null() || asked["id"] == made["id"]);
        assert_eq!(asked["items"][0]["name"], made["items"][0]["name"]);
    }
    assert_eq!(count(&ada, &home).await, 500);
    app.stop().await;
}

#[each_database]
async fn a_batch_with_one_bad_item_writes_nothing_and_says_which(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let batch = format!("{home}/expenses/batch");
    let unknown = "0199aaaa-0000-7000-8000-000000000000";
    for (bad, at) in [
        (lunch(json!(0)), "/items/3/amount_minor"),
        (lunch(json!("5")), "/items/3/amount_minor"),
        (json!({ "amount_minor": 5 }), "/items/3/spent_on"),
        (
            json!({ "spent_on": "2026-11-01", "amount_minor": 5, "category_id": unknown }),
            "/items/3/category_id",
        ),
        (
            json!({ "spent_on": "2026-11-01", "amount_minor": 5, "member_id": unknown }),
            "/items/3/member_id",
        ),
        (
            json!({ "spent_on": "2026-11-01", "amount_minor": 5,
            "items": [{ "name": "x", "amount_minor": 5, "category_id": unknown }] }),
            "/items/3/items/0/category_id",
        ),
        (
            json!({ "spent_on": "2026-11-01", "amount_minor": 5,
            "items": [{ "name": "x", "amount_minor": 4 }] }),
            "/items/3/items",
        ),
        (json!({ "spent_on": "2026-11-01", "amount_minor": 5, "x": 1 }), "/items/3/x"),
        (json!(7), "/items/3"),
    ] {
        let items = [lunch(json!(1)), lunch(json!(2)), lunch(json!(3)), bad];
        let refused = ada.post(&batch, json!({ "items": items })).await;
        assert_eq!(refused.expect_violations(), [at]);
    }
    let two = json!({ "items": [lunch(json!(0)), lunch(json!(1)), lunch(json!(-1))] });
    let pointers = ada.post(&batch, two).await.expect_violations();
    assert_eq!(pointers, ["/items/0/amount_minor", "/items/2/amount_minor"]);
    assert_eq!(count(&ada, &home).await, 0);
    app.stop().await;
}

#[each_database]
async fn an_id_is_taken_once_in_a_batch_and_outside(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let batch = format!("{home}/expenses/batch");
    let chosen = json!({ "spent_on": "2026-11-01", "amount_minor": 5,
        "id": "0199aaaa-0000-7000-8000-000000000000" });
    let twice = json!({ "items": [lunch(json!(1)), chosen.clone(), chosen.clone()] });
    assert_eq!(ada.post(&batch, twice).await.expect_violations(), ["/items/2/id"]);
    ada.make(&format!("{home}/expenses"), chosen.clone()).await;
    let taken = json!({ "items": [lunch(json!(1)), chosen] });
    let problem = ada.post(&batch, taken).await.expect_problem(409, "duplicate");
    assert_eq!(problem["violations"][0]["pointer"], "/items/1/id");
    assert_eq!(count(&ada, &home).await, 1);
    app.stop().await;
}

#[each_database]
async fn a_batch_has_1_to_500_items(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let batch = format!("{home}/expenses/batch");
    for count in [0, 501] {
        let items = vec![lunch(json!(1)); count];
        let refused = ada.post(&batch, json!({ "items": items })).await;
        assert_eq!(refused.expect_violations(), ["/items"], "{count}");
    }
    for body in [json!({}), json!({ "items": {} }), json!({ "items": null })] {
        assert_eq!(ada.post(&batch, body).await.expect_violations(), ["/items"]);
    }
    assert_eq!(count(&ada, &home).await, 0);
    app.stop().await;
}

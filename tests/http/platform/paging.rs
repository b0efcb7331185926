//! Pages: every row that was there at the beginning comes exactly once, whatever is written
//! meanwhile.

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};
use tests::{App, Client, Database, each_database, for_all};

const SORTS: [&str; 8] = [
    "spent_on",
    "-spent_on",
    "amount_minor",
    "-amount_minor",
    "merchant",
    "-merchant",
    "created_at",
    "-created_at",
];

/// Few different values, so that many rows are equal in what they are sorted by.
fn expenses() -> impl Strategy<Value = Value> {
    let merchant = proptest::option::of(select(vec!["a", "B", "ä", "Z", "", " a", "\u{1f600}"]));
    (1..4_u32, 1..4_i64, merchant).prop_map(|(day, amount, merchant)| {
        json!({ "spent_on": format!("2026-11-{day:02}"), "amount_minor": amount,
            "merchant": merchant })
    })
}

/// Reads all pages, writes an expense after each, and gives the ids in their order.
async fn read_while_writing(
    client: &Client,
    expenses: &str,
    sort: &str,
    meanwhile: &[(usize, Value)],
) -> Vec<Value> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    for (limit, expense) in meanwhile.iter().cycle() {
        let page = client.read(&format!("{expenses}?sort={sort}&limit={limit}{cursor}")).await;
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= *limit && (items.len() == *limit || page["next_cursor"].is_null()));
        ids.extend(items.iter().map(|item| item["id"].clone()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
        // Rows written while pages are read could come for ever where the order is that of writing.
        if ids.len() < 100 {
            client.make(expenses, expense.clone()).await;
        }
    }
    ids
}

#[each_database(flavor = "multi_thread")]
async fn every_row_comes_once_whatever_is_written_meanwhile(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let rows = prop::collection::vec(expenses(), 1..25);
    let meanwhile = prop::collection::vec((1..8_usize, expenses()), 1..5);
    for_all(6, &(rows, meanwhile), async |(rows, meanwhile)| {
        let home = ada.found("household").await;
        let expenses = format!("{home}/expenses");
        ada.make(&format!("{expenses}/batch"), json!({ "items": rows })).await;
        for sort in SORTS {
            let query = format!("?sort={sort}&limit=500");
            let before = ada.read(&format!("{expenses}{query}")).await;
            let before = before["items"].as_array().expect("items");
            let before: Vec<_> = before.iter().map(|row| row["id"].clone()).collect();
            let mut paged = read_while_writing(&ada, &expenses, sort, &meanwhile).await;
            paged.retain(|id| before.contains(id));
            assert_eq!(paged, before, "{sort}");
        }
    });
    app.stop().await;
}

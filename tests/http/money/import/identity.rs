//! By what the rows of a file are known again.

use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database, id};

/// Created, duplicates, deleted before.
fn fates(report: &Value) -> [u64; 3] {
    ["created", "duplicates", "deleted_before"].map(|name| report[name].as_u64().expect("a count"))
}

async fn import(client: &Client, home: &str, query: &str, file: &str) -> [u64; 3] {
    let path = format!("{home}/expenses/import?date=Day&amount=Sum{query}");
    fates(&client.upload(&path, file).await.expect(200))
}

const SUBWAY: &str = "Day,Shop,Sum,Why,What\n2026-11-02,Subway,2.80,to work,Travel\n";

#[each_database]
async fn a_row_is_of_whom_it_is_imported_for(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let bob = ada.make(&format!("{home}/members"), json!({ "name": "Bob" })).await;
    let for_bob = format!("&merchant=Shop&member_id={}", id(&bob));
    let me = ada.member_in(&home).await;
    let for_ada = format!("&merchant=Shop&member_id={}", id(&me));
    assert_eq!(import(&ada, &home, "&merchant=Shop", SUBWAY).await, [1, 0, 0]);
    assert_eq!(import(&ada, &home, &for_bob, SUBWAY).await, [1, 0, 0], "another's spending");
    for query in ["&merchant=Shop", &for_ada, &for_bob] {
        assert_eq!(import(&ada, &home, query, SUBWAY).await, [0, 1, 0], "{query}");
    }
    let payers = ada.all(&format!("{home}/expenses"), "?sort=created_at").await;
    let payers: Vec<_> = payers.iter().map(|row| row["member_id"].clone()).collect();
    assert_eq!(payers, [me["id"].clone(), bob["id"].clone()]);
    app.stop().await;
}

#[each_database]
async fn a_row_is_of_the_account_that_it_comes_from(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let file = "Day,Sum,IBAN\n2026-11-02,2.80,DE02 1203 0000\n2026-11-02,2.80,CH93 0076\n";
    let column = "&account_column=IBAN";
    assert_eq!(import(&ada, &home, column, file).await, [2, 0, 0]);
    assert_eq!(import(&ada, &home, column, file).await, [0, 2, 0]);
    let one = "Day,Sum\n2026-11-02,2.80\n";
    assert_eq!(import(&ada, &home, "&account=de0212030000", one).await, [0, 1, 0]);
    assert_eq!(import(&ada, &home, "&account=AT61", one).await, [1, 0, 0]);
    assert_eq!(import(&ada, &home, "", one).await, [1, 0, 0], "of no account");
    app.stop().await;
}

#[each_database]
async fn a_column_more_or_less_brings_nothing_again(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let file = "Day,Shop,Sum,Why,What\n2026-11-02,Subway,2.80,to work,Travel\n\
        2026-11-02,Subway,2.80,home,Travel\n2026-11-02,Bakery,2.80,,Food\n";
    let all = "&merchant=Shop&note=Why&category=What&create_categories=true";
    assert_eq!(import(&ada, &home, "&merchant=Shop", file).await, [3, 0, 0]);
    for query in ["&merchant=Shop&note=Why", all, "&note=Why", "", "&merchant=Shop"] {
        assert_eq!(import(&ada, &home, query, file).await, [0, 3, 0], "{query}");
    }
    // What the other columns say is compared where both have them.
    let later = "Day,Shop,Sum,Why,What\n2026-11-02,Kiosk,2.80,,\n2026-11-02,Subway,2.80,,\n";
    assert_eq!(import(&ada, &home, "&merchant=Shop&note=Why", later).await, [1, 1, 0]);
    app.stop().await;
}

#[each_database]
async fn space_and_the_forms_of_unicode_do_not_matter(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let query = "&merchant=Shop&note=Why";
    let file = |shop: &str, why: &str| format!("Day,Shop,Sum,Why\n2026-11-02,{shop},2.80,{why}\n");
    assert_eq!(import(&ada, &home, query, &file("Caf\u{e9}", "to go")).await, [1, 0, 0]);
    for (shop, why) in [("Cafe\u{301}", "to go"), (" Caf\u{e9} ", "\u{a0}to go")] {
        assert_eq!(import(&ada, &home, query, &file(shop, why)).await, [0, 1, 0], "{shop:?}");
    }
    assert_eq!(import(&ada, &home, query, &file("Cafe", "to go")).await, [1, 0, 0]);
    app.stop().await;
}

#[each_database]
async fn what_was_deleted_stays_away_unless_it_is_to_be_restored(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let query = "&merchant=Shop";
    let file = format!("{SUBWAY}2026-11-03,Bakery,4.00,,\n");
    assert_eq!(import(&ada, &home, query, &file).await, [2, 0, 0]);
    let subway = ada.all(&expenses, "?q=subway").await.remove(0);
    ada.delete(&format!("{}?version=1", at(&expenses, &subway))).await.expect(204);
    for query in [query, "&merchant=Shop&dry_run=true", "&merchant=Shop&note=Why", ""] {
        assert_eq!(import(&ada, &home, query, &file).await, [0, 1, 1], "{query}");
    }
    assert_eq!(ada.all(&expenses, "").await.len(), 1);
    let tried = import(&ada, &home, "&merchant=Shop&restore=true&dry_run=true", &file).await;
    assert_eq!(tried, [1, 1, 0]);
    let restored = import(&ada, &home, "&merchant=Shop&note=Why&restore=true", &file).await;
    assert_eq!(restored, [1, 1, 0]);
    let again = ada.all(&expenses, "?q=subway").await;
    assert_eq!((again.len(), &again[0]["note"]), (1, &json!("to work")));
    assert_ne!(again[0]["id"], subway["id"]);
    for query in [query, "&merchant=Shop&note=Why", "&restore=true"] {
        assert_eq!(import(&ada, &home, query, &file).await, [0, 2, 0], "{query}");
    }
    app.stop().await;
}

/// In the background, too.
#[each_database]
async fn a_large_import_counts_what_was_deleted_and_keeps_its_order(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let rows: String = (0..400).map(|n| format!("2026-11-02,s{n},1\n")).collect();
    let path = format!("{expenses}/import?date=Day&amount=Sum&merchant=Shop&background=true");
    let file = format!("Day,Shop,Sum\n{rows}");
    let run = app.import(&ada, &path, file.clone()).await;
    assert_eq!(fates(&run), [400, 0, 0]);
    let shops = ada.all(&expenses, "?sort=created_at&limit=500").await;
    let in_order: Vec<_> = (0..400).map(|n| json!(format!("s{n}"))).collect();
    assert_eq!(shops.iter().map(|row| row["merchant"].clone()).collect::<Vec<_>>(), in_order);
    for gone in &shops[..3] {
        ada.delete(&format!("{}?version=1", at(&expenses, gone))).await.expect(204);
    }
    let more: String = (400..600).map(|n| format!("2026-11-02,s{n},1\n")).collect();
    let run = app.import(&ada, &path, format!("{file}{more}")).await;
    assert_eq!(fates(&run), [200, 397, 3]);
    let total = ["created", "duplicates", "deleted_before", "ignored", "failed"];
    let total: i64 = total.iter().filter_map(|name| run[*name].as_i64()).sum();
    assert_eq!(run["total"], total);
    app.stop().await;
}

//! What a client that was offline is told.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use serde_json::{Value, json};
use service::store;
use tests::{
    App, AppOptions, Client, Database, Replica, at, each_database, each_lasting_database, id,
};

fn lunch(amount: i64) -> Value {
    json!({ "spent_on": "2026-11-01", "amount_minor": amount })
}

/// The rows of the lists that a replica has all of.
async fn listed(client: &Client, home: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for collection in ["categories", "expenses", "members"] {
        rows.extend(client.all(&format!("{home}/{collection}"), "?limit=500").await);
    }
    rows.sort_by_key(|row| id(row).to_owned());
    rows
}

fn kept(replica: &Replica) -> Vec<Value> {
    let kinds = ["category", "expense", "member"];
    let mut rows: Vec<_> = kinds.iter().flat_map(|kind| replica.of(kind)).cloned().collect();
    rows.sort_by_key(|row| id(row).to_owned());
    rows
}

#[each_database]
async fn a_client_that_was_offline_for_a_week_catches_up(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let (expenses, categories) = (format!("{home}/expenses"), format!("{home}/categories"));
    let food = ada.make(&categories, json!({ "name": "Food" })).await;
    let gone = ada.make(&expenses, lunch(1)).await;
    let changed = ada.make(&expenses, lunch(2)).await;
    app.run_until_idle().await;
    let mut replica = Replica::default();
    replica.pull(&ada, &home, 2).await;
    assert_eq!(kept(&replica), listed(&ada, &home).await);
    assert!(replica.pull(&ada, &home, 2).await.is_empty(), "nothing has changed since");

    // A week passes.
    ada.delete(&format!("{}?version=1", at(&expenses, &gone))).await.expect(204);
    for version in 1..6 {
        let change = json!({ "note": format!("note {version}"), "version": version });
        ada.patch(&at(&expenses, &changed), change).await.expect(200);
    }
    let batch = json!({ "items": (3..30).map(lunch).collect::<Vec<_>>() });
    ada.post(&format!("{expenses}/batch"), batch).await.expect(201);
    ada.patch(&at(&categories, &food), json!({ "name": "Meals", "version": 1 })).await.expect(200);
    app.run_until_idle().await;
    let told = replica.pull(&ada, &home, 7).await;
    assert_eq!(told.len(), 30, "each row once: 27 new ones, two changed, one gone");
    assert_eq!(kept(&replica), listed(&ada, &home).await);
    let tombstone = told.iter().find(|item| item["id"] == gone["id"]).expect("it is told");
    assert_eq!(tombstone["deleted"], true);
    assert_eq!(tombstone["version"], 2);
    assert_eq!(tombstone["data"], Value::Null);
    app.stop().await;
}

#[each_database]
async fn a_cursor_that_is_used_again_gives_the_same_and_what_came_later(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let made = ada.make(&expenses, lunch(1)).await;
    app.run_until_idle().await;
    let first = ada.read(&format!("{home}/changes?limit=1")).await;
    assert_eq!(first["more"], true);
    let rest = format!("{home}/changes?since={}", first["cursor"].as_str().expect("a cursor"));
    let once = ada.get(&rest).await;
    assert_eq!(once.text, ada.get(&rest).await.text);
    ada.patch(&at(&expenses, &made), json!({ "note": "x", "version": 1 })).await.expect(200);
    // What has no position yet is not told, and hides nothing of what has.
    if app.store.engine() == store::Engine::Postgres {
        assert_eq!(once.text, ada.get(&rest).await.text);
    }
    app.run_until_idle().await;
    let later = ada.read(&rest).await;
    let versions = |page: &Value| {
        let items = page["items"].as_array().expect("items").iter();
        let own = items.filter(|item| item["id"] == made["id"]);
        own.map(|item| item["version"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(versions(&once.json), [json!(1)]);
    assert_eq!(versions(&later), [json!(2)]);
    assert_ne!(once.json["cursor"], later["cursor"]);
    app.stop().await;
}

#[each_database]
async fn a_cursor_that_no_answer_gave_is_refused(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let other = ada.found("household").await;
    app.run_until_idle().await;
    let changes = format!("{home}/changes");
    let page = ada.read(&changes).await;
    let cursor = page["cursor"].as_str().expect("a cursor").to_owned();
    let narrow = ada.read(&format!("{changes}?entities=expense,category")).await;
    let narrow = narrow["cursor"].as_str().expect("a cursor").to_owned();
    let theirs = ada.read(&format!("{other}/changes")).await;
    let theirs = theirs["cursor"].as_str().expect("a cursor").to_owned();
    ada.read(&format!("{changes}?since={narrow}&entities=category,expense,expense")).await;
    let half = &cursor[..cursor.len() / 2];
    for bad in ["", "x", half, &narrow, &theirs] {
        let refused = ada.get(&format!("{changes}?since={bad}")).await;
        assert_eq!(refused.expect_violations(), ["?since"], "{bad}");
    }
    for position in [-1, 0, 1, 3, i64::MIN, i64::MAX] {
        let made_up = json!({ "p": position, "c": "0123456789abcdef", "s": "owner" });
        let made_up = URL_SAFE_NO_PAD.encode(made_up.to_string());
        let refused = ada.get(&format!("{changes}?since={made_up}")).await;
        assert_eq!(refused.expect_violations(), ["?since"], "{position}");
    }
    for (query, pointer) in [
        ("entities=", "?entities"),
        ("entities=expense,nonsense", "?entities"),
        ("limit=0", "?limit"),
        ("limit=501", "?limit"),
        ("cursor=x", "?cursor"),
    ] {
        let refused = ada.get(&format!("{changes}?{query}")).await;
        assert_eq!(refused.expect_violations(), [pointer], "{query}");
    }
    app.stop().await;
}

#[each_database]
async fn one_is_told_what_ones_role_may_see_and_begins_anew_with_another(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let members = format!("{home}/members");
    ada.make(&members, json!({ "name": "Grace", "hourly_rate_minor": 5000 })).await;
    let viewer = ada.invite(&home, "viewer").await;
    app.run_until_idle().await;
    let mut seen = Replica::default();
    seen.pull(&viewer, &home, 50).await;
    assert!(seen.of("invitation").is_empty() && seen.of("user").is_empty());
    assert_eq!(seen.of("organization").len(), 1);
    let rates = |replica: &Replica| {
        let members = replica.of("member").into_iter();
        members.filter(|member| member["hourly_rate_minor"] == 5000).count()
    };
    assert_eq!((seen.of("member").len(), rates(&seen)), (3, 0));
    let named = viewer.read(&format!("{home}/changes?entities=invitation")).await;
    assert_eq!(named["items"], json!([]));

    let own = viewer.member_in(&home).await;
    let change = json!({ "role": "admin", "version": own["version"] });
    ada.patch(&at(&members, &own), change).await.expect(200);
    app.run_until_idle().await;
    let old = seen.cursor.clone().expect("a cursor");
    let refused = viewer.get(&format!("{home}/changes?since={old}")).await;
    assert_eq!(refused.expect_violations(), ["?since"]);
    let mut seen = Replica::default();
    seen.pull(&viewer, &home, 50).await;
    assert_eq!((seen.of("invitation").len(), rates(&seen)), (1, 1));
    app.stop().await;
}

#[each_database]
async fn changes_are_told_to_those_of_the_organization_alone(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let (eve, theirs) = app.owner_of("household").await;
    ada.make(&format!("{home}/expenses"), lunch(1)).await;
    app.run_until_idle().await;
    eve.get(&format!("{home}/changes")).await.expect_problem(404, "not_found");
    let mut seen = Replica::default();
    seen.pull(&eve, &theirs, 50).await;
    let kinds: Vec<_> = seen.rows.keys().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["member", "organization"], "her own, and nothing of ours");
    app.stop().await;
}

/// An answer looks at 5,000 events at most, so that what it takes does not grow with the log.
#[each_database]
async fn a_row_that_has_changed_thousands_of_times_comes_once(database: Database) {
    const IMPORTED: i64 = 6_000;
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let rows = (1..=IMPORTED).map(|amount| format!("2026-11-01,{amount}\n"));
    let csv = format!("date,amount\n{}", rows.collect::<String>());
    let path = format!("{home}/expenses/import?date=date&amount=amount");
    assert_eq!(app.import(&ada, &path, csv).await["created"], IMPORTED);
    let last = ada.make(&format!("{home}/categories"), json!({ "name": "Last" })).await;
    app.run_until_idle().await;
    let path = format!("{home}/changes?entities=category");
    let page = ada.read(&path).await;
    assert_eq!((&page["items"], &page["more"]), (&json!([]), &json!(true)), "no category yet");
    let cursor = page["cursor"].as_str().expect("a cursor");
    let page = ada.read(&format!("{path}&since={cursor}")).await;
    assert_eq!((&page["items"][0]["data"], &page["more"]), (&last, &json!(false)));
    let mut replica = Replica::default();
    // The expenses; the organization, its owner, the category, and the saga of the import.
    assert_eq!(replica.pull(&ada, &home, 500).await.len() as i64, IMPORTED + 4);
    app.stop().await;
}

/// Makes an expense and changes it again and again; every third goes in the end.
async fn write(ada: Client, expenses: String, writer: i64) {
    let mut made = ada.make(&expenses, lunch(writer + 1)).await;
    for number in 0..CHANGES {
        let change = json!({ "note": format!("note {number}"), "version": made["version"] });
        made = ada.patch(&at(&expenses, &made), change).await.expect(200);
    }
    if writer % 3 == 0 {
        let path = format!("{}?version={}", at(&expenses, &made), made["version"]);
        ada.delete(&path).await.expect(204);
    }
}

const WRITERS: i64 = 12;
const CHANGES: i64 = 15;

/// Positions come in order, so whoever reads on while others write misses nothing, and no state
/// comes twice.
#[each_lasting_database(flavor = "multi_thread")]
async fn a_client_that_reads_while_others_write_misses_nothing(database: Database) {
    let options = AppOptions { background: true, ..AppOptions::default() };
    let app = App::start_with(&database, options).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let writers = (0..WRITERS).map(|writer| write(ada.clone(), expenses.clone(), writer));
    let writers = tokio::spawn(join_all(writers));
    // By row: the version that came last, and the row, if it is there.
    let mut told = BTreeMap::<String, (i64, Value)>::new();
    let done = |told: &BTreeMap<String, (i64, Value)>| {
        let gone = WRITERS / 3;
        let ended = told.values().filter(|(version, _)| *version > CHANGES);
        ended.count() as i64 == WRITERS
            && told.values().filter(|(_, row)| row.is_null()).count() as i64 == gone
    };
    let (deadline, mut since) = (Instant::now() + Duration::from_secs(60), String::new());
    while !done(&told) {
        assert!(Instant::now() < deadline, "not all is told: {told:#?}");
        let path = format!("{home}/changes?entities=expense&limit=3{since}");
        let page = ada.read(&path).await;
        for item in page["items"].as_array().expect("items") {
            let version = item["version"].as_i64().expect("a version");
            let state = (version, item["data"].clone());
            let before = told.insert(id(item).to_owned(), state);
            let ascends = before.is_none_or(|(before, _)| before < version);
            assert!(ascends, "a state comes twice, or an old one late: {item}");
        }
        since = format!("&since={}", page["cursor"].as_str().expect("a cursor"));
    }
    writers.await.expect("all is written");
    let mut rows = ada.all(&expenses, "?limit=500").await;
    rows.sort_by_key(|row| id(row).to_owned());
    let kept = told.into_values().map(|(_, row)| row).filter(|row| !row.is_null());
    assert_eq!(kept.collect::<Vec<_>>(), rows);
    app.stop().await;
}

//! Indexes of collections: they are built of what is there while it is used, and what is read is in proportion to the
//! answer, however many documents there are.

use std::{
    env,
    time::{Duration, Instant},
};

use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use service::store::{Engine, Options};
use tests::{
    App, AppOptions, Client, Database, at, each_lasting_database,
    indexes::indexes_and_values,
    keyring,
    plan::plan,
    work::{Counter, Statements},
};

use super::query::{all_pages, collection, copy, ids, put, query};

/// How many documents there are where a request is to read few of them.
const MANY: u32 = 20_000;

/// How many there are whose paths change, unless `INDEX_DOCUMENTS` says it: `INDEX_DOCUMENTS=200000` takes minutes.
fn very_many() -> u32 {
    env::var("INDEX_DOCUMENTS").map_or(MANY, |number| number.parse().expect("a number"))
}

/// For how long a write may wait for the building of an index, on a machine that does much else.
const LONGEST_WRITE: Duration = Duration::from_secs(5);

/// How long the building of a large index may take in all, there.
const PATIENCE: Duration = Duration::from_secs(400);

/// A server whose statements are heard.
async fn heard_server(database: &Database) -> (App, Statements) {
    let heard = Statements::default();
    let observer = Some(heard.observer());
    let store = Options { keyring: keyring(), observer, ..Options::default() };
    (App::start_with(database, AppOptions { store, ..AppOptions::default() }).await, heard)
}

/// Declares indexes of the only collection.
async fn declare(client: &Client, home: &str, indexes: &[&str]) {
    let collections = format!("{home}/collections");
    let made = client.read(&collections).await["items"][0].clone();
    let change = json!({ "version": made["version"], "indexes": indexes });
    client.patch(&at(&collections, &made), change).await.expect(200);
}

/// Which index a query would read.
async fn used(client: &Client, collection: &str, request: &Value) -> Value {
    let explained = client.post(&format!("{collection}/explain"), request.clone()).await;
    explained.expect(200)["read"]["index"].clone()
}

/// What a request may cost that reads so many documents: instructions on SQLite, rows on PostgreSQL.
fn bound(engine: Engine, documents: u64) -> u64 {
    match engine {
        Engine::Sqlite => 20_000 + 400 * documents,
        Engine::Postgres => 400 + 10 * documents,
    }
}

#[each_lasting_database]
async fn what_is_read_is_in_proportion_to_the_answer(database: Database) {
    let (app, heard) = heard_server(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let notes = collection(&ada, &home, "notes", &[]).await;
    put(&ada, &notes, "0", json!({ "n": 0 })).await;
    copy(&app, MANY).await;
    declare(&ada, &home, &["/n", "/rare"]).await;
    // It is read when it has all documents, and what is written meanwhile is in it.
    ada.patch(&format!("{notes}/documents/0"), json!({ "version": 1, "body": { "n": -5 } })).await;
    heard.take();
    app.run_until_idle().await;
    values_are_found_by_their_documents(&app, &heard).await;
    let counter = Counter::connect(&database).await;
    let last = MANY - 10;
    for (request, found, visited) in [
        (json!({ "selector": { "n": 1234 } }), 1, 1),
        (json!({ "selector": { "n": -5 } }), 1, 1),
        (json!({ "selector": { "n": 0 } }), 0, 0),
        (json!({ "selector": { "n": { "$gt": last } } }), 10, 10),
        (json!({ "selector": { "n": { "$in": [7, 9, "x"] } } }), 2, 2),
        (json!({ "selector": { "rare": true } }), 50, 51),
        (json!({ "selector": { "rare": true }, "sort": [{ "n": "desc" }], "limit": 5 }), 5, 200),
        (json!({ "sort": ["n"], "limit": 3 }), 3, 4),
        (json!({ "sort": [{ "n": "desc" }], "limit": 3 }), 3, 4),
        (
            json!({ "selector": { "n": { "$lt": MANY } }, "sort": [{ "n": "desc" }], "limit": 3 }),
            3,
            4,
        ),
        (json!({ "limit": 3 }), 3, 4),
        (json!({ "selector": { "_id": { "$gte": "copy 9998" } } }), 2, 2),
    ] {
        heard.take();
        let page = query(&ada, &notes, request.clone()).await;
        assert_eq!((ids(&page).len(), &page["visited"]), (found, &json!(visited)), "{request}");
        let cost = counter.reads(heard.take()).await;
        assert!(cost <= bound(database.engine, visited), "{request} costs {cost}");
        // The next page costs no more.
        if page["next_cursor"].is_null() {
            continue;
        }
        let mut next = request.clone();
        next["cursor"] = page["next_cursor"].clone();
        query(&ada, &notes, next).await;
        let cost = counter.reads(heard.take()).await;
        assert!(cost <= bound(database.engine, visited), "after {request}: {cost}");
    }
    copy_events(&app).await;
    for (path, limit) in [
        ("documents?limit=50".to_owned(), 50),
        ("documents?limit=50&prefix=copy%201999".to_owned(), 50),
        ("changes?limit=50".to_owned(), 50),
        (format!("changes?limit=50&after={}", MANY / 2), 50),
    ] {
        heard.take();
        let page = ada.read(&format!("{notes}/{path}")).await;
        assert!(!ids(&page).is_empty() && ids(&page).len() <= limit, "{path}: {page}");
        let cost = counter.reads(heard.take()).await;
        assert!(cost <= bound(database.engine, 50), "{path} costs {cost}");
    }
    app.stop().await;
}

/// The rows of a document are found by it: by their index alone, each slice would read all that were built before.
async fn values_are_found_by_their_documents(app: &App, heard: &Statements) {
    let statements = heard.take();
    let look = |statement: &&Statement| {
        let sql = &statement.sql;
        sql.contains("FROM \"document_value\"") && sql.contains("\"document_id\" IN")
    };
    let look = statements.iter().find(look).expect("values are looked for").clone();
    assert!(look.sql.starts_with("SELECT"), "{}", look.sql);
    let plan = plan(&app.store, look).await;
    assert!(plan.contains("idx-document_value-document_id"), "{plan}");
}

/// Tells of each copy of a document what was told of the last event.
async fn copy_events(app: &App) {
    let id = match app.store.engine() {
        Engine::Sqlite => "randomblob(16)",
        Engine::Postgres => "gen_random_uuid()",
    };
    let copy = format!(
        "INSERT INTO event (organization_id, id, at, ordinal, kind, entity, entity_id, entity_version, effect, author,
            author_id, data, data_digest, position, previous_chain, chain, sealed, scope_id)
        SELECT e.organization_id, {id}, e.at, e.ordinal, e.kind, e.entity, d.id, e.entity_version, e.effect, e.author,
            e.author_id, e.data, e.data_digest, e.position + row_number() OVER (ORDER BY d.key), e.previous_chain,
            e.chain, e.sealed, e.scope_id
        FROM event e JOIN document d ON d.key LIKE 'copy %'
        WHERE e.position = (SELECT max(position) FROM event) AND e.entity = 'document'"
    );
    let copied = app.store.write(async move |tx| {
        tx.execute_unprepared(&copy).await?;
        let head = format!("UPDATE event_head SET position = position + {MANY}");
        tx.execute_unprepared(&head).await?;
        tx.execute_unprepared("ANALYZE").await?;
        Ok(())
    });
    copied.await.unwrap();
}

#[each_lasting_database]
async fn what_is_no_longer_declared_is_not_read_and_its_values_go(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let notes = collection(&ada, &home, "notes", &[]).await;
    put(&ada, &notes, "0", json!({ "n": 0 })).await;
    copy(&app, 3_000).await;
    declare(&ada, &home, &["/n", "/rare"]).await;
    app.run_until_idle().await;
    assert_eq!(indexes_and_values(&app.store).await, (2, 2 * 3_001));
    declare(&ada, &home, &["/rare"]).await;
    assert_eq!(used(&ada, &notes, &json!({ "selector": { "n": 1 } })).await, Value::Null);
    app.run_until_idle().await;
    assert_eq!(indexes_and_values(&app.store).await, (1, 3_001));
    app.stop().await;
}

/// What is written in one transaction has an end, whatever documents are like.
#[each_lasting_database]
async fn a_slice_is_shorter_where_documents_are_large(database: Database) {
    let (app, heard) = heard_server(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let (long, list) = ("x".repeat(300 << 10), (0..200).collect::<Vec<_>>());
    for (body, slices) in
        [(json!({ "n": 1 }), 1), (json!({ "n": 1, "text": long }), 2), (json!({ "n": list }), 2)]
    {
        let home = ada.found("household").await;
        let notes = collection(&ada, &home, "notes", &[]).await;
        for number in 0..25 {
            put(&ada, &notes, &format!("{number}"), body.clone()).await;
        }
        declare(&ada, &home, &["/n"]).await;
        heard.take();
        app.run_until_idle().await;
        let noted = |statement: &&Statement| {
            statement.sql.starts_with("UPDATE \"document_index\" SET \"state\"")
        };
        assert_eq!(heard.take().iter().filter(noted).count(), slices);
        let found = query(&ada, &notes, json!({ "selector": { "n": { "$gt": null } } })).await;
        assert_eq!((ids(&found).len(), &found["index"]), (25, &json!("/n")));
    }
    app.stop().await;
}

/// While an index of a large collection is built, queries are right, and say what they use; and nobody who writes waits
/// for long.
#[each_lasting_database(flavor = "multi_thread")]
async fn paths_change_while_a_large_collection_is_used(database: Database) {
    let app =
        App::start_with(&database, AppOptions { background: true, ..AppOptions::default() }).await;
    let (ada, home) = app.owner_of("household").await;
    let notes = collection(&ada, &home, "notes", &[]).await;
    put(&ada, &notes, "0", json!({ "n": 0 })).await;
    let documents = very_many();
    copy(&app, documents).await;
    // Before the others, and behind them.
    let own: Vec<_> =
        (0..300).map(|number| format!("{}{number}", ["a", "z"][number % 2])).collect();
    let items =
        own.iter().map(|id| json!({ "op": "create", "id": id, "body": { "n": documents } }));
    let bulk = json!({ "items": items.collect::<Vec<_>>(), "atomic": true });
    ada.post(&format!("{notes}/bulk"), bulk).await.expect(200);
    declare(&ada, &home, &["/n"]).await;
    // Some documents by their ids, or one by its number.
    let alike = (0..documents).filter(|number| number.to_string().starts_with("1234")).count();
    let one =
        json!({ "selector": { "_id": { "$gte": "copy 1234", "$lt": "copy 1235" }, "n": 12_345 } });
    let (mut written, mut partly) = (Vec::new(), 0);
    let (begun, mut longest) = (Instant::now(), Duration::ZERO);
    loop {
        let before = used(&ada, &notes, &one).await;
        let page = query(&ada, &notes, one.clone()).await;
        let after = used(&ada, &notes, &one).await;
        assert_eq!(ids(&page), ["copy 12345"]);
        if before == after {
            let visited = if before.is_null() { alike } else { 1 };
            assert_eq!((&page["index"], &page["visited"]), (&before, &json!(visited)));
        }
        if before == "/n" {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the index is not built");
        partly += 1;
        let Some(id) = own.get(written.len()).cloned() else { continue };
        let change = json!({ "version": 1, "body": { "n": -1 - written.len() as i64 } });
        let asked = Instant::now();
        ada.patch(&format!("{notes}/documents/{id}"), change).await.expect(200);
        longest = longest.max(asked.elapsed());
        written.push(id);
    }
    assert!(partly > 0, "it was built at once");
    assert!(longest < LONGEST_WRITE, "a write has waited for {longest:?}");
    let negative =
        json!({ "selector": { "n": { "$lt": 0 } }, "sort": [{ "n": "desc" }], "limit": 500 });
    assert_eq!(all_pages(&ada, &notes, negative).await, written);
    // The other way about: all values go, and as many come.
    declare(&ada, &home, &["/rare"]).await;
    let whole = (1, u64::from(documents) + 1 + own.len() as u64);
    let begun = Instant::now();
    while indexes_and_values(&app.store).await != whole {
        assert!(begun.elapsed() < PATIENCE, "the other index is not built");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let rare = json!({ "selector": { "rare": true }, "limit": 500 });
    assert_eq!(used(&ada, &notes, &rare).await, "/rare");
    assert_eq!(all_pages(&ada, &notes, rare).await.len() as u32, documents / 100);
    app.stop().await;
}

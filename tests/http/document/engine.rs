//! Documents that another store keeps: clients see no difference, and what is lost, away or wrong is told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use entity::{document, document_intent};
use reqwest::Method;
use sea_orm::{EntityTrait, PaginatorTrait, sea_query::Expr};
use serde_json::{Value, json};
use service::{
    clock::Clock,
    document::{
        engine::{
            CollectionId, Engine,
            couchdb::{CouchDb, TIMEOUT},
            memory::Memory,
        },
        remote::{CollectionReport, CopyError, Documents, Location, Side, copy},
    },
    store::Options,
};
use tests::{
    App, AppOptions, Client, Database, PouchDbServer, at, each_database, each_lasting_database,
    keyring, log::wait_until,
};

const JSON: &str = "application/json";

async fn start(database: &Database, engine: &Arc<dyn Engine>) -> App {
    start_with(database, engine, Options::default()).await
}

async fn start_with(database: &Database, engine: &Arc<dyn Engine>, options: Options) -> App {
    let remote = Some(Arc::new(Documents::new(engine.clone())) as _);
    let store = Options { keyring: keyring(), remote, ..options };
    App::start_with(database, AppOptions { store, ..AppOptions::default() }).await
}

fn memory() -> Arc<dyn Engine> {
    Arc::new(Memory::new())
}

fn couchdb(server: &PouchDbServer) -> Arc<dyn Engine> {
    Arc::new(CouchDb::new(&server.url("steward"), TIMEOUT).unwrap())
}

/// A collection of notes, with an index.
async fn notes(app: &App) -> (Client, String, String) {
    let (ada, home) = app.owner_of("household").await;
    let new = json!({ "name": "notes", "indexes": ["/n"] });
    ada.make(&format!("{home}/collections"), new).await;
    let notes = format!("{home}/collections/notes");
    (ada, home, notes)
}

async fn waiting(app: &App) -> u64 {
    document_intent::Entity::find().count(app.store.read()).await.unwrap()
}

/// How many bodies steward's own database has.
async fn own_bodies(app: &App) -> usize {
    let rows = document::Entity::find().all(app.store.read()).await.unwrap();
    rows.iter().filter(|row| !row.body.is_empty()).count()
}

async fn collection_id(app: &App) -> CollectionId {
    let row = document::Entity::find().one(app.store.read()).await.unwrap().unwrap();
    CollectionId { organization_id: row.organization_id, collection_id: row.collection_id }
}

fn bodies(page: &Value) -> Vec<Value> {
    page["items"].as_array().unwrap().iter().map(|item| item["body"].clone()).collect()
}

/// Settles what was written before each step, or leaves it on its way: a client sees the same.
async fn a_life(app: &App, engine: &Arc<dyn Engine>, settles: bool) {
    let settle = async || {
        if settles {
            app.run_until_idle().await;
            assert_eq!((waiting(app).await, own_bodies(app).await), (0, 0));
        }
    };
    let (ada, home, notes) = notes(app).await;
    let documents = format!("{notes}/documents");
    let exact = r#"{"z":1.00,"a":9007199254740993,"n":0}"#;
    let body = format!(r#"{{"id":"exact","body":{exact}}}"#);
    let made = ada.send_bytes(Method::POST, &documents, JSON, Some(body.into_bytes()), &[]).await;
    assert_eq!(made.status, 201, "{}", made.text);
    for n in 1..=7 {
        let new = json!({ "id": format!("d{n}"), "body": { "n": n, "even": n % 2 == 0 } });
        ada.make(&documents, new).await;
    }
    settle().await;
    let read = ada.get(&format!("{documents}/exact")).await;
    assert!(read.text.contains(exact), "{}", read.text);

    // A stale version has the document as it is.
    let d1 = format!("{documents}/d1");
    ada.patch(&d1, json!({ "version": 1, "body": { "n": 10 } })).await.expect(200);
    settle().await;
    let late = ada.patch(&d1, json!({ "version": 1, "body": { "n": 11 } })).await;
    let late = late.expect_problem(409, "version_conflict");
    assert_eq!(late["current"]["body"], json!({ "n": 10, "even": false }), "{late}");
    // The same body once more is a version all the same.
    ada.patch(&d1, json!({ "version": 2, "body": { "n": 10 } })).await.expect(200);
    settle().await;
    let d1_read = ada.read(&d1).await;
    assert_eq!((&d1_read["version"], &d1_read["body"]["n"]), (&json!(3), &json!(10)));

    // Lists, page by page.
    let page = ada.read(&format!("{documents}?limit=3&prefix=d")).await;
    assert_eq!(bodies(&page)[1], json!({ "n": 2, "even": true }));
    let next = page["next_cursor"].as_str().unwrap().to_owned();
    let page = ada.read(&format!("{documents}?limit=3&prefix=d&cursor={next}")).await;
    assert_eq!(bodies(&page)[0]["n"], 4);

    // Queries, by an index and by reading all.
    for (selector, found) in
        [(json!({ "n": { "$gte": 6 } }), vec![6, 7, 10]), (json!({ "even": true }), vec![2, 4, 6])]
    {
        let query = json!({ "selector": selector, "sort": ["n"] });
        let answer = ada.post(&format!("{notes}/query"), query).await.expect(200);
        let numbers: Vec<_> =
            bodies(&answer).iter().map(|body| body["n"].as_i64().unwrap()).collect();
        assert_eq!(numbers, found, "{answer}");
    }
    let sums = json!({ "measures": { "sum": { "sum": "n" } } });
    let sums = ada.post(&format!("{notes}/aggregate"), sums).await.expect(200);
    assert_eq!(sums["items"][0]["sum"], 37, "{sums}");

    // History, as_of and revert.
    app.run_until_idle().await;
    let history = ada.read(&format!("{d1}/history")).await;
    assert_eq!(history["items"].as_array().unwrap().len(), 3);
    let at = history["items"][2]["data"]["updated_at"].as_str().unwrap().to_owned();
    assert_eq!(ada.read(&format!("{d1}?as_of={at}")).await["body"]["n"], 1);
    let back = json!({ "version": 3, "to_version": 1 });
    let back = ada.post(&format!("{d1}/revert"), back).await.expect(200);
    assert_eq!((&back["version"], &back["body"]["n"]), (&json!(4), &json!(1)));
    settle().await;

    // Many at once, each by itself, or all or none.
    let items = json!([
        { "op": "update", "id": "d2", "version": 1, "body": { "n": 20 } },
        { "op": "replace", "id": "d3", "version": 7, "body": { "n": 30 } },
        { "op": "delete", "id": "d4", "version": 1 },
        { "op": "create", "id": "d8", "body": { "n": 8 } },
    ]);
    let bulk = format!("{notes}/bulk");
    let answer = ada.post(&bulk, json!({ "items": items.clone() })).await.expect(200);
    let results = answer["results"].as_array().unwrap();
    let statuses: Vec<_> = results.iter().map(|it| it["status"].clone()).collect();
    assert_eq!(statuses, ["applied", "conflict", "applied", "applied"], "{answer}");
    assert_eq!(results[0]["data"]["body"], json!({ "n": 20, "even": true }));
    assert_eq!(results[1]["current"]["body"], json!({ "n": 3, "even": false }));
    settle().await;
    let all = json!([
        { "op": "update", "id": "d5", "version": 1, "body": { "n": 50 } },
        { "op": "update", "id": "d6", "version": 9, "body": { "n": 60 } },
    ]);
    let refused = ada.post(&bulk, json!({ "items": all, "atomic": true })).await;
    refused.expect_problem(409, "version_conflict");
    assert_eq!(ada.read(&format!("{documents}/d5")).await["body"]["n"], 5);
    ada.get(&format!("{documents}/d4")).await.expect_problem(404, "not_found");
    // What was deleted counts on.
    let again = ada.make(&documents, json!({ "id": "d4", "body": { "n": 40 } })).await;
    assert_eq!(again["version"], 3);

    // The log has each write once, in order and without gaps.
    app.run_until_idle().await;
    assert_eq!((waiting(app).await, own_bodies(app).await), (0, 0));
    let mut events = ada.all(&format!("{home}/events"), "").await;
    events.retain(|event| event["entity"] == "document");
    events.sort_by_key(|event| event["position"].as_i64());
    let of = |id: &str| -> Vec<i64> {
        let those = events.iter().filter(|event| event["data"]["id"] == id);
        those.map(|event| event["version"].as_i64().unwrap()).collect()
    };
    assert_eq!((of("d1"), of("d4"), of("d8")), (vec![1, 2, 3, 4], vec![1, 2, 3], vec![1]));
    let changes = ada.read(&format!("{notes}/changes?limit=500")).await;
    assert_eq!(changes["items"].as_array().unwrap().len(), 9);

    // The engine has what a client sees.
    let kept = engine.scan(collection_id(app).await, None, 100).await.unwrap();
    assert_eq!(kept.documents.len(), 9);
    for stored in kept.documents {
        let read = ada.read(&format!("{documents}/{}", stored.key)).await;
        assert_eq!(json!(stored.version), read["version"], "{}", stored.key);
        assert_eq!(serde_json::from_str::<Value>(&stored.body.unwrap()).unwrap(), read["body"]);
    }
}

#[each_database]
async fn a_client_sees_no_difference_while_writes_are_on_their_way(database: Database) {
    let engine = memory();
    let app = start(&database, &engine).await;
    a_life(&app, &engine, false).await;
    app.stop().await;
}

#[each_database]
async fn a_client_sees_no_difference_with_memory(database: Database) {
    let engine = memory();
    let app = start(&database, &engine).await;
    a_life(&app, &engine, true).await;
    app.stop().await;
}

#[each_database(flavor = "multi_thread")]
async fn a_client_sees_no_difference_with_couchdb(database: Database) {
    let Some(server) = PouchDbServer::start().await else { return };
    let engine = couchdb(&server);
    let app = start(&database, &engine).await;
    a_life(&app, &engine, true).await;
    app.stop().await;
}

#[each_database]
async fn offline_clients_write_many_documents_that_are_elsewhere(database: Database) {
    let engine = memory();
    let app = start(&database, &engine).await;
    let (ada, home, notes) = notes(&app).await;
    let create = |n: usize| json!({ "op": "create", "id": format!("d{n:03}"), "body": { "n": n } });
    let items: Vec<_> = (0..150).map(create).collect();
    ada.post(&format!("{notes}/bulk"), json!({ "items": items })).await.expect(200);
    app.run_until_idle().await;
    assert_eq!(own_bodies(&app).await, 0);
    // By steward's own sync.
    let known = ada.read(&format!("{home}/changes?entities=document&limit=500")).await;
    let edit = |item: &Value| {
        let data = json!({ "body": { "synced": true } });
        json!({ "entity": "document", "op": "update", "id": item["id"], "version": 1, "data": data })
    };
    let changes: Vec<_> = known["items"].as_array().unwrap().iter().take(90).map(edit).collect();
    let report = ada.post(&format!("{home}/sync"), json!({ "changes": changes })).await.expect(200);
    let results = report["results"].as_array().unwrap();
    assert!(results.iter().all(|result| result["status"] == "applied"), "{report}");
    app.run_until_idle().await;
    // By CouchDB's protocol.
    let organization = home.rsplit('/').next().unwrap();
    let couch = format!("/couch/{organization}~notes");
    let all = ada.read(&format!("{couch}/_all_docs?include_docs=true")).await;
    let rows = all["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[149]["doc"]["n"]), (150, &json!(149)));
    let docs: Vec<_> = rows
        .iter()
        .map(|row| {
            let mut doc = row["doc"].clone();
            doc["couch"] = json!(1);
            doc
        })
        .collect();
    let saved = ada.post(&format!("{couch}/_bulk_docs"), json!({ "docs": docs })).await.expect(201);
    assert!(saved.as_array().unwrap().iter().all(|saved| saved["ok"] == true), "{saved}");
    app.run_until_idle().await;
    assert_eq!((waiting(&app).await, own_bodies(&app).await), (0, 0));
    let query = json!({ "selector": { "couch": 1, "synced": true }, "limit": 500 });
    let found = ada.post(&format!("{notes}/query"), query).await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 90);
    // A schema is checked against what is there, and an index is built of it.
    let collections = format!("{home}/collections");
    let collection = ada.read(&collections).await["items"][0].clone();
    let schema = json!({ "properties": { "n": { "maximum": 148 } } });
    let check = json!({ "schema": schema });
    let checked = ada.post(&format!("{notes}/check-schema"), check).await.expect(200);
    assert_eq!(checked["invalid"][0]["id"], "d149", "{checked}");
    let change = json!({ "version": collection["version"], "indexes": ["/n", "/couch"] });
    ada.patch(&at(&collections, &collection), change).await.expect(200);
    app.run_until_idle().await;
    let query = json!({ "selector": { "couch": 1 }, "limit": 500 });
    let found = ada.post(&format!("{notes}/query"), query).await.expect(200);
    assert_eq!(
        (&found["index"], found["items"].as_array().unwrap().len()),
        (&json!("/couch"), 150)
    );
    // An organization that is deleted leaves nothing.
    let id = collection_id(&app).await;
    let version = ada.read(&home).await["version"].clone();
    ada.delete(&format!("{home}?version={version}")).await.expect(204);
    app.run_until_idle().await;
    assert!(engine.scan(id, None, 10).await.unwrap().documents.is_empty());
    app.stop().await;
}

#[each_database(flavor = "multi_thread")]
async fn what_is_written_is_with_couchdb_before_long(database: Database) {
    let Some(server) = PouchDbServer::start().await else { return };
    let engine = couchdb(&server);
    let remote = Some(Arc::new(Documents::new(engine.clone())) as _);
    let store = Options { keyring: keyring(), remote, ..Options::default() };
    let options = AppOptions { store, background: true, ..AppOptions::default() };
    let app = App::start_with(&database, options).await;
    let (ada, _, notes) = notes(&app).await;
    ada.make(&format!("{notes}/documents"), json!({ "id": "a", "body": { "n": 1 } })).await;
    wait_until("nothing waits", async || waiting(&app).await == 0).await;
    assert_eq!(own_bodies(&app).await, 0);
    let stored = engine.get(collection_id(&app).await, "a").await.unwrap().unwrap();
    assert_eq!((stored.version, stored.body.as_deref()), (1, Some(r#"{"n":1}"#)));
    app.stop().await;
}

#[each_database(flavor = "multi_thread")]
async fn while_couchdb_is_away_writes_wait_and_reads_are_unavailable(database: Database) {
    let Some(mut server) = PouchDbServer::start().await else { return };
    let engine = Arc::new(CouchDb::new(&server.url("steward"), Duration::from_secs(2)).unwrap());
    let engine: Arc<dyn Engine> = engine;
    let passed = Arc::new(AtomicI64::new(0));
    let start = "2026-11-24T12:00:00Z".parse().unwrap();
    let clock = Clock::by_hand(start, passed.clone());
    let app = start_with(&database, &engine, Options { clock, ..Options::default() }).await;
    let (ada, _, notes) = notes(&app).await;
    let documents = format!("{notes}/documents");
    ada.make(&documents, json!({ "id": "a", "body": { "n": 1 } })).await;
    app.run_until_idle().await;
    server.kill();
    let gone = |answer: tests::Answer| {
        let text = answer.text.clone();
        answer.expect_problem(503, "unavailable");
        assert!(!text.contains("couchdb://") && !text.contains("127.0.0.1"), "{text}");
    };
    gone(ada.get(&format!("{documents}/a")).await);
    gone(ada.get(&documents).await);
    gone(ada.patch(&format!("{documents}/a"), json!({ "version": 1, "body": {} })).await);
    gone(ada.post(&format!("{notes}/query"), json!({})).await);
    // What needs nothing of the engine is written and read.
    let made = ada.make(&documents, json!({ "id": "b", "body": { "n": 2 } })).await;
    app.run_until_idle().await;
    assert_eq!(ada.read(&format!("{documents}/b")).await, made);
    assert_eq!(waiting(&app).await, 1);
    // Not for ever.
    passed.fetch_add(61_000_000, Ordering::SeqCst);
    let refused = ada.post(&documents, json!({ "id": "c", "body": {} })).await;
    refused.expect_problem(503, "documents_unavailable");
    let items = json!([{ "op": "create", "id": "c", "body": {} }]);
    let refused = ada.post(&format!("{notes}/bulk"), json!({ "items": items })).await;
    refused.expect_problem(503, "documents_unavailable");
    assert_eq!(ada.read(&format!("{documents}/b")).await, made);
    app.stop().await;
}

#[each_database(flavor = "multi_thread")]
async fn credentials_that_are_refused_are_told_to_the_operator(database: Database) {
    let Some(server) = PouchDbServer::start_with_password("ada", "right").await else { return };
    let with = |password: &str| -> Arc<dyn Engine> {
        let address = format!("couchdb://ada:{password}@");
        let url = server.url("steward").replace("couchdb://", &address);
        Arc::new(CouchDb::new(&url, TIMEOUT).unwrap())
    };
    let app = start(&database, &with("s3cr3t")).await;
    let (ada, _, notes) = notes(&app).await;
    let documents = format!("{notes}/documents");
    ada.make(&documents, json!({ "id": "a", "body": { "n": 1 } })).await;
    app.run_until_idle().await;
    let intent = document_intent::Entity::find().one(app.store.read()).await.unwrap().unwrap();
    assert_eq!(intent.failure.as_deref(), Some("documents_credentials_refused"));
    assert_eq!(ada.read(&format!("{documents}/a")).await["body"]["n"], 1);
    app.stop().await;
}

#[each_lasting_database]
async fn what_memory_has_lost_the_log_still_has(database: Database) {
    let app = start(&database, &memory()).await;
    let (ada, _, notes) = notes(&app).await;
    let documents = format!("{notes}/documents");
    let made = ada.make(&documents, json!({ "id": "a", "body": { "n": 1 } })).await;
    app.run_until_idle().await;
    assert_eq!(own_bodies(&app).await, 0);
    app.stop().await;
    let app = start(&database, &memory()).await;
    let ada = ada.at(&app.base);
    assert_eq!(ada.read(&format!("{documents}/a")).await, made);
    let patch = json!({ "version": 1, "body": { "m": 2 } });
    let patched = ada.patch(&format!("{documents}/a"), patch).await.expect(200);
    assert_eq!(patched["body"], json!({ "n": 1, "m": 2 }));
    app.stop().await;
}

#[each_lasting_database]
async fn without_the_store_of_documents_they_are_not_shown_as_empty(database: Database) {
    let app = start(&database, &memory()).await;
    let (ada, _, notes) = notes(&app).await;
    let documents = format!("{notes}/documents");
    ada.make(&documents, json!({ "id": "a", "body": { "n": 1 } })).await;
    app.run_until_idle().await;
    app.stop().await;
    let app = App::start(&database).await;
    let ada = ada.at(&app.base);
    for answer in [
        ada.get(&format!("{documents}/a")).await,
        ada.get(&documents).await,
        ada.post(&format!("{notes}/query"), json!({})).await,
        ada.patch(&format!("{documents}/a"), json!({ "version": 1, "body": {} })).await,
    ] {
        answer.expect_problem(503, "documents_elsewhere");
    }
    app.stop().await;
}

#[each_lasting_database(flavor = "multi_thread")]
async fn documents_go_to_couchdb_and_come_back_as_they_were(database: Database) {
    let Some(server) = PouchDbServer::start().await else { return };
    let engine = couchdb(&server);
    // Where they begin: in steward's own database.
    let app = App::start(&database).await;
    let (ada, home, notes) = notes(&app).await;
    let documents = format!("{notes}/documents");
    let text = |n: usize| json!({ "n": n, "text": "ä\u{1f469}".repeat(n) });
    for n in 0..120 {
        ada.make(&documents, json!({ "id": format!("d/{n}"), "body": text(n) })).await;
    }
    ada.make(&format!("{home}/collections"), json!({ "name": "empty" })).await;
    let seventh = format!("{documents}/d%2F7");
    ada.patch(&seventh, json!({ "version": 1, "body": { "n": 70 } })).await.expect(200);
    let before = ada.read(&format!("{documents}?limit=500")).await;
    let rows = Side::Rows(app.store.clone());
    let there = Side::Engine(engine.clone());
    let reports = copy(&app.store, (&rows, &there), false, |_| {}).await.unwrap();
    assert!(reports.iter().all(CollectionReport::is_whole));
    assert_eq!(reports.iter().map(|report| report.to.count).sum::<u64>(), 120);
    // A target that has something is refused; to go on is to have the same.
    let refused = copy(&app.store, (&rows, &there), false, |_| {}).await.unwrap_err();
    assert!(matches!(refused, CopyError::NotEmpty { .. }), "{refused}");
    let again = copy(&app.store, (&rows, &there), true, |_| {}).await.unwrap();
    let digests = |reports: &[CollectionReport]| {
        reports.iter().map(|report| report.to.clone()).collect::<Vec<_>>()
    };
    assert_eq!(digests(&again), digests(&reports));
    app.stop().await;
    // Another database with the same rows, whose bodies are all in CouchDB.
    let other = database.copy().await;
    let app = start(&other, &engine).await;
    let emptied = app.store.write(async |tx| {
        let all = document::Entity::update_many();
        all.col_expr(document::Column::Body, Expr::val("")).exec(tx).await?;
        Ok(())
    });
    emptied.await.unwrap();
    let ada = ada.at(&app.base);
    assert_eq!(ada.read(&format!("{documents}?limit=500")).await, before);
    let rows = Side::Rows(app.store.clone());
    let back = copy(&app.store, (&there, &rows), false, |_| {}).await.unwrap();
    assert!(back.iter().all(CollectionReport::is_whole));
    assert_eq!(digests(&back), digests(&reports));
    assert_eq!(own_bodies(&app).await, 120);
    // What differs is found.
    let id = collection_id(&app).await;
    let mut one = engine.get(id, "d/3").await.unwrap().unwrap();
    one.version += 1;
    engine.restore(id, &one).await.unwrap();
    assert!(copy(&app.store, (&there, &rows), true, |_| {}).await.is_err());
    app.stop().await;
    let app = App::start(&other).await;
    assert_eq!(ada.at(&app.base).read(&format!("{documents}?limit=500")).await, before);
    app.stop().await;
    other.remove().await;
}

#[test]
fn a_location_shows_no_secrets() {
    let location: Location = "couchdb://ada:s3cr3t@db/steward".parse().unwrap();
    let options = Options { remote: location.remote(), ..Options::default() };
    assert!(!format!("{location:?} {options:?}").contains("s3cr3t"));
}

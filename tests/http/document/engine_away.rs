//! Documents that another store keeps: what is lost, away or wrong is told, and they go there and come back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use entity::{document, document_intent};
use sea_orm::{EntityTrait, sea_query::Expr};
use serde_json::json;
use service::{
    clock::Clock,
    document::{
        engine::{
            Engine,
            couchdb::{CouchDb, TIMEOUT},
        },
        remote::{CollectionReport, CopyError, Documents, Location, Side, copy},
    },
    store::Options,
};
use tests::{
    App, AppOptions, Database, PouchDbServer, each_database, each_lasting_database, keyring,
    log::wait_until,
};

use super::engine::{
    collection_id, couchdb, memory, notes, own_bodies, start, start_with, waiting,
};

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

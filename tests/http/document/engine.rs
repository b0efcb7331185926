//! Documents that another store keeps: clients see no difference.

use std::sync::Arc;

use entity::{document, document_intent};
use reqwest::Method;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use service::{
    document::{
        engine::{
            CollectionId, Engine,
            couchdb::{CouchDb, TIMEOUT},
            memory::Memory,
        },
        remote::Documents,
    },
    store::Options,
};
use tests::{App, AppOptions, Client, Database, PouchDbServer, at, each_database, keyring};

const JSON: &str = "application/json";

pub(super) async fn start(database: &Database, engine: &Arc<dyn Engine>) -> App {
    start_with(database, engine, Options::default()).await
}

pub(super) async fn start_with(
    database: &Database,
    engine: &Arc<dyn Engine>,
    options: Options,
) -> App {
    let remote = Some(Arc::new(Documents::new(engine.clone())) as _);
    let store = Options { keyring: keyring(), remote, ..options };
    App::start_with(database, AppOptions { store, ..AppOptions::default() }).await
}

pub(super) fn memory() -> Arc<dyn Engine> {
    Arc::new(Memory::new())
}

pub(super) fn couchdb(server: &PouchDbServer) -> Arc<dyn Engine> {
    Arc::new(CouchDb::new(&server.url("steward"), TIMEOUT).unwrap())
}

/// A collection of notes, with an index.
pub(super) async fn notes(app: &App) -> (Client, String, String) {
    let (ada, home) = app.owner_of("household").await;
    let new = json!({ "name": "notes", "indexes": ["/n"] });
    ada.make(&format!("{home}/collections"), new).await;
    let notes = format!("{home}/collections/notes");
    (ada, home, notes)
}

pub(super) async fn waiting(app: &App) -> u64 {
    document_intent::Entity::find().count(app.store.read()).await.unwrap()
}

/// How many bodies steward's own database has.
pub(super) async fn own_bodies(app: &App) -> usize {
    let rows = document::Entity::find().all(app.store.read()).await.unwrap();
    rows.iter().filter(|row| !row.body.is_empty()).count()
}

pub(super) async fn collection_id(app: &App) -> CollectionId {
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

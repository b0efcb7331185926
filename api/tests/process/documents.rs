//! Documents in another store, while the process ends at every place of a write; and what the command line says of
//! them.

use std::sync::Arc;

use serde_json::{Value, json};
use service::document::engine::{
    CollectionId, Engine,
    couchdb::{CouchDb, TIMEOUT},
};
use tests::{Client, Database, PouchDbServer, each_lasting_database, id};

use crate::{
    offboarding::until,
    support::{Process, steward},
};

/// Every place of a write, and whether it is done if the process ends there.
const PLACES: &[(&str, bool)] = &[
    ("document.intent", false),
    ("document.intended", true),
    ("document.written", true),
    ("document.confirmed", true),
];

struct Story {
    database: Database,
    url: String,
    ada: Client,
    home: String,
    collection: CollectionId,
}

impl Story {
    async fn begin(database: &Database, url: String) -> Self {
        let process = Process::start(database);
        let ada = Client::new(&process.base).sign_up("Ada").await;
        let home = ada.found("household").await;
        let made = ada.make(&format!("{home}/collections"), json!({ "name": "notes" })).await;
        let organization_id = home.rsplit('/').next().expect("an id").parse().expect("a UUID");
        let collection_id = id(&made).parse().expect("a UUID");
        let collection = CollectionId { organization_id, collection_id };
        Self { database: database.clone(), url, ada, home, collection }
    }

    fn process(&self, place: Option<&str>) -> Process {
        let mut variables = vec![("STEWARD_DOCUMENTS_URL", &*self.url)];
        variables.extend(place.map(|place| ("STEWARD_CRASH_AT", place)));
        Process::start_with(&self.database, &[], &variables)
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/collections/notes/{rest}", self.home)
    }

    /// Waits until the store of documents has a version of a document.
    async fn settle(&self, engine: &Arc<dyn Engine>, key: &str, version: i64) -> Option<String> {
        until("what was written", async || {
            let stored = engine.get(self.collection, key).await.expect("an answer");
            stored.filter(|stored| stored.version == version).map(|stored| stored.body)
        })
        .await
    }

    /// The versions that the log has of a document.
    async fn versions(&self, ada: &Client, key: &str) -> Vec<i64> {
        let history = ada.read(&self.path(&format!("documents/{key}/history"))).await;
        let events = history["items"].as_array().expect("a page");
        events.iter().map(|event| event["version"].as_i64().expect("a version")).rev().collect()
    }
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_write_is_there_once_or_not_at_all_wherever_the_process_ends(database: Database) {
    let Some(server) = PouchDbServer::start().await else { return };
    let story = Story::begin(&database, server.url("steward")).await;
    let couchdb = CouchDb::new(&story.url, TIMEOUT).expect("a URL");
    let engine: Arc<dyn Engine> = Arc::new(couchdb);
    for (number, (place, done)) in PLACES.iter().enumerate() {
        let key = format!("k{number}");
        let documents = story.path("documents");
        let new = json!({ "id": key, "body": { "n": 1 } });
        let path = format!("{documents}/{key}");

        // A document is made.
        let mut process = story.process(Some(place));
        story.ada.at(&process.base).try_post(&documents, new.clone()).await;
        until(place, async || process.ended()).await;
        let process = story.process(None);
        let ada = story.ada.at(&process.base);
        if !done {
            ada.get(&path).await.expect_problem(404, "not_found");
            let kept = engine.get(story.collection, &key).await.expect("an answer");
            assert_eq!(kept, None, "{place}");
            ada.make(&documents, new).await;
        }
        assert_eq!(ada.read(&path).await["body"], json!({ "n": 1 }), "{place}");
        story.settle(&engine, &key, 1).await;
        assert_eq!(ada.read(&path).await["body"], json!({ "n": 1 }), "{place}");
        assert_eq!(story.versions(&ada, &key).await, [1], "{place}");
        drop(process);

        // It is changed, together with another one.
        let mut process = story.process(Some(place));
        let items = json!([
            { "op": "update", "id": key, "version": 1, "body": { "n": 2 } },
            { "op": "create", "id": format!("{key}-other"), "body": {} },
        ]);
        let bulk = json!({ "items": items, "atomic": true });
        story.ada.at(&process.base).try_post(&story.path("bulk"), bulk.clone()).await;
        until(place, async || process.ended()).await;
        let process = story.process(None);
        let ada = story.ada.at(&process.base);
        if !done {
            assert_eq!(ada.read(&path).await["version"], 1, "{place}");
            ada.post(&story.path("bulk"), bulk).await.expect(200);
        }
        let kept = story.settle(&engine, &key, 2).await;
        assert_eq!(kept.as_deref(), Some(r#"{"n":2}"#), "{place}");
        assert_eq!(ada.read(&path).await["body"], json!({ "n": 2 }), "{place}");
        assert_eq!(story.versions(&ada, &key).await, [1, 2], "{place}");
        ada.read(&format!("{path}-other")).await;
        drop(process);

        // It is removed.
        let mut process = story.process(Some(place));
        let items = json!([{ "op": "delete", "id": key, "version": 2 }]);
        let bulk = json!({ "items": items });
        story.ada.at(&process.base).try_post(&story.path("bulk"), bulk.clone()).await;
        until(place, async || process.ended()).await;
        let process = story.process(None);
        let ada = story.ada.at(&process.base);
        if !done {
            ada.post(&story.path("bulk"), bulk).await.expect(200);
        }
        assert_eq!(story.settle(&engine, &key, 3).await, None, "{place}");
        ada.get(&path).await.expect_problem(404, "not_found");
        assert_eq!(story.versions(&ada, &key).await, [1, 2, 3], "{place}");
    }
    // All of it is confirmed in the end, and is the same on both sides.
    let _process = story.process(None);
    until("the last confirmation", async || {
        let copy = ["documents", "copy", "--from", &*story.url, "--to", "memory:"];
        let (code, text) = run(&database, &copy);
        assert!(code == Some(0) || text.contains("are on their way"), "{text}");
        (code == Some(0)).then_some(())
    })
    .await;
}

fn run(database: &Database, arguments: &[&str]) -> (Option<i32>, String) {
    let output = steward(database).args(arguments).output().expect("steward runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).expect("text"))
}

#[each_lasting_database(flavor = "multi_thread")]
async fn documents_are_copied_by_the_command_line(database: Database) {
    let Some(server) = PouchDbServer::start().await else { return };
    let story = Story::begin(&database, server.url("steward")).await;
    let process = Process::start(&database);
    let ada = story.ada.at(&process.base);
    for n in 0..3 {
        let new = json!({ "id": format!("k{n}"), "body": { "n": n } });
        ada.make(&story.path("documents"), new).await;
    }
    let before: Value = ada.read(&story.path("documents")).await;
    drop(process);
    let copy = ["documents", "copy", "--from", "sql:", "--to", &*story.url];
    let (code, text) = run(&database, &copy);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("1 collections, 3 documents, 0 different"), "{text}");
    let (code, text) = run(&database, &copy);
    assert_ne!(code, Some(0), "{text}");
    assert!(text.contains("--resume"), "{text}");
    let (code, text) = run(&database, &[&copy[..], &["--resume"]].concat());
    assert_eq!(code, Some(0), "{text}");
    let process = story.process(None);
    assert_eq!(story.ada.at(&process.base).read(&story.path("documents")).await, before);
}

#[each_lasting_database]
async fn a_url_of_no_store_of_documents_is_refused_at_the_start(database: Database) {
    let refused = |url: &str| {
        let mut command = steward(&database);
        command.env("STEWARD_DOCUMENTS_URL", url).args(["serve", "--listen", "127.0.0.1:0"]);
        let output = command.output().expect("steward runs");
        assert_ne!(output.status.code(), Some(0));
        let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
        assert!(text.contains("STEWARD_DOCUMENTS_URL"), "{text}");
        assert!(!text.contains("s3cr3t"), "{text}");
        text
    };
    assert!(refused("redis://ada:s3cr3t@db/steward").contains("must be sql:, memory:, couchdb://"));
    assert!(refused("couchdb://ada:s3cr3t@db").contains("PREFIX"));
    #[cfg(not(feature = "dynamodb"))]
    assert!(refused("dynamodb://A:s3cr3t@eu/steward").contains("the feature `dynamodb`"));
}

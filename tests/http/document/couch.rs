//! CouchDB's replication protocol, as its clients speak it: revisions, conflicts and checkpoints.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, App, AppOptions, Client, Database, each_database};

/// A client of a collection: `/couch/{organization}~notes`, and what the same is in steward's own words.
pub(super) struct Replica {
    pub(super) client: Client,
    pub(super) database: String,
    pub(super) documents: String,
}

impl Replica {
    pub(super) async fn of(app: &App) -> Self {
        let (client, home) = app.owner_of("household").await;
        client.make(&format!("{home}/collections"), json!({ "name": "notes" })).await;
        let organization = home.rsplit('/').next().unwrap();
        let database = format!("/couch/{organization}~notes");
        Self { client, database, documents: format!("{home}/collections/notes/documents") }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.client.get(&format!("{}{path}", self.database)).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> Answer {
        self.client.send(Method::PUT, &format!("{}{path}", self.database), Some(body)).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answer {
        self.client.send(Method::POST, &format!("{}{path}", self.database), Some(body)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.client.send(Method::DELETE, &format!("{}{path}", self.database), None).await
    }

    /// Sends revisions that were made elsewhere: each with the hashes of those from which it came.
    pub(super) async fn replicate(&self, id: &str, path: &[&str], document: Value) {
        let mut document = document;
        document["_id"] = id.into();
        document["_rev"] = format!("{}-{}", path.len(), path[0]).into();
        document["_revisions"] = json!({ "start": path.len(), "ids": path });
        let body = json!({ "docs": [document], "new_edits": false });
        assert_eq!(self.post("/_bulk_docs", body).await.expect(201), json!([]));
    }

    pub(super) async fn changes(&self, query: &str) -> Value {
        self.get(&format!("/_changes?style=all_docs{query}")).await.expect(200)
    }
}

pub(super) async fn running(database: &Database) -> App {
    let options = AppOptions { background: true, ..AppOptions::default() };
    App::start_with(database, options).await
}

pub(super) fn refused(answer: &Answer, status: u16, error: &str, reason: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.json, json!({ "error": error, "reason": reason }));
}

#[each_database]
async fn a_document_goes_there_and_back(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    let info = replica.get("/").await.expect(200);
    assert_eq!(info["doc_count"], 0);
    let made = replica.put("/a%2Fb", json!({ "text": "one" })).await.expect(201);
    assert_eq!(made["id"], "a/b");
    let first = made["rev"].as_str().unwrap().to_owned();
    assert!(first.starts_with("1-"), "{first}");
    let read = replica.get("/a%2Fb").await.expect(200);
    assert_eq!(read, json!({ "_id": "a/b", "_rev": first, "text": "one" }));
    refused(
        &replica.put("/a%2Fb", json!({ "text": "two" })).await,
        409,
        "conflict",
        "Document update conflict.",
    );
    let edit = json!({ "_rev": first, "text": "two" });
    let second = replica.put("/a%2Fb", edit).await.expect(201)["rev"].as_str().unwrap().to_owned();
    let own = replica.client.read(&format!("{}/a%2Fb", replica.documents)).await;
    assert_eq!((&own["version"], &own["body"]), (&json!(2), &json!({ "text": "two" })));
    let read = replica.get("/a%2Fb?revs=true&revs_info=true").await.expect(200);
    let hashes: Vec<&str> = [&second, &first].map(|rev| rev.split_once('-').unwrap().1).to_vec();
    assert_eq!(read["_revisions"], json!({ "start": 2, "ids": hashes }));
    assert_eq!(read["_revs_info"][1], json!({ "rev": first, "status": "available" }));
    let before = replica.get(&format!("/a%2Fb?rev={first}")).await.expect(200);
    assert_eq!(before["text"], "one");
    let removed = replica.delete(&format!("/a%2Fb?rev={second}")).await.expect(200);
    refused(&replica.get("/a%2Fb").await, 404, "not_found", "deleted");
    refused(&replica.get("/x").await, 404, "not_found", "missing");
    replica
        .client
        .get(&format!("{}/a%2Fb", replica.documents))
        .await
        .expect_problem(404, "not_found");
    let changes = replica.changes("").await;
    let change = json!({ "rev": removed["rev"] });
    assert_eq!(changes["results"].as_array().unwrap().len(), 1);
    assert_eq!(changes["results"][0]["changes"], json!([change]));
    assert_eq!(changes["results"][0]["deleted"], true);
    let again = replica.put("/a%2Fb", json!({ "text": "three" })).await.expect(201);
    assert!(again["rev"].as_str().unwrap().starts_with("4-"), "{again}");
    let own = replica.client.read(&format!("{}/a%2Fb", replica.documents)).await;
    assert_eq!(own["version"], 4);
    app.stop().await;
}

#[each_database]
async fn what_steward_writes_goes_on_from_the_winner(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    let document = json!({ "id": "a", "body": { "n": 1.50 } });
    replica.client.make(&replica.documents, document).await;
    let path = format!("{}/a", replica.documents);
    let first = replica.get("/a?revs=true").await.expect(200);
    assert_eq!(first["_revisions"]["start"], 1);
    let change = json!({ "version": 1, "body": { "n": 2 } });
    replica.client.patch(&path, change).await.expect(200);
    let second = replica.get("/a?revs=true").await.expect(200);
    assert_eq!(second["n"], 2);
    assert_eq!(second["_revisions"]["start"], 2);
    assert_eq!(second["_revisions"]["ids"][1], first["_revisions"]["ids"][0]);
    replica.replicate("a", &["y", "x"], json!({ "n": 3 })).await;
    replica
        .client
        .delete(&format!("{path}?version={}", version(&replica, &path).await))
        .await
        .expect(204);
    refused(&replica.get("/a").await, 404, "not_found", "deleted");
    let leaves = replica.get("/a?open_revs=all").await.expect(200);
    assert!(
        leaves.as_array().unwrap().iter().all(|leaf| leaf["ok"]["_deleted"] == true),
        "{leaves}"
    );
    app.stop().await;
}

async fn version(replica: &Replica, path: &str) -> i64 {
    replica.client.read(path).await["version"].as_i64().unwrap()
}

#[each_database]
async fn of_two_edits_one_wins_and_the_other_is_kept_until_it_is_deleted(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    let path = format!("{}/a", replica.documents);
    replica.replicate("a", &["r"], json!({ "by": "root" })).await;
    replica.replicate("a", &["x", "r"], json!({ "by": "x" })).await;
    let before = replica.get("/").await.expect(200)["update_seq"].clone();
    let version_before = version(&replica, &path).await;
    // `a` is less than `x`: it loses, and changes no document.
    replica.replicate("a", &["a", "r"], json!({ "by": "a" })).await;
    assert_eq!(version(&replica, &path).await, version_before);
    let read = replica.get("/a?conflicts=true").await.expect(200);
    assert_eq!((&read["_rev"], &read["by"]), (&json!("2-x"), &json!("x")));
    assert_eq!(read["_conflicts"], json!(["2-a"]));
    let loser = replica.get("/a?rev=2-a").await.expect(200);
    assert_eq!(loser["by"], "a");
    let changes = replica.changes(&format!("&since={before}")).await;
    let told = json!([{ "rev": "2-x" }, { "rev": "2-a" }]);
    assert_eq!(changes["results"][0]["changes"], told, "others hear of the conflict: {changes}");
    // `z` is greater than `x`: it wins, and the document is what it says.
    replica.replicate("a", &["z", "r"], json!({ "by": "z" })).await;
    let own = replica.client.read(&path).await;
    assert_eq!(own["body"], json!({ "by": "z" }));
    assert_eq!(own["version"], version_before + 1);
    let leaves = replica.get("/a?open_revs=all").await.expect(200);
    let bodies: Vec<&Value> =
        leaves.as_array().unwrap().iter().map(|leaf| &leaf["ok"]["by"]).collect();
    assert_eq!(bodies, ["z", "x", "a"]);
    // What is told again changes nothing.
    replica.replicate("a", &["x", "r"], json!({ "by": "x" })).await;
    assert_eq!(version(&replica, &path).await, version_before + 1);
    // To delete the winner makes the next one the document.
    replica.delete("/a?rev=2-z").await.expect(200);
    assert_eq!(replica.client.read(&path).await["body"], json!({ "by": "x" }));
    replica.delete("/a?rev=2-a").await.expect(200);
    let read = replica.get("/a?conflicts=true").await.expect(200);
    assert_eq!((&read["_rev"], read.get("_conflicts")), (&json!("2-x"), None));
    app.stop().await;
}

#[each_database]
async fn a_replica_is_told_what_it_lacks_and_gets_it(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    replica.replicate("a", &["x", "r"], json!({ "by": "x" })).await;
    let asked = json!({ "a": ["2-x", "1-r", "2-y"], "b": ["1-q"] });
    let diff = replica.post("/_revs_diff", asked).await.expect(200);
    assert_eq!(diff, json!({ "a": { "missing": ["2-y"] }, "b": { "missing": ["1-q"] } }));
    let docs = json!({ "docs": [{ "id": "a", "rev": "1-r" }, { "id": "b", "rev": "1-q" }] });
    let got = replica.post("/_bulk_get?revs=true&latest=true", docs).await.expect(200);
    let found = &got["results"][0]["docs"][0]["ok"];
    assert_eq!(found["_rev"], "2-x");
    assert_eq!(found["_revisions"], json!({ "start": 2, "ids": ["x", "r"] }));
    assert_eq!(got["results"][1]["docs"][0]["error"]["error"], "not_found");
    let rows = replica.get("/_all_docs?include_docs=true").await.expect(200);
    assert_eq!(rows["rows"][0]["doc"]["by"], "x");
    let rows = replica.post("/_all_docs", json!({ "keys": ["b", "a"] })).await.expect(200);
    assert_eq!(rows["rows"][0], json!({ "key": "b", "error": "not_found" }));
    assert_eq!(rows["rows"][1]["value"], json!({ "rev": "2-x" }));
    app.stop().await;
}

#[each_database]
async fn a_new_document_may_be_a_deletion_that_says_why(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    refused(&replica.delete("/a").await, 404, "not_found", "missing");
    let made = replica.put("/a", json!({ "_deleted": true, "why": "x" })).await.expect(201);
    refused(&replica.get("/a").await, 404, "not_found", "deleted");
    let read = replica.get(&format!("/a?rev={}", made["rev"].as_str().unwrap())).await;
    assert_eq!(read.expect(200)["why"], "x");
    // Another that is made of it has the first version, and goes on from its revision.
    let path = format!("{}/a", replica.documents);
    let new = json!({ "body": {} });
    replica.client.send(Method::PUT, &path, Some(new)).await.expect(201);
    let read = replica.get("/a?revs=true").await.expect(200);
    assert_eq!(read["_revisions"]["start"], 2);
    app.stop().await;
}

/// PouchDB sends another `_rev` where two revisions of a branch have the same hash.
#[each_database]
async fn the_path_says_which_revision_was_made_elsewhere(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    let docs =
        json!([{ "_id": "a", "_rev": "3-x", "_revisions": { "start": 2, "ids": ["x", "r"] } }]);
    let body = json!({ "docs": docs, "new_edits": false });
    assert_eq!(replica.post("/_bulk_docs", body).await.expect(201), json!([]));
    assert_eq!(replica.get("/a").await.expect(200)["_rev"], "2-x");
    app.stop().await;
}

#[each_database]
async fn design_documents_are_documents(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    let design = json!({ "views": { "all": { "map": "function (doc) { emit(doc._id) }" } } });
    let made = replica.put("/_design/x", design.clone()).await.expect(201);
    assert_eq!(made["id"], "_design/x");
    for path in ["/_design/x", "/_design%2Fx"] {
        assert_eq!(replica.get(path).await.expect(200)["views"], design["views"]);
    }
    assert_eq!(replica.get("/_all_docs").await.expect(200)["rows"][0]["id"], "_design/x");
    assert_eq!(replica.changes("").await["results"][0]["id"], "_design/x");
    let program = json!({ "validate_doc_update": "function () {}" });
    let reason = "validate_doc_update is not executed";
    refused(&replica.put("/_design/y", program).await, 403, "forbidden", reason);
    let revision = made["rev"].as_str().unwrap();
    replica.delete(&format!("/_design/x?rev={revision}")).await.expect(200);
    assert_eq!(replica.get("/_design/x").await.status, 404);
    assert_eq!(replica.get("/_revs_limit").await.expect(200), 1_000);
    app.stop().await;
}

#[each_database]
async fn checkpoints_are_kept_apart(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    refused(&replica.get("/_local/me").await, 404, "not_found", "missing");
    let made = replica.put("/_local/me", json!({ "last_seq": 7 })).await.expect(201);
    assert_eq!((&made["id"], &made["rev"]), (&json!("_local/me"), &json!("0-1")));
    let read = replica.get("/_local/me").await.expect(200);
    assert_eq!(read, json!({ "_id": "_local/me", "_rev": "0-1", "last_seq": 7 }));
    let stale = replica.put("/_local/me", json!({ "last_seq": 8 })).await;
    refused(&stale, 409, "conflict", "Document update conflict.");
    replica.put("/_local/me", json!({ "_rev": "0-1", "last_seq": 8 })).await.expect(201);
    let info = replica.get("/").await.expect(200);
    assert_eq!(info["doc_count"], 0);
    assert_eq!(replica.changes("").await["results"], json!([]));
    replica.delete("/_local/me?rev=0-2").await.expect(200);
    refused(&replica.get("/_local/me").await, 404, "not_found", "missing");
    app.stop().await;
}

#[each_database]
async fn of_many_first_checkpoints_of_one_key_one_is_written(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    for key in ["a", "b", "c"] {
        let path = format!("/_local/{key}");
        let puts = (0..8).map(|number| replica.put(&path, json!({ "number": number })));
        let answers = futures_util::future::join_all(puts).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    }
    app.stop().await;
}

#[each_database]
async fn a_document_that_is_refused_does_not_keep_the_others(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    let docs = json!([
        { "_id": "a" },
        { "_id": "b", "_attachments": { "x": { "stub": true } } },
        { "_id": "_design/x", "validate_doc_update": "function () {}" },
        { "_id": "_x" },
        { "_id": "c", "_zing": 1 },
        { "_id": "d", "_rev": "1-x" },
        { "_id": "e" },
    ]);
    let results = replica.post("/_bulk_docs", json!({ "docs": docs })).await.expect(201);
    let errors: Vec<&Value> =
        results.as_array().unwrap().iter().map(|result| &result["error"]).collect();
    let none = Value::Null;
    let [stub, forbidden, bad, validation, conflict] =
        ["missing_stub", "forbidden", "bad_request", "doc_validation", "conflict"].map(Value::from);
    let expected = [&none, &stub, &forbidden, &bad, &validation, &conflict, &none];
    assert_eq!(errors, expected, "{results}");
    let info = replica.get("/").await.expect(200);
    assert_eq!(info["doc_count"], 2);
    app.stop().await;
}

#[each_database]
async fn a_key_is_a_password_and_a_stranger_sees_nothing(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    replica.put("/a", json!({})).await.expect(201);
    let home = replica.documents.split("/collections").next().unwrap();
    let new = json!({ "name": "phone", "role": "viewer" });
    let key = replica.client.post(&format!("{home}/api-keys"), new).await.expect(201);
    let basic = STANDARD.encode(format!("whoever:{}", key["token"].as_str().unwrap()));
    let basic = format!("Basic {basic}");
    let credentials = [("authorization", basic.as_str())];
    let path = format!("{}/a", replica.database);
    let nobody = app.anonymous();
    let json = "application/json";
    let read = nobody.send_bytes(Method::GET, &path, json, None, &credentials).await;
    assert_eq!(read.expect(200)["_id"], "a");
    let body = Some(br#"{"n":1}"#.to_vec());
    let other = format!("{}/b", replica.database);
    let written = nobody.send_bytes(Method::PUT, &other, json, body, &credentials).await;
    assert_eq!((written.status.as_u16(), &written.json["error"]), (403, &json!("forbidden")));
    let answer = nobody.get(&path).await;
    assert_eq!((answer.status.as_u16(), &answer.json["error"]), (401, &json!("unauthorized")));
    let (stranger, _) = app.owner_of("household").await;
    let answer = stranger.get(&path).await;
    assert_eq!((answer.status.as_u16(), &answer.json["error"]), (404, &json!("not_found")));
    app.stop().await;
}

#[each_database]
async fn a_database_is_a_collection(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    let base = replica.database.split('~').next().unwrap();
    let (client, other) = (&replica.client, format!("{base}~other"));
    refused(&client.get(&other).await, 404, "not_found", "the collection does not exist");
    client.send(Method::PUT, &other, Some(json!({}))).await.expect(201);
    let again = client.send(Method::PUT, &other, Some(json!({}))).await;
    refused(&again, 412, "file_exists", "the collection exists already");
    client.send(Method::PUT, &format!("{other}/a"), Some(json!({}))).await.expect(201);
    client.send(Method::DELETE, &other, None).await.expect(200);
    refused(&client.get(&other).await, 404, "not_found", "the collection does not exist");
    app.stop().await;
}

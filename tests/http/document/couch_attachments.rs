//! Attachments, as clients of CouchDB's protocol send and read them.

use base64::{Engine, engine::general_purpose::STANDARD};
use entity::{document_blob, document_blob_use};
use reqwest::Method;
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Value as Stored, sea_query::Expr,
};
use serde_json::{Value, json};
use service::{attachment, document::attachment::verify::verify};
use tests::{Answer, App, AppOptions, Database, at, each_database, log::wait_until};

use super::couch::{Replica, refused, running};

fn text(text: &str) -> Value {
    json!({ "content_type": "text/plain", "data": STANDARD.encode(text) })
}

async fn send(replica: &Replica, method: Method, path: &str, bytes: Option<&[u8]>) -> Answer {
    let path = format!("{}{path}", replica.database);
    let bytes = bytes.map(<[u8]>::to_vec);
    replica.client.send_bytes(method, &path, "text/plain", bytes, &[]).await
}

/// How many contents are kept, and how many documents have them.
async fn kept(app: &App) -> (u64, u64) {
    let blobs = document_blob::Entity::find().count(app.store.read()).await.unwrap();
    let uses = document_blob_use::Entity::find().count(app.store.read()).await.unwrap();
    (blobs, uses)
}

#[each_database]
async fn attachments_go_there_and_back(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    let document = json!({ "n": 1, "_attachments": { "a.txt": text("hello"), "b/c": text("") } });
    let made = replica.put("/a", document).await.expect(201);
    let read = replica.get("/a").await.expect(200);
    let digest = "md5-XUFAKrxLKna5cZ2REBfFkg==";
    let stub = json!({
        "content_type": "text/plain", "revpos": 1, "digest": digest, "length": 5, "stub": true,
    });
    assert_eq!(read["_attachments"]["a.txt"], stub);
    let whole = replica.get("/a?attachments=true").await.expect(200);
    assert_eq!(whole["_attachments"]["a.txt"]["data"], STANDARD.encode("hello"));
    let since = format!("/a?attachments=true&atts_since=[%22{}%22]", made["rev"].as_str().unwrap());
    assert_eq!(replica.get(&since).await.expect(200)["_attachments"]["a.txt"], stub);
    let got = replica.get("/a/a.txt").await;
    assert_eq!((got.status.as_u16(), &*got.text), (200, "hello"));
    assert_eq!(got.headers["content-type"], "text/plain");
    assert_eq!(replica.get("/a/b/c").await.text, "");
    refused(&replica.get("/a/x").await, 404, "not_found", "Document is missing attachment");
    let own = replica.client.read(&format!("{}/a", replica.documents)).await;
    assert_eq!(own["body"], json!({ "n": 1 }));
    assert_eq!(own["attachments"][0]["name"], "a.txt");
    assert_eq!(own["attachments"][0]["digest"], digest);
    // One that is named alone stays, with the revision that it came with; one that is left out goes.
    let rev = made["rev"].as_str().unwrap();
    let edit = json!({ "_rev": rev, "n": 2, "_attachments": { "a.txt": { "stub": true } } });
    replica.put("/a", edit).await.expect(201);
    let read = replica.get("/a").await.expect(200);
    assert_eq!(read["_attachments"], json!({ "a.txt": stub }));
    let before = replica.get(&format!("/a?rev={rev}&attachments=true")).await.expect(200);
    assert_eq!(before["_attachments"]["a.txt"]["stub"], true, "the history has no bytes");
    let docs = json!({ "docs": [{ "id": "a" }] });
    let got = replica.post("/_bulk_get?attachments=true", docs).await.expect(200);
    let attached = &got["results"][0]["docs"][0]["ok"]["_attachments"]["a.txt"];
    assert_eq!(attached["data"], STANDARD.encode("hello"));
    app.stop().await;
}

#[each_database]
async fn an_attachment_is_written_and_removed_alone(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    let made = send(&replica, Method::PUT, "/a/x%20y", Some(b"one")).await.expect(201);
    let first = made["rev"].as_str().unwrap().to_owned();
    let stale = send(&replica, Method::PUT, "/a/z", Some(b"two")).await;
    refused(&stale, 409, "conflict", "Document update conflict.");
    let path = format!("/a/z?rev={first}");
    let second = send(&replica, Method::PUT, &path, Some(b"one")).await.expect(201);
    assert_eq!(replica.get("/a/x%20y").await.text, "one");
    assert_eq!(kept(&app).await, (1, 1), "the same bytes are kept once");
    let second = second["rev"].as_str().unwrap();
    let removed = send(&replica, Method::DELETE, &format!("/a/z?rev={second}"), None).await;
    let third = removed.expect(200)["rev"].as_str().unwrap().to_owned();
    assert_eq!(replica.get("/a/z").await.status, 404);
    let none = send(&replica, Method::DELETE, &format!("/a/z?rev={third}"), None).await;
    refused(&none, 404, "not_found", "Document is missing attachment");
    // What knows nothing of attachments leaves them as they are.
    let own = format!("{}/a", replica.documents);
    let change = json!({ "version": 3, "body": { "n": 1 } });
    replica.client.patch(&own, change).await.expect(200);
    assert_eq!(replica.get("/a/x%20y").await.text, "one");
    replica.client.delete(&format!("{own}?version=4")).await.expect(204);
    assert_eq!(replica.get("/a/x%20y").await.status, 404);
    wait_until("the bytes are gone", async || kept(&app).await == (0, 0)).await;
    app.stop().await;
}

#[each_database]
async fn what_a_loser_has_attached_is_kept_as_long_as_it_is(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    replica.replicate("a", &["r"], json!({})).await;
    for (hash, content) in [("x", "of x"), ("b", "of b")] {
        let attachments = json!({ "_attachments": { "f": text(content) } });
        replica.replicate("a", &[hash, "r"], attachments).await;
    }
    assert_eq!(replica.get("/a/f").await.text, "of x");
    assert_eq!(replica.get("/a/f?rev=2-b").await.text, "of b");
    replica.replicate("a", &["z", "r"], json!({})).await;
    assert_eq!(replica.get("/a").await.expect(200).get("_attachments"), None);
    assert_eq!(replica.get("/a/f?rev=2-x").await.text, "of x");
    let own = replica.client.read(&format!("{}/a", replica.documents)).await;
    assert_eq!(own.get("attachments"), None);
    replica.delete("/a?rev=2-z").await.expect(200);
    assert_eq!(replica.get("/a/f").await.text, "of x");
    let own = replica.client.read(&format!("{}/a", replica.documents)).await;
    assert_eq!(own["attachments"][0]["length"], 4);
    replica.delete("/a?rev=2-b").await.expect(200);
    wait_until("the bytes of the loser are gone", async || kept(&app).await == (1, 1)).await;
    app.stop().await;
}

#[each_database]
async fn attachments_follow_their_document_in_parts(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    let document = json!({ "n": 1, "_attachments": {
        "f": { "follows": true, "length": 3, "content_type": "text/plain" },
    } });
    let path = format!("{}/a", replica.database);
    let put = async |body: String| {
        let media_type = "multipart/related; boundary=\"xyz\"";
        let body = Some(body.into_bytes());
        replica.client.send_bytes(Method::PUT, &path, media_type, body, &[]).await
    };
    let head = format!("--xyz\r\nContent-Type: application/json\r\n\r\n{document}\r\n--xyz");
    assert_eq!(put(format!("{head}--")).await.status, 400, "what follows is missing");
    put(format!("{head}\r\n\r\none\r\n--xyz--")).await.expect(201);
    assert_eq!(replica.get("/a/f").await.text, "one");
    let accept = [("accept", "multipart/related")];
    let whole = format!("{path}?attachments=true");
    let json = "application/json";
    let got = replica.client.send_bytes(Method::GET, &whole, json, None, &accept).await;
    let media_type = got.headers["content-type"].to_str().unwrap();
    let boundary = media_type.strip_prefix("multipart/related; boundary=\"").unwrap();
    let parts: Vec<&str> = got.text.split(&format!("--{}", boundary.trim_matches('"'))).collect();
    assert!(parts[1].contains(r#""follows":true"#) && parts[1].contains(r#""n":1"#), "{parts:?}");
    assert!(parts[2].ends_with("\r\n\r\none\r\n"), "{parts:?}");
    assert_eq!((parts.len(), parts[3]), (4, "--"));
    app.stop().await;
}

#[each_database]
async fn what_cannot_be_attached_is_refused(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    let stub = json!({ "_attachments": { "f": { "stub": true } } });
    refused(&replica.put("/a", stub).await, 412, "missing_stub", "Invalid attachment stub: f");
    let malformed = json!({ "_attachments": { "f": { "data": "?" } } });
    refused(&replica.put("/a", malformed).await, 400, "bad_request", "data must be base64");
    let reserved = json!({ "_attachments": { "_f": text("") } });
    let reason = "the name of an attachment must not begin with an underscore";
    refused(&replica.put("/a", reserved).await, 400, "bad_request", reason);
    assert_eq!(kept(&app).await, (0, 0));
    assert_eq!(replica.get("/a").await.status, 404);
    app.stop().await;
}

/// The quota is one, whatever a file belongs to.
#[each_database]
async fn what_documents_have_attached_takes_room_of_the_quota(database: Database) {
    let mut options = AppOptions { background: true, ..AppOptions::default() };
    options.settings.attachments.quota = Some(1000);
    let app = App::start_with(&database, options).await;
    let replica = Replica::of(&app).await;
    let home = replica.documents.split("/collections").next().unwrap();
    let tasks = format!("{home}/tasks");
    let task = at(&tasks, &replica.client.make(&tasks, json!({ "title": "Scan" })).await);
    replica.client.attach(&task, "a.txt", vec![b'a'; 400]).await.expect(201);
    let made = send(&replica, Method::PUT, "/a/f", Some(&[b'b'; 500])).await.expect(201);
    // The same again takes no room.
    send(&replica, Method::PUT, "/b/f", Some(&[b'b'; 500])).await.expect(201);
    let full = send(&replica, Method::PUT, "/c/f", Some(&[b'c'; 101])).await;
    let said = (full.status.as_u16(), &full.json["error"]);
    assert_eq!(said, (507, &json!("storage_quota_exceeded")), "{}", full.text);
    let full = replica.client.attach(&task, "b.txt", vec![b'd'; 101]).await;
    full.expect_problem(507, "storage_quota_exceeded");
    let too_much = text(&"c".repeat(101));
    let docs = json!([{ "_id": "c", "_attachments": { "f": too_much } }, { "_id": "d" }]);
    let results = replica.post("/_bulk_docs", json!({ "docs": docs })).await.expect(201);
    assert_eq!(results[0]["error"], "storage_quota_exceeded", "{results}");
    assert_eq!((&results[1]["ok"], replica.get("/c").await.status.as_u16()), (&json!(true), 404));
    assert_eq!(faults(&app).await, [] as [String; 0]);
    // What nobody has any more gives its room back.
    replica.delete(&format!("/a?rev={}", made["rev"].as_str().unwrap())).await.expect(200);
    replica.client.delete(&format!("{}/b?version=1", replica.documents)).await.expect(204);
    wait_until("the bytes are gone", async || kept(&app).await == (0, 0)).await;
    send(&replica, Method::PUT, "/c/f", Some(&[b'c'; 600])).await.expect(201);
    assert_eq!(faults(&app).await, [] as [String; 0]);
    app.stop().await;
}

/// What `steward verify` finds of all files.
async fn faults(app: &App) -> Vec<String> {
    let files = attachment::verify::verify(&app.store, false).await.unwrap();
    let attached = verify(&app.store).await.unwrap();
    files.faults.into_iter().chain(attached.faults).collect()
}

#[each_database]
async fn verify_tells_what_of_an_attachment_is_gone_or_was_changed(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    // Two contents more than are read at once.
    for name in ["a", "b", "c", "d", "e", "f"] {
        send(&replica, Method::PUT, &format!("/a{name}/f"), Some(name.as_bytes()))
            .await
            .expect(201);
    }
    let sound = verify(&app.store).await.unwrap();
    assert_eq!((sound.contents, &*sound.faults), (6, &[] as &[String]));
    let mut all = document_blob::Entity::find().all(app.store.read()).await.unwrap();
    let [changed, counted, gone] = [all.remove(0), all.remove(0), all.remove(0)];
    let [of_changed, of_counted, of_gone] =
        [&changed, &counted, &gone].map(|it| document_blob::Column::Sha256.eq(&*it.sha256));
    let spoil = app.store.write(async move |tx| {
        let set = |column, value: Stored, which: &Expr| {
            let rows = document_blob::Entity::update_many().col_expr(column, Expr::val(value));
            rows.filter(which.clone())
        };
        set(document_blob::Column::Bytes, b"?".to_vec().into(), &of_changed).exec(tx).await?;
        set(document_blob::Column::Uses, 2_i64.into(), &of_counted).exec(tx).await?;
        document_blob::Entity::delete_many().filter(of_gone.clone()).exec(tx).await?;
        Ok(())
    });
    spoil.await.unwrap();
    let found = verify(&app.store).await.unwrap();
    assert_eq!(found.contents, 4);
    let faults = found.faults.join("\n");
    for (blob, fault) in [
        (&changed, "was changed"),
        (&counted, "counts 2 documents, and has 1"),
        (&gone, "is not there"),
    ] {
        let is_it = |line: &str| line.starts_with(&blob.sha256) && line.contains(fault);
        assert!(faults.lines().any(is_it), "{fault} is not in\n{faults}");
    }
    assert_eq!(found.faults.len(), 3);
    app.stop().await;
}

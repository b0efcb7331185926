//! Who may read and write documents: what a collection says now, wherever a document is told of.

use serde_json::{Value, json};
use tests::{App, Client, Database, Receiver, at, each_database, id};

use crate::automation::webhook::{options, subscribe};

/// What of a client's feeds and lists is about documents.
async fn seen(client: &Client, home: &str) -> Vec<Value> {
    let mut seen = Vec::new();
    for path in ["events?limit=500", "changes?limit=500"] {
        let feed = client.read(&format!("{home}/{path}")).await;
        let items = feed["items"].as_array().unwrap().iter();
        seen.extend(items.filter(|item| item["entity"] == "document").cloned());
    }
    seen
}

#[each_database]
async fn a_document_is_hidden_wherever_its_collection_may_not_be_read(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let collections = format!("{home}/collections");
    let new = json!({ "name": "pay", "read_role": "manager", "write_role": "admin" });
    let collection = ada.make(&collections, new).await;
    let documents = format!("{collections}/pay/documents");
    let made = ada.make(&documents, json!({ "id": "grace", "body": { "canary": 1 } })).await;
    let path = format!("{documents}/grace");
    app.run_until_idle().await;
    let member = ada.invite(&home, "member").await;
    let manager = ada.invite(&home, "manager").await;
    for path in [
        &documents,
        &path,
        &format!("{path}/history"),
        &format!("{path}?as_of=2090-01-01T00:00:00Z"),
    ] {
        member.get(path).await.expect_problem(404, "not_found");
        manager.get(path).await.expect(200);
    }
    assert_eq!(seen(&member, &home).await, [Value::Null; 0]);
    assert_eq!(seen(&manager, &home).await.len(), 2);
    let change = json!({ "version": 1, "body": {} });
    member.patch(&path, change.clone()).await.expect_problem(404, "not_found");
    manager.patch(&path, change).await.expect_problem(403, "role_insufficient");
    // An offline edit is told no more.
    let uuid = seen(&manager, &home).await[0]["entity_id"].clone();
    let edit =
        json!({ "entity": "document", "op": "update", "id": uuid, "version": 7, "data": {} });
    let sync = json!({ "changes": [edit] });
    let report = member.post(&format!("{home}/sync"), sync.clone()).await;
    assert!(!report.text.contains("canary"), "{}", report.text);
    assert_eq!(report.expect(200)["results"][0]["status"], "not_found");

    // It follows the roles as they are now.
    let open = json!({ "version": 1, "read_role": "viewer" });
    ada.patch(&at(&collections, &collection), open).await.expect(200);
    assert_eq!(member.read(&path).await, made);
    assert_eq!(seen(&member, &home).await.len(), 2);
    app.stop().await;
}

#[each_database]
async fn what_was_in_a_collection_that_is_gone_is_the_owners_alone(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let collections = format!("{home}/collections");
    let collection = ada.make(&collections, json!({ "name": "notes" })).await;
    let documents = format!("{collections}/{}/documents", id(&collection));
    ada.make(&documents, json!({ "id": "a", "body": {} })).await;
    ada.delete(&format!("{documents}/a?version=1")).await.expect(204);
    ada.delete(&format!("{}?version=1", at(&collections, &collection))).await.expect(204);
    app.run_until_idle().await;
    let admin = ada.invite(&home, "admin").await;
    assert_eq!(seen(&admin, &home).await, [Value::Null; 0]);
    assert_eq!(seen(&ada, &home).await.len(), 3, "two events, and that it is gone");
    app.stop().await;
}

#[each_database]
async fn a_webhook_sees_what_an_admin_sees_to_the_letter(database: Database) {
    let app = App::start_with(&database, options()).await;
    let receiver = Receiver::answering(200);
    let hook = subscribe(&app, &receiver, &["document.*"]).await;
    let collections = format!("{}/collections", hook.home);
    let named =
        |name: &str, role: &str| json!({ "name": name, "read_role": role, "write_role": "owner" });
    hook.ada.make(&collections, named("owners", "owner")).await;
    let open = hook.ada.make(&collections, named("open", "viewer")).await;
    let body = r#"{"z":1.00,"a":0.000001}"#;
    for name in ["owners", "open"] {
        let document = format!(r#"{{"id":"{name}","body":{body}}}"#).into_bytes();
        let documents = format!("{collections}/{name}/documents");
        let post = reqwest::Method::POST;
        let json = "application/json";
        hook.ada.send_bytes(post, &documents, json, Some(document), &[]).await.expect(201);
    }
    app.run_until_idle().await;
    let messages = receiver.messages();
    assert_eq!(messages.len(), 1, "of the owners' nothing is told: {messages:?}");
    let text = String::from_utf8(messages[0].body.clone()).unwrap();
    assert!(text.contains(body), "{text}");
    assert_eq!(messages[0].json["data"]["data"]["collection"], "open");
    // What was promised before it was closed is sent without what it says.
    let close = json!({ "version": 1, "read_role": "owner" });
    hook.ada.patch(&at(&collections, &open), close).await.expect(200);
    let [delivery] = &hook.deliveries().await[..] else { panic!("one delivery") };
    hook.resend(delivery).await;
    app.run_until_idle().await;
    let messages = receiver.messages();
    assert_eq!((messages.len(), &messages[1].id), (2, &messages[0].id));
    assert_eq!(messages[1].json["data"]["data"], Value::Null);
    app.stop().await;
}

#[each_database]
async fn a_client_that_syncs_begins_anew_where_a_collection_is_opened_or_closed(
    database: Database,
) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let collections = format!("{home}/collections");
    let new = json!({ "name": "pay", "read_role": "manager", "write_role": "admin" });
    let collection = ada.make(&collections, new).await;
    let documents = format!("{collections}/pay/documents");
    ada.make(&documents, json!({ "id": "a", "body": {} })).await;
    let member = ada.invite(&home, "member").await;
    app.run_until_idle().await;
    let changes = format!("{home}/changes?limit=500");
    let since = async |client: &Client, query: &str| {
        client.read(&format!("{changes}{query}")).await["cursor"].as_str().unwrap().to_owned()
    };
    let cursors = [since(&member, "").await, since(&member, "&entities=category").await];
    let owner = since(&ada, "").await;
    // Another collection, or another title, is no reason.
    ada.make(&collections, json!({ "name": "notes" })).await;
    let path = at(&collections, &collection);
    ada.patch(&path, json!({ "version": 1, "title": "Pay" })).await.expect(200);
    member.read(&format!("{changes}&since={}", cursors[0])).await;
    ada.patch(&path, json!({ "version": 2, "read_role": "viewer" })).await.expect(200);
    let refused = member.get(&format!("{changes}&since={}", cursors[0])).await;
    assert_eq!(refused.expect_violations(), ["?since"]);
    member.read(&format!("{changes}&entities=category&since={}", cursors[1])).await;
    ada.read(&format!("{changes}&since={owner}")).await;
    let again = since(&member, "").await;
    ada.patch(&path, json!({ "version": 3, "read_role": "admin" })).await.expect(200);
    let refused = member.get(&format!("{changes}&since={again}")).await;
    assert_eq!(refused.expect_violations(), ["?since"]);
    app.stop().await;
}

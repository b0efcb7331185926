//! Collections: what they may be called, and what they may not become.

use serde_json::{Value, json};
use tests::{App, Database, at, each_database};

#[each_database]
async fn a_name_is_unique_and_can_stand_in_a_path(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let collections = format!("{home}/collections");
    for name in ["", "Notes", "1", "a b", "a/b", "a19a8b20-4c00-7a10-8000-000000000001"] {
        let refused = ada.post(&collections, json!({ "name": name })).await;
        assert!(refused.expect_violations().iter().all(|at| at == "/name"), "{name}");
    }
    let made = ada.make(&collections, json!({ "name": "notes" })).await;
    let defaults = json!({ "title": null, "schema": null, "indexes": [], "read_role": "viewer",
        "write_role": "member" });
    for (name, value) in defaults.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    let again = ada.post(&collections, json!({ "name": "notes" })).await;
    let again = again.expect_problem(409, "duplicate");
    assert_eq!(again["violations"][0]["pointer"], "/name");
    app.stop().await;
}

#[each_database]
async fn a_schema_is_kept_to_the_letter(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let collections = format!("{home}/collections");
    let schema = r#"{"type":"object","properties":{"z":{"const":1.000},"a":{"maximum":1e+300}}}"#;
    let body = format!(r#"{{"name":"exact","schema":{schema}}}"#);
    let method = reqwest::Method::POST;
    let bytes = Some(body.into_bytes());
    let made = ada.send_bytes(method, &collections, "application/json", bytes, &[]).await;
    assert!(made.text.contains(schema), "{}", made.text);
    let path = at(&collections, &made.expect(201));
    ada.patch(&path, json!({ "version": 1, "title": "x" })).await.expect(200);
    ada.patch(&path, json!({ "version": 2, "schema": null })).await.expect(200);
    let back = ada.post(&format!("{path}/revert"), json!({ "version": 3, "to_version": 2 })).await;
    assert!(back.text.contains(schema), "{}", back.text);
    let history = ada.get(&format!("{path}/history")).await;
    assert_eq!(history.text.matches(schema).count(), 3, "{}", history.text);
    app.stop().await;
}

#[each_database]
async fn one_that_has_documents_is_not_deleted(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let collections = format!("{home}/collections");
    let made = ada.make(&collections, json!({ "name": "notes" })).await;
    let path = at(&collections, &made);
    let documents = format!("{collections}/notes/documents");
    ada.make(&documents, json!({ "id": "a", "body": {} })).await;
    ada.delete(&format!("{path}?version=1")).await.expect_problem(409, "in_use");
    ada.delete(&format!("{documents}/a?version=1")).await.expect(204);
    ada.delete(&format!("{path}?version=1")).await.expect(204);
    ada.get(&documents).await.expect_problem(404, "not_found");
    app.stop().await;
}

#[each_database]
async fn nobody_sets_or_changes_roles_above_their_own(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let collections = format!("{home}/collections");
    let manager = ada.invite(&home, "manager").await;
    let secret = json!({ "name": "secret", "read_role": "owner", "write_role": "owner" });
    let refused = manager.post(&collections, secret.clone()).await;
    refused.expect_problem(403, "role_insufficient");
    let made = ada.make(&collections, secret).await;
    let path = at(&collections, &made);
    let open = json!({ "version": 1, "read_role": "viewer" });
    manager.patch(&path, open).await.expect_problem(403, "role_insufficient");
    let removed = manager.delete(&format!("{path}?version=1")).await;
    removed.expect_problem(403, "role_insufficient");
    for roles in [("viewer", "viewer"), ("admin", "manager")] {
        let new = json!({ "name": "x", "read_role": roles.0, "write_role": roles.1 });
        assert_eq!(ada.post(&collections, new).await.expect_violations(), ["/write_role"]);
    }
    assert_eq!(ada.read(&path).await["version"], 1);
    app.stop().await;
}

#[each_database]
async fn indexes_are_json_pointers(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let collections = format!("{home}/collections");
    let many: Vec<Value> = (0..17).map(|number| json!(format!("/{number}"))).collect();
    for indexes in [json!(["a"]), json!([""]), json!(["/a~2"]), json!(["/a", "/a"]), json!(many)] {
        let refused = ada.post(&collections, json!({ "name": "x", "indexes": indexes })).await;
        assert_eq!(refused.expect_violations(), ["/indexes"]);
    }
    let indexes = json!(["/a~1b/0", "/"]);
    let made = ada.make(&collections, json!({ "name": "x", "indexes": indexes })).await;
    assert_eq!(made["indexes"], indexes);
    app.stop().await;
}

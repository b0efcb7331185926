//! JSON Patch (RFC 6902) of documents: exact, in order, all or nothing.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, App, Client, Database, each_database};

async fn made(app: &App, body: &str) -> (Client, String) {
    let (ada, home) = app.owner_of("household").await;
    ada.make(&format!("{home}/collections"), json!({ "name": "notes" })).await;
    let path = format!("{home}/collections/notes/documents/a");
    let body = Some(format!(r#"{{"body":{body}}}"#).into_bytes());
    ada.send_bytes(Method::PUT, &path, "application/json", body, &[]).await.expect(201);
    (ada, path)
}

async fn patch(client: &Client, path: &str, operations: &str, version: &str) -> Answer {
    let media_type = "application/json-patch+json";
    let body = Some(operations.as_bytes().to_vec());
    client.send_bytes(Method::PATCH, path, media_type, body, &[("if-match", version)]).await
}

#[each_database]
async fn operations_are_applied_in_order_and_exactly(database: Database) {
    let app = App::start(&database).await;
    let (ada, path) = made(&app, r#"{"z":1.00,"a":[1,2],"n":9007199254740993.0}"#).await;
    let operations = r#"[
        {"op":"test","path":"/body/z","value":1},
        {"op":"test","path":"/body/n","value":9007199254740993},
        {"op":"add","path":"/body/a/1","value":1e+400},
        {"op":"remove","path":"/body/z"},
        {"op":"copy","from":"/body/n","path":"/body/m"}
    ]"#;
    let patched = patch(&ada, &path, operations, "\"1\"").await;
    let body = r#""body":{"a":[1,1e+400,2],"n":9007199254740993.0,"m":9007199254740993.0}"#;
    assert_eq!(
        (patched.status.as_u16(), patched.text.contains(body)),
        (200, true),
        "{}",
        patched.text
    );
    assert_eq!(patched.json["version"], 2);
    app.stop().await;
}

#[each_database]
async fn a_patch_that_does_not_fit_changes_nothing_and_names_its_operation(database: Database) {
    let app = App::start(&database).await;
    let (ada, path) = made(&app, r#"{"a":1}"#).await;
    let before = ada.read(&path).await;
    let add = r#"{"op":"add","path":"/body/b","value":1}"#;
    for (operation, code) in [
        (r#"{"op":"test","path":"/body/a","value":2}"#, "test_failed"),
        (r#"{"op":"replace","path":"/body/x","value":2}"#, "no_such_location"),
        (r#"{"op":"remove","path":"/version"}"#, "no_such_location"),
    ] {
        let refused = patch(&ada, &path, &format!("[{add},{operation}]"), "\"1\"").await;
        let problem = refused.expect_problem(409, "patch_failed");
        let found = &problem["violations"][0];
        assert_eq!(
            (&found["pointer"], &found["code"]),
            (&json!("/1"), &json!(code)),
            "{operation}"
        );
    }
    for (operations, pointer) in [
        (r#"{"op":"add"}"#, ""),
        (r#"[{"op":"spam","path":"/body"}]"#, "/0/op"),
        (r#"[{"op":"add","path":"/body/b"}]"#, "/0/value"),
        (r#"[{"op":"add","path":"/other","value":1}]"#, "/other"),
        (r#"[{"op":"replace","path":"/id","value":"b"}]"#, "/id"),
        (r#"[{"op":"replace","path":"/body","value":[]}]"#, "/body"),
    ] {
        let refused = patch(&ada, &path, operations, "\"1\"").await;
        assert_eq!(refused.expect_violations(), [pointer], "{operations}");
    }
    patch(&ada, &path, &format!("[{add}]"), "\"7\"")
        .await
        .expect_problem(412, "precondition_failed");
    assert_eq!(ada.read(&path).await, before);
    let unversioned: Vec<Value> = Vec::new();
    let body = Some(Value::from(unversioned).to_string().into_bytes());
    let media_type = "application/json-patch+json";
    let refused = ada.send_bytes(Method::PATCH, &path, media_type, body, &[]).await;
    refused.expect_problem(428, "version_required");
    app.stop().await;
}

//! What a collection's schema promises of its documents, whichever way they are written.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database};

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": { "servings": { "type": "integer", "minimum": 1 } },
        "required": ["servings"],
        "additionalProperties": false,
    })
}

/// A collection with a schema, and the path of its documents.
async fn recipes(app: &App, schema: Value) -> (Client, String, String, String) {
    let (ada, home) = app.owner_of("household").await;
    let collections = format!("{home}/collections");
    let made = ada.make(&collections, json!({ "name": "recipes", "schema": schema })).await;
    let documents = format!("{collections}/recipes/documents");
    (ada, home, at(&collections, &made), documents)
}

#[each_database]
async fn every_write_is_checked(database: Database) {
    let app = App::start(&database).await;
    let (ada, home, collection, documents) = recipes(&app, schema()).await;
    let refused = ada.post(&documents, json!({ "id": "a", "body": { "x": "secret-value" } })).await;
    assert!(!refused.text.contains("secret-value"), "{}", refused.text);
    let mut found = refused.expect_violations();
    found.sort();
    assert_eq!(found, ["/body/servings", "/body/x"]);
    let made = ada.make(&documents, json!({ "id": "a", "body": { "servings": 4 } })).await;
    let path = format!("{documents}/a");
    let put = json!({ "version": 1, "body": { "servings": 0 } });
    let refused = ada.send(Method::PUT, &path, Some(put)).await;
    assert_eq!(refused.expect_violations(), ["/body/servings"]);
    let refused = ada.patch(&path, json!({ "version": 1, "body": { "servings": null } })).await;
    assert_eq!(refused.expect_violations(), ["/body/servings"]);
    let bulk = json!({ "items": [{ "op": "create", "body": {} }] });
    let bulk = ada.post(&format!("{collection}/bulk"), bulk).await.expect(200);
    let result = &bulk["results"][0];
    assert_eq!(
        (&result["status"], &result["violations"][0]["pointer"]),
        (&json!("invalid"), &json!("/body/servings"))
    );
    app.run_until_idle().await;
    let known = ada.read(&format!("{home}/changes?entities=document")).await["items"][0].clone();
    let edit = json!({ "changes": [{ "entity": "document", "op": "update", "id": known["id"],
        "version": 1, "data": { "body": { "servings": "many" } } }] });
    let report = ada.post(&format!("{home}/sync"), edit).await.expect(200);
    assert_eq!(report["results"][0]["status"], "invalid", "{report}");
    assert_eq!(ada.read(&path).await, made);
    app.stop().await;
}

#[each_database]
async fn a_revert_is_checked_against_the_schema_of_now(database: Database) {
    let app = App::start(&database).await;
    let (ada, _, collection, documents) = recipes(&app, json!({})).await;
    ada.make(&documents, json!({ "id": "a", "body": { "old": true } })).await;
    let path = format!("{documents}/a");
    let put = json!({ "version": 1, "body": { "servings": 2 } });
    ada.send(Method::PUT, &path, Some(put)).await.expect(200);
    ada.patch(&collection, json!({ "version": 1, "schema": schema() })).await.expect(200);
    let back = ada.post(&format!("{path}/revert"), json!({ "version": 2, "to_version": 1 })).await;
    let mut found = back.expect_violations();
    found.sort();
    assert_eq!(found, ["/body/old", "/body/servings"]);
    app.stop().await;
}

#[each_database]
async fn another_schema_says_which_documents_break(database: Database) {
    let app = App::start(&database).await;
    let (ada, _, collection, documents) = recipes(&app, json!({})).await;
    for (id, body) in
        [("a", json!({ "servings": 1 })), ("b/c", json!({})), ("d", json!({ "servings": 0 }))]
    {
        ada.make(&documents, json!({ "id": id, "body": body })).await;
    }
    let check = format!("{collection}/check-schema");
    let checked = ada.post(&check, json!({ "schema": schema() })).await.expect(200);
    let ids: Vec<_> = checked["invalid"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!((ids, &checked["checked"]), (vec![&json!("b/c"), &json!("d")], &json!(3)));
    assert_eq!(checked["invalid"][0]["violations"][0]["pointer"], "/body/servings");
    assert_eq!(checked["next_after"], Value::Null);
    // Page by page.
    let (mut after, mut pages, mut invalid) = (Value::Null, 0, 0);
    loop {
        let body = json!({ "schema": schema(), "limit": 1, "after": after });
        let page = ada.post(&check, body).await.expect(200);
        invalid += page["invalid"].as_array().unwrap().len();
        pages += 1;
        after = page["next_after"].clone();
        if after.is_null() {
            break;
        }
        assert!(pages < 10);
    }
    assert_eq!((invalid, pages >= 3), (2, true));

    let change = json!({ "version": 1, "schema": schema() });
    let refused = ada.patch(&collection, change.clone()).await;
    let problem = refused.expect_problem(409, "schema_violated");
    let pointers: Vec<_> =
        problem["violations"].as_array().unwrap().iter().map(|it| &it["pointer"]).collect();
    assert_eq!(pointers, ["/b~1c/body/servings", "/d/body/servings"]);
    let changed = ada.patch(&format!("{collection}?apply=new"), change).await.expect(200);
    assert_eq!((&changed["version"], &changed["schema"]), (&json!(2), &schema()));
    // What is there stays, and what is written has to fit.
    assert_eq!(ada.read(&format!("{documents}/d")).await["body"], json!({ "servings": 0 }));
    let touched = ada.patch(&format!("{documents}/d"), json!({ "version": 1, "body": {} })).await;
    assert_eq!(touched.expect_violations(), ["/body/servings"]);
    app.stop().await;
}

#[each_database]
async fn what_is_no_schema_is_refused_with_a_pointer(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let collections = format!("{home}/collections");
    for (schema, pointer) in [
        (json!({ "type": "text" }), "/schema/type"),
        (json!({ "$ref": "https://example.com/schema" }), "/schema/$ref"),
        (json!({ "properties": { "a": { "pattern": "(?=a)" } } }), "/schema/properties/a/pattern"),
    ] {
        let refused = ada.post(&collections, json!({ "name": "x", "schema": schema })).await;
        assert_eq!(refused.expect_violations(), [pointer]);
    }
    app.stop().await;
}

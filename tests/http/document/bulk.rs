//! Many writes at once: each with its own result, or all or none.

use serde_json::{Value, json};
use tests::{App, Client, Database, each_database};

async fn notes(app: &App) -> (Client, String, String) {
    let (ada, home) = app.owner_of("household").await;
    ada.make(&format!("{home}/collections"), json!({ "name": "notes" })).await;
    let notes = format!("{home}/collections/notes");
    for id in ["a", "b", "c"] {
        ada.make(&format!("{notes}/documents"), json!({ "id": id, "body": { "n": 1 } })).await;
    }
    (ada, format!("{notes}/bulk"), format!("{notes}/documents"))
}

fn statuses(results: &Value) -> Vec<String> {
    let results = results["results"].as_array().unwrap().iter();
    results.map(|it| it["status"].as_str().unwrap().to_owned()).collect()
}

#[each_database]
async fn each_write_has_a_result_of_its_own(database: Database) {
    let app = App::start(&database).await;
    let (ada, bulk, documents) = notes(&app).await;
    let items = json!([
        { "op": "create", "id": "d", "body": { "n": 4 } },
        { "op": "create", "id": "a", "body": {} },
        { "op": "update", "id": "a", "version": 1, "body": { "m": 2 } },
        { "op": "update", "id": "a", "version": 1, "body": { "m": 3 } },
        { "op": "replace", "id": "b", "version": 1, "body": { "x": null } },
        { "op": "delete", "id": "c", "version": 1 },
        { "op": "delete", "id": "nobody", "version": 1 },
        { "op": "replace", "id": "d", "body": {} },
        { "op": "delete", "id": "d", "version": 1, "body": {} },
        { "op": "create", "body": {} },
        { "op": "spam" },
    ]);
    let results = ada.post(&bulk, json!({ "items": items })).await.expect(200);
    let expected = [
        "applied",
        "invalid",
        "applied",
        "conflict",
        "applied",
        "applied",
        "not_found",
        "invalid",
        "invalid",
        "applied",
        "invalid",
    ];
    assert_eq!(statuses(&results), expected, "{results}");
    assert_eq!(results["results"][1]["violations"][0]["code"], "duplicate");
    assert_eq!(results["results"][3]["current"]["body"], json!({ "n": 1, "m": 2 }));
    assert_eq!(results["results"][5]["version"], 2);
    assert_eq!(results["results"][7]["code"], "version_required");
    assert!(results["results"][9]["id"].is_string());
    assert_eq!(ada.read(&format!("{documents}/a")).await["body"], json!({ "n": 1, "m": 2 }));
    assert_eq!(ada.read(&format!("{documents}/b")).await["body"], json!({ "x": null }));
    ada.get(&format!("{documents}/c")).await.expect_problem(404, "not_found");
    app.stop().await;
}

#[each_database]
async fn an_atomic_one_is_applied_as_a_whole_or_not_at_all(database: Database) {
    let app = App::start(&database).await;
    let (ada, bulk, documents) = notes(&app).await;
    let before = ada.read(&documents).await;
    let good = json!({ "op": "update", "id": "a", "version": 1, "body": { "m": 2 } });
    let atomic = |bad: Value| json!({ "atomic": true, "items": [good, bad] });
    for (bad, pointer) in [
        (json!({ "op": "delete", "id": "nobody", "version": 1 }), "/items/1/id"),
        (json!({ "op": "create" }), "/items/1/body"),
        (json!({ "op": "update", "version": 1, "body": {} }), "/items/1/id"),
        (json!({ "op": "create", "id": "x", "body": [] }), "/items/1/body"),
    ] {
        assert_eq!(ada.post(&bulk, atomic(bad)).await.expect_violations(), [pointer]);
    }
    let stale = json!({ "op": "delete", "id": "b", "version": 7 });
    let conflict = ada.post(&bulk, atomic(stale)).await.expect_problem(409, "version_conflict");
    assert_eq!(conflict["current"]["id"], "b");
    assert_eq!(ada.read(&documents).await, before);
    let both = json!({ "op": "delete", "id": "b", "version": 1 });
    let results = ada.post(&bulk, atomic(both)).await.expect(200);
    assert_eq!(statuses(&results), ["applied", "applied"]);
    assert_eq!(ada.read(&documents).await["items"].as_array().unwrap().len(), 2);
    app.stop().await;
}

#[each_database]
async fn it_has_bounds_and_needs_the_role(database: Database) {
    let app = App::start(&database).await;
    let (ada, bulk, _) = notes(&app).await;
    let create = json!({ "op": "create", "body": {} });
    let many = vec![create.clone(); 1_001];
    assert_eq!(ada.post(&bulk, json!({ "items": many })).await.expect_violations(), ["/items"]);
    assert_eq!(ada.post(&bulk, json!({ "items": [] })).await.expect_violations(), ["/items"]);
    let thousand = ada.post(&bulk, json!({ "items": vec![create.clone(); 1_000] })).await;
    assert!(statuses(&thousand.expect(200)).iter().all(|status| status == "applied"));
    let home = bulk.split("/collections").next().unwrap();
    let viewer = ada.invite(home, "viewer").await;
    let refused = viewer.post(&bulk, json!({ "items": [create] })).await;
    refused.expect_problem(403, "role_insufficient");
    app.stop().await;
}

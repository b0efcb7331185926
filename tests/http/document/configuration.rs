//! Ready-made collections, inherited configurations, and secrets.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database};

const SECRET: &str = "canary-3c61-secret";
const MASK: &str = "•••";

#[each_database]
async fn a_template_fills_in_what_is_left_out(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let collections = format!("{home}/collections");
    let agents = ada.make(&collections, json!({ "name": "agents", "template": "agents" })).await;
    let shown = include_str!("../../../docs/examples/agents.schema.json");
    assert_eq!(agents["schema"], serde_json::from_str::<Value>(shown).unwrap());
    assert_eq!(agents["indexes"], json!(["/name", "/visibility"]));
    assert_eq!(agents.get("template"), None);
    let own = json!({ "name": "own", "template": "agents", "schema": {}, "indexes": ["/x"] });
    let own = ada.make(&collections, own).await;
    assert_eq!((&own["schema"], &own["indexes"]), (&json!({}), &json!(["/x"])));
    let agent = json!({ "name": "Accountant", "models": ["large"], "visibility": "organization" });
    let documents = format!("{collections}/agents/documents");
    ada.make(&documents, json!({ "body": agent })).await;
    let nameless = ada.post(&documents, json!({ "body": { "models": [] } })).await;
    assert!(nameless.expect_violations().contains(&"/body/name".to_owned()));
    let path = at(&collections, &agents);
    let again = ada.patch(&path, json!({ "version": 1, "template": "configurations" })).await;
    assert_eq!(again.expect_violations(), ["/template"]);
    app.stop().await;
}

/// A collection of configurations, and the path of its documents.
async fn settings(app: &App) -> (Client, String, String) {
    let (ada, home) = app.owner_of("company").await;
    let collections = format!("{home}/collections");
    let new = json!({ "name": "settings", "template": "configurations" });
    ada.make(&collections, new).await;
    (ada, home, format!("{collections}/settings"))
}

async fn put(client: &Client, settings: &str, id: &str, body: Value) {
    let path = format!("{settings}/documents/{id}");
    client.send(Method::PUT, &path, Some(json!({ "body": body }))).await.expect(201);
}

#[each_database]
async fn a_member_s_own_value_takes_the_place_of_the_organization_s(database: Database) {
    let app = App::start(&database).await;
    let (ada, home, settings) = settings(&app).await;
    let grace = ada.make(&format!("{home}/members"), json!({ "name": "Grace" })).await;
    let grace = grace["id"].as_str().unwrap();
    for (key, value) in [("color", json!("red")), ("font", json!(null)), ("zoom", json!(1))] {
        put(&ada, &settings, &format!("organization:{key}"), json!({ "value": value })).await;
    }
    for (key, value) in [("color", json!("blue")), ("alarm", json!([7, 30]))] {
        put(&ada, &settings, &format!("member:{grace}:{key}"), json!({ "value": value })).await;
    }
    put(&ada, &settings, "other", json!({ "value": "in neither" })).await;
    let effective = format!("{settings}/effective?member={grace}");
    let found = ada.read(&effective).await;
    let items = found["items"].as_array().unwrap().iter();
    let items: Vec<_> = items.map(|it| (&it["key"], &it["scope"], &it["value"])).collect();
    let (own, shared) = (json!("member"), json!("organization"));
    let expected = [
        (&json!("alarm"), &own, &json!([7, 30])),
        (&json!("color"), &own, &json!("blue")),
        (&json!("font"), &shared, &json!(null)),
        (&json!("zoom"), &shared, &json!(1)),
    ];
    assert_eq!(items, expected, "{found}");
    assert_eq!(found["next_after"], Value::Null);
    // Page by page, the same.
    let (mut keys, mut after) = (Vec::new(), String::new());
    loop {
        let page = ada.read(&format!("{effective}&limit=1&after={after}")).await;
        keys.push(page["items"][0]["key"].clone());
        match page["next_after"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
        assert!(keys.len() < 10);
    }
    assert_eq!(keys, ["alarm", "color", "font", "zoom"]);
    let own = ada.read(&format!("{settings}/effective")).await;
    assert_eq!(own["items"].as_array().unwrap().len(), 3, "nothing of another member: {own}");
    let unknown = "019a8b20-4c00-7a10-8000-000000000001";
    let unknown = ada.get(&format!("{settings}/effective?member={unknown}")).await;
    assert_eq!(unknown.expect_violations(), ["?member"]);
    app.stop().await;
}

#[each_database]
async fn a_secret_is_shown_to_those_who_may_write_it_and_nowhere_else(database: Database) {
    let app = App::start(&database).await;
    let (ada, home, settings) = settings(&app).await;
    put(&ada, &settings, "organization:token", json!({ "secret": SECRET })).await;
    let path = format!("{settings}/documents/organization:token");
    app.run_until_idle().await;
    for path in [
        path.clone(),
        format!("{path}/history"),
        format!("{settings}/documents"),
        format!("{settings}/changes"),
        format!("{home}/events"),
        format!("{home}/changes"),
    ] {
        let text = ada.get(&path).await.text;
        assert!(text.contains(MASK) && !text.contains(SECRET), "{path}: {text}");
    }
    let effective = format!("{settings}/effective");
    let shown = ada.get(&effective).await;
    assert_eq!(shown.headers["cache-control"], "no-store");
    assert_eq!(shown.json["items"][0]["secret"], SECRET);
    let viewer = ada.invite(&home, "viewer").await;
    let hidden = viewer.get(&effective).await;
    assert_eq!(hidden.json["items"][0]["key"], "token");
    assert!(!hidden.text.contains(SECRET), "{}", hidden.text);
    app.stop().await;
}

#[each_database]
async fn a_mask_leaves_a_secret_as_it_is(database: Database) {
    let app = App::start(&database).await;
    let (ada, _, settings) = settings(&app).await;
    put(&ada, &settings, "organization:token", json!({ "secret": SECRET })).await;
    let path = format!("{settings}/documents/organization:token");
    let secret = async || {
        let found = ada.read(&format!("{settings}/effective")).await;
        found["items"][0]["secret"].clone()
    };
    // What was read is written again, with something else changed.
    let mut body = ada.read(&path).await["body"].clone();
    assert_eq!(body, json!({ "secret": MASK }));
    body["description"] = json!("of the bank");
    let put_again = json!({ "version": 1, "body": body });
    ada.send(Method::PUT, &path, Some(put_again)).await.expect(200);
    assert_eq!(secret().await, SECRET);
    ada.patch(&path, json!({ "version": 2, "body": { "secret": "another" } })).await.expect(200);
    assert_eq!(secret().await, "another");
    // A secret has no history: a revert keeps the one of now.
    let back = json!({ "version": 3, "to_version": 1 });
    ada.post(&format!("{path}/revert"), back).await.expect(200);
    assert_eq!(secret().await, "another");
    let value = json!({ "version": 4, "body": { "secret": null, "value": 1 } });
    ada.patch(&path, value).await.expect(200);
    assert_eq!(secret().await, Value::Null);
    let back = ada.post(&format!("{path}/revert"), json!({ "version": 5, "to_version": 1 })).await;
    assert_eq!(back.expect_violations(), ["/body/secret"]);
    let masked = json!({ "body": { "secret": MASK } });
    let refused = ada.post(&format!("{settings}/documents"), masked).await;
    assert_eq!(refused.expect_violations(), ["/body/secret"]);
    app.stop().await;
}

//! Every change of every route is in the log. The routes are sent where their statements are counted
//! ([`crate::statements`]).

use entity::event;
use reqwest::Method;
use sea_orm::{EntityTrait, QueryFilter};
use serde_json::Value;
use service::{
    Store, catalogue,
    document::document,
    event::{Event, Visibility},
};
use tests::{Answer, Route};
use uuid::Uuid;

/// What a route is about that changes nothing of a versioned resource.
const WITHOUT_EVENT: &[(&str, &str)] = &[
    (
        "POST /v1/organizations/{organization_id}/collections/{collection}/aggregate",
        "nothing is changed",
    ),
    (
        "POST /v1/organizations/{organization_id}/collections/{collection}/check-schema",
        "nothing is changed",
    ),
    (
        "POST /v1/organizations/{organization_id}/collections/{collection}/explain",
        "nothing is changed",
    ),
    (
        "POST /v1/organizations/{organization_id}/collections/{collection}/query",
        "nothing is changed",
    ),
    ("POST /v1/organizations/{organization_id}/expenses/import/preview", "nothing is changed"),
    ("POST /v1/organizations/{organization_id}/rules/dry-run", "nothing is changed"),
    ("POST /v1/organizations/{organization_id}/rules/{rule_id}/dry-run", "nothing is changed"),
    ("POST /v1/sessions", "a session has no version"),
    ("DELETE /v1/sessions/current", "a session has no version"),
    ("DELETE /v1/sessions/{session_id}", "a session has no version"),
    (
        "POST /v1/organizations/{organization_id}/deliveries/{delivery_id}/resend",
        "a delivery has no version: it is told of in its attempts",
    ),
    (
        "POST /v1/organizations/{organization_id}/webhooks/{webhook_id}/test",
        "a delivery has no version: it is told of in its attempts",
    ),
];

/// The events of one request.
async fn events(store: &Store, request_id: Uuid) -> Vec<event::Model> {
    let events = event::Entity::find().filter(event::COLUMN.request_id.eq(request_id));
    events.all(store.read()).await.expect("the log can be read")
}

/// The id of what an event is about, from what it shows: that of a document follows from its collection and its key.
fn shown_id(event: &event::Model, data: &Value) -> String {
    let shown = data["id"].as_str().expect("an id");
    match event.scope_id {
        Some(collection) if event.entity == "document" => {
            document::rules::uuid(collection, shown).to_string()
        }
        _ => shown.to_owned(),
    }
}

/// Asserts that the log tells of what a request of a route has changed.
pub(crate) async fn assert_told(
    store: &Store,
    route: &Route,
    answer: &Answer,
) -> Vec<event::Model> {
    if route.method == Method::GET {
        return Vec::new();
    }
    let name = route.name();
    let request_id = answer.headers["x-request-id"].to_str().expect("text");
    let new = events(store, request_id.parse().expect("a UUID")).await;
    if WITHOUT_EVENT.iter().any(|(without, _)| *without == name) {
        assert!(new.is_empty(), "{name}: {new:?}");
        return new;
    }
    assert!(!new.is_empty(), "{name} changes something, and nothing of it is in the log");
    for event in &new {
        let data = event.data.as_ref().expect("an event has its data");
        let entity = catalogue::resource(&event.entity);
        let entity = entity.expect("an entity of the catalogue");
        assert!(entity.sealed.iter().all(|it| data.get(it).is_none()), "{name}");
        assert_eq!(event.sealed.is_some(), !entity.sealed.is_empty(), "{name}");
        assert!(entity.has_kind(&event.kind), "{name}: {}", event.kind);
        assert_eq!(shown_id(event, data), event.entity_id.to_string(), "{name}");
        let secrets = ["token", "password", "secret"];
        assert!(secrets.iter().all(|it| data.get(it).is_none()), "{name}");
    }
    // What was answered is what stands in the log, to the letter.
    let issued = ["token", "secret"].iter().any(|it| answer.json.get(it).is_some());
    if answer.json["version"].is_i64() && !issued {
        let rows = Visibility::all().screen(store.read(), new.clone()).await.expect("all of them");
        let decrypted = |row| Event::decrypted(store.keyring(), row).expect("what is sealed opens");
        let told: Vec<Value> = rows.into_iter().filter_map(|row| decrypted(row).data).collect();
        assert!(told.contains(&answer.json), "{name}: {told:?} has not {}", answer.text);
    }
    new
}

use entity::event;
use reqwest::Method;
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::Value;
use service::{
    Store,
    event::{ENTITIES, Event},
};
use tests::{App, Route, Sample, each_database};

/// What a route is about that changes nothing of a versioned resource.
const WITHOUT_EVENT: &[(&str, &str)] = &[
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

async fn events(store: &Store) -> Vec<event::Model> {
    let events = event::Entity::find().order_by_asc(event::Column::At);
    let events = events.order_by_asc(event::Column::Ordinal).all(store.read()).await;
    events.expect("the log can be read")
}

#[tokio::test]
async fn every_change_of_every_route_is_in_the_log() {
    each_database(async |database| {
        let app = App::start(&database).await;
        for route in Route::all().iter().filter(|route| route.method != Method::GET) {
            let owner = app.anonymous().sign_up("Ada").await;
            let sample = Sample::of(&owner).await;
            sample.prepare(route).await;
            let caller = match route.variables()[..] {
                ["token"] => app.anonymous().sign_up("Linus").await,
                _ => owner,
            };
            let request = sample.valid(route).await;
            let before = events(&app.store).await.len();
            let answer = request.send(&caller).await;
            assert!(answer.status.is_success(), "{}: {}", route.name(), answer.text);
            let request_id = answer.headers["x-request-id"].to_str().expect("text").to_owned();
            let new: Vec<_> = events(&app.store).await;
            let new: Vec<_> = new
                .into_iter()
                .filter(|event| event.request_id.is_some_and(|id| id.to_string() == request_id))
                .collect();
            let name = route.name();
            if WITHOUT_EVENT.iter().any(|(without, _)| *without == name) {
                assert!(new.is_empty() && before > 0, "{name}: {new:?}");
                continue;
            }
            assert!(!new.is_empty(), "{name} changes something, and nothing of it is in the log");
            for event in &new {
                let data = event.data.as_ref().expect("an event has its data");
                let entity = ENTITIES.iter().find(|entity| entity.name == event.entity);
                let entity = entity.expect("an entity of the catalogue");
                assert!(entity.sealed.iter().all(|it| data.get(it).is_none()), "{name}");
                assert_eq!(event.sealed.is_some(), !entity.sealed.is_empty(), "{name}");
                let verbs = entity.verbs.iter();
                let kinds: Vec<_> =
                    verbs.map(|verb| format!("{}.{}", event.entity, verb.as_str())).collect();
                assert!(kinds.contains(&event.kind), "{name}: {}", event.kind);
                assert_eq!(data["id"], event.entity_id.to_string(), "{name}");
                assert!(
                    ["token", "password", "secret"].iter().all(|it| data.get(it).is_none()),
                    "{name}"
                );
            }
            // What was answered is what stands in the log, to the letter.
            let issued = ["token", "secret"].iter().any(|it| answer.json.get(it).is_some());
            if answer.json["version"].is_i64() && !issued {
                let keyring = app.store.keyring();
                let whole = |row| Event::whole(keyring, row).expect("what is sealed opens");
                let told: Vec<Value> =
                    new.into_iter().filter_map(|event| whole(event).data).collect();
                assert!(told.contains(&answer.json), "{name}: {told:?} has not {}", answer.text);
            }
        }
        app.stop().await;
    })
    .await;
}

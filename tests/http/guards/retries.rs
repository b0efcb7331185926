//! Every POST can be sent again with its `Idempotency-Key`: it is done once, and answered the same.

use entity::event;
use reqwest::Method;
use sea_orm::{EntityTrait, PaginatorTrait};
use tests::{Answer, App, Client, Database, Route, Sample, each_database, route::Request};

/// Of an answer, all that is not of one occurrence.
const RECORDED_HEADERS: &[&str] = &["cache-control", "content-type", "etag", "location"];

fn posts() -> impl Iterator<Item = Route> {
    Route::all().into_iter().filter(|route| route.method == Method::POST)
}

/// A sample that is ready for the route, and who sends it.
async fn ready(app: &App, route: &Route) -> (Sample, Client) {
    let owner = app.anonymous().sign_up("Ada").await;
    let sample = Sample::of(&owner).await;
    sample.prepare(route).await;
    let caller = match route.variables()[..] {
        // Nobody accepts an invitation into what they belong to.
        ["token"] => app.anonymous().sign_up("Linus").await,
        _ => owner,
    };
    (sample, caller)
}

/// The same request, but for one byte.
async fn other<'a>(sample: &Sample, route: &'a Route, body: Option<String>) -> Request<'a> {
    match (route.takes(), body) {
        (Some(media_type), Some(body)) => {
            sample.request(route).body(media_type, format!("{body}\n"))
        }
        _ => sample.valid(route).await.query("other=1"),
    }
}

async fn events(app: &App) -> u64 {
    event::Entity::find().count(app.store.read()).await.expect("the log can be read")
}

fn assert_same(name: &str, first: &Answer, again: &Answer) {
    assert!(!first.is_replayed() && again.is_replayed(), "{name}: {}", again.text);
    assert_eq!((first.status, &first.text), (again.status, &again.text), "{name}");
    for header in RECORDED_HEADERS {
        assert_eq!(first.headers.get(*header), again.headers.get(*header), "{name}: {header}");
    }
    assert_ne!(first.headers["x-request-id"], again.headers["x-request-id"], "{name}");
}

#[each_database]
async fn every_post_is_done_once_for_each_key_of_each_caller(database: Database) {
    let app = App::start(&database).await;
    for route in posts() {
        let name = route.name();
        let (sample, caller) = ready(&app, &route).await;
        // Another caller in each round: nobody meets the key of another, unless nobody is known.
        let key = if route.is_public() { name.replace(' ', "-") } else { "the-same".into() };
        let caller = caller.keyed(&key);
        let request = sample.valid(&route).await;
        let body = request.text();
        let first = request.clone().send(&caller).await;
        assert!(first.status.is_success(), "{name}: {}", first.text);
        // What is done in an organization is in the log; a session is not.
        let own = route.permission().is_none();
        let before = if own { sample.state().await } else { Default::default() };
        let count = events(&app).await;
        for _ in 0..2 {
            assert_same(&name, &first, &request.clone().send(&caller).await);
        }
        let refused = other(&sample, &route, body).await.send(&caller).await;
        refused.expect_problem(422, "idempotency_key_reused");
        assert_eq!(events(&app).await, count, "{name} was done twice");
        if own {
            sample.assert_unchanged(&before).await;
        }
    }
    app.stop().await;
}

#[test]
fn every_post_says_so_in_the_document() {
    for route in posts() {
        let parameters = route.operation()["parameters"].as_array().expect("parameters");
        let named = |name: &str| parameters.iter().any(|it| it["name"] == name);
        assert!(named("Idempotency-Key"), "{}", route.name());
        assert!(route.statuses().is_superset(&[400, 409, 422].into()), "{}", route.name());
    }
}

#[each_database]
async fn what_is_no_key_is_refused_before_anything_is_done(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    let before = sample.state().await;
    for route in posts() {
        for key in ["", "two words", "ä", &"k".repeat(256)] {
            let request = sample.request(&route).header("idempotency-key", key);
            let answer = request.send(&sample.owner).await;
            answer.expect_problem(400, "idempotency_key_invalid");
        }
    }
    sample.assert_unchanged(&before).await;
    app.stop().await;
}

//! What is sent again with the same `Idempotency-Key`: when it is a retry, and when it is not.

mod at_once;

use api::config::Settings;
use chrono::{DateTime, TimeDelta};
use entity::idempotency_key;
use reqwest::Method;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, Statement};
use serde_json::json;
use service::{
    Store,
    clock::Clock,
    random::Random,
    seal::Keyring,
    store::{Engine, Options},
};
use tests::{App, AppOptions, Database, PASSWORD, at, each_database};

async fn kept(store: &Store) -> u64 {
    idempotency_key::Entity::find().count(store.read()).await.expect("they can be counted")
}

#[each_database]
async fn a_refusal_is_not_kept_and_a_dry_run_neither(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let categories = format!("{home}/categories");
    let food = json!({ "name": "Food" });
    let first = ada.make(&categories, food.clone()).await;
    let retried = ada.keyed("one");
    retried.post(&categories, food.clone()).await.expect_problem(409, "duplicate");
    ada.delete(&format!("{}?version=1", at(&categories, &first))).await.expect(204);
    let made = retried.post(&categories, food.clone()).await;
    assert!(!made.is_replayed());
    assert_eq!(retried.post(&categories, food).await.expect(201), made.expect(201));

    let import = format!("{home}/expenses/import?date=d&amount=a");
    let rows = "d,a\n2026-11-01,1\n";
    for _ in 0..2 {
        let dry = ada.keyed("two").upload(&format!("{import}&dry_run=true"), rows).await;
        assert!(!dry.is_replayed());
        dry.expect(200);
    }
    let report = ada.keyed("two").upload(&import, rows).await.expect(200);
    assert_eq!(report["created"], 1, "a dry run does not take the key");
    let again = ada.keyed("two").upload(&import, rows).await;
    assert!(again.is_replayed());
    assert_eq!(again.expect(200), report, "and not what a second import would say");
    app.stop().await;
}

#[each_database]
async fn what_counts_is_who_sends_what_where(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let grace = ada.invite(&home, "owner").await;
    let program = ada.with_key(&home, "owner").await;
    let office = ada.found("company").await;
    let (members, new) = (format!("{home}/members"), json!({ "name": "Edsger" }));
    let mut ids = Vec::new();
    for client in [&ada, &grace, &program] {
        let client = client.keyed("k");
        let made = client.post(&members, new.clone()).await;
        assert!(!made.is_replayed());
        ids.push(made.expect(201)["id"].clone());
        assert!(client.post(&members, new.clone()).await.is_replayed());
    }
    let ada = ada.keyed("k");
    // In another organization it is another key; elsewhere in the same, another request.
    ids.push(ada.post(&format!("{office}/members"), new.clone()).await.expect(201)["id"].clone());
    ids.dedup();
    assert_eq!(ids.len(), 4);
    for path in [format!("{home}/categories"), format!("{members}?x=1")] {
        ada.post(&path, new.clone()).await.expect_problem(422, "idempotency_key_reused");
    }
    let (body, precondition) = (Some(new.to_string().into_bytes()), [("if-match", "\"1\"")]);
    let changed = ada.send_bytes(Method::POST, &members, "application/json", body, &precondition);
    changed.await.expect_problem(422, "idempotency_key_reused");
    // Only a POST looks at it.
    assert!(!ada.get(&members).await.is_replayed());
    // Whoever may no longer do it is not told what it came to.
    let id = grace.member_in(&home).await["id"].clone();
    let member = at(&members, &json!({ "id": id }));
    ada.patch(&member, json!({ "version": 1, "role": "viewer" })).await.expect(200);
    let refused = grace.keyed("k").post(&members, new).await;
    refused.expect_problem(403, "role_insufficient");
    app.stop().await;
}

/// What is checked before the write has changed by the first time.
#[each_database]
async fn a_retry_is_known_before_it_is_checked(database: Database) {
    let mut options = AppOptions::default();
    options.settings = Settings {
        registration: service::identity::user::Registration::Invite,
        ..options.settings
    };
    let app = App::start_with(&database, options).await;
    let anybody = app.anonymous().keyed("k");
    let user = json!({ "email": "ada@example.org", "display_name": "A", "password": PASSWORD });
    let first = anybody.post("/v1/users", user.clone()).await.expect(201);
    assert_eq!(anybody.post("/v1/users", user).await.expect(201), first);
    let session = app.anonymous().log_in("ada@example.org", PASSWORD).await.expect(201);
    let ada = app.anonymous().with_token(session["token"].as_str().expect("a token"));
    let change = json!({ "current_password": PASSWORD, "new_password": "another long one" });
    for replayed in [false, true] {
        let answer = ada.keyed("p").post("/v1/users/me/password", change.clone()).await;
        assert_eq!(answer.is_replayed(), replayed);
        answer.expect(204);
    }
    ada.post("/v1/users/me/password", change).await.expect_violations();
    app.stop().await;
}

#[each_database]
async fn an_answer_is_kept_for_a_day_and_then_dropped(database: Database) {
    let clock = Clock::stepping(DateTime::UNIX_EPOCH, TimeDelta::minutes(1));
    let store = Options { clock, ..Options::default() };
    let app = App::start_with(&database, AppOptions { store, ..AppOptions::default() }).await;
    let (ada, home) = app.owner_of("household").await;
    let (members, retried) = (format!("{home}/members"), ada.keyed("k"));
    let new = json!({ "name": "Edsger" });
    let first = retried.post(&members, new.clone()).await.expect(201);
    assert!(retried.post(&members, new.clone()).await.is_replayed());
    app.run_until_idle().await;
    assert_eq!(kept(&app.store).await, 1);
    let end = app.store.now() + TimeDelta::hours(24);
    while app.store.now() < end {}
    let later = retried.post(&members, new.clone()).await;
    assert!(!later.is_replayed());
    assert_ne!(later.expect(201)["id"], first["id"]);
    assert!(retried.post(&members, new).await.is_replayed());
    assert_eq!(kept(&app.store).await, 1, "the new one has taken the place of the old");
    let end = app.store.now() + TimeDelta::hours(24);
    while app.store.now() < end {}
    app.run_until_idle().await;
    assert_eq!(kept(&app.store).await, 0);
    app.stop().await;
}

/// All that the database holds of kept answers, as text.
async fn rows(store: &Store) -> String {
    let (backend, sql) = match store.engine() {
        Engine::Sqlite => (
            DbBackend::Sqlite,
            "SELECT hex(organization_id) || hex(id) || answer || created_at || expires_at
             FROM idempotency_key",
        ),
        Engine::Postgres => (DbBackend::Postgres, "SELECT k::text FROM idempotency_key AS k"),
    };
    let rows = store.read().query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap() + "\n").collect()
}

#[each_database]
async fn a_kept_answer_cannot_be_read_from_the_database(database: Database) {
    let ring: Keyring = Keyring::new_key("house", &Random::system()).parse().expect("a ring");
    for (keyring, id) in [(Keyring::default(), "of the client:"), (ring, "house:")] {
        let store = Options { keyring, ..Options::default() };
        let options = AppOptions { store, ..AppOptions::default() };
        let app = App::start_with(&database, options).await;
        let (ada, home) = app.owner_of("household").await;
        let email = ada.read("/v1/users/me").await["email"].as_str().expect("one").to_owned();
        let before = kept(&app.store).await;
        // A key of which no part is in hexadecimal.
        let key = format!("zzzzzzzz-{email}");
        let session = app.anonymous().keyed(&key).log_in(&email, PASSWORD).await.expect(201);
        let expense = json!({ "spent_on": "2026-11-01", "amount_minor": 47_110_815,
            "merchant": "Canary Merchant" });
        let again = ada.keyed(&key);
        again.make(&format!("{home}/expenses"), expense).await;
        assert_eq!(kept(&app.store).await, before + 2);
        let rows = rows(&app.store).await;
        assert_eq!(rows.matches(id).count(), 2, "{rows}");
        let token = session["token"].as_str().expect("a token");
        for canary in [token, "Canary", "47110815", PASSWORD, &email, "zzzzzzzz", "merchant"] {
            assert!(!rows.contains(canary), "{canary} is in {rows}");
        }
        app.stop().await;
    }
}

#[each_database]
async fn what_is_kept_goes_with_its_organization(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let other = ada.found("household").await;
    for organization in [&home, &other] {
        ada.keyed("k").make(&format!("{organization}/members"), json!({ "name": "E" })).await;
    }
    ada.delete(&format!("{home}?version=1")).await.expect(204);
    app.run_until_idle().await;
    assert_eq!(kept(&app.store).await, 1);
    app.stop().await;
}

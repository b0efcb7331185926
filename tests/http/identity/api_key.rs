//! Keys for programs: they act for a member, and end with what that member may do.

use std::time::Duration;

use serde_json::json;
use service::{clock::Clock, store::Options};
use tests::{App, AppOptions, Database, at, each_database, id};

#[each_database]
async fn a_key_shows_its_token_once_and_is_dead_once_it_is_deleted(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let home = ada.found("household").await;
    let keys = format!("{home}/api-keys");
    let key = ada.make(&keys, json!({ "name": "importer", "role": "manager" })).await;
    assert_eq!(key["member_id"], ada.member_in(&home).await["id"]);
    let token = key["token"].as_str().expect("a token").to_owned();
    for path in [keys.clone(), at(&keys, &key)] {
        let answer = ada.get(&path).await;
        assert!(!answer.text.contains(&token) && !answer.text.contains("hash"), "{path}");
    }
    let program = app.anonymous().with_token(&token);
    program.read(&format!("{home}/expenses")).await;
    ada.delete(&format!("{}?version=1", at(&keys, &key))).await.expect(204);
    program.get(&home).await.expect_problem(401, "unauthenticated");
    app.stop().await;
}

#[each_database]
async fn a_key_opens_its_own_organization_and_no_account(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let (home, work) = (ada.found("household").await, ada.found("company").await);
    let program = ada.with_key(&home, "owner").await;
    program.read(&home).await;
    program.get(&work).await.expect_problem(404, "not_found");
    for path in ["/v1/users/me", "/v1/sessions", "/v1/organizations"] {
        program.get(path).await.expect_problem(403, "session_required");
    }
    let new = json!({ "kind": "household", "name": "x", "currency": "EUR" });
    program.post("/v1/organizations", new).await.expect_problem(403, "session_required");
    app.stop().await;
}

#[each_database]
async fn a_key_may_what_its_role_and_its_member_both_may(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let company = ada.found("company").await;
    let admin = ada.invite(&company, "admin").await;
    let keys = format!("{company}/api-keys");
    let above = json!({ "name": "x", "role": "owner" });
    admin.post(&keys, above).await.expect_problem(403, "role_above_own");
    let as_viewer = admin.with_key(&company, "viewer").await;
    let as_admin = admin.with_key(&company, "admin").await;
    let category = |name: &str| json!({ "name": name });
    let categories = format!("{company}/categories");
    as_viewer.post(&categories, category("a")).await.expect_problem(403, "role_insufficient");
    as_admin.make(&categories, category("b")).await;

    let member = admin.member_in(&company).await;
    let path = at(&format!("{company}/members"), &member);
    ada.patch(&path, json!({ "version": 1, "role": "viewer" })).await.expect(200);
    as_admin.post(&categories, category("c")).await.expect_problem(403, "role_insufficient");
    as_admin.read(&categories).await;
    ada.patch(&path, json!({ "version": 2, "active": false })).await.expect(200);
    for key in [&as_admin, &as_viewer] {
        key.get(&company).await.expect_problem(401, "unauthenticated");
    }
    // They do not come back with the member.
    let back = json!({ "version": 3, "active": true, "role": "admin" });
    ada.patch(&path, back).await.expect(200);
    for key in [&as_admin, &as_viewer] {
        key.get(&company).await.expect_problem(401, "unauthenticated");
    }
    assert_eq!(ada.all(&keys, "").await, Vec::<serde_json::Value>::new());
    app.stop().await;
}

#[each_database]
async fn a_key_ends_with_the_member_who_is_removed_and_the_log_says_so(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let admin = ada.invite(&company, "admin").await;
    let key = json!({ "name": "till", "role": "viewer" });
    let key = admin.make(&format!("{company}/api-keys"), key).await;
    let program = app.anonymous().with_token(key["token"].as_str().expect("a token"));
    program.read(&company).await;
    let path = at(&format!("{company}/members"), &admin.member_in(&company).await);
    ada.delete(&format!("{path}?version=1")).await.expect(204);
    program.get(&company).await.expect_problem(401, "unauthenticated");
    let history = format!("{}/history", at(&format!("{company}/api-keys"), &key));
    assert_eq!(ada.all(&history, "").await[0]["kind"], "api_key.deleted");
    app.stop().await;
}

#[each_database]
async fn what_a_key_makes_is_never_more_than_itself_and_ends_with_it(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let (keys, invitations) = (format!("{company}/api-keys"), format!("{company}/invitations"));
    let soon = app.store.now() + chrono::TimeDelta::hours(1);
    let soon = chrono::SubsecRound::trunc_subsecs(soon, 0);
    let later = soon + chrono::TimeDelta::seconds(1);
    let new = json!({ "name": "first", "role": "admin", "expires_at": soon });
    let first = ada.make(&keys, new).await;
    assert_eq!(first["created_by_api_key_id"], serde_json::Value::Null);
    let program = |key: &serde_json::Value| {
        app.anonymous().with_token(key["token"].as_str().expect("a token"))
    };
    let above = json!({ "name": "x", "role": "owner" });
    program(&first).post(&keys, above).await.expect_problem(403, "role_above_own");
    let beyond = json!({ "name": "x", "role": "viewer", "expires_at": later });
    program(&first).post(&keys, beyond).await.expect_problem(403, "expiry_beyond_own");
    // Where none is asked for, it is that of the key.
    let without = json!({ "name": "second", "role": "admin" });
    let second = program(&first).make(&keys, without.clone()).await;
    assert_eq!(second["expires_at"], first["expires_at"]);
    assert_eq!(second["created_by_api_key_id"], first["id"]);
    let third = program(&second).make(&keys, without.clone()).await;
    let other = ada.make(&keys, without).await;
    assert_eq!(other["expires_at"], serde_json::Value::Null);
    // What lets people in does not outlive the key either.
    let invitation = program(&third).make(&invitations, json!({ "role": "admin" })).await;
    assert_eq!(invitation["expires_at"], first["expires_at"]);
    assert_eq!(invitation["created_by_api_key_id"], third["id"]);

    ada.delete(&format!("{}?version=1", at(&keys, &first))).await.expect(204);
    for ended in [&first, &second, &third] {
        program(ended).get(&company).await.expect_problem(401, "unauthenticated");
    }
    let left = ada.all(&keys, "").await;
    assert_eq!(left.iter().map(id).collect::<Vec<_>>(), [id(&other)]);
    program(&other).read(&company).await;
    let token = invitation["token"].as_str().expect("a token");
    let eve = app.anonymous().sign_up("Eve").await;
    let late = eve.post(&format!("/v1/invitations/{token}/accept"), json!({})).await;
    late.expect_problem(404, "not_found");
    app.stop().await;
}

/// However a key is ended while it makes another: none is left.
#[each_database]
async fn no_key_outlives_the_one_that_makes_it_in_a_race(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let keys = format!("{company}/api-keys");
    for round in 0..20 {
        let key = ada.make(&keys, json!({ "name": "first", "role": "admin" })).await;
        let program = app.anonymous().with_token(key["token"].as_str().expect("a token"));
        let ending = format!("{}?version=1", at(&keys, &key));
        let new = json!({ "name": "second", "role": "admin" });
        let (made, ended) =
            futures_util::future::join(program.post(&keys, new), ada.delete(&ending)).await;
        ended.expect(204);
        assert!([201, 401].contains(&made.status.as_u16()), "round {round}: {}", made.text);
        assert_eq!(ada.all(&keys, "").await, Vec::<serde_json::Value>::new(), "round {round}");
    }
    app.stop().await;
}

/// Each reading of the clock is a minute later than the one before.
#[each_database]
async fn a_key_ends_by_itself(database: Database) {
    let start = chrono::DateTime::UNIX_EPOCH + Duration::from_secs(86_400);
    let clock = Clock::stepping(start, chrono::TimeDelta::minutes(1));
    let store = Options { clock, ..Options::default() };
    let app = App::start_with(&database, AppOptions { store, ..AppOptions::default() }).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let home = ada.found("household").await;
    let keys = format!("{home}/api-keys");
    let past = json!({ "name": "x", "role": "viewer", "expires_at": start });
    assert_eq!(ada.post(&keys, past).await.expect_violations(), ["/expires_at"]);
    let expires_at = start + chrono::TimeDelta::hours(2);
    let new = json!({ "name": "x", "role": "viewer", "expires_at": expires_at });
    let key = ada.make(&keys, new).await;
    assert_eq!(key["expires_at"], "1970-01-02T02:00:00Z");
    let program = app.anonymous().with_token(key["token"].as_str().expect("a token"));
    program.read(&home).await;
    let mut lasted = 0;
    while lasted < 120 && program.get(&home).await.status == 200 {
        lasted += 1;
    }
    program.get(&home).await.expect_problem(401, "unauthenticated");
    assert!(!id(&key).is_empty() && lasted < 120);
    app.stop().await;
}

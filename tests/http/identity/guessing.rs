//! Who guesses gets slower; nobody else does.

use std::time::Duration;

use api::config::Settings;
use futures_util::future::join_all;
use serde_json::json;
use service::identity::user::Registration;
use tests::{Answer, App, AppOptions, Client, Database, PASSWORD, each_database};

const ADA: &str = "ada@example.org";

/// How many were answered so.
fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

/// That so many passed, and all others were told to wait. A machine that is so slow that the first wait
/// ends meanwhile lets one or two more pass.
fn expect_throttled(answers: Vec<Answer>, (status, least): (u16, usize)) {
    let passed = count(&answers, status);
    assert!((least..=least + 2).contains(&passed), "{passed} passed");
    for answer in answers.into_iter().filter(|answer| answer.status != status) {
        assert!((1..=900).contains(&answer.retry_after()), "{}", answer.retry_after());
        answer.expect_problem(429, "too_many_attempts");
    }
}

/// Fails until the wait is long enough that it goes on while a slow machine looks at what follows.
async fn fail_until_held_up(attempt: impl AsyncFn(usize) -> Answer) {
    for number in 0..100 {
        let answer = attempt(number).await;
        if answer.status == 429 {
            let wait = answer.retry_after();
            if wait >= 4 {
                return;
            }
            tokio::time::sleep(Duration::from_secs(wait)).await;
        }
    }
    panic!("nobody is held up");
}

async fn guess(client: &Client, email: &str, times: usize) -> Vec<Answer> {
    join_all((0..times).map(|number| {
        let password = format!("guess number {number}");
        async move { client.log_in(email, &password).await }
    }))
    .await
}

#[each_database]
async fn who_guesses_a_password_is_held_up_and_nobody_else(database: Database) {
    let app = App::start(&database).await;
    let here = app.anonymous();
    here.sign_up_as("Ada", ADA).await;
    here.sign_up_as("Bob", "bob@example.org").await;
    let elsewhere = here.from_address("127.0.0.2");
    expect_throttled(guess(&elsewhere, ADA, 25).await, (401, 5));
    fail_until_held_up(async |_| elsewhere.log_in(ADA, "a guess").await).await;
    let right = elsewhere.log_in(&ADA.to_uppercase(), PASSWORD).await;
    right.expect_problem(429, "too_many_attempts");
    elsewhere.log_in("bob@example.org", PASSWORD).await.expect(201);
    for from in ["127.0.0.1", "127.0.0.3"] {
        here.from_address(from).log_in(ADA, PASSWORD).await.expect(201);
    }
    app.stop().await;
}

#[each_database]
async fn the_wait_ends_and_a_right_password_forgives(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous();
    ada.sign_up_as("Ada", ADA).await;
    fail_until_held_up(async |_| ada.log_in(ADA, "a guess").await).await;
    let wait = ada.log_in(ADA, PASSWORD).await.retry_after();
    tokio::time::sleep(Duration::from_secs(wait)).await;
    ada.log_in(ADA, PASSWORD).await.expect(201);
    for _ in 0..4 {
        ada.log_in(ADA, "a guess").await.expect(401);
    }
    ada.log_in(ADA, PASSWORD).await.expect(201);
    app.stop().await;
}

/// One guess for each of many users: none of them is held up who is known there, nor anybody elsewhere.
#[each_database]
async fn who_tries_many_names_is_held_up(database: Database) {
    let app = App::start(&database).await;
    let here = app.anonymous();
    here.sign_up_as("Ada", ADA).await;
    let guesses = (0..50).map(|number| {
        let here = here.clone();
        async move { here.log_in(&format!("user{number}@example.org"), "a guess").await }
    });
    // Thirty are checked; on a slow machine, some of them in vain.
    let throttled = count(&join_all(guesses).await, 429);
    assert!((18..=20).contains(&throttled), "{throttled} have to wait");
    here.log_in(ADA, PASSWORD).await.expect(201);
    here.from_address("127.0.0.2").sign_up_as("Eve", "eve@example.org").await;
    let name = |number| format!("person{number}@example.org");
    fail_until_held_up(async |number| here.log_in(&name(number), "a guess").await).await;
    here.log_in("eve@example.org", PASSWORD).await.expect_problem(429, "too_many_attempts");
    app.stop().await;
}

#[each_database]
async fn who_guesses_invitations_is_held_up(database: Database) {
    let settings = Settings { registration: Registration::Invite, ..Settings::default() };
    let options = AppOptions { settings, ..AppOptions::default() };
    let app = App::start_with(&database, options).await;
    let ada = app.anonymous().sign_up_as("Ada", ADA).await;
    let home = ada.found("household").await;
    let invitation = ada.post(&format!("{home}/invitations"), json!({ "role": "member" })).await;
    let invitation = invitation.expect(201);
    let token = invitation["token"].as_str().expect("a token");
    let register = |client: Client, token: String| async move {
        let bob = json!({ "email": "bob@example.org", "display_name": "Bob",
            "password": PASSWORD, "invitation": token });
        client.post("/v1/users", bob).await
    };
    let guesses = join_all((0..40).map(|n| register(app.anonymous(), format!("{token}{n}"))));
    expect_throttled(guesses.await, (404, 30));
    let guess = async |_| register(app.anonymous(), format!("{token}x")).await;
    fail_until_held_up(guess).await;
    register(app.anonymous(), token.to_owned()).await.expect(429);
    let elsewhere = app.anonymous().from_address("127.0.0.2");
    register(elsewhere.clone(), token.to_owned()).await.expect(201);
    let session = elsewhere.log_in("bob@example.org", PASSWORD).await.expect(201);
    let bob = elsewhere.with_token(session["token"].as_str().expect("a token"));
    let accept = |client: Client, token: String| async move {
        client.post(&format!("/v1/invitations/{token}/accept"), json!({})).await
    };
    let guesses = join_all((0..40).map(|n| accept(bob.clone(), format!("{token}{n}"))));
    expect_throttled(guesses.await, (404, 30));
    accept(bob.from_address("127.0.0.3"), token.to_owned()).await.expect(201);
    app.stop().await;
}

/// Each token is counted by itself, so that who tries one cannot try it for long.
#[each_database]
async fn who_tries_one_invitation_again_and_again_is_held_up(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up_as("Ada", ADA).await;
    let home = ada.found("household").await;
    let invitation = ada.make(&format!("{home}/invitations"), json!({ "role": "member" })).await;
    let token = invitation["token"].as_str().expect("a token");
    let bob = app.anonymous().sign_up_as("Bob", "bob@example.org").await;
    let accept =
        async |token: String| bob.post(&format!("/v1/invitations/{token}/accept"), json!({})).await;
    let guesses = join_all((0..20).map(|_| accept(format!("{token}x"))));
    expect_throttled(guesses.await, (404, 5));
    accept(format!("{token}y")).await.expect_problem(404, "not_found");
    accept(token.to_owned()).await.expect(201);
    app.stop().await;
}

/// Whoever has got hold of a session does not find out the password in it, nor who else is here.
#[each_database]
async fn who_guesses_in_a_session_is_held_up(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up_as("Ada", ADA).await;
    app.anonymous().sign_up_as("Bob", "bob@example.org").await;
    let password = |client: Client, current: String| async move {
        let body = json!({ "current_password": current, "new_password": "another long one" });
        client.post("/v1/users/me/password", body).await
    };
    let guesses = join_all((0..20).map(|n| password(ada.clone(), format!("guess {n}"))));
    expect_throttled(guesses.await, (422, 5));
    fail_until_held_up(async |_| password(ada.clone(), "a guess".into()).await).await;
    password(ada.clone(), PASSWORD.to_owned()).await.expect(429);
    let take = |client: Client, email: &'static str| async move {
        client.patch("/v1/users/me", json!({ "version": 1, "email": email })).await
    };
    let guesses = join_all((0..20).map(|_| take(ada.clone(), "bob@example.org")));
    expect_throttled(guesses.await, (409, 5));
    let elsewhere = ada.from_address("127.0.0.2");
    take(elsewhere.clone(), "ada@example.com").await.expect(200);
    password(elsewhere, PASSWORD.to_owned()).await.expect(204);
    app.stop().await;
}

/// The same key makes the first answer come again, and not another guess free.
#[each_database]
async fn a_key_makes_no_guess_free(database: Database) {
    let app = App::start(&database).await;
    let anybody = app.anonymous();
    anybody.sign_up_as("Ada", ADA).await;
    let keyed = anybody.keyed("the-key-of-a-login");
    keyed.log_in(ADA, PASSWORD).await.expect(201);
    let elsewhere = keyed.from_address("127.0.0.2");
    let wrong = elsewhere.log_in(ADA, "a guess").await;
    wrong.expect_problem(422, "idempotency_key_reused");
    fail_until_held_up(async |_| elsewhere.log_in(ADA, "a guess").await).await;
    elsewhere.log_in(ADA, PASSWORD).await.expect(429);
    assert!(keyed.log_in(ADA, PASSWORD).await.is_replayed());
    app.stop().await;
}

async fn log_in_for(client: &Client, forwarded_for: &str, password: &str) -> Answer {
    let body = json!({ "email": ADA, "password": password }).to_string().into_bytes();
    let headers = [("x-forwarded-for", forwarded_for)];
    let method = reqwest::Method::POST;
    client.send_bytes(method, "/v1/sessions", "application/json", Some(body), &headers).await
}

#[each_database]
async fn a_proxy_is_believed_if_it_is_ones_own(database: Database) {
    for trusted in ["", "127.0.0.2,10.0.0.0/8"] {
        let proxies = trusted.parse().expect("networks");
        let settings = Settings { trusted_proxies: proxies, ..Settings::default() };
        let options = AppOptions { settings, ..AppOptions::default() };
        let app = App::start_with(&database, options).await;
        let user = json!({ "email": ADA, "display_name": "Ada", "password": PASSWORD });
        app.anonymous().post("/v1/users", user).await.expect(201);
        let proxy = app.anonymous().from_address("127.0.0.2");
        for number in 0..5 {
            let from = format!("203.0.113.{number}, 198.51.100.7, 10.1.1.1");
            log_in_for(&proxy, &from, "a guess").await.expect(401);
        }
        let guess = async |_| log_in_for(&proxy, "198.51.100.7", "a guess").await;
        fail_until_held_up(guess).await;
        log_in_for(&proxy, "198.51.100.7", PASSWORD).await.expect(429);
        let other = log_in_for(&proxy, "198.51.100.8", PASSWORD).await;
        other.expect(if trusted.is_empty() { 429 } else { 201 });
        app.stop().await;
    }
}

//! Logging in, and how a session ends.

use api::config::Settings;
use chrono::{DateTime, TimeDelta};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use service::{clock::Clock, store::Options};
use tests::{Answer, App, AppOptions, Client, Database, PASSWORD, at, each_database};

/// What a problem says besides which request it was.
fn without_ids(answer: Answer) -> Value {
    let mut problem = answer.expect_problem(401, "unauthenticated");
    for name in ["request_id", "instance"] {
        problem[name] = Value::Null;
    }
    problem
}

#[each_database]
async fn an_unknown_address_is_told_what_a_wrong_password_is_told(database: Database) {
    let app = App::start(&database).await;
    let anybody = app.anonymous();
    anybody.sign_up_as("Ada", "ada@example.org").await;
    anybody.log_in(" ADA@Example.org ", PASSWORD).await.expect(201);
    let wrong = anybody.log_in("ada@example.org", "not the password").await;
    assert_eq!(wrong.headers["www-authenticate"], "Bearer");
    let wrong = without_ids(wrong);
    for email in ["eve@example.org", "", "no address", "' OR 1=1 --"] {
        assert_eq!(without_ids(anybody.log_in(email, PASSWORD).await), wrong, "{email:?}");
    }
    app.stop().await;
}

#[each_database]
async fn a_session_ends_at_once_and_alone(database: Database) {
    let app = App::start(&database).await;
    let phone = app.anonymous().sign_up_as("Ada", "ada@example.org").await;
    let laptop = again(&phone).await;
    let tablet = again(&phone).await;
    let eve = app.anonymous().sign_up("Eve").await;

    let sessions = laptop.all("/v1/sessions", "").await;
    let current: Vec<_> = sessions.iter().map(|session| session["current"] == true).collect();
    assert_eq!(current, [false, true, false], "the newest first, and this one marked");
    let of_tablet = at("/v1/sessions", &sessions[0]);
    eve.delete(&of_tablet).await.expect_problem(404, "not_found");
    tablet.read("/v1/users/me").await;
    laptop.delete(&of_tablet).await.expect(204);
    tablet.get("/v1/users/me").await.expect_problem(401, "unauthenticated");
    laptop.delete(&of_tablet).await.expect_problem(404, "not_found");

    laptop.delete("/v1/sessions/current").await.expect(204);
    laptop.get("/v1/users/me").await.expect_problem(401, "unauthenticated");
    assert_eq!(phone.all("/v1/sessions", "").await.len(), 1);
    app.stop().await;
}

/// Another session of Ada's.
async fn again(anybody: &Client) -> Client {
    let session = anybody.log_in("ada@example.org", PASSWORD).await.expect(201);
    anybody.with_token(session["token"].as_str().expect("a token"))
}

#[each_database]
async fn a_new_password_takes_the_old_one_and_ends_all_other_sessions(database: Database) {
    let app = App::start(&database).await;
    let here = app.anonymous().sign_up_as("Ada", "ada@example.org").await;
    let elsewhere = again(&here).await;
    let bystander = app.anonymous().sign_up("Bob").await;
    let change = |current: &str, new: &str| {
        let body = json!({ "current_password": current, "new_password": new });
        here.post("/v1/users/me/password", body)
    };
    let wrong = change("not the password", "another long password").await;
    assert_eq!(wrong.expect_violations(), ["/current_password"]);
    for bad in ["short", "password1", &"x".repeat(257)] {
        let pointers = change(PASSWORD, bad).await.expect_violations();
        assert_eq!(pointers, ["/new_password"]);
    }
    elsewhere.read("/v1/users/me").await;
    change(PASSWORD, "another long password").await.expect(204);
    elsewhere.get("/v1/users/me").await.expect_problem(401, "unauthenticated");
    for untouched in [&here, &bystander] {
        untouched.read("/v1/users/me").await;
    }
    here.log_in("ada@example.org", PASSWORD).await.expect(401);
    here.log_in("ada@example.org", "another long password").await.expect(201);
    app.stop().await;
}

/// Each reading of the clock is an hour later than the one before, and a session lasts ten.
#[each_database]
async fn a_session_ends_by_itself(database: Database) {
    let clock = Clock::stepping(DateTime::UNIX_EPOCH, TimeDelta::hours(1));
    let store = Options { clock, ..Options::default() };
    let session_lifetime = TimeDelta::hours(20);
    let settings = Settings { session_lifetime, ..Settings::default() };
    let app =
        App::start_with(&database, AppOptions { store, settings, ..AppOptions::default() }).await;
    let ada = app.anonymous().sign_up_as("Ada", "ada@example.org").await;
    ada.read("/v1/users/me").await;
    let mut answers = Vec::new();
    while answers.len() < 20 && answers.last().is_none_or(|answer: &Answer| answer.status == 200) {
        answers.push(ada.get("/v1/users/me").await);
    }
    answers.pop().expect("an answer").expect_problem(401, "unauthenticated");
    let back = again(&app.anonymous()).await;
    assert_eq!(back.all("/v1/sessions", "").await.len(), 1, "what has ended is not listed");
    app.stop().await;
}

#[each_database]
async fn what_is_no_token_opens_nothing(database: Database) {
    let app = App::start(&database).await;
    let token = "stw_s_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for authorization in ["", "Bearer", "Bearer ", "Basic YTpi", token, "Bearer stw_k_x_y"] {
        let headers = [("authorization", authorization)];
        let answer = app
            .anonymous()
            .send_bytes(reqwest::Method::GET, "/v1/users/me", "", None, &headers)
            .await;
        answer.expect_problem(401, "unauthenticated");
    }
    app.stop().await;
}

/// argon2id of the bytes of `cafe\u{301} au\u{a0}lait` as they stand there, as hashes were made before
/// passwords were prepared.
const UNPREPARED: &str = "$argon2id$v=19$m=19456,t=2,p=1$fgqIxq7EyaLAVIb9rt++fg\
                          $wr14ceUkVGofhwB753Hecob9fab0UVYSMKoQ+LpXVbg";

#[each_database]
async fn a_hash_of_bytes_as_they_were_sent_opens_once_and_is_made_anew(database: Database) {
    let app = App::start(&database).await;
    let anybody = app.anonymous();
    let ada = anybody.sign_up_as("Ada", "ada@example.org").await;
    let before = ada.read("/v1/users/me").await;
    let old = app.store.write(async move |tx| {
        let set = format!("UPDATE \"user\" SET password_hash = '{UNPREPARED}'");
        tx.execute_unprepared(&set).await?;
        Ok(())
    });
    old.await.expect("an old hash");
    let (composed, sent) = ("caf\u{e9} au lait", "cafe\u{301} au\u{a0}lait");
    anybody.log_in("ada@example.org", composed).await.expect(401);
    anybody.log_in("ada@example.org", sent).await.expect(201);
    for now in [composed, sent] {
        anybody.log_in("ada@example.org", now).await.expect(201);
    }
    assert_eq!(ada.read("/v1/users/me").await, before, "nothing else has changed");
    app.stop().await;
}

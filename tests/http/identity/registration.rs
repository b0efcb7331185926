//! Who may register, with which address and which password.

use api::config::Settings;
use serde_json::{Value, json};
use service::identity::user::Registration;
use tests::{App, AppOptions, Client, Database, PASSWORD, each_database};

fn newcomer(email: &str) -> Value {
    json!({ "email": email, "display_name": "Newcomer", "password": PASSWORD })
}

fn with_password(email: &str, password: &str) -> Value {
    json!({ "email": email, "display_name": "Newcomer", "password": password })
}

async fn app(database: &Database, registration: Registration) -> App {
    let settings = Settings { registration, ..Settings::default() };
    App::start_with(database, AppOptions { settings, ..AppOptions::default() }).await
}

#[each_database]
async fn an_address_belongs_to_one_user_in_any_case(database: Database) {
    let app = App::start(&database).await;
    let anybody = app.anonymous();
    let user = anybody.make("/v1/users", newcomer("Ada.Byron@Example.org")).await;
    assert_eq!(user["email"], "Ada.Byron@Example.org");
    let me = anybody.sign_up_as("Bob", "bob@example.org").await;
    let taken = json!({ "version": 1, "email": "ada.byron@EXAMPLE.org" });
    me.patch("/v1/users/me", taken).await.expect_problem(409, "duplicate");
    let own = json!({ "version": 1, "email": "BOB@example.org" });
    assert_eq!(me.patch("/v1/users/me", own).await.expect(200)["email"], "BOB@example.org");
    app.stop().await;
}

/// What is told of a registration, but for what is another each time.
fn told(answer: &tests::Answer) -> (u16, Vec<String>, Value) {
    let mut body = answer.json.clone();
    for name in ["id", "created_at", "updated_at", "email"] {
        assert!(body[name].is_string(), "{body}");
        body[name] = Value::Null;
    }
    let names = answer.headers.keys().map(ToString::to_string).collect();
    (answer.status.as_u16(), names, body)
}

/// Where everybody may register, nobody learns who has, and nothing happens to those who have.
#[each_database]
async fn registering_does_not_tell_that_an_address_is_taken(database: Database) {
    let app = App::start(&database).await;
    let anybody = app.anonymous();
    let ada = anybody.sign_up_as("Ada", "ada@example.org").await;
    let before = (ada.read("/v1/users/me").await, ada.all("/v1/users/me/history", "").await);
    let count = || app.store.statements();
    let start = count();
    let free = anybody.post("/v1/users", with_password("bob@example.org", "an own password"));
    let free = free.await;
    let statements = count() - start;
    for taken in ["ada@example.org", "ADA@Example.org"] {
        let start = count();
        let answer = anybody.post("/v1/users", with_password(taken, "an own password")).await;
        assert_eq!(count() - start, statements, "it takes as long");
        assert_eq!(told(&answer), told(&free));
        assert_eq!(answer.json["email"], taken);
        anybody.log_in(taken, "an own password").await.expect_problem(401, "unauthenticated");
    }
    anybody.log_in("ada@example.org", PASSWORD).await.expect(201);
    let after = (ada.read("/v1/users/me").await, ada.all("/v1/users/me/history", "").await);
    assert_eq!(after, before);
    app.stop().await;
}

/// At the same moment, too: one is registered, and all are told the same.
#[each_database]
async fn of_many_who_register_with_one_address_one_is_and_none_is_told(database: Database) {
    let app = App::start(&database).await;
    let anybody = app.anonymous();
    let passwords: Vec<_> = (0..8).map(|number| format!("password number {number}")).collect();
    let attempts = passwords
        .iter()
        .map(|password| anybody.post("/v1/users", with_password("ada@example.org", password)));
    let answers = futures_util::future::join_all(attempts).await;
    assert!(answers.iter().all(|answer| told(answer) == told(&answers[0])));
    let mut opened = 0;
    for (number, password) in passwords.iter().enumerate() {
        let elsewhere = anybody.from_address(&format!("127.0.1.{}", number + 1));
        opened += usize::from(elsewhere.log_in("ada@example.org", password).await.status == 201);
    }
    assert_eq!(opened, 1);
    app.stop().await;
}

/// Where it takes an invitation, whoever holds one is told.
#[each_database]
async fn who_is_invited_is_told_that_an_address_is_taken(database: Database) {
    let app = app(&database, Registration::Invite).await;
    let ada = app.anonymous().sign_up_as("Ada", "ada@example.org").await;
    let home = ada.found("household").await;
    let role = json!({ "role": "member" });
    let invitation = ada.make(&format!("{home}/invitations"), role).await;
    let mut user = newcomer("ADA@example.org");
    user["invitation"] = invitation["token"].clone();
    let problem = app.anonymous().post("/v1/users", user).await;
    let problem = problem.expect_problem(409, "duplicate");
    assert_eq!(problem["violations"][0]["pointer"], "/email");
    app.stop().await;
}

/// However a keyboard composes it, and whatever space it has (RFC 8265).
#[each_database]
async fn a_password_is_the_same_however_it_is_composed(database: Database) {
    let app = App::start(&database).await;
    let anybody = app.anonymous();
    let (composed, decomposed) = ("caf\u{e9} au lait", "cafe\u{301} au\u{a0}lait");
    for (email, set, typed) in
        [("a@example.org", composed, decomposed), ("b@example.org", decomposed, composed)]
    {
        anybody.make("/v1/users", with_password(email, set)).await;
        anybody.log_in(email, typed).await.expect(201);
        anybody.log_in(email, "cafe au lait").await.expect(401);
    }
    for refused in ["e\u{301}".repeat(7), "a bell \u{7} rings".into(), "\u{e9}".repeat(257)] {
        let user = with_password("c@example.org", &refused);
        assert_eq!(anybody.post("/v1/users", user).await.expect_violations(), ["/password"]);
    }
    let longest = "e\u{301}".repeat(256);
    anybody.make("/v1/users", with_password("d@example.org", &longest)).await;
    anybody.log_in("d@example.org", &longest).await.expect(201);
    app.stop().await;
}

#[each_database]
async fn a_user_needs_an_address_a_name_and_a_good_password(database: Database) {
    let app = App::start(&database).await;
    let anybody = app.anonymous();
    for email in ["", "ada", "@example.org", "ada@", "ada @example.org", "a@b@c.org"] {
        let refused = anybody.post("/v1/users", newcomer(email)).await;
        assert_eq!(refused.expect_violations(), ["/email"], "{email:?}");
    }
    let long = "x".repeat(257);
    for password in ["", "7 chars", "Password1", "  password1  ", "QWERTYUIOP", &long] {
        let user = with_password("ada@example.org", password);
        let refused = anybody.post("/v1/users", user).await;
        let pointers = refused.expect_violations();
        assert!(pointers.iter().all(|at| at == "/password"), "{password:?}: {pointers:?}");
    }
    for (name, good) in [("", false), ("  ", false), ("ä", true)] {
        let mut user = newcomer("name@example.org");
        user["display_name"] = name.into();
        let status = anybody.post("/v1/users", user).await.status;
        assert_eq!(status.is_success(), good, "{name:?}");
    }
    let unknown = json!({ "email": "a@example.org", "display_name": "A", "password": PASSWORD,
        "role": "owner" });
    assert_eq!(anybody.post("/v1/users", unknown).await.expect_violations(), ["/role"]);
    app.stop().await;
}

/// Characters are counted, not bytes; and no byte beyond the 72nd is forgotten.
#[each_database]
async fn passwords_of_8_and_of_256_characters_open_their_own_account_alone(database: Database) {
    let app = App::start(&database).await;
    let anybody = app.anonymous();
    let longest = "ü".repeat(256);
    for (email, password) in [("a@example.org", "8 chars."), ("b@example.org", &longest)] {
        anybody.make("/v1/users", with_password(email, password)).await;
        anybody.log_in(email, password).await.expect(201);
    }
    let almost = format!("{}u", "ü".repeat(255));
    anybody.log_in("b@example.org", &almost).await.expect_problem(401, "unauthenticated");
    app.stop().await;
}

#[each_database]
async fn nobody_registers_where_registration_is_closed(database: Database) {
    let app = app(&database, Registration::Closed).await;
    let refused = app.anonymous().post("/v1/users", newcomer("ada@example.org")).await;
    refused.expect_problem(403, "registration_closed");
    app.anonymous().log_in("ada@example.org", PASSWORD).await.expect(401);
    app.stop().await;
}

#[each_database]
async fn the_first_user_needs_no_invitation_and_every_other_does(database: Database) {
    let app = app(&database, Registration::Invite).await;
    let ada = app.anonymous().sign_up_as("Ada", "ada@example.org").await;
    let refused = app.anonymous().post("/v1/users", newcomer("bob@example.org")).await;
    refused.expect_problem(403, "invitation_required");
    let home = ada.found("household").await;
    let invitation = ada.make(&format!("{home}/invitations"), json!({ "role": "member" })).await;
    let token = invitation["token"].as_str().expect("a token");
    let invited = |email: &str, token: &str| {
        let mut user = newcomer(email);
        user["invitation"] = token.into();
        user
    };
    register_with_a_token(&app.anonymous(), &invited, token).await;
    app.stop().await;
}

async fn register_with_a_token(
    anybody: &Client,
    invited: &impl Fn(&str, &str) -> Value,
    token: &str,
) {
    let mangled = format!("{}x", &token[..token.len() - 1]);
    for unknown in ["", "stw_i_", "nonsense", &mangled] {
        let refused = anybody.post("/v1/users", invited("bob@example.org", unknown)).await;
        refused.expect_problem(404, "not_found");
    }
    anybody.make("/v1/users", invited("bob@example.org", token)).await;
    let login = anybody.log_in("bob@example.org", PASSWORD).await.expect(201);
    let bob = anybody.with_token(login["token"].as_str().expect("a token"));
    bob.post(&format!("/v1/invitations/{token}/accept"), json!({})).await.expect(201);
    let late = anybody.post("/v1/users", invited("eve@example.org", token)).await;
    late.expect_problem(409, "invitation_accepted");
}

/// There is only one first user, however many try at the same moment.
#[each_database]
async fn one_user_is_the_first(database: Database) {
    let app = app(&database, Registration::Invite).await;
    let anybody = app.anonymous();
    let attempts = (0..8).map(|number| {
        let user = newcomer(&format!("first{number}@example.org"));
        anybody.post("/v1/users", user)
    });
    let answers = futures_util::future::join_all(attempts).await;
    let registered = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(registered, 1, "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
    app.stop().await;
}

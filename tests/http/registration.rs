//! Who may register, with which address and which password.

use api::config::Settings;
use serde_json::{Value, json};
use service::user::Registration;
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

#[tokio::test]
async fn an_address_belongs_to_one_user_in_any_case() {
    each_database(async |database| {
        let app = App::start(&database).await;
        let anybody = app.anonymous();
        let user = anybody.make("/v1/users", newcomer("Ada.Byron@Example.org")).await;
        assert_eq!(user["email"], "Ada.Byron@Example.org");
        for taken in ["Ada.Byron@Example.org", "ada.byron@example.ORG", "ADA.BYRON@example.org"] {
            let problem = anybody.post("/v1/users", newcomer(taken)).await;
            let problem = problem.expect_problem(409, "duplicate");
            assert_eq!(problem["violations"][0]["pointer"], "/email", "{taken}");
        }
        let me = anybody.sign_up_as("Bob", "bob@example.org").await;
        let taken = json!({ "version": 1, "email": "ada.byron@EXAMPLE.org" });
        me.patch("/v1/users/me", taken).await.expect_problem(409, "duplicate");
        let own = json!({ "version": 1, "email": "BOB@example.org" });
        assert_eq!(me.patch("/v1/users/me", own).await.expect(200)["email"], "BOB@example.org");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_user_needs_an_address_a_name_and_a_good_password() {
    each_database(async |database| {
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
    })
    .await;
}

/// Characters are counted, not bytes; and no byte beyond the 72nd is forgotten.
#[tokio::test]
async fn passwords_of_8_and_of_256_characters_open_their_own_account_alone() {
    each_database(async |database| {
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
    })
    .await;
}

#[tokio::test]
async fn nobody_registers_where_registration_is_closed() {
    each_database(async |database| {
        let app = app(&database, Registration::Closed).await;
        let refused = app.anonymous().post("/v1/users", newcomer("ada@example.org")).await;
        refused.expect_problem(403, "registration_closed");
        app.anonymous().log_in("ada@example.org", PASSWORD).await.expect(401);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_first_user_needs_no_invitation_and_every_other_does() {
    each_database(async |database| {
        let app = app(&database, Registration::Invite).await;
        let ada = app.anonymous().sign_up_as("Ada", "ada@example.org").await;
        let refused = app.anonymous().post("/v1/users", newcomer("bob@example.org")).await;
        refused.expect_problem(403, "invitation_required");
        let home = ada.found("household").await;
        let invitation =
            ada.make(&format!("{home}/invitations"), json!({ "role": "member" })).await;
        let token = invitation["token"].as_str().expect("a token");
        let invited = |email: &str, token: &str| {
            let mut user = newcomer(email);
            user["invitation"] = token.into();
            user
        };
        register_with_a_token(&app.anonymous(), &invited, token).await;
        app.stop().await;
    })
    .await;
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
#[tokio::test]
async fn one_user_is_the_first() {
    each_database(async |database| {
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
    })
    .await;
}

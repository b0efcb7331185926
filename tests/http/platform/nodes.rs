//! Several nodes on one PostgreSQL, which have nothing in common but the database: none hears what another one
//! notifies. On SQLite, whose file belongs to one node, two servers stand over one store.

use std::time::Duration;

use api::config::Settings;
use entity::revocation_count;
use futures_util::future::join_all;
use sea_orm::EntityTrait;
use serde_json::json;
use service::{
    identity::user::operator,
    store::{Engine, Options, REVOCATION_SLOTS},
};
use tests::{App, AppOptions, Client, Database, PASSWORD, at, each_database};

/// How often each way to lose access is tried, in both directions.
const ROUNDS: usize = 6;

/// Two nodes that forget nothing because it is old.
async fn nodes(database: &Database) -> [App; 2] {
    let settings = Settings { access_ttl: Duration::from_secs(86_400), ..Settings::default() };
    let options = AppOptions { settings: settings.clone(), ..AppOptions::default() };
    let one = App::start_with(database, options.clone()).await;
    let other = match database.engine {
        Engine::Sqlite => App::over(one.store.clone(), settings),
        Engine::Postgres => App::start_with(database, options).await,
    };
    [one, other]
}

async fn stop([one, other]: [App; 2]) {
    other.stop().await;
    one.stop().await;
}

/// A client at the one node, and at the other, where it is remembered.
struct Guest {
    here: Client,
    there: Client,
}

impl Guest {
    async fn invited(ada: &Client, company: &str, nodes: &[App; 2], round: usize) -> Self {
        Self::of(&ada.invite(company, "manager").await, company, nodes, round).await
    }

    async fn of(client: &Client, company: &str, nodes: &[App; 2], round: usize) -> Self {
        let [here, there] = [round, round + 1].map(|node| client.at(&nodes[node % 2].base));
        for client in [&here, &there] {
            client.read(company).await;
        }
        Self { here, there }
    }
}

#[each_database]
async fn what_one_node_ends_no_other_takes_from_the_answer_on(database: Database) {
    let nodes = nodes(&database).await;
    let ada = nodes[0].anonymous().sign_up("Ada").await;
    let company = ada.found("company").await;
    let (members, keys) = (format!("{company}/members"), format!("{company}/api-keys"));
    for round in 0..ROUNDS {
        let ada = ada.at(&nodes[round % 2].base);
        let guest = Guest::invited(&ada, &company, &nodes, round).await;
        guest.here.delete("/v1/sessions/current").await.expect(204);
        guest.there.get(&company).await.expect_problem(401, "unauthenticated");

        let guest = Guest::invited(&ada, &company, &nodes, round).await;
        let key = ada.make(&keys, json!({ "name": "till", "role": "viewer" })).await;
        let program = guest.here.with_token(key["token"].as_str().expect("a token"));
        let program = Guest::of(&program, &company, &nodes, round).await;
        ada.delete(&format!("{}?version=1", at(&keys, &key))).await.expect(204);
        program.there.get(&company).await.expect_problem(401, "unauthenticated");

        let member = at(&members, &guest.here.member_in(&company).await);
        let less = json!({ "version": 1, "role": "viewer" });
        ada.patch(&member, less).await.expect(200);
        let categories = format!("{company}/categories");
        let refused = guest.there.post(&categories, json!({ "name": "as viewer" })).await;
        refused.expect_problem(403, "role_insufficient");
        let more = json!({ "version": 2, "role": "manager" });
        ada.patch(&member, more).await.expect(200);
        guest.there.make(&categories, json!({ "name": format!("as manager {round}") })).await;
        ada.delete(&format!("{member}?version=3")).await.expect(204);
        guest.there.get(&company).await.expect_problem(404, "not_found");
    }
    stop(nodes).await;
}

#[each_database]
async fn what_a_password_or_an_operator_ends_no_node_takes(database: Database) {
    let nodes = nodes(&database).await;
    let ada = nodes[0].anonymous().sign_up("Ada").await;
    let company = ada.found("company").await;
    // The command line, which on SQLite would be another process, and noticed later.
    let operator = match database.engine {
        Engine::Sqlite => nodes[0].store.clone(),
        Engine::Postgres => database.store(Options::default()).await,
    };
    for round in 0..ROUNDS {
        let email = format!("bob{round}@example.org");
        let bob = ada.invite_as(&company, "manager", &email).await;
        let again = bob.log_in(&email, PASSWORD).await.expect(201);
        let again = bob.with_token(again["token"].as_str().expect("a token"));
        let elsewhere = Guest::of(&again, &company, &nodes, round).await;
        let body = json!({ "current_password": PASSWORD, "new_password": "another long password" });
        bob.post("/v1/users/me/password", body).await.expect(204);
        for client in [&elsewhere.here, &elsewhere.there] {
            client.get(&company).await.expect_problem(401, "unauthenticated");
        }
        let bob = Guest::of(&bob, &company, &nodes, round).await;
        operator::disable(&operator, &email, true).await.expect("disabled");
        for client in [&bob.here, &bob.there] {
            client.get(&company).await.expect_problem(401, "unauthenticated");
        }
    }
    if database.engine == Engine::Postgres {
        operator.close().await.expect("closed");
    }
    stop(nodes).await;
}

#[each_database]
async fn what_an_organization_changes_into_every_node_knows(database: Database) {
    let nodes = nodes(&database).await;
    let ada = nodes[0].anonymous().sign_up("Ada").await;
    for round in 0..ROUNDS {
        let company = ada.found("company").await;
        let owner = Guest::of(&ada, &company, &nodes, round).await;
        let expenses = format!("{company}/expenses");
        let new = json!({ "spent_on": "2026-11-01", "amount_minor": 5 });
        let change = json!({ "version": 1, "currency": "USD" });
        owner.here.patch(&company, change).await.expect(200);
        assert_eq!(owner.there.make(&expenses, new).await["currency"], "USD");
        owner.here.delete(&format!("{company}?version=2")).await.expect(204);
        owner.there.get(&company).await.expect_problem(404, "not_found");
    }
    stop(nodes).await;
}

#[each_database(flavor = "multi_thread")]
async fn many_sessions_that_end_at_once_end_on_both_nodes(database: Database) {
    let nodes = nodes(&database).await;
    let ada = nodes[0].anonymous().sign_up_as("Ada", "ada@example.org").await;
    let company = ada.found("company").await;
    let mut guests = Vec::new();
    for round in 0..40 {
        let session = ada.log_in("ada@example.org", PASSWORD).await.expect(201);
        let session = ada.with_token(session["token"].as_str().expect("a token"));
        guests.push(Guest::of(&session, &company, &nodes, round).await);
    }
    let ended = guests.iter().map(async |guest| {
        guest.here.delete("/v1/sessions/current").await.expect(204);
        guest.there.get(&company).await.expect_problem(401, "unauthenticated");
    });
    join_all(ended).await;
    ada.read(&company).await;
    let rows = revocation_count::Entity::find().all(nodes[0].store.read()).await.expect("rows");
    let counted: i64 = rows.iter().map(|row| row.revocations).sum();
    match database.engine {
        Engine::Sqlite => assert_eq!(counted, 0, "one process counts for itself"),
        Engine::Postgres => assert!(counted >= 40, "{rows:?}"),
    }
    assert!(rows.len() <= REVOCATION_SLOTS as usize, "{} rows", rows.len());
    stop(nodes).await;
}

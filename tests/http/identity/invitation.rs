//! How people come into an organization.

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};
use service::{clock::Clock, store::Options};
use tests::{Answer, App, AppOptions, Client, Database, at, each_database, id};

async fn accept(client: &Client, invitation: &Value) -> Answer {
    let token = invitation["token"].as_str().expect("a new invitation shows its token");
    client.post(&format!("/v1/invitations/{token}/accept"), json!({})).await
}

#[each_database]
async fn an_invitation_shows_its_token_once_and_is_good_once(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let home = ada.found("household").await;
    let invitations = format!("{home}/invitations");
    let invitation = ada.make(&invitations, json!({ "role": "manager" })).await;
    let token = invitation["token"].as_str().expect("a token").to_owned();
    for path in [invitations.clone(), at(&invitations, &invitation)] {
        let answer = ada.get(&path).await;
        assert!(!answer.text.contains(&token) && !answer.text.contains("hash"), "{path}");
    }
    let bob = app.anonymous().sign_up("Bob").await;
    bob.get(&home).await.expect_problem(404, "not_found");
    let member = accept(&bob, &invitation).await.expect(201);
    assert_eq!((&member["role"], &member["name"]), (&"manager".into(), &"Bob".into()));
    bob.read(&home).await;
    let eve = app.anonymous().sign_up("Eve").await;
    for late in [&bob, &eve] {
        accept(late, &invitation).await.expect_problem(409, "invitation_accepted");
    }
    eve.get(&home).await.expect_problem(404, "not_found");
    let other = ada.make(&invitations, json!({ "role": "viewer" })).await;
    accept(&bob, &other).await.expect_problem(409, "already_a_member");
    accept(&eve, &other).await.expect(201);
    app.stop().await;
}

#[each_database]
async fn an_invitation_that_was_taken_back_or_never_made_opens_nothing(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let eve = app.anonymous().sign_up("Eve").await;
    let home = ada.found("household").await;
    let invitations = format!("{home}/invitations");
    let taken_back = ada.make(&invitations, json!({ "role": "viewer" })).await;
    let path = format!("{}?version=1", at(&invitations, &taken_back));
    ada.delete(&path).await.expect(204);
    accept(&eve, &taken_back).await.expect_problem(404, "not_found");
    let organization = home.rsplit('/').next().expect("an id").replace('-', "");
    for token in ["x".into(), format!("stw_i_{organization}_"), "stw_i_0_0".to_owned()] {
        let made_up = json!({ "token": token });
        accept(&eve, &made_up).await.expect_problem(404, "not_found");
    }
    app.stop().await;
}

#[each_database]
async fn an_invitation_for_an_address_is_for_nobody_else(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let home = ada.found("household").await;
    let new = json!({ "role": "member", "email": "Bob@Example.org" });
    let invitation = ada.make(&format!("{home}/invitations"), new).await;
    let eve = app.anonymous().sign_up_as("Eve", "eve@example.org").await;
    accept(&eve, &invitation).await.expect_problem(403, "invitation_for_another");
    let bob = app.anonymous().sign_up_as("Bob", "bob@example.ORG").await;
    accept(&bob, &invitation).await.expect(201);
    app.stop().await;
}

/// A child gets a login: what they did before stays theirs.
#[each_database]
async fn an_invitation_can_give_a_member_a_login(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let home = ada.found("household").await;
    let (members, invitations) = (format!("{home}/members"), format!("{home}/invitations"));
    let child = ada.make(&members, json!({ "name": "Kim", "role": "viewer" })).await;
    let new = json!({ "role": "member", "member_id": child["id"] });
    let first = ada.make(&invitations, new.clone()).await;
    let second = ada.make(&invitations, new.clone()).await;
    let kim = app.anonymous().sign_up("Kimberley").await;
    let member = accept(&kim, &first).await.expect(201);
    assert_eq!(member["id"], child["id"]);
    assert_eq!((&member["name"], &member["role"]), (&"Kim".into(), &"member".into()));
    let eve = app.anonymous().sign_up("Eve").await;
    assert_eq!(accept(&eve, &second).await.expect_violations(), ["/member_id"]);
    assert_eq!(ada.post(&invitations, new).await.expect_violations(), ["/member_id"]);
    let nobody = json!({ "role": "member", "member_id": id(&first) });
    assert_eq!(ada.post(&invitations, nobody).await.expect_violations(), ["/member_id"]);
    app.stop().await;
}

#[each_database]
async fn nobody_invites_above_their_own_role(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let company = ada.found("company").await;
    let admin = ada.invite(&company, "admin").await;
    let invitations = format!("{company}/invitations");
    for (role, good) in [("owner", false), ("admin", true), ("viewer", true)] {
        let answer = admin.post(&invitations, json!({ "role": role })).await;
        if good {
            answer.expect(201);
        } else {
            answer.expect_problem(403, "role_above_own");
        }
    }
    for days in [0, 91, -1] {
        let new = json!({ "role": "viewer", "expires_in_days": days });
        let pointers = admin.post(&invitations, new).await.expect_violations();
        assert_eq!(pointers, ["/expires_in_days"]);
    }
    app.stop().await;
}

/// Each reading of the clock is an hour later than the one before.
#[each_database]
async fn an_invitation_expires(database: Database) {
    let clock = Clock::stepping(DateTime::UNIX_EPOCH, TimeDelta::hours(1));
    let store = Options { clock, ..Options::default() };
    let app = App::start_with(&database, AppOptions { store, ..AppOptions::default() }).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let bob = app.anonymous().sign_up("Bob").await;
    let home = ada.found("household").await;
    let new = json!({ "role": "viewer", "expires_in_days": 1 });
    let invitation = ada.make(&format!("{home}/invitations"), new).await;
    for _hour in 0..24 {
        ada.read(&home).await;
    }
    accept(&bob, &invitation).await.expect_problem(409, "invitation_expired");
    app.stop().await;
}

/// One of many who hold the same token gets in.
#[each_database]
async fn an_invitation_lets_one_in_however_many_try_at_once(database: Database) {
    let mut options = AppOptions::default();
    // For one that is under way, it is not known yet whether it guesses.
    options.settings.rates.limit_attempts = "6/20s".parse().expect("a limit");
    let app = App::start_with(&database, options).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let home = ada.found("household").await;
    let mut people = Vec::new();
    for _ in 0..6 {
        people.push(app.anonymous().sign_up("Guest").await);
    }
    for _round in 0..5 {
        let new = json!({ "role": "viewer" });
        let invitation = ada.make(&format!("{home}/invitations"), new).await;
        let attempts = people.iter().map(|person| accept(person, &invitation));
        let answers = futures_util::future::join_all(attempts).await;
        let mut statuses: Vec<_> = answers.iter().map(|a| a.status.as_u16()).collect();
        let winner = statuses.iter().position(|status| *status == 201).expect("one gets in");
        people.remove(winner);
        statuses.remove(winner);
        assert!(statuses.iter().all(|status| *status == 409), "{statuses:?}");
    }
    app.stop().await;
}

/// However a membership ends, the invitations that it made end with it: nobody comes back by their own.
#[each_database]
async fn nobody_comes_back_by_an_invitation_of_their_own(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let (members, invitations) = (format!("{company}/members"), format!("{company}/invitations"));
    for ending in ["removed", "deactivated", "offboarded", "demoted"] {
        let admin = ada.invite(&company, "admin").await;
        let by_hand = admin.make(&invitations, json!({ "role": "admin" })).await;
        let program = admin.with_key(&company, "admin").await;
        let by_key = program.make(&invitations, json!({ "role": "admin" })).await;
        let member = admin.member_in(&company).await;
        assert_eq!(by_hand["created_by_member_id"], member["id"]);
        let path = at(&members, &member);
        match ending {
            "removed" => {
                ada.delete(&format!("{path}?version=1")).await.expect(204);
            }
            "deactivated" => {
                let gone = json!({ "version": 1, "active": false });
                ada.patch(&path, gone).await.expect(200);
            }
            "offboarded" => {
                ada.post(&format!("{path}/offboard"), json!({ "version": 1 })).await.expect(200);
                app.run_until_idle().await;
            }
            _ => {
                let less = json!({ "version": 1, "role": "manager" });
                ada.patch(&path, less).await.expect(200);
            }
        }
        let other = app.anonymous().sign_up("Other").await;
        for invitation in [&by_hand, &by_key] {
            accept(&other, invitation).await.expect_problem(404, "not_found");
        }
        let open = ada.all(&invitations, "").await;
        assert!(open.iter().all(|it| it["accepted_at"].is_string()), "{ending}: {open:?}");
    }
    app.stop().await;
}

#[each_database]
async fn an_invitation_gives_no_more_than_whoever_made_it_may_give_by_then(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let second = ada.invite(&company, "owner").await;
    let new = json!({ "role": "owner" });
    let invitation = second.make(&format!("{company}/invitations"), new).await;
    let path = at(&format!("{company}/members"), &second.member_in(&company).await);
    ada.patch(&path, json!({ "version": 1, "role": "admin" })).await.expect(200);
    let eve = app.anonymous().sign_up("Eve").await;
    assert_eq!(accept(&eve, &invitation).await.expect(201)["role"], "admin");
    app.stop().await;
}

#[each_database]
async fn nobody_gives_a_login_to_a_member_above_them(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let admin = ada.invite(&company, "admin").await;
    let kim = json!({ "name": "Kim", "role": "owner" });
    let kim = ada.make(&format!("{company}/members"), kim).await;
    let new = json!({ "role": "admin", "member_id": kim["id"] });
    let refused = admin.post(&format!("{company}/invitations"), new).await;
    refused.expect_problem(403, "role_above_own");
    app.stop().await;
}

/// Nobody has proven yet that an address is theirs: whoever made an invitation sees who has taken it.
#[each_database]
async fn whoever_invites_sees_who_came_in(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let invitations = format!("{company}/invitations");
    let new = json!({ "role": "member", "email": "bob@example.org" });
    let invitation = ada.make(&invitations, new).await;
    assert_eq!(invitation["accepted_by_member_id"], Value::Null);
    assert_eq!(invitation["created_by_member_id"], ada.member_in(&company).await["id"]);
    let bob = app.anonymous().sign_up_as("Bob", "bob@example.org").await;
    let member = accept(&bob, &invitation).await.expect(201);
    let taken = ada.read(&at(&invitations, &invitation)).await;
    assert_eq!(taken["accepted_by_member_id"], member["id"]);
    assert!(taken["accepted_at"].is_string());
    accept(&bob, &invitation).await.expect_problem(409, "invitation_accepted");
    app.stop().await;
}

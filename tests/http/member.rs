//! Members: what changes for them at once, what others see of them, and the last owner.

use futures_util::future::join;
use serde_json::{Value, json};
use tests::{Answer, App, Client, at, each_database};

#[tokio::test]
async fn a_role_that_changes_or_ends_takes_effect_at_once() {
    each_database(async |database| {
        let app = App::start(&database).await;
        let ada = app.anonymous().sign_up("Ada").await;
        let company = ada.found("company").await;
        let bob = ada.invite(&company, "manager").await;
        let path = at(&format!("{company}/members"), &bob.member_in(&company).await);
        let categories = format!("{company}/categories");
        bob.make(&categories, json!({ "name": "as manager" })).await;
        let change = |change: Value| ada.patch(&path, change);
        change(json!({ "version": 1, "role": "viewer" })).await.expect(200);
        let refused = bob.post(&categories, json!({ "name": "as viewer" })).await;
        refused.expect_problem(403, "role_insufficient");
        change(json!({ "version": 2, "role": "admin" })).await.expect(200);
        bob.make(&categories, json!({ "name": "as admin" })).await;
        change(json!({ "version": 3, "active": false })).await.expect(200);
        bob.get(&company).await.expect_problem(404, "not_found");
        assert_eq!(bob.all("/v1/organizations", "").await, Vec::<Value>::new());
        change(json!({ "version": 4, "active": true })).await.expect(200);
        bob.read(&company).await;
        ada.delete(&format!("{path}?version=5")).await.expect(204);
        bob.get(&company).await.expect_problem(404, "not_found");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_hourly_rate_is_for_those_who_manage_and_for_oneself() {
    each_database(async |database| {
        let app = App::start(&database).await;
        let ada = app.anonymous().sign_up("Ada").await;
        let company = ada.found("company").await;
        let (bob, eve) =
            (ada.invite(&company, "member").await, ada.invite(&company, "manager").await);
        let members = format!("{company}/members");
        let path = at(&members, &bob.member_in(&company).await);
        let rate = json!({ "version": 1, "hourly_rate_minor": 4711, "external_ref": "P-0815" });
        ada.patch(&path, rate).await.expect(200);
        for (client, sees) in [(&ada, true), (&bob, true), (&eve, false)] {
            for path in [&path, &members] {
                let text = client.get(path).await.text;
                assert_eq!(
                    (text.contains(":4711,"), text.contains("P-0815")),
                    (sees, sees),
                    "{text}"
                );
            }
        }
        let stale = eve.patch(&path, json!({ "version": 1, "name": "x" })).await;
        assert!(!stale.text.contains(":4711,"));
        stale.expect_problem(403, "role_insufficient");
        let raise = json!({ "version": 2, "hourly_rate_minor": 9999 });
        bob.patch(&path, raise).await.expect_problem(403, "role_insufficient");
        let renamed = bob.patch(&path, json!({ "version": 2, "name": "Robert" })).await.expect(200);
        assert_eq!(
            (&renamed["name"], &renamed["hourly_rate_minor"]),
            (&"Robert".into(), &4711.into())
        );
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn nobody_manages_those_above_them() {
    each_database(async |database| {
        let app = App::start(&database).await;
        let ada = app.anonymous().sign_up("Ada").await;
        let company = ada.found("company").await;
        let admin = ada.invite(&company, "admin").await;
        let members = format!("{company}/members");
        let owner = at(&members, &ada.member_in(&company).await);
        let demotion = json!({ "version": 1, "role": "viewer" });
        admin.patch(&owner, demotion).await.expect_problem(403, "role_above_own");
        let removal = format!("{owner}?version=1");
        admin.delete(&removal).await.expect_problem(403, "role_above_own");
        let own = at(&members, &admin.member_in(&company).await);
        let promotion = json!({ "version": 1, "role": "owner" });
        admin.patch(&own, promotion).await.expect_problem(403, "role_above_own");
        let new = json!({ "name": "x", "role": "owner" });
        admin.post(&members, new).await.expect_problem(403, "role_above_own");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_last_owner_stays() {
    each_database(async |database| {
        let app = App::start(&database).await;
        let ada = app.anonymous().sign_up("Ada").await;
        let home = ada.found("household").await;
        let members = format!("{home}/members");
        // One who cannot log in could not let anybody back in.
        ada.make(&members, json!({ "name": "Kim", "role": "owner" })).await;
        let own = at(&members, &ada.member_in(&home).await);
        for change in [json!({ "role": "admin" }), json!({ "active": false })] {
            let mut change = change;
            change["version"] = 1.into();
            ada.patch(&own, change).await.expect_problem(409, "last_owner");
        }
        ada.delete(&format!("{own}?version=1")).await.expect_problem(409, "last_owner");
        let renamed = ada.patch(&own, json!({ "version": 1, "name": "Ada L." })).await.expect(200);
        assert_eq!((&renamed["version"], &renamed["role"]), (&2.into(), &"owner".into()));
        ada.invite(&home, "owner").await;
        ada.delete(&format!("{own}?version=2")).await.expect(204);
        ada.get(&home).await.expect_problem(404, "not_found");
        app.stop().await;
    })
    .await;
}

/// Two owners leave, or put each other out, at the same moment: one of them stays, every time.
#[tokio::test]
async fn of_two_owners_who_leave_at_once_one_stays() {
    each_database(async |database| {
        let app = App::start(&database).await;
        let ada = app.anonymous().sign_up("Ada").await;
        let bob = app.anonymous().sign_up("Bob").await;
        for round in 0..20 {
            let home = ada.found("household").await;
            let new = json!({ "role": "owner" });
            let invitation = ada.make(&format!("{home}/invitations"), new).await;
            let token = invitation["token"].as_str().expect("a token");
            let second = bob.post(&format!("/v1/invitations/{token}/accept"), json!({})).await;
            let members = format!("{home}/members");
            let of_ada = at(&members, &ada.member_in(&home).await);
            let of_bob = at(&members, &second.expect(201));
            let (first, second) = match round % 4 {
                0 => join(leave(&ada, &of_ada), leave(&bob, &of_bob)).await,
                1 => join(leave(&ada, &of_bob), leave(&bob, &of_ada)).await,
                2 => join(demote(&ada, &of_ada), demote(&bob, &of_bob)).await,
                _ => join(leave(&ada, &of_ada), demote(&bob, &of_bob)).await,
            };
            let gone = [&first, &second].iter().filter(|answer| answer.status.is_success()).count();
            assert_eq!(gone, 1, "round {round}: {} {}", first.text, second.text);
            assert!(!first.status.is_server_error() && !second.status.is_server_error());
        }
        app.stop().await;
    })
    .await;
}

async fn leave(client: &Client, member: &str) -> Answer {
    client.delete(&format!("{member}?version=1")).await
}

async fn demote(client: &Client, member: &str) -> Answer {
    client.patch(member, json!({ "version": 1, "role": "admin" })).await
}

#[tokio::test]
async fn a_member_whom_expenses_name_is_made_inactive_and_not_removed() {
    each_database(async |database| {
        let app = App::start(&database).await;
        let ada = app.anonymous().sign_up("Ada").await;
        let home = ada.found("household").await;
        let members = format!("{home}/members");
        let kim = ada.make(&members, json!({ "name": "Kim" })).await;
        let expense =
            json!({ "spent_on": "2026-11-01", "amount_minor": 5, "member_id": kim["id"] });
        ada.make(&format!("{home}/expenses"), expense).await;
        let path = at(&members, &kim);
        ada.delete(&format!("{path}?version=1")).await.expect_problem(409, "in_use");
        ada.patch(&path, json!({ "version": 1, "active": false })).await.expect(200);
        app.stop().await;
    })
    .await;
}

//! Members: what changes for them at once, what others see of them, and the last owner.

use futures_util::future::join;
use serde_json::{Value, json};
use tests::{Answer, App, Client, Database, PASSWORD, at, each_database};

#[each_database]
async fn a_role_that_changes_or_ends_takes_effect_at_once(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let company = ada.found("company").await;
    let bob = ada.invite_as(&company, "manager", "bob@example.org").await;
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
    bob.get(&company).await.expect_problem(401, "unauthenticated");
    let again = log_in(&app, "bob@example.org").await;
    again.get(&company).await.expect_problem(404, "not_found");
    assert_eq!(again.all("/v1/organizations", "").await, Vec::<Value>::new());
    change(json!({ "version": 4, "active": true })).await.expect(200);
    bob.get(&company).await.expect_problem(401, "unauthenticated");
    again.read(&company).await;
    ada.delete(&format!("{path}?version=5")).await.expect(204);
    again.get(&company).await.expect_problem(404, "not_found");
    app.stop().await;
}

#[each_database]
async fn an_hourly_rate_is_for_those_who_manage_and_for_oneself(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let company = ada.found("company").await;
    let (bob, eve) = (ada.invite(&company, "member").await, ada.invite(&company, "manager").await);
    let members = format!("{company}/members");
    let path = at(&members, &bob.member_in(&company).await);
    let rate = json!({ "version": 1, "hourly_rate_minor": 4711, "external_ref": "P-0815" });
    ada.patch(&path, rate).await.expect(200);
    for (client, sees) in [(&ada, true), (&bob, true), (&eve, false)] {
        for path in [&path, &members] {
            let text = client.get(path).await.text;
            assert_eq!((text.contains(":4711,"), text.contains("P-0815")), (sees, sees), "{text}");
        }
    }
    let stale = eve.patch(&path, json!({ "version": 1, "name": "x" })).await;
    assert!(!stale.text.contains(":4711,"));
    stale.expect_problem(403, "role_insufficient");
    let raise = json!({ "version": 2, "hourly_rate_minor": 9999 });
    bob.patch(&path, raise).await.expect_problem(403, "role_insufficient");
    let renamed = bob.patch(&path, json!({ "version": 2, "name": "Robert" })).await.expect(200);
    assert_eq!((&renamed["name"], &renamed["hourly_rate_minor"]), (&"Robert".into(), &4711.into()));
    app.stop().await;
}

#[each_database]
async fn nobody_manages_those_above_them(database: Database) {
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
}

#[each_database]
async fn the_last_owner_stays(database: Database) {
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
}

/// A new session of somebody who has registered.
async fn log_in(app: &App, email: &str) -> Client {
    let login = json!({ "email": email, "password": PASSWORD });
    let session = app.anonymous().post("/v1/sessions", login).await.expect(201);
    app.anonymous().with_token(session["token"].as_str().expect("a token"))
}

/// What people may do to themselves they do in a session: a key of theirs may what its role may.
#[each_database]
async fn being_a_members_own_lifts_no_key_above_its_role(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    ada.invite(&company, "owner").await;
    let admin = ada.invite(&company, "admin").await;
    let members = format!("{company}/members");
    for person in [&ada, &admin] {
        let own = person.member_in(&company).await;
        let path = at(&members, &own);
        let rate = json!({ "version": 1, "hourly_rate_minor": 4711 });
        let own = ada.patch(&path, rate).await.expect(200);
        for role in ["viewer", "member", "manager"] {
            let program = person.with_key(&company, role).await;
            let refused = async |answer: Answer| {
                answer.expect_problem(403, "session_required");
                assert_eq!(ada.read(&path).await, own);
            };
            for change in [json!({ "name": "Nobody" }), json!({ "active": false })] {
                let mut patch = change.clone();
                patch["version"] = json!(2);
                refused(program.patch(&path, patch).await).await;
                let edit = json!({ "entity": "member", "op": "update", "id": own["id"],
                    "version": 2, "data": change });
                let edits = json!({ "changes": [edit] });
                let report = program.post(&format!("{company}/sync"), edits).await.expect(200);
                let result = &report["results"][0];
                assert_eq!(
                    (&result["status"], &result["code"]),
                    (&json!("forbidden"), &json!("session_required"))
                );
            }
            let back = json!({ "version": 2, "to_version": 1 });
            refused(program.post(&format!("{path}/revert"), back).await).await;
            refused(program.delete(&format!("{path}?version=2")).await).await;
            let removal = json!({ "changes": [{ "entity": "member", "op": "delete",
                "id": own["id"], "version": 2 }] });
            let report = program.post(&format!("{company}/sync"), removal).await.expect(200);
            assert_eq!(report["results"][0]["code"], "session_required");
            // Nor does it see what only managers of members and the person see.
            let seen = program.read(&path).await;
            assert_eq!(seen["hourly_rate_minor"], Value::Null);
            let history = program.all(&format!("{path}/history"), "").await;
            assert_eq!(history[0]["data"]["hourly_rate_minor"], Value::Null);
        }
    }
    // An admin's key manages members below an owner, and its own.
    let program = admin.with_key(&company, "admin").await;
    let path = at(&members, &admin.member_in(&company).await);
    program.patch(&path, json!({ "version": 2, "name": "Adam" })).await.expect(200);
    let program = ada.with_key(&company, "admin").await;
    let path = at(&members, &ada.member_in(&company).await);
    let renamed = program.patch(&path, json!({ "version": 2, "name": "Adam" })).await;
    renamed.expect_problem(403, "role_above_own");
    ada.patch(&path, json!({ "version": 2, "name": "Ada L." })).await.expect(200);
    app.stop().await;
}

/// Two owners leave, or put each other out, at the same moment: one of them stays, every time.
#[each_database]
async fn of_two_owners_who_leave_at_once_one_stays(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let bob = app.anonymous().sign_up("Bob").await;
    // Who is somewhere else, too, stays logged in.
    for person in [&ada, &bob] {
        person.found("household").await;
    }
    for round in 0..20 {
        let home = ada.found("household").await;
        let new = json!({ "role": "owner" });
        let invitation = ada.make(&format!("{home}/invitations"), new).await;
        let token = invitation["token"].as_str().expect("a token");
        let second = bob.post(&format!("/v1/invitations/{token}/accept"), json!({})).await;
        let members = format!("{home}/members");
        let of_ada = at(&members, &ada.member_in(&home).await);
        let of_bob = at(&members, &second.expect(201));
        let (first, second) = match round % 7 {
            0 => join(leave(&ada, &of_ada), leave(&bob, &of_bob)).await,
            1 => join(leave(&ada, &of_bob), leave(&bob, &of_ada)).await,
            2 => join(demote(&ada, &of_ada), demote(&bob, &of_bob)).await,
            3 => join(leave(&ada, &of_ada), demote(&bob, &of_bob)).await,
            4 => join(deactivate(&ada, &of_bob), deactivate(&bob, &of_ada)).await,
            5 => join(sync(&ada, &home, &of_bob), sync(&bob, &home, &of_ada)).await,
            _ => join(sync(&ada, &home, &of_ada), deactivate(&bob, &of_bob)).await,
        };
        // The one who was put out first is refused as a stranger.
        let told = |answer: &Answer| {
            answer.status.is_success()
                && !["invalid", "forbidden"].iter().any(|it| answer.text.contains(it))
        };
        let gone = [&first, &second].into_iter().filter(|answer| told(answer)).count();
        assert_eq!(gone, 1, "round {round}: {} {}", first.text, second.text);
        let stays = if ada.get(&home).await.status == 200 { &ada } else { &bob };
        let rows = stays.all(&members, "").await;
        let owners = rows.iter().filter(|it| it["role"] == "owner" && it["active"] == true);
        assert_eq!(owners.count(), 1, "round {round}: {rows:?}");
        assert!(!first.status.is_server_error() && !second.status.is_server_error());
    }
    app.stop().await;
}

async fn leave(client: &Client, member: &str) -> Answer {
    client.delete(&format!("{member}?version=1")).await
}

async fn demote(client: &Client, member: &str) -> Answer {
    client.patch(member, json!({ "version": 1, "role": "admin" })).await
}

async fn deactivate(client: &Client, member: &str) -> Answer {
    client.patch(member, json!({ "version": 1, "active": false })).await
}

async fn sync(client: &Client, home: &str, member: &str) -> Answer {
    let id = member.rsplit('/').next().expect("an id");
    let edit = json!({ "entity": "member", "op": "update", "id": id, "version": 1,
        "data": { "role": "viewer" } });
    client.post(&format!("{home}/sync"), json!({ "changes": [edit] })).await
}

#[each_database]
async fn a_member_whom_expenses_name_is_made_inactive_and_not_removed(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let home = ada.found("household").await;
    let members = format!("{home}/members");
    let kim = ada.make(&members, json!({ "name": "Kim" })).await;
    let expense = json!({ "spent_on": "2026-11-01", "amount_minor": 5, "member_id": kim["id"] });
    ada.make(&format!("{home}/expenses"), expense).await;
    let path = at(&members, &kim);
    ada.delete(&format!("{path}?version=1")).await.expect_problem(409, "in_use");
    ada.patch(&path, json!({ "version": 1, "active": false })).await.expect(200);
    app.stop().await;
}

//! The way of an expense through approval.

use serde_json::{Value, json};
use tests::{Answer, App, Client, Database, at, each_database};

const MOVES: [&str; 4] = ["submit", "approve", "reject", "reimburse"];

fn lunch() -> Value {
    json!({ "spent_on": "2026-11-01", "amount_minor": 1250, "merchant": "Café" })
}

/// Makes a move against the version that the expense has.
async fn go(client: &Client, path: &str, by: &str) -> Answer {
    let version = client.read(path).await["version"].clone();
    client.post(&format!("{path}/{by}"), json!({ "version": version })).await
}

/// A new expense of `member` in a status of its way.
async fn in_status(member: &Client, manager: &Client, company: &str, status: &str) -> String {
    let expenses = format!("{company}/expenses");
    let path = at(&expenses, &member.make(&expenses, lunch()).await);
    let way: &[(&Client, &str)] = match status {
        "draft" => &[],
        "submitted" => &[(member, "submit")],
        "approved" => &[(member, "submit"), (manager, "approve")],
        "rejected" => &[(member, "submit"), (manager, "reject")],
        _ => &[(member, "submit"), (manager, "approve"), (manager, "reimburse")],
    };
    for (client, by) in way {
        go(client, &path, by).await.expect(200);
    }
    path
}

#[each_database]
async fn in_a_company_an_expense_takes_the_moves_of_its_status_and_no_other(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let bob = ada.invite(&company, "member").await;
    for (status, allowed) in [
        ("draft", &[("submit", "submitted")][..]),
        ("submitted", &[("approve", "approved"), ("reject", "rejected")]),
        ("approved", &[("reimburse", "reimbursed")]),
        ("rejected", &[]),
        ("reimbursed", &[]),
    ] {
        for by in MOVES {
            let path = in_status(&bob, &ada, &company, status).await;
            let before = bob.read(&path).await;
            assert_eq!(before["status"], status);
            let answer = go(&ada, &path, by).await;
            match allowed.iter().find(|(allowed, _)| *allowed == by) {
                Some((_, to)) => assert_eq!(answer.expect(200)["status"], **to),
                None => {
                    answer.expect_problem(409, "wrong_status");
                    assert_eq!(bob.read(&path).await, before);
                }
            }
        }
    }
    app.stop().await;
}

#[each_database]
async fn an_expense_may_change_while_nobody_relies_on_it(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let bob = ada.invite(&company, "member").await;
    for (status, may) in [
        ("draft", true),
        ("submitted", false),
        ("approved", false),
        ("rejected", true),
        ("reimbursed", false),
    ] {
        let path = in_status(&bob, &ada, &company, status).await;
        let before = bob.read(&path).await;
        let change = json!({ "version": before["version"], "amount_minor": 1 });
        for client in [&bob, &ada] {
            let removal = format!("{path}?version=0");
            client.delete(&removal).await.expect_problem(409, "version_conflict");
        }
        let changed = bob.patch(&path, change).await;
        if may {
            let changed = changed.expect(200);
            assert_eq!(
                (&changed["status"], &changed["amount_minor"]),
                (&json!("draft"), &json!(1))
            );
            bob.delete(&format!("{path}?version={}", changed["version"])).await.expect(204);
            continue;
        }
        changed.expect_problem(409, "wrong_status");
        let removal = format!("{path}?version={}", before["version"]);
        bob.delete(&removal).await.expect_problem(409, "wrong_status");
        assert_eq!(bob.read(&path).await, before);
    }
    app.stop().await;
}

#[each_database]
async fn a_decision_says_who_when_and_why_until_the_expense_changes(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let bob = ada.invite(&company, "member").await;
    let path = in_status(&bob, &ada, &company, "submitted").await;
    let decision = json!({ "version": 2, "note": "no receipt" });
    let rejected = ada.post(&format!("{path}/reject"), decision).await.expect(200);
    assert_eq!(rejected["decided_by_member_id"], ada.member_in(&company).await["id"]);
    assert_eq!(rejected["decision_note"], "no receipt");
    assert!(rejected["decided_at"].is_string() && rejected["submitted_at"].is_string());
    let changed = bob.patch(&path, json!({ "version": 3, "note": "found it" })).await.expect(200);
    for forgotten in ["submitted_at", "decided_at", "decided_by_member_id", "decision_note"] {
        assert_eq!(changed[forgotten], Value::Null, "{forgotten}");
    }
    let long = json!({ "version": 4, "note": "x".repeat(501) });
    assert_eq!(bob.post(&format!("{path}/submit"), long).await.expect_violations(), ["/note"]);
    go(&bob, &path, "submit").await.expect(200);
    go(&ada, &path, "approve").await.expect(200);
    let paid = go(&ada, &path, "reimburse").await.expect(200);
    assert!(paid["reimbursed_at"].is_string());
    app.stop().await;
}

#[each_database]
async fn nobody_decides_their_own_expense_in_a_company(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let manager = ada.invite(&company, "manager").await;
    let member = ada.invite(&company, "member").await;
    for own in [&ada, &manager] {
        let path = in_status(own, &ada, &company, "submitted").await;
        for by in ["approve", "reject"] {
            go(own, &path, by).await.expect_problem(403, "own_expense");
        }
        go(&member, &path, "approve").await.expect_problem(403, "role_insufficient");
    }
    let path = in_status(&ada, &manager, &company, "submitted").await;
    let program = ada.with_key(&company, "owner").await;
    go(&program, &path, "approve").await.expect_problem(403, "own_expense");
    go(&manager, &path, "approve").await.expect(200);
    app.stop().await;
}

#[each_database]
async fn in_a_household_an_expense_is_approved_at_once(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let expense = ada.make(&expenses, lunch()).await;
    assert_eq!(expense["status"], "approved");
    assert!(expense["decided_at"].is_string() && expense["decided_by_member_id"].is_null());
    let path = at(&expenses, &expense);
    for by in ["submit", "approve", "reject"] {
        go(&ada, &path, by).await.expect_problem(409, "wrong_status");
    }
    let changed = ada.patch(&path, json!({ "version": 1, "note": "x" })).await.expect(200);
    assert_eq!(changed["status"], "approved");
    assert_eq!(go(&ada, &path, "reimburse").await.expect(200)["status"], "reimbursed");
    let late = ada.patch(&path, json!({ "version": 3, "note": "y" })).await;
    late.expect_problem(409, "wrong_status");
    app.stop().await;
}

/// What was submitted under approval can still be decided once approval is no longer asked for.
#[each_database]
async fn an_organization_can_change_its_mind_about_approval(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let draft = in_status(&ada, &ada, &company, "draft").await;
    let submitted = in_status(&ada, &ada, &company, "submitted").await;
    let change = json!({ "version": 1, "approval_required": false });
    ada.patch(&company, change).await.expect(200);
    let new = ada.make(&format!("{company}/expenses"), lunch()).await;
    assert_eq!(new["status"], "approved");
    assert_eq!(go(&ada, &draft, "submit").await.expect(200)["status"], "approved");
    assert_eq!(go(&ada, &submitted, "approve").await.expect(200)["status"], "approved");
    let change = json!({ "version": 2, "approval_required": null });
    let company_again = ada.patch(&company, change).await.expect(200);
    assert_eq!(company_again["approval_required"], true, "as a company has it by default");
    app.stop().await;
}

#[each_database]
async fn a_plain_member_records_and_moves_their_own_alone(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let bob = ada.invite(&company, "member").await;
    let eve = ada.invite(&company, "member").await;
    let path = in_status(&bob, &ada, &company, "draft").await;
    let change = json!({ "version": 1, "note": "x" });
    eve.patch(&path, change.clone()).await.expect_problem(403, "not_your_expense");
    eve.delete(&format!("{path}?version=1")).await.expect_problem(403, "not_your_expense");
    go(&eve, &path, "submit").await.expect_problem(403, "not_your_expense");
    let mut for_bob = lunch();
    for_bob["member_id"] = bob.member_in(&company).await["id"].clone();
    let expenses = format!("{company}/expenses");
    eve.post(&expenses, for_bob.clone()).await.expect_problem(403, "not_your_expense");
    let batch = json!({ "items": [lunch(), for_bob.clone()] });
    let refused = eve.post(&format!("{expenses}/batch"), batch).await;
    refused.expect_problem(403, "not_your_expense");
    let own = at(&expenses, &eve.make(&expenses, lunch()).await);
    let away = json!({ "version": 1, "member_id": for_bob["member_id"] });
    eve.patch(&own, away).await.expect_problem(403, "not_your_expense");
    ada.make(&expenses, for_bob).await;
    ada.patch(&path, change).await.expect(200);
    assert_eq!(ada.all(&expenses, "").await.len(), 3);
    app.stop().await;
}

/// Whoever recorded, submitted or last changed an expense does not decide it, whose ever it is and however they try.
#[each_database]
async fn nobody_decides_what_they_had_a_hand_in(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    // Who may make keys, too.
    let manager = ada.invite(&company, "admin").await;
    let bob = ada.invite(&company, "member").await;
    let program = manager.with_key(&company, "manager").await;
    let expenses = format!("{company}/expenses");
    let mut of_bob = lunch();
    of_bob["member_id"] = bob.member_in(&company).await["id"].clone();
    let manager_id = manager.member_in(&company).await["id"].clone();
    for part in ["recorded", "recorded in a batch", "submitted", "changed", "reverted"] {
        let by_bob = async || at(&expenses, &bob.make(&expenses, lunch()).await);
        let path = match part {
            "recorded" => {
                let made = manager.make(&expenses, of_bob.clone()).await;
                assert_eq!(made["created_by_member_id"], manager_id);
                at(&expenses, &made)
            }
            "recorded in a batch" => {
                let batch = json!({ "items": [of_bob] });
                let made = manager.post(&format!("{expenses}/batch"), batch).await.expect(201);
                at(&expenses, &made["items"][0])
            }
            "changed" | "reverted" => {
                let path = by_bob().await;
                let change = json!({ "version": 1, "amount_minor": 99_999 });
                if part == "changed" {
                    let changed = manager.patch(&path, change).await.expect(200);
                    assert_eq!(changed["changed_by_member_id"], manager_id);
                } else {
                    bob.patch(&path, change).await.expect(200);
                    let back = json!({ "version": 2, "to_version": 1 });
                    manager.post(&format!("{path}/revert"), back).await.expect(200);
                }
                path
            }
            _ => by_bob().await,
        };
        let submits = if part == "submitted" { &manager } else { &bob };
        let submitted = go(submits, &path, "submit").await.expect(200);
        let before = ada.read(&path).await;
        for by in ["approve", "reject"] {
            for client in [&manager, &program] {
                let problem = go(client, &path, by).await.expect_problem(403, "own_expense");
                let detail = problem["detail"].as_str().expect("a detail").to_owned();
                assert!(detail.starts_with("members cannot decide expenses that they"), "{detail}");
                let edit = json!({ "entity": "expense", "op": by, "id": submitted["id"],
                    "version": submitted["version"] });
                let edits = json!({ "changes": [edit] });
                let report = client.post(&format!("{company}/sync"), edits).await.expect(200);
                assert_eq!(report["results"][0]["code"], "own_expense", "{part}");
            }
        }
        assert_eq!(ada.read(&path).await, before, "{part}");
        go(&ada, &path, "approve").await.expect(200);
        // What another has approved may be paid by whoever recorded it.
        go(&manager, &path, "reimburse").await.expect(200);
    }
    app.stop().await;
}

#[each_database]
async fn what_was_changed_by_another_since_is_decided_by_who_changed_it_before(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let bob = ada.invite(&company, "member").await;
    let path = in_status(&bob, &ada, &company, "draft").await;
    ada.patch(&path, json!({ "version": 1, "note": "a" })).await.expect(200);
    bob.patch(&path, json!({ "version": 2, "note": "b" })).await.expect(200);
    go(&bob, &path, "submit").await.expect(200);
    go(&ada, &path, "approve").await.expect(200);
    app.stop().await;
}

/// An import is a recording as well.
#[each_database]
async fn whoever_imports_expenses_does_not_decide_them(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let bob = ada.invite(&company, "member").await;
    let of_bob = bob.member_in(&company).await["id"].as_str().expect("an id").to_owned();
    let query = format!("date=date&amount=amount&member_id={of_bob}");
    let path = format!("{company}/expenses/import?{query}");
    ada.upload(&path, "date,amount\n2026-11-03,12.50\n").await.expect(200);
    let made = ada.all(&format!("{company}/expenses"), "").await;
    let path = at(&format!("{company}/expenses"), &made[0]);
    go(&bob, &path, "submit").await.expect(200);
    // Nobody else is there who could: the refusal says what helps.
    let alone = go(&ada, &path, "approve").await.expect_problem(403, "own_expense");
    let detail = alone["detail"].as_str().expect("a detail");
    assert!(detail.contains("no other member can") && detail.contains("approval_required"));
    let manager = ada.invite(&company, "manager").await;
    go(&manager, &path, "approve").await.expect(200);
    app.stop().await;
}

#[each_database]
async fn nobody_pays_themselves_back_where_approval_is_required(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let manager = ada.invite(&company, "manager").await;
    let payout = json!({ "version": 1, "payout_url": "http://127.0.0.1:9/payouts" });
    ada.patch(&company, payout).await.expect(200);
    let path = in_status(&manager, &ada, &company, "approved").await;
    for by in ["reimburse", "pay"] {
        go(&manager, &path, by).await.expect_problem(403, "own_expense");
    }
    go(&ada, &path, "reimburse").await.expect(200);
    app.stop().await;
}

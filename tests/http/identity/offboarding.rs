//! Offboarding a member: what the saga does, what it refuses, and what is given back.

use serde_json::{Value, json};
use tests::{Answer, App, Client, Database, at, each_database, id};

/// A company with somebody who leaves, who may make keys, and somebody who stays.
struct Story {
    app: App,
    ada: Client,
    company: String,
    leaver: Client,
    /// The leaver's member, and that of who stays.
    leaving: Value,
    grace: Value,
}

impl Story {
    async fn begin(app: App) -> Self {
        let (ada, company) = app.owner_of("company").await;
        let leaver = ada.invite(&company, "admin").await;
        let grace = ada.make(&format!("{company}/members"), json!({ "name": "Grace" })).await;
        let members = ada.all(&format!("{company}/members"), "").await;
        let leaving = members.into_iter().find(|member| member["role"] == "admin").unwrap();
        Self { app, ada, company, leaver, leaving, grace }
    }

    fn path(&self, collection: &str) -> String {
        format!("{}/{collection}", self.company)
    }

    async fn task(&self, more: Value) -> Value {
        let mut new = json!({ "title": "Count", "assignee_member_id": id(&self.leaving) });
        for (name, value) in more.as_object().unwrap() {
            new[name] = value.clone();
        }
        self.ada.make(&self.path("tasks"), new).await
    }

    async fn offboard(&self, more: Value) -> Answer {
        let mut body = json!({ "version": self.leaving["version"] });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let path = format!("{}/offboard", at(&self.path("members"), &self.leaving));
        self.ada.post(&path, body).await
    }

    async fn read(&self, collection: &str, row: &Value) -> Value {
        self.ada.read(&at(&self.path(collection), row)).await
    }
}

fn states(saga: &Value) -> Vec<(&str, &str)> {
    let steps = saga["steps"].as_array().unwrap().iter();
    steps.map(|it| (it["name"].as_str().unwrap(), it["state"].as_str().unwrap())).collect()
}

#[each_database]
async fn all_that_is_a_members_is_handed_over_and_their_access_ends(database: Database) {
    let story = Story::begin(App::start(&database).await).await;
    let (leaver, leaving, grace) = (&story.leaver, id(&story.leaving), id(&story.grace));
    let open = story.task(json!({})).await;
    let done = story.task(json!({ "status": "done" })).await;
    let turns = json!({ "recurrence": "FREQ=DAILY", "due_on": "2026-11-20",
        "rotation": [leaving, grace] });
    let turns = story.task(turns).await;
    let day = json!({ "day": "2026-11-02", "minutes": 60 });
    leaver.make(&story.path("time-entries"), day).await;
    let timer = leaver.post(&story.path("time-entries/start"), json!({})).await.expect(201);
    let key = json!({ "name": "till", "role": "viewer" });
    let key = leaver.make(&story.path("api-keys"), key).await;
    let program = leaver.with_token(key["token"].as_str().unwrap());
    program.get(&story.company).await.expect(200);

    let to = json!({ "reassign_to_member_id": grace, "note": "moves away" });
    let saga = story.offboard(to).await.expect(200);
    assert_eq!((&saga["kind"], &saga["subject_id"]), (&json!("offboarding"), &json!(leaving)));
    assert_eq!((&saga["state"], &saga["data"]["note"]), (&json!("running"), &json!("moves away")));
    story.offboard(json!({})).await.expect_problem(409, "offboarding_under_way");
    // A manager sees how it goes, and not why.
    let manager = story.ada.invite(&story.company, "manager").await;
    let path = at(&story.path("sagas"), &saga);
    assert_eq!(manager.read(&path).await["data"]["note"], Value::Null);
    let about = format!("?subject_id={leaving}");
    let listed = manager.all(&story.path("sagas"), &about).await;
    assert_eq!((listed.len(), &listed[0]["data"]["note"]), (1, &Value::Null));
    let history = manager.all(&format!("{path}/history"), "").await;
    assert_eq!(history[0]["data"]["data"]["note"], Value::Null);
    manager
        .post(&format!("{path}/compensate"), json!({ "version": 1 }))
        .await
        .expect_problem(403, "role_insufficient");
    let paid = story.ada.post(&format!("{path}/mark-paid"), json!({ "version": 1 })).await;
    paid.expect_problem(409, "not_a_payout");
    leaver.get(&story.company).await.expect(200);

    story.app.run_until_idle().await;
    let saga = story.read("sagas", &saga).await;
    assert_eq!(saga["state"], "completed", "{saga}");
    let steps = ["check", "tasks", "timer", "timecards", "access"].map(|name| (name, "done"));
    assert_eq!(states(&saga), steps);
    assert_eq!(story.read("tasks", &open).await["assignee_member_id"], grace);
    assert_eq!(story.read("tasks", &done).await, done, "what is done is theirs");
    let turns = story.read("tasks", &turns).await;
    assert_eq!(
        (&turns["rotation"], &turns["assignee_member_id"]),
        (&json!([grace]), &json!(grace))
    );
    assert_eq!(story.read("time-entries", &timer).await["running"], false);
    let cards = story.ada.all(&story.path("timecards"), "").await;
    assert_eq!(cards.len(), 2, "{cards:?}");
    assert!(cards.iter().all(|card| card["status"] == "submitted"), "{cards:?}");
    assert_eq!(story.read("members", &story.leaving).await["active"], false);
    assert_eq!(story.ada.all(&story.path("api-keys"), "").await, [] as [Value; 0]);
    program.get(&story.company).await.expect_problem(401, "unauthenticated");
    leaver.get(&story.company).await.expect_problem(401, "unauthenticated");
    let late = json!({ "version": saga["version"] });
    let late = story.ada.post(&format!("{path}/compensate"), late).await;
    late.expect_problem(409, "saga_ended");
    story.app.stop().await;
}

#[each_database]
async fn one_who_belongs_elsewhere_stays_logged_in_there(database: Database) {
    let story = Story::begin(App::start(&database).await).await;
    let elsewhere = story.leaver.found("household").await;
    let open = story.task(json!({})).await;
    story.offboard(json!({})).await.expect(200);
    story.app.run_until_idle().await;
    story.leaver.get(&elsewhere).await.expect(200);
    story.leaver.get(&story.company).await.expect_problem(404, "not_found");
    assert_eq!(story.read("tasks", &open).await["assignee_member_id"], Value::Null);
    story.app.stop().await;
}

#[each_database]
async fn what_was_done_is_given_back_when_a_step_cannot_be_done(database: Database) {
    let story = Story::begin(App::start(&database).await).await;
    let open = story.task(json!({})).await;
    let to = json!({ "reassign_to_member_id": id(&story.grace) });
    // Who was to take over is there when it begins, and then no more.
    let saga = story.offboard(to.clone()).await.expect(200);
    let gone = json!({ "version": 1, "active": false });
    let gone = story.ada.patch(&at(&story.path("members"), &story.grace), gone).await;
    gone.expect(200);
    story.app.run_until_idle().await;
    let saga = story.read("sagas", &saga).await;
    assert_eq!((&saga["state"], saga["reason"].is_string()), (&json!("compensated"), true));
    assert_eq!(states(&saga)[0..2], [("check", "undone"), ("tasks", "refused")]);
    assert_eq!(story.read("tasks", &open).await, open);
    assert_eq!(story.offboard(to).await.expect_violations(), ["/reassign_to_member_id"]);

    // Two owners leave: the second stays the last.
    let owners = format!("{}/members", story.company);
    let owner = json!({ "version": story.leaving["version"], "role": "owner" });
    let leaving = story.ada.patch(&at(&owners, &story.leaving), owner).await.expect(200);
    let all = story.ada.all(&owners, "").await;
    let ada = all.iter().find(|it| it["role"] == "owner" && it["id"] != leaving["id"]).unwrap();
    let begin = async |member: &Value| {
        let body = json!({ "version": member["version"] });
        story.ada.post(&format!("{}/offboard", at(&owners, member)), body).await
    };
    begin(&leaving).await.expect(200);
    let second = begin(ada).await.expect(200);
    story.app.run_until_idle().await;
    let second = story.leaver.get(&at(&story.path("sagas"), &second)).await;
    let first = story.ada.get(&owners).await;
    // Whichever ended first has ended for good: the other one is an owner still.
    let (seen, other) = if second.status == 200 { (second, ada) } else { (first, &leaving) };
    seen.expect(200);
    let witness = if other == ada { &story.leaver } else { &story.ada };
    let rows = witness.all(&owners, "").await;
    let owners = rows.iter().filter(|it| it["role"] == "owner" && it["active"] == true);
    assert_eq!(owners.count(), 1);
    story.app.stop().await;
}

#[each_database]
async fn an_offboarding_that_cannot_be_is_refused(database: Database) {
    let story = Story::begin(App::start(&database).await).await;
    let to = |to: &str| json!({ "reassign_to_member_id": to });
    let pointer = ["/reassign_to_member_id"];
    let same = story.offboard(to(id(&story.leaving))).await;
    assert_eq!(same.expect_violations(), pointer);
    let unknown = story.offboard(to("0199d7a0-0000-7000-8000-000000000000")).await;
    assert_eq!(unknown.expect_violations(), pointer);
    story.offboard(json!({ "version": 9 })).await.expect_problem(409, "version_conflict");
    let owner = story.ada.all(&story.path("members"), "").await;
    let owner = owner.iter().find(|member| member["role"] == "owner").unwrap();
    let path = format!("{}/offboard", at(&story.path("members"), owner));
    let last = story.ada.post(&path, json!({ "version": owner["version"] })).await;
    last.expect_problem(409, "last_owner");
    let above = story.leaver.post(&path, json!({ "version": owner["version"] })).await;
    above.expect_problem(403, "role_above_own");
    let sagas = story.ada.all(&story.path("sagas"), "").await;
    assert_eq!(sagas, [] as [Value; 0]);
    story.app.stop().await;
}

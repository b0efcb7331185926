//! Offboardings, while the process ends at every place of their steps, forwards and backwards; and on
//! several nodes at once.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use service::{
    Store,
    automation::saga,
    idempotency::WriteOnce,
    identity::access,
    input::{Create, FromBody, TransitionBody},
    resource::Readable,
    saga::{Saga, SagaQuery},
    store::{Options, versioned::Expected},
    work::time_entry,
};
use tests::{Client, Database, at, each_lasting_database, id};
use uuid::Uuid;

use crate::{
    nodes::nodes,
    support::{Process, steward},
};

/// Every place of the way there.
const FORWARDS: &[&str] = &[
    "tasks.begun",
    "tasks.inside",
    "tasks.noted",
    "timer.begun",
    "timer.inside",
    "timer.noted",
    "timecards.begun",
    "timecards.inside",
    "timecards.noted",
    "access.begun",
    "access.inside",
    "access.noted",
];

/// Every place of the way back.
const BACKWARDS: &[&str] = &[
    "timecards.undo.begun",
    "timecards.undo.inside",
    "timecards.undo.noted",
    "timer.undo.begun",
    "timer.undo.inside",
    "timer.undo.noted",
    "tasks.undo.begun",
    "tasks.undo.inside",
    "tasks.undo.noted",
    "check.undo.begun",
    "check.undo.inside",
    "check.undo.noted",
];

/// Waits for something, but not for ever.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} takes too long");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A company in which somebody takes over from those who leave.
struct Story {
    database: Database,
    ada: Client,
    company: String,
    taker: String,
}

/// Somebody who is to leave, with all that they have.
struct Leaver {
    client: Client,
    program: Client,
    member: Value,
    tasks: usize,
}

impl Story {
    async fn begin(database: &Database) -> Self {
        let process = Process::start(database);
        let ada = Client::new(&process.base).sign_up("Ada").await;
        let company = ada.found("company").await;
        let taker = ada.make(&format!("{company}/members"), json!({ "name": "Grace" })).await;
        Self { database: database.clone(), ada, company, taker: id(&taker).to_owned() }
    }

    fn path(&self, collection: &str) -> String {
        format!("{}/{collection}", self.company)
    }

    /// Somebody with tasks, a timer that runs, a week of time before, and an API key.
    async fn leaver(&self, ada: &Client, tasks: usize) -> Leaver {
        let client = ada.invite(&self.company, "admin").await;
        let member = client.member_in(&self.company).await;
        for number in 0..tasks {
            let new = json!({ "title": format!("{number}"), "assignee_member_id": id(&member) });
            ada.make(&self.path("tasks"), new).await;
        }
        let day = json!({ "day": "2026-11-02", "minutes": 60 });
        client.make(&self.path("time-entries"), day).await;
        client.post(&self.path("time-entries/start"), json!({})).await.expect(201);
        let key = json!({ "name": "till", "role": "viewer" });
        let key = client.make(&self.path("api-keys"), key).await;
        let program = client.with_token(key["token"].as_str().expect("a token"));
        Leaver { client, program, member, tasks }
    }

    /// Asks for the offboarding. The answer may not come: the process may have ended before.
    async fn offboard(&self, ada: &Client, leaver: &Leaver) {
        let path = format!("{}/offboard", at(&self.path("members"), &leaver.member));
        let body =
            json!({ "version": leaver.member["version"], "reassign_to_member_id": self.taker });
        ada.try_post(&path, body).await;
    }

    /// Begins one with a process that ends at a place.
    async fn begin_until(&self, place: &str, tasks: usize) -> Leaver {
        let mut process = self.process_until(place);
        let ada = self.ada.at(&process.base);
        let leaver = self.leaver(&ada, tasks).await;
        self.offboard(&ada, &leaver).await;
        until(place, async || process.ended()).await;
        leaver
    }

    fn process_until(&self, place: &str) -> Process {
        let place = format!("offboarding.{place}");
        Process::start_with(&self.database, &[], &[("STEWARD_CRASH_AT", &place)])
    }

    /// The saga of somebody, once it has ended.
    async fn ended(&self, process: &Process, leaver: &Leaver) -> Value {
        let ada = self.ada.at(&process.base);
        let about = format!("?subject_id={}", id(&leaver.member));
        until("the end of a saga", async || {
            let sagas = ada.all(&self.path("sagas"), &about).await;
            assert_eq!(sagas.len(), 1, "{sagas:?}");
            let ends = ["completed", "compensated", "failed"];
            ends.map(|state| sagas[0]["state"] == state).contains(&true).then(|| sagas[0].clone())
        })
        .await
    }

    /// Whether somebody is gone, and each thing was done once: a task that was given away has version 2, a
    /// card that was submitted too.
    async fn assert_gone(&self, process: &Process, leaver: &Leaver, place: &str) {
        let saga = self.ended(process, leaver).await;
        assert_eq!(saga["state"], "completed", "{place}: {saga}");
        let ada = self.ada.at(&process.base);
        let member = ada.read(&at(&self.path("members"), &leaver.member)).await;
        assert_eq!((&member["active"], &member["version"]), (&json!(false), &json!(2)), "{place}");
        self.assert_work(&ada, leaver, (&self.taker, 2), ("submitted", 2), place).await;
        for gone in [&leaver.client, &leaver.program] {
            let answer = gone.at(&process.base).get(&self.company).await;
            answer.expect_problem(401, "unauthenticated");
        }
    }

    /// Whether somebody is there as before, and each thing was done and undone once.
    async fn assert_back(&self, process: &Process, leaver: &Leaver, place: &str) {
        let saga = self.ended(process, leaver).await;
        assert_eq!(saga["state"], "compensated", "{place}: {saga}");
        let ada = self.ada.at(&process.base);
        let member = ada.read(&at(&self.path("members"), &leaver.member)).await;
        assert_eq!(member, leaver.member, "{place}");
        let back = (id(&leaver.member), 3);
        self.assert_work(&ada, leaver, back, ("open", 3), place).await;
        for there in [&leaver.client, &leaver.program] {
            there.at(&process.base).get(&self.company).await.expect(200);
        }
    }

    async fn assert_work(
        &self,
        ada: &Client,
        leaver: &Leaver,
        (whose, task_version): (&str, i64),
        (status, card_version): (&str, i64),
        place: &str,
    ) {
        let tasks = ada.all(&self.path("tasks"), "").await;
        let of =
            |task: &&Value| task["assignee_member_id"] == whose && task["version"] == task_version;
        let theirs = tasks.iter().filter(of).count();
        // The taker has those of others, too.
        assert!(theirs >= leaver.tasks && theirs % leaver.tasks == 0, "{place}: {theirs}");
        let left = tasks.iter().filter(|task| task["assignee_member_id"] == leaver.member["id"]);
        let kept = if whose == self.taker { 0 } else { leaver.tasks };
        assert_eq!(left.count(), kept, "{place}");
        let about = format!("?member_id={}", id(&leaver.member));
        let entries = ada.all(&self.path("time-entries"), &about).await;
        assert_eq!(entries.len(), 2, "{place}");
        assert!(entries.iter().all(|entry| entry["running"] == false), "{place}");
        let cards = ada.all(&self.path("timecards"), &about).await;
        assert_eq!(cards.len(), 2, "{place}");
        for card in cards {
            assert_eq!(
                (&card["status"], &card["version"]),
                (&json!(status), &json!(card_version)),
                "{place}: {card}"
            );
        }
    }

    /// Does something while no process runs.
    async fn meanwhile<T>(&self, act: impl AsyncFnOnce(&Store, Uuid) -> T) -> T {
        let store = self.database.store(Options::default()).await;
        let organization_id = self.company.rsplit('/').next().expect("an id");
        let done = act(&store, organization_id.parse().expect("an id")).await;
        store.close().await.expect("closed");
        done
    }

    /// Cancels the offboarding of somebody, as an operator would.
    async fn cancel(&self, leaver: &Leaver) {
        let about: Uuid = id(&leaver.member).parse().expect("an id");
        self.meanwhile(async |store, organization_id| {
            let actor = access::operator(store, organization_id, None).await.expect("an operator");
            let query = SagaQuery { subject_id: Some(about.into()), ..Default::default() };
            let listed = Saga::list(store, &actor, &query);
            let saga = listed.await.expect("sagas").items.remove(0);
            let again = json!({ "reassign_to_member_id": null });
            let again = TransitionBody::from_body(again).expect("a body");
            let member = Expected::Version(leaver.member["version"].as_i64().expect("a version"));
            let refused = saga::offboard(WriteOnce::new(store), &actor, about, member, again).await;
            assert_eq!(refused.expect_err("one is under way").code(), "offboarding_under_way");
            let body = TransitionBody::from_body(json!({ "note": "they stay" })).expect("a body");
            let version = Expected::Version(saga.version);
            let write = WriteOnce::new(store);
            saga::compensate(write, &actor, saga.id, version, body).await.expect("cancelled");
        })
        .await;
    }

    async fn assert_sound(&self) {
        until("verify", async || {
            let verified = steward(&self.database).arg("verify").output().expect("steward runs");
            verified.status.success().then_some(())
        })
        .await;
    }
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_member_is_offboarded_once_wherever_the_process_ends(database: Database) {
    // More tasks than one transaction gives away.
    let story = Story::begin(&database).await;
    for place in FORWARDS {
        let leaver = story.begin_until(place, 51).await;
        let process = Process::start(&story.database);
        story.assert_gone(&process, &leaver, place).await;
    }
    story.assert_sound().await;
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_cancelled_offboarding_is_undone_wherever_the_process_ends(database: Database) {
    let story = Story::begin(&database).await;
    for place in BACKWARDS {
        let leaver = story.begin_until("timecards.noted", 51).await;
        story.cancel(&leaver).await;
        let mut process = story.process_until(place);
        until(place, async || process.ended()).await;
        drop(process);
        let process = Process::start(&story.database);
        story.assert_back(&process, &leaver, place).await;
        // They go after all, so that the next one is the only one.
        let ada = story.ada.at(&process.base);
        let gone = json!({ "version": leaver.member["version"], "active": false });
        ada.patch(&at(&story.path("members"), &leaver.member), gone).await.expect(200);
    }
    story.assert_sound().await;
}

#[each_lasting_database(flavor = "multi_thread")]
async fn tasks_are_given_back_of_which_a_part_was_given_away(database: Database) {
    let story = Story::begin(&database).await;
    let leaver = story.begin_until("tasks.noted", 51).await;
    story.cancel(&leaver).await;
    let process = Process::start(&story.database);
    let saga = story.ended(&process, &leaver).await;
    assert_eq!(saga["state"], "compensated", "{saga}");
    let tasks = story.ada.at(&process.base).all(&story.path("tasks"), "").await;
    let theirs = tasks.iter().filter(|it| it["assignee_member_id"] == leaver.member["id"]);
    let mut versions: Vec<_> = theirs.map(|it| it["version"].as_i64()).collect();
    versions.sort();
    assert_eq!(versions, [vec![Some(1)], vec![Some(3); 50]].concat());
}

#[each_lasting_database(flavor = "multi_thread")]
async fn an_offboarding_whose_weeks_cannot_be_submitted_is_undone(database: Database) {
    let story = Story::begin(&database).await;
    let leaver = story.begin_until("timer.noted", 2).await;
    // They go on working.
    let member = id(&leaver.member).parse().expect("an id");
    let timer = story.meanwhile(async |store, organization_id| {
        let actor = access::operator(store, organization_id, Some(member)).await;
        let actor = actor.expect("a member");
        let new = Create::from_body(json!({})).expect("a body");
        time_entry::start(WriteOnce::new(store), &actor, new).await.expect("a timer").id
    });
    let timer = timer.await;
    let process = Process::start(&story.database);
    let saga = story.ended(&process, &leaver).await;
    assert_eq!(saga["state"], "compensated", "{saga}");
    let why = saga["reason"].as_str().expect("a reason");
    assert!(why.contains("a timer that was started"), "{why}");
    let ada = story.ada.at(&process.base);
    let entry = ada.read(&format!("{}/{timer}", story.path("time-entries"))).await;
    assert_eq!(entry["running"], true);
    let tasks = ada.all(&story.path("tasks"), "").await;
    let theirs = |task: &Value| task["assignee_member_id"] == leaver.member["id"];
    assert!(tasks.len() == 2 && tasks.iter().all(theirs), "{tasks:?}");
    leaver.program.at(&process.base).get(&story.company).await.expect(200);
    story.assert_sound().await;
}

#[each_lasting_database(flavor = "multi_thread")]
async fn several_nodes_offboard_several_members_each_once(database: Database) {
    let story = Story::begin(&database).await;
    let nodes = nodes(&database, &[]);
    let mut leavers = Vec::new();
    for number in 0..6 {
        let ada = story.ada.at(&nodes[number % nodes.len()].base);
        leavers.push(story.leaver(&ada, 3).await);
    }
    let begun = leavers.iter().enumerate().map(async |(number, leaver)| {
        let ada = story.ada.at(&nodes[number % nodes.len()].base);
        story.offboard(&ada, leaver).await;
    });
    futures_util::future::join_all(begun).await;
    for node in &nodes {
        for leaver in &leavers {
            story.assert_gone(node, leaver, "several nodes").await;
        }
    }
    drop(nodes);
    story.assert_sound().await;
}

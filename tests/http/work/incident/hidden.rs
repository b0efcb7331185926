//! To those who may not, incidents are nowhere.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    App, AppOptions, Client, Database, Events, Receiver, Route, Sample, at, each_database,
    log::wait_until,
};
use uuid::Uuid;

use crate::{automation::webhook, work::incident::Site};

const STORY: &str = "canary narrative";

/// What an incident is known by: its id and its words.
fn marks(made: &Value) -> Vec<String> {
    let words =
        ["canary thumb", "canary cut", "canary saw", "canary stitches", STORY, "Canary Witness"];
    let words = words.iter().map(|&word| word.to_owned());
    words.chain([made["id"].as_str().unwrap_or_default().to_owned()]).collect()
}

fn story(site: &Site) -> Value {
    let mut report = site.report();
    for (name, word) in ["body_part", "nature", "cause", "treatment", "narrative"]
        .into_iter()
        .zip(marks(&json!({})))
    {
        report[name] = json!(word);
    }
    report["witnesses"] = json!(["Canary Witness"]);
    report
}

#[track_caller]
fn holds_none(text: &str, marks: &[String], what: &str) {
    let found = marks.iter().find(|mark| text.contains(&***mark));
    assert_eq!(found, None, "{what}: {text}");
}

#[each_database]
async fn no_answer_to_who_may_not_tells_of_an_incident(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    let (ada, home) = (sample.owner.clone(), sample.organization.clone());
    let incidents = format!("{home}/incidents");
    let grace = ada.make(&format!("{home}/members"), json!({ "name": "Grace" })).await;
    let site = Site { ada, incidents, home, grace };
    let made = site.ada.make(&site.incidents, story(&site)).await;
    let gone = site.ada.make(&site.incidents, story(&site)).await;
    site.ada.delete(&format!("{}?version=1", at(&site.incidents, &gone))).await.expect(204);
    app.run_until_idle().await;
    let marks: BTreeSet<String> = marks(&made).into_iter().chain(marks(&gone)).collect();
    let marks: Vec<String> = marks.into_iter().collect();
    let (mut told, mut asked) = (0, 0);
    for role in ["viewer", "member", "manager", "admin"] {
        let user = site.ada.invite(&site.home, role).await;
        let key = site.ada.with_key(&site.home, role).await;
        let reads = Route::of_organization().into_iter().filter(|it| it.method == Method::GET);
        let reads: Vec<_> = reads.filter(|route| !route.streams()).collect();
        for client in [&user, &key] {
            for route in &reads {
                let more = ["limit"].iter().filter(|name| route.query().contains(name));
                let query: Vec<_> = more.map(|name| format!("{name}=500")).collect();
                let answer = sample.request(route).query(&query.join("&")).send(client).await;
                if role == "admin" {
                    told += usize::from(answer.text.contains(STORY));
                } else {
                    holds_none(&answer.text, &marks, &format!("{} as {role}", route.name()));
                    asked += 1;
                }
            }
        }
    }
    // Its own route is asked about the sample's; the list, the log and the changes tell of this.
    assert!(told >= 6 && asked > 100, "{told} of {asked}");
    app.stop().await;
}

#[each_database]
async fn the_log_and_the_feeds_are_silent_where_one_asks_for_incidents(database: Database) {
    let app =
        App::start_with(&database, AppOptions { background: true, ..AppOptions::default() }).await;
    let site = Site::of(&app).await;
    let manager = site.ada.invite(&site.home, "manager").await;
    let stream = format!("{}/events/stream?after=0", site.home);
    let mut live = Events::open(&manager, &stream, None).await;
    let mut admins = Events::open(&site.ada, &format!("{stream}&kinds=incident.*"), None).await;
    let made = site.ada.make(&site.incidents, story(&site)).await;
    assert_eq!(admins.next().await.unwrap().data["data"], made);
    site.ada.make(&format!("{}/categories", site.home), json!({ "name": "Last" })).await;
    loop {
        let block = live.next().await.unwrap();
        assert_ne!(block.data["entity"], "incident");
        if block.data["kind"] == "category.created" {
            break;
        }
    }
    let of_it = format!("entity=incident/{}", made["id"].as_str().unwrap());
    let other = format!("entity=incident/{}", Uuid::from_u128(9));
    for query in ["kinds=incident.*", "kinds=incident.created", "entity=incident", &of_it, &other] {
        let page = manager.read(&format!("{}/events?{query}", site.home)).await;
        assert_eq!(page["items"], json!([]), "{query}");
    }
    let about = async |client: &Client| {
        client.read(&format!("{}/events?{of_it}", site.home)).await["items"][0]["data"].clone()
    };
    assert_eq!(about(&site.ada).await, made);
    let changes = |more: &str| format!("{}/changes?entities=incident{more}", site.home);
    assert_eq!(manager.read(&changes("")).await["items"], json!([]));
    assert_eq!(site.ada.read(&changes("")).await["items"][0]["data"], made);
    // Whoever is one no longer is told nothing by a cursor of then.
    let cursor = site.ada.read(&changes("")).await["cursor"].as_str().unwrap().to_owned();
    let refused = manager.get(&changes(&format!("&since={cursor}"))).await;
    assert_eq!(refused.expect_violations(), ["?since"]);
    app.stop().await;
}

#[each_database]
async fn neither_sync_nor_rules_nor_a_retry_reaches_an_incident(database: Database) {
    let app = App::start(&database).await;
    let site = Site::of(&app).await;
    let once = site.ada.keyed("once");
    let made = once.post(&site.incidents, story(&site)).await.expect(201);
    let manager = site.ada.invite(&site.home, "manager").await;
    let (sync, nobody) = (format!("{}/sync", site.home), Uuid::from_u128(9));
    let edits = |id: &Value| {
        json!({ "changes": [
            { "entity": "incident", "op": "create", "id": id, "data": story(&site) },
            { "entity": "incident", "op": "update", "id": id, "version": 1, "data": { "narrative": "x" } },
            { "entity": "incident", "op": "update", "id": id, "version": 7, "data": {} },
            { "entity": "incident", "op": "delete", "id": id, "version": 1 },
        ] })
    };
    let of = async |id: Value| {
        let report = manager.post(&sync, edits(&id)).await.expect(200);
        let results = report["results"].as_array().unwrap().clone();
        results
            .into_iter()
            .map(|mut result| {
                assert_eq!(result["status"], "not_found");
                result["id"].take();
                result
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(of(made["id"].clone()).await, of(json!(nobody)).await);
    assert_eq!(site.ada.read(&at(&site.incidents, &made)).await, made);
    let taken = json!({ "changes": [
        { "entity": "incident", "op": "update", "id": made["id"], "version": 7, "data": {} } ] });
    let conflict = site.ada.post(&sync, taken).await.expect(200)["results"][0].clone();
    assert_eq!((&conflict["status"], &conflict["current"]), (&json!("conflict"), &made));
    for kind in ["incident.created", "incident.*"] {
        let when = json!({ "when": { "kind": kind }, "then": [{ "add_tag": "x" }] });
        let refused = manager.post(&format!("{}/rules/dry-run", site.home), when).await;
        assert!(refused.expect_violations().iter().all(|at| at.starts_with("/when")));
    }
    // The answer of then is kept, and given to nobody who would not be answered now.
    let again = once.post(&site.incidents, story(&site)).await;
    assert!(again.is_replayed() && again.json == made);
    let other = manager.keyed("once").post(&site.incidents, story(&site)).await;
    other.expect_problem(404, "not_found");
    let admin = site.ada.invite(&site.home, "admin").await;
    let theirs = admin.keyed("theirs").post(&site.incidents, story(&site)).await.expect(201);
    let member = admin.member_in(&site.home).await;
    let member = at(&format!("{}/members", site.home), &member);
    site.ada.patch(&member, json!({ "version": 1, "role": "manager" })).await.expect(200);
    wait_until("the role has ended", async || admin.get(&site.incidents).await.status == 404).await;
    let replay = admin.keyed("theirs").post(&site.incidents, story(&site)).await;
    holds_none(&replay.text, &marks(&theirs), "a replay");
    replay.expect_problem(404, "not_found");
    app.stop().await;
}

#[each_database]
async fn a_webhook_hears_of_an_incident_and_of_nothing_that_is_sealed(database: Database) {
    let app = App::start_with(&database, webhook::options()).await;
    let receiver = Receiver::answering(204);
    let hook = webhook::subscribe(&app, &receiver, &["*"]).await;
    let grace = hook.ada.make(&format!("{}/members", hook.home), json!({ "name": "Grace" })).await;
    let incidents = format!("{}/incidents", hook.home);
    let site = Site { ada: hook.ada.clone(), home: hook.home.clone(), incidents, grace };
    let made = site.ada.make(&site.incidents, story(&site)).await;
    let path = at(&site.incidents, &made);
    let patch = json!({ "version": 1, "narrative": "canary narrative again" });
    site.ada.patch(&path, patch).await.expect(200);
    site.ada.delete(&format!("{path}?version=2")).await.expect(204);
    app.run_until_idle().await;
    let messages = receiver.messages();
    let of_it: Vec<_> = messages.iter().filter(|it| it.kind().starts_with("incident.")).collect();
    assert_eq!(of_it.len(), 3);
    let words = &marks(&json!({ "id": "no id is told of" }));
    for message in of_it {
        holds_none(&String::from_utf8_lossy(&message.body), words, "a message");
        let data = message.json["data"]["data"].as_object().unwrap();
        assert_eq!((&data["id"], &data["job_title"]), (&made["id"], &made["job_title"]));
        let sealed =
            ["body_part", "nature", "cause", "treatment", "narrative", "witnesses", "sealed"];
        assert!(sealed.iter().all(|name| !data.contains_key(*name)), "{data:?}");
    }
    app.stop().await;
}

//! The log, live.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, AppOptions, Client, Database, Events, each_database, id, wire::Wire};
use tokio::time::sleep;

async fn start(database: &Database, set: impl FnOnce(&mut AppOptions)) -> App {
    let mut options = AppOptions { background: true, ..AppOptions::default() };
    set(&mut options);
    App::start_with(database, options).await
}

async fn spend(client: &Client, home: &str, note: &str) -> Value {
    let new = json!({ "spent_on": "2026-11-01", "amount_minor": 7, "note": note });
    client.make(&format!("{home}/expenses"), new).await
}

/// The position of the last event, once all have one.
async fn end(client: &Client, home: &str, count: i64) -> i64 {
    let mut after = 0;
    while after < count {
        let page = client.read(&format!("{home}/events?limit=500&after={after}")).await;
        match page["next_after"].as_i64().unwrap() {
            next if next > after => after = next,
            _ => sleep(Duration::from_millis(10)).await,
        }
    }
    after
}

#[each_database]
async fn what_happens_is_told_as_it_happens_and_a_stream_goes_on_where_it_ended(
    database: Database,
) {
    let app = start(&database, |_| {}).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/events/stream");
    end(&ada, &home, 2).await;
    let mut live = Events::open(&ada, &path, None).await;
    assert_eq!(live.last_id, "2", "what has happened before is not told");
    let made = spend(&ada, &home, "one").await;
    let event = live.next().await.unwrap();
    assert_eq!((event.id.as_deref(), event.event.as_deref()), (Some("3"), Some("expense.created")));
    assert_eq!((&event.data["data"], &event.data["position"]), (&made, &json!(3)));
    drop(live);
    spend(&ada, &home, "two").await;
    let again = Events::open(&ada, &format!("{path}?after=0"), Some("3")).await;
    assert_eq!(again.last_id, "3", "Last-Event-ID goes before ?after");
    let mut again = again;
    assert_eq!(again.next().await.unwrap().data["data"]["note"], "two");
    let mut all = Events::open(&ada, &format!("{path}?after=0&kinds=expense.*"), None).await;
    for note in ["one", "two"] {
        assert_eq!(all.next().await.unwrap().data["data"]["note"], note);
    }
    // The same as the list has, to the letter.
    let list = ada.read(&format!("{home}/events?after=2")).await;
    assert_eq!(list["items"][0], event.data);
    for bad in ["x", "-1", "", "5", "9223372036854775807"] {
        let refused = [("last-event-id", bad)];
        let refused = ada.send_bytes(Method::GET, &path, "", None, &refused).await;
        assert_eq!(refused.expect_violations(), ["Last-Event-ID"]);
    }
    let refused = ada.get(&format!("{path}?after=5")).await;
    let problem = refused.expect_problem(422, "invalid");
    let violation = &problem["violations"][0];
    assert_eq!((&violation["pointer"], &violation["code"]), (&json!("?after"), &json!("cursor")));
    app.stop().await;
}

#[each_database]
async fn a_quiet_stream_gives_signs_of_life_and_moves_on(database: Database) {
    let app = start(&database, |options| {
        options.settings.streams.heartbeat = Duration::from_millis(50);
    });
    let app = app.await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/events/stream?after=0&kinds=budget.*");
    let mut live = Events::open(&ada, &path, None).await;
    spend(&ada, &home, "nothing to a budget").await;
    end(&ada, &home, 3).await;
    // What is left out need not be looked through again.
    while live.last_id != "3" {
        let block = live.block().await.unwrap();
        assert_eq!((block.comment.as_deref(), block.event), (Some("alive"), None));
    }
    app.stop().await;
}

#[each_database]
async fn a_stream_ends_with_the_access_of_its_reader(database: Database) {
    let app = start(&database, |_| {}).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/events/stream");
    let viewer = ada.invite(&home, "viewer").await;
    let key = ada.with_key(&home, "viewer").await;
    let mut user = Events::open(&viewer, &path, None).await;
    let mut program = Events::open(&key, &path, None).await;
    let started = Instant::now();
    let me = viewer.member_in(&home).await;
    let gone = json!({ "active": false, "version": me["version"] });
    ada.patch(&format!("{home}/members/{}", id(&me)), gone).await.expect(200);
    let keys = ada.all(&format!("{home}/api-keys"), "").await;
    let version = &keys[0]["version"];
    let own = format!("{home}/api-keys/{}?version={version}", id(&keys[0]));
    ada.delete(&own).await.expect(204);
    while user.block().await.is_some() {}
    while program.next().await.is_some() {}
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    // What happened after that was not told, nor that it ended.
    app.run_until_idle().await;
    let told = ada.read(&format!("{home}/events?entity=member/{}", id(&me))).await;
    let ended = told["items"].as_array().unwrap().last().unwrap();
    assert_eq!(ended["kind"], "member.updated");
    assert!(user.last_id.parse::<i64>().unwrap() < ended["position"].as_i64().unwrap());
    app.stop().await;
}

#[each_database]
async fn an_organization_has_so_many_streams_and_no_more(database: Database) {
    let app = start(&database, |options| options.settings.streams.for_each_organization = 2);
    let app = app.await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/events/stream");
    let one = Events::open(&ada, &path, None).await;
    let _two = Events::open(&ada, &path, None).await;
    let refused = ada.get(&path).await;
    assert_eq!(refused.headers["retry-after"], "1");
    refused.expect_problem(429, "too_many_streams");
    let other = ada.found("household").await;
    Events::open(&ada, &format!("{other}/events/stream"), None).await;
    drop(one);
    // A place is free as soon as its client has gone.
    let started = Instant::now();
    while ada.get(&path).await.status == 429 {
        assert!(started.elapsed() < Duration::from_secs(5));
        sleep(Duration::from_millis(10)).await;
    }
    app.stop().await;
}

/// The positions in what a raw connection has received, as far as their events are whole.
fn positions(text: &str) -> Vec<i64> {
    let whole = text.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
    let blocks = whole.split("\n\n").filter(|block| block.contains("event: "));
    let ids = blocks.filter_map(|block| block.split("id: ").nth(1)?.lines().next()?.parse().ok());
    ids.collect()
}

#[each_database]
async fn a_client_that_does_not_read_is_dropped_and_can_go_on(database: Database) {
    let app = start(&database, |options| {
        options.settings.streams.for_each_organization = 1;
        options.settings.streams.stall = Duration::from_millis(300);
    });
    let app = app.await;
    let (ada, home) = app.owner_of("household").await;
    // More than the buffers of both sides and of the kernel hold.
    let note = "ö".repeat(2000);
    let items: Vec<_> = (0..200)
        .map(|_| json!({ "spent_on": "2026-11-01", "amount_minor": 7, "note": note }))
        .collect();
    let batch = json!({ "items": items });
    for _ in 0..10 {
        ada.post(&format!("{home}/expenses/batch"), batch.clone()).await.expect(201);
    }
    let all = end(&ada, &home, 2002).await;
    let path = format!("{home}/events/stream?after=0");
    let mut slow = Wire::open(&app.base).await;
    slow.send(ada.written("GET", &path, "", "")).await;
    let begun = slow.text_until("retry: ").await.expect("the stream opens");
    // Its place is free again once it has been given up.
    let started = Instant::now();
    ada.get(&path).await.expect_problem(429, "too_many_streams");
    while ada.get(&path).await.status == 429 {
        assert!(started.elapsed() < Duration::from_secs(10), "it keeps its place");
        sleep(Duration::from_millis(20)).await;
    }
    let mut seen = positions(&(begun + &slow.rest().await));
    let last = *seen.last().unwrap();
    assert!(last < all, "a client that does not read cannot have all");
    let mut rest = loop {
        // Until the client before has gone.
        if let Some(events) = Events::try_open(&ada, &path, Some(&last.to_string())).await {
            break events;
        }
    };
    while seen.last() != Some(&all) {
        let event = rest.next().await.unwrap();
        seen.push(event.id.unwrap().parse().unwrap());
    }
    assert_eq!(seen, (1..=all).collect::<Vec<_>>());
    app.stop().await;
}

#[each_database]
async fn a_stop_ends_the_streams_and_waits_for_none(database: Database) {
    let app = start(&database, |_| {}).await;
    let (ada, home) = app.owner_of("household").await;
    let mut live = Events::open(&ada, &format!("{home}/events/stream"), None).await;
    let started = Instant::now();
    app.stop_when_done().await;
    while live.block().await.is_some() {}
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

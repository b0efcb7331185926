//! What becomes of messages that are not accepted at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use service::clock::Clock;
use tests::{App, AppOptions, Database, Receiver, Reply, at, each_database};

use crate::automation::webhook::{kinds, options, subscribe};

fn retrying(schedule: &str) -> AppOptions {
    let mut options = options();
    options.settings.webhooks.retries = schedule.parse().unwrap();
    options
}

#[each_database]
async fn what_is_refused_is_sent_again_and_given_up_in_the_end(database: Database) {
    let app = App::start_with(&database, options()).await;
    let receiver = Receiver::start(|message| if message.before < 2 { 500 } else { 200 }.into());
    let hook = subscribe(&app, &receiver, &["expense.created"]).await;
    hook.expense().await;
    app.run_until_idle().await;
    let messages = receiver.messages();
    assert_eq!(messages.len(), 3);
    assert!(messages.iter().all(|it| it.id == messages[0].id && it.body == messages[0].body));
    assert!(messages.iter().all(|message| message.is_signed_by(&hook.secret)));
    let delivered = hook.delivery(&hook.deliveries().await[0]).await;
    assert_eq!(delivered["state"], "delivered");
    let statuses: Vec<_> = delivered["attempts"].as_array().unwrap().iter().collect();
    assert_eq!(statuses.iter().map(|it| &it["status"]).collect::<Vec<_>>(), [200, 500, 500]);
    let never = Receiver::answering(500);
    let hook = subscribe(&app, &never, &["expense.created"]).await;
    hook.expense().await;
    app.run_until_idle().await;
    let failed = &hook.ada.all(&format!("{}/deliveries", hook.path), "?state=failed").await[0];
    assert_eq!((never.count(), &failed["attempt_count"]), (3, &json!(3)));
    assert_eq!(failed["next_attempt_at"], Value::Null);
    app.stop().await;
}

#[each_database]
async fn what_happens_to_one_thing_is_told_in_its_order_and_other_things_go_on(database: Database) {
    let app = App::start_with(&database, retrying("0,3600,3600")).await;
    let failing = Arc::new(AtomicBool::new(true));
    let fails = failing.clone();
    let receiver = Receiver::start(move |message| {
        let first = message.json["data"]["data"]["amount_minor"] == 5;
        if first && fails.load(Ordering::SeqCst) { 503 } else { 200 }.into()
    });
    let hook = subscribe(&app, &receiver, &["expense.*"]).await;
    let expenses = format!("{}/expenses", hook.home);
    let first = hook.expense().await;
    app.run_until_idle().await;
    let change = json!({ "version": 1, "note": "x" });
    hook.ada.patch(&at(&expenses, &first), change).await.expect(200);
    let other = json!({ "spent_on": "2026-11-21", "amount_minor": 6 });
    let other = hook.ada.make(&expenses, other).await;
    app.run_until_idle().await;
    let messages = receiver.messages();
    assert_eq!(kinds(&messages), ["expense.created", "expense.created"]);
    assert_eq!(messages[1].json["data"]["entity_id"], other["id"], "another thing goes on");
    failing.store(false, Ordering::SeqCst);
    let rows = hook.deliveries().await;
    let waits = rows.iter().find(|row| row["event_id"] == messages[0].id).unwrap();
    assert_eq!(waits["state"], "pending");
    hook.resend(waits).await;
    app.run_until_idle().await;
    let messages = receiver.messages();
    assert_eq!(kinds(&messages[2..]), ["expense.created", "expense.updated"]);
    assert!(messages[2..].iter().all(|it| it.json["data"]["entity_id"] == first["id"]));
    app.stop().await;
}

#[each_database]
async fn an_endpoint_that_asks_to_be_left_alone_is(database: Database) {
    let app = App::start_with(&database, options()).await;
    let receiver = Receiver::start(|_| Reply {
        header: Some(("retry-after", "3600".into())),
        ..Reply::from(429)
    });
    let hook = subscribe(&app, &receiver, &["expense.created"]).await;
    hook.expense().await;
    app.run_until_idle().await;
    hook.expense().await;
    app.run_until_idle().await;
    assert_eq!(receiver.count(), 1, "nothing else is sent there either");
    let rows = hook.deliveries().await;
    let tried = rows.iter().find(|row| row["attempt_count"] == 1).unwrap();
    let next: DateTime<Utc> = tried["next_attempt_at"].as_str().unwrap().parse().unwrap();
    let wait = next - app.store.now();
    assert!((3500..=3600).contains(&wait.num_seconds()), "{wait}");
    app.stop().await;
}

#[each_database]
async fn an_endpoint_that_is_gone_is_disabled(database: Database) {
    let app = App::start_with(&database, options()).await;
    let gone = Receiver::answering(410);
    let hook = subscribe(&app, &gone, &["expense.created"]).await;
    let watcher = Receiver::answering(200);
    let new = json!({ "url": watcher.url, "kinds": ["webhook.disabled"] });
    hook.ada.make(&format!("{}/webhooks", hook.home), new).await;
    hook.expense().await;
    app.run_until_idle().await;
    hook.expense().await;
    app.run_until_idle().await;
    assert_eq!(gone.count(), 1);
    let webhook = hook.webhook().await;
    assert_eq!(webhook["enabled"], false);
    assert_eq!((&webhook["disabled_reason"], &webhook["version"]), (&json!("gone"), &json!(2)));
    assert_eq!(hook.deliveries().await[0]["state"], "failed");
    let told = watcher.messages();
    assert_eq!(kinds(&told), ["webhook.disabled"]);
    assert_eq!(told[0].json["data"]["data"], webhook);
    assert_eq!(told[0].json["data"]["author"], json!({ "kind": "system", "id": null }));
    let change = json!({ "version": 2, "enabled": true, "url": watcher.url });
    let enabled = hook.ada.patch(&hook.path, change).await.expect(200);
    assert_eq!(enabled["disabled_reason"], Value::Null);
    app.run_until_idle().await;
    assert_eq!(kinds(&watcher.messages()[1..]), ["expense.created"], "what came meanwhile");
    app.stop().await;
}

#[each_database]
async fn an_endpoint_that_fails_for_five_days_is_disabled(database: Database) {
    let passed = Arc::new(AtomicI64::new(0));
    let mut options = retrying("0");
    let start = "2026-11-21T08:00:00Z".parse().unwrap();
    options.store.clock = Clock::by_hand(start, passed.clone());
    let app = App::start_with(&database, options).await;
    let accepts = Arc::new(AtomicBool::new(false));
    let accepting = accepts.clone();
    let receiver =
        Receiver::start(move |_| if accepting.load(Ordering::SeqCst) { 200 } else { 500 }.into());
    let hook = subscribe(&app, &receiver, &["expense.created"]).await;
    let after_days = async |days: i64| {
        passed.fetch_add(days * 86_400_000_000, Ordering::SeqCst);
        hook.expense().await;
        app.run_until_idle().await;
        hook.webhook().await["enabled"] == true
    };
    assert!(after_days(0).await && after_days(4).await);
    accepts.store(true, Ordering::SeqCst);
    assert!(after_days(0).await, "one success, and the days are counted anew");
    accepts.store(false, Ordering::SeqCst);
    assert!(after_days(2).await && after_days(4).await);
    assert!(!after_days(1).await);
    assert_eq!(hook.webhook().await["disabled_reason"], "failing");
    app.stop().await;
}

#[each_database(flavor = "multi_thread")]
async fn a_slow_endpoint_does_not_delay_another(database: Database) {
    let mut options = AppOptions { background: true, ..options() };
    options.settings.webhooks.timeout = Duration::from_secs(3);
    let app = App::start_with(&database, options).await;
    let takes = Duration::from_secs(2);
    let slow = Receiver::start(move |_| Reply { takes, ..Reply::from(200) });
    let fast = Receiver::answering(200);
    let hook = subscribe(&app, &slow, &["expense.created"]).await;
    let new = json!({ "url": fast.url, "kinds": ["expense.created"] });
    hook.ada.make(&format!("{}/webhooks", hook.home), new).await;
    hook.expense().await;
    slow.until(Duration::from_secs(10), |messages| messages.len() == 1).await;
    for _ in 0..12 {
        hook.expense().await;
    }
    let begun = Instant::now();
    fast.until(Duration::from_secs(10), |messages| messages.len() == 13).await;
    assert!(begun.elapsed() < takes, "{:?}", begun.elapsed());
    assert!(slow.count() <= 8, "the slow one takes four at a time");
    app.stop().await;
}

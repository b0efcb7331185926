//! A machine whose clock is put a day ahead and back: nothing stands still for that day, and no instant
//! of a row is before the one before it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use api::state::State;
use chrono::{DateTime, TimeDelta, Utc};
use entity::event;
use reqwest::Method;
use sea_orm::{EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use service::{
    Error, Store,
    background::{Workers, run_until_idle},
    clock::Clock,
    consumer::{Consumer, Start},
};
use tests::{App, AppOptions, Database, Receiver, Reply, Route, Sample, at, each_database, id};
use uuid::Uuid;

use crate::automation::webhook::{options, subscribe};

/// A clock that somebody sets.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicI64>);

impl Hand {
    fn clock(&self) -> Clock {
        Clock::by_hand("2026-11-24T12:00:00Z".parse().unwrap(), self.0.clone())
    }

    /// So long after what it should be.
    fn set(&self, ahead: TimeDelta) {
        self.0.store(ahead.num_microseconds().unwrap(), Ordering::SeqCst);
    }
}

const DAY: TimeDelta = TimeDelta::days(1);

async fn start(database: &Database, hand: &Hand, mut options: AppOptions) -> App {
    options.store.clock = hand.clock();
    App::start_with(database, options).await
}

/// The instant in a field.
#[track_caller]
fn instant(row: &Value, field: &str) -> DateTime<Utc> {
    row[field].as_str().unwrap_or_else(|| panic!("{field} of {row}")).parse().unwrap()
}

async fn log(store: &Store) -> Vec<event::Model> {
    let events = event::Entity::find().order_by_asc(event::Column::EntityVersion);
    events.all(store.read()).await.unwrap()
}

/// What steward itself says of when something was done to a row, besides its first and last change.
const DONE: &[&str] =
    &["accepted_at", "amended_at", "decided_at", "finished_at", "reimbursed_at", "submitted_at"];

#[each_database]
async fn no_instant_of_a_row_is_before_the_one_before_whatever_the_clock_says(database: Database) {
    let hand = Hand::default();
    let app = start(&database, &hand, AppOptions::default()).await;
    let ada = app.anonymous().sign_up("Ada").await;
    // What makes a new row does nothing to one that is there.
    let changes = |route: &&Route| route.method != Method::GET && route.has_row();
    for route in Route::all().iter().filter(changes) {
        hand.set(DAY);
        let owner = match route.permission() {
            Some(_) => ada.clone(),
            None => app.anonymous().sign_up("Grace").await,
        };
        let sample = Sample::of(&owner).await;
        sample.prepare(route).await;
        let caller = match route.variables()[..] {
            ["token"] => app.anonymous().sign_up("Linus").await,
            _ => owner,
        };
        hand.set(TimeDelta::zero());
        let answer = sample.valid(route).await.send(&caller).await;
        assert!(answer.status.is_success(), "{}: {}", route.name(), answer.text);
    }
    app.run_until_idle().await;

    let mut rows: BTreeMap<_, Vec<event::Model>> = BTreeMap::new();
    let mut done = 0;
    for event in log(&app.store).await.into_iter().filter(|event| event.effect != "none") {
        let data = event.data.as_ref().unwrap();
        let (created, updated) = (instant(data, "created_at"), instant(data, "updated_at"));
        let kind = &event.kind;
        assert!(created <= updated, "{kind}: {data}");
        for field in DONE.iter().filter(|field| data[**field].is_string()) {
            let at = instant(data, field);
            assert!(created <= at && at <= updated, "{field} of {kind}: {data}");
            done += 1;
        }
        match &*event.effect {
            "written" => assert_eq!(event.at.to_utc(), updated, "{kind}"),
            _ => assert!(event.at.to_utc() > updated, "{kind}"),
        }
        let row = (event.organization_id, event.entity.clone(), event.entity_id);
        rows.entry(row).or_default().push(event);
    }
    assert!(done > 10, "nothing was done: this has tested nothing");
    for ((.., entity, _), events) in rows {
        for two in events.windows(2) {
            let [before, after] = two else { continue };
            let kind = &after.kind;
            assert!(before.entity_version < after.entity_version, "{entity}");
            assert!(before.at < after.at, "{kind}: {} and {}", before.at, after.at);
        }
    }
    app.stop().await;
}

#[each_database]
async fn a_version_is_what_was_at_its_own_instant(database: Database) {
    let hand = Hand::default();
    let app = start(&database, &hand, AppOptions::default()).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    hand.set(DAY);
    let new = json!({ "spent_on": "2026-11-21", "amount_minor": 5 });
    let mut versions = vec![ada.make(&expenses, new).await];
    let expense = at(&expenses, &versions[0]);
    for (version, ahead) in [(1, 0), (2, 2), (3, -1), (4, 0)] {
        hand.set(DAY * ahead);
        let change = json!({ "version": version, "amount_minor": 5 + version });
        versions.push(ada.patch(&expense, change).await.expect(200));
    }
    for version in &versions {
        let path = format!("{expense}?as_of={}", version["updated_at"].as_str().unwrap());
        assert_eq!(ada.read(&path).await, *version);
    }
    ada.delete(&format!("{expense}?version=5")).await.expect(204);
    let last = &versions[4];
    let path = format!("{expense}?as_of={}", last["updated_at"].as_str().unwrap());
    assert_eq!(ada.read(&path).await, *last, "it was there until it was deleted");
    app.stop().await;
}

#[each_database]
async fn a_timer_that_begins_later_than_now_can_be_changed_and_stopped(database: Database) {
    let hand = Hand::default();
    let app = start(&database, &hand, AppOptions::default()).await;
    let (ada, home) = app.owner_of("company").await;
    let entries = format!("{home}/time-entries");
    hand.set(DAY);
    let timer = ada.make(&format!("{entries}/start"), json!({})).await;
    let path = at(&entries, &timer);
    hand.set(TimeDelta::zero());
    let noted = ada.patch(&path, json!({ "version": 1, "note": "roof" })).await.expect(200);
    assert_eq!(noted["running"], true);
    let stopped = ada.post(&format!("{path}/stop"), json!({ "version": 2 })).await.expect(200);
    assert!(instant(&stopped, "started_at") < instant(&stopped, "ended_at"), "{stopped}");
    app.stop().await;
}

/// The organizations in which the consumer below fails no longer.
static CURED: Mutex<Vec<Uuid>> = Mutex::new(Vec::new());

/// Fails until it is told otherwise.
const FRAIL: Consumer = Consumer {
    name: "frail",
    kinds: &["expense.created"],
    start: Start::Beginning,
    relevant_to: |_, all| Box::pin(async { Ok(all.iter().copied().collect()) }),
    react: |_, _, events| {
        Box::pin(async move {
            let cured = CURED.lock().unwrap();
            if events.iter().any(|event| !cured.contains(&event.organization_id)) {
                return Err(Error::Internal("it is not the day".into()));
            }
            Ok(())
        })
    },
};

/// The work of a process that has just been started, which knows nothing of the one before.
fn process(app: &App, mut options: AppOptions, consumers: &'static [Consumer]) -> Workers {
    options.settings.saga_timeouts.call = std::time::Duration::from_secs(30);
    State::new(app.store.clone(), options.settings).unwrap().workers(consumers)
}

#[each_database]
async fn what_waits_does_not_wait_for_a_day_that_a_clock_was_ahead(database: Database) {
    let hand = Hand::default();
    let mut options = options();
    options.settings.webhooks.retries = "0,5,300,86400".parse().unwrap();
    let app = start(&database, &hand, AppOptions { consumers: Some(&[FRAIL]), ..options.clone() });
    let app = app.await;
    let away = Arc::new(AtomicBool::new(true));
    let (fails, busy) = (away.clone(), away.clone());
    let failing =
        Receiver::start(move |_| Reply::from(if fails.load(Ordering::SeqCst) { 503 } else { 200 }));
    let waiting = Receiver::start(move |_| match busy.load(Ordering::SeqCst) {
        true => Reply { header: Some(("retry-after", "3600".into())), ..Reply::from(429) },
        false => Reply::from(200),
    });
    let hook = subscribe(&app, &failing, &["expense.created"]).await;
    let new = json!({ "url": waiting.url, "kinds": ["expense.created"] });
    hook.ada.make(&format!("{}/webhooks", hook.home), new).await;
    let payouts = Receiver::start({
        let away = away.clone();
        move |_| Reply::from(if away.load(Ordering::SeqCst) { 503 } else { 200 })
    });
    let ours = json!({ "version": 1, "payout_url": payouts.url, "approval_required": false });
    hook.ada.patch(&hook.home, ours).await.expect(200);
    app.run_until_idle().await;

    hand.set(DAY);
    let expense = hook.expense().await;
    let path = at(&format!("{}/expenses", hook.home), &expense);
    let version = json!({ "version": 1 });
    let pay = hook.ada.post(&format!("{path}/pay"), version.clone()).await;
    let held = if pay.status == 200 {
        pay.json
    } else {
        hook.ada.post(&format!("{path}/submit"), version).await.expect(200);
        hook.ada.post(&format!("{path}/pay"), json!({ "version": 2 })).await.expect(200)
    };
    let saga = format!("{}/sagas/{}", hook.home, held["payout_saga_id"].as_str().unwrap());
    app.run_until_idle().await;
    assert!(failing.count() == 1 && waiting.count() == 1 && payouts.count() == 1);

    // The clock is right again, and steward is started again.
    hand.set(TimeDelta::zero());
    away.store(false, Ordering::SeqCst);
    CURED.lock().unwrap().push(hook.home.rsplit('/').next().unwrap().parse().unwrap());
    let later = hook.expense().await;
    run_until_idle(&process(&app, options, &[FRAIL])).await.unwrap();
    let waiting_events = event::Entity::find().filter(event::COLUMN.position.is_null());
    let waiting_events = waiting_events.all(app.store.read()).await.unwrap();
    assert!(waiting_events.is_empty(), "all are told");
    let told = hook.ada.read(&format!("{}/events?limit=500", hook.home)).await;
    let ids = told["items"].as_array().unwrap().iter().map(|event| &event["entity_id"]);
    assert!(ids.collect::<Vec<_>>().contains(&&json!(id(&later))));
    assert_eq!(tests::log::behind(&app.store, "frail").await, 0, "the consumer has gone on");
    assert_eq!((failing.count(), waiting.count()), (3, 3), "both expenses were accepted");
    assert_eq!(hook.ada.read(&saga).await["state"], "completed", "the payout was made");
    app.stop().await;
}

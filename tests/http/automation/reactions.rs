//! Consumers: what becomes of events that fail, and of those behind them.

use std::{
    collections::HashSet,
    sync::{LazyLock, Mutex},
};

use api::{config::Settings, state::State};
use chrono::{DateTime, TimeDelta, Utc};
use entity::consumer_position;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use service::{
    Error,
    background::run_until_idle,
    clock::Clock,
    consumer::{self, Consumer, Start},
    store::Options,
};
use tests::{
    App, AppOptions, Client, Database, each_database,
    log::{behind, events, wait_until},
    on_postgresql,
};
use uuid::Uuid;

/// What consumers of these tests have seen: who, in which organization, and which merchant.
type Seen = Mutex<Vec<(&'static str, Uuid, String)>>;

static SEEN: LazyLock<Seen> = LazyLock::new(Mutex::default);
/// The organizations in which what is poison fails no longer.
static CURED: Mutex<Vec<Uuid>> = Mutex::new(Vec::new());

/// Fails at one merchant, and panics at another.
const FRAIL: Consumer = Consumer {
    name: "frail",
    kinds: &["expense.created"],
    start: Start::Beginning,
    relevant_to: |_, all| Box::pin(async { Ok(all.iter().copied().collect()) }),
    react: |_, _, events| {
        Box::pin(async move {
            for event in events {
                if CURED.lock().unwrap().contains(&event.organization_id) {
                    continue;
                }
                match &*merchant(event) {
                    "poison" => return Err(Error::Internal("it does not go down".into())),
                    "bomb" => panic!("at the expense of somebody"),
                    _ => {}
                }
            }
            see("frail", events);
            Ok(())
        })
    },
};

/// Takes everything.
const ROBUST: Consumer = Consumer {
    name: "robust",
    react: |_, _, events| {
        Box::pin(async move {
            see("robust", events);
            Ok(())
        })
    },
    ..FRAIL
};

/// Comes later.
const LATE: Consumer = Consumer {
    name: "late",
    start: Start::End,
    react: |_, _, events| {
        Box::pin(async move {
            see("late", events);
            Ok(())
        })
    },
    ..FRAIL
};

fn merchant(event: &entity::event::Model) -> String {
    let merchant = event.data.as_ref().and_then(|data| data["merchant"].as_str());
    merchant.unwrap_or_default().to_owned()
}

fn see(who: &'static str, events: &[entity::event::Model]) {
    let seen = events.iter().map(|event| (who, event.organization_id, merchant(event)));
    SEEN.lock().unwrap().extend(seen);
}

fn seen(who: &str, organization: &str) -> Vec<String> {
    let organization = organization_id(organization);
    let seen = SEEN.lock().unwrap();
    let seen = seen.iter().filter(|(by, log, _)| *by == who && *log == organization);
    seen.map(|(.., merchant)| merchant.clone()).collect()
}

fn organization_id(path: &str) -> Uuid {
    path.rsplit('/').next().unwrap().parse().unwrap()
}

async fn spend(client: &Client, home: &str, merchant: &str) -> Value {
    let new = json!({ "spent_on": "2026-11-01", "amount_minor": 5, "merchant": merchant });
    client.make(&format!("{home}/expenses"), new).await
}

/// A clock of which each look takes a second, so that waiting takes no time.
fn hurried(consumers: &'static [Consumer]) -> AppOptions {
    let start: DateTime<Utc> = "2026-11-21T08:00:00Z".parse().unwrap();
    let clock = Clock::stepping(start, TimeDelta::seconds(1));
    let store = Options { clock, ..Options::default() };
    AppOptions { store, consumers: Some(consumers), ..AppOptions::default() }
}

#[each_database]
async fn an_event_that_fails_is_parked_and_nobody_else_waits_for_it(database: Database) {
    let app = App::start_with(&database, hurried(&[FRAIL, ROBUST])).await;
    let (ada, ours) = app.owner_of("household").await;
    let theirs = ada.found("household").await;
    for merchant in ["a", "poison", "b", "bomb", "c"] {
        spend(&ada, &ours, merchant).await;
    }
    spend(&ada, &theirs, "x").await;
    app.run_until_idle().await;
    assert_eq!(seen("frail", &ours), ["a"], "what comes after waits");
    assert_eq!(seen("frail", &theirs), ["x"], "other organizations do not");
    assert_eq!(seen("robust", &ours), ["a", "poison", "b", "bomb", "c"]);
    assert_eq!(consumer::parked(&app.store).await.unwrap(), [], "nothing is parked");

    let mut turns = 0;
    while seen("frail", &ours).len() < 3 {
        app.run_until_idle().await;
        turns += 1;
        assert!(turns < 5000, "what fails is given up at some time");
    }
    assert!(turns > 20, "but not at once: {turns} turns");
    assert_eq!(seen("frail", &ours), ["a", "b", "c"], "in order");
    let parked = consumer::parked(&app.store).await.unwrap();
    let told: Vec<_> = parked.iter().map(|it| (it.position, it.attempts, &*it.error)).collect();
    assert_eq!(told, [(4, 10, "it does not go down"), (6, 10, "a panic")]);
    assert!(parked.iter().all(|it| it.consumer == "frail" && it.kind == "expense.created"));

    // Put back while it is still poison, it is parked again.
    consumer::retry(&app.store, parked[0].id).await.unwrap();
    app.run_until_idle().await;
    let again = consumer::parked(&app.store).await.unwrap();
    let attempts = again.iter().map(|it| (it.position, it.attempts, it.requeued));
    assert_eq!(attempts.collect::<Vec<_>>(), [(6, 10, false), (4, 11, false)]);
    let unknown = consumer::retry(&app.store, organization_id(&ours)).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))));

    CURED.lock().unwrap().push(organization_id(&ours));
    assert_eq!(consumer::retry_all(&app.store).await.unwrap(), 2);
    app.run_until_idle().await;
    assert_eq!(consumer::parked(&app.store).await.unwrap(), [], "nothing is parked");
    assert_eq!(seen("frail", &ours), ["a", "b", "c", "poison", "bomb"]);
    app.stop().await;
}

#[each_database]
async fn a_new_consumer_begins_where_it_says(database: Database) {
    let app = App::start_with(&database, hurried(&[])).await;
    let (ada, home) = app.owner_of("household").await;
    spend(&ada, &home, "before").await;
    app.run_until_idle().await;
    let state = State::new(app.store.clone(), Settings::default()).unwrap();
    let workers = state.workers(&[LATE, ROBUST]);
    run_until_idle(&workers).await.unwrap();
    let later = ada.found("household").await;
    spend(&ada, &later, "later").await;
    spend(&ada, &home, "after").await;
    run_until_idle(&workers).await.unwrap();
    assert_eq!(seen("late", &home), ["after"]);
    assert_eq!(seen("late", &later), ["later"]);
    assert_eq!(seen("robust", &home), ["before", "after"]);
    app.stop().await;
}

#[each_database]
async fn what_nobody_wants_is_passed_over_in_one_step(database: Database) {
    const IDLE: Consumer = Consumer {
        name: "idle",
        relevant_to: |_, _| Box::pin(async { Ok(HashSet::new()) }),
        ..ROBUST
    };
    let app = App::start_with(&database, hurried(&[IDLE])).await;
    let (ada, home) = app.owner_of("household").await;
    app.run_until_idle().await;
    for _ in 0..60 {
        spend(&ada, &home, "x").await;
    }
    let sequencing = async |events: usize| {
        let before = app.store.statements();
        app.run_until_idle().await;
        let took = app.store.statements() - before;
        assert!(took < 60, "{took} statements over {events} events");
    };
    sequencing(60).await;
    let positions = consumer_position::Entity::find().all(app.store.read()).await.unwrap();
    let position = positions.iter().find(|row| row.organization_id == organization_id(&home));
    assert_eq!(position.unwrap().position, 62, "the organization, its owner and 60 expenses");
    app.stop().await;
}

#[each_database]
async fn many_events_take_one_transaction(database: Database) {
    let app = App::start_with(&database, hurried(&[ROBUST])).await;
    let (ada, home) = app.owner_of("household").await;
    app.run_until_idle().await;
    let merchants: Vec<_> = (0..60).map(|number| number.to_string()).collect();
    for merchant in &merchants {
        spend(&ada, &home, merchant).await;
    }
    let before = app.store.statements();
    app.run_until_idle().await;
    let took = app.store.statements() - before;
    assert!(took < 60, "{took} statements over 60 events");
    assert_eq!(seen("robust", &home), merchants, "each once, in order");
    app.stop().await;
}

#[each_database]
async fn an_organization_that_ends_takes_its_positions_with_it(database: Database) {
    let app = App::start_with(&database, hurried(&[ROBUST])).await;
    let (ada, home) = app.owner_of("household").await;
    spend(&ada, &home, "x").await;
    app.run_until_idle().await;
    ada.delete(&format!("{home}?version=1")).await.expect(204);
    app.run_until_idle().await;
    let positions = consumer_position::Entity::find().all(app.store.read()).await.unwrap();
    assert_eq!(positions, Vec::<consumer_position::Model>::new());
    app.stop().await;
}

/// Two nodes of one PostgreSQL; a SQLite file belongs to one node.
#[on_postgresql(flavor = "multi_thread")]
async fn two_nodes_do_each_thing_once(database: Database) {
    let start = async || {
        let options = AppOptions { background: true, ..AppOptions::default() };
        App::start_with(&database, options).await
    };
    let (one, other) = (start().await, start().await);
    let (ada, home) = one.owner_of("household").await;
    let rule = json!({ "name": "Tag", "when": { "kind": "expense.created" },
        "then": [{ "add_tag": "seen" }] });
    ada.make(&format!("{home}/rules"), rule).await;
    let budget = json!({ "name": "All", "period": "month", "amount_minor": 500,
        "starts_on": "2026-01-01" });
    ada.make(&format!("{home}/budgets"), budget).await;
    for number in 0..100 {
        let node = if number % 2 == 0 { &one } else { &other };
        spend(&ada.at(&node.base), &home, "x").await;
    }
    for consumer in ["rules", "budget_thresholds"] {
        wait_until(consumer, async || behind(&one.store, consumer).await == 0).await;
    }
    let changed = events(&one.store, "expense.updated").await;
    assert_eq!(changed.len(), 100, "each expense once");
    assert!(changed.iter().all(|event| event.entity_version == 2 && event.author == "rule"));
    assert_eq!(events(&one.store, "budget.threshold_reached").await.len(), 2);
    assert_eq!(consumer::parked(&one.store).await.unwrap(), [], "nothing is parked");
    one.stop().await;
    other.stop().await;
}

//! Leases: one node has it, whatever the clocks say, and another one goes on if it is gone.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use service::{
    Store,
    clock::Clock,
    lease::{self, LEASE_DURATION, Node},
    store::{Engine, Options},
};
use tests::{Database, each_lasting_database};
use tokio::sync::Notify;

/// A process, whose clock and stopwatch somebody sets.
struct Process {
    store: Store,
    node: Node,
    clock: Arc<AtomicI64>,
    uptime: Arc<AtomicU64>,
}

impl Process {
    async fn start(database: &Database, ahead: TimeDelta) -> Self {
        Self::start_with(database, ahead, Options::default()).await
    }

    async fn start_with(database: &Database, ahead: TimeDelta, options: Options) -> Self {
        let clock = Arc::new(AtomicI64::new(ahead.num_microseconds().unwrap()));
        let uptime = Arc::new(AtomicU64::new(0));
        let start: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().unwrap();
        let by_hand = Clock::by_hand(start, clock.clone()).timed_by_hand(uptime.clone());
        let store = database.store(Options { clock: by_hand, ..options }).await;
        let node = Node::new(&store);
        Self { store, node, clock, uptime }
    }

    async fn holds(&self) -> bool {
        let node = self.node.clone();
        let held = self.store.write(async move |tx| lease::acquire(tx, "work", &node).await);
        held.await.unwrap()
    }

    /// So many milliseconds go by for this one.
    fn wait(&self, millis: u128) {
        self.uptime.fetch_add(u64::try_from(millis).unwrap() * 1000, Ordering::SeqCst);
    }

    fn set_clock(&self, ahead: TimeDelta) {
        self.clock.store(ahead.num_microseconds().unwrap(), Ordering::SeqCst);
    }
}

#[each_lasting_database]
async fn a_lease_lasts_by_the_stopwatch_of_who_waits_and_not_by_any_clock(database: Database) {
    let hour = TimeDelta::hours(1);
    let one = Process::start(&database, hour * 24).await;
    let other = Process::start(&database, -hour).await;
    assert!(one.holds().await && !other.holds().await);
    for ahead in [hour * 48, -hour * 48] {
        other.set_clock(ahead);
        one.set_clock(-ahead);
        assert!(one.holds().await && !other.holds().await, "clocks say nothing");
    }
    // While it is renewed, it is held.
    for _ in 0..3 {
        other.wait(LEASE_DURATION.as_millis() - 1);
        assert!(!other.holds().await);
        assert!(one.holds().await);
    }
    assert!(!other.holds().await, "the last term is new to it");
    other.wait(LEASE_DURATION.as_millis() - 1);
    assert!(!other.holds().await, "not yet");
    other.wait(1);
    assert!(other.holds().await, "nothing has come of the holder");
    // The one before wakes up between two of its transactions.
    assert!(!one.holds().await && other.holds().await);
    one.wait(LEASE_DURATION.as_millis() - 1);
    assert!(!one.holds().await, "it waits as everybody does");

    lease::release(&other.store, &other.node).await.unwrap();
    assert!(one.holds().await, "what was given back is free at once");
    lease::release(&other.store, &other.node).await.unwrap();
    assert!(!other.holds().await, "nobody gives back what others hold");
    for process in [one, other] {
        process.store.close().await.unwrap();
    }
}

#[each_lasting_database]
async fn a_node_that_has_looked_on_takes_a_lease_as_soon_as_there_is_work(database: Database) {
    let one = Process::start(&database, TimeDelta::zero()).await;
    let other = Process::start(&database, TimeDelta::zero()).await;
    assert!(one.holds().await);
    lease::watch(&other.store, &other.node).await.unwrap();
    other.wait(LEASE_DURATION.as_millis());
    assert!(other.holds().await);
    for process in [one, other] {
        process.store.close().await.unwrap();
    }
}

#[each_lasting_database(flavor = "multi_thread")]
async fn of_two_that_take_a_lease_at_once_one_has_it(database: Database) {
    let gone = Process::start(&database, TimeDelta::zero()).await;
    assert!(gone.holds().await);
    let (one, other) = (
        Process::start(&database, TimeDelta::zero()).await,
        Process::start(&database, TimeDelta::zero()).await,
    );
    for process in [&one, &other] {
        lease::watch(&process.store, &process.node).await.unwrap();
        process.wait(LEASE_DURATION.as_millis());
    }
    // The one has taken it, and its transaction goes on; meanwhile the other tries.
    let (taken, end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let input = (one.node.clone(), taken.clone(), end.clone());
    let (store, node) = (one.store.clone(), other.node.clone());
    let slow = tokio::spawn(async move {
        let (node, taken, end) = input;
        let slow = store.write(async move |tx| {
            let held = lease::acquire(tx, "work", &node).await?;
            taken.notify_one();
            end.notified().await;
            Ok(held)
        });
        slow.await.unwrap()
    });
    taken.notified().await;
    let store = other.store.clone();
    let quick = tokio::spawn(async move {
        let quick = store.write(async move |tx| lease::acquire(tx, "work", &node).await);
        quick.await.unwrap()
    });
    // It may come first or wait, and is refused either way.
    tokio::task::yield_now().await;
    end.notify_one();
    assert!(slow.await.unwrap() && !quick.await.unwrap());
    assert!(one.holds().await && !other.holds().await);
    for process in [gone, one, other] {
        process.store.close().await.unwrap();
    }
}

#[each_lasting_database]
async fn who_is_alone_waits_for_nobody(database: Database) {
    let gone = Process::start(&database, TimeDelta::days(1)).await;
    assert!(gone.holds().await);
    let options = Options { exclusive: true, ..Options::default() };
    let next = Process::start_with(&database, TimeDelta::zero(), options).await;
    assert_eq!(next.holds().await, database.engine == Engine::Sqlite, "PostgreSQL has many nodes");
    for process in [gone, next] {
        process.store.close().await.unwrap();
    }
}

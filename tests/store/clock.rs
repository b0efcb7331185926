//! The time within a transaction.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use service::{clock::Clock, store::Options};
use tests::{Database, each_database};

#[each_database]
async fn in_a_transaction_time_does_not_go_back(database: Database) {
    let passed = Arc::new(AtomicI64::new(0));
    let start: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().unwrap();
    let clock = Clock::by_hand(start, passed.clone());
    let store = database.store(Options { clock, ..Options::default() }).await;
    let hour = TimeDelta::hours(1).num_microseconds().unwrap();
    let passed = passed.clone();
    let told = store.write(async move |tx| {
        let told = [0, hour, -hour].map(|at| {
            passed.store(at, Ordering::SeqCst);
            tx.now()
        });
        Ok((told, tx.now_after(told[1]), tx.now_after(start)))
    });
    let (told, after, of_long_ago) = told.await.unwrap();
    let later = start + TimeDelta::hours(1);
    assert_eq!(told, [start, later, later]);
    assert_eq!((after, of_long_ago), (later + TimeDelta::microseconds(1), later));
    assert_eq!(
        store.now(),
        start - TimeDelta::hours(1),
        "the next one is told what the clock says"
    );
    store.close().await.unwrap();
}

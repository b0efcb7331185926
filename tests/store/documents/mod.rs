//! What every engine of documents promises: one list of cases, asked of each of them.

mod bodies;
mod changes;
mod concurrent;
mod couchdb;
mod deletions;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod failures;
mod fake;
#[cfg(feature = "firestore")]
mod firestore;
mod keys;
mod memory;
#[cfg(feature = "mongodb")]
mod mongodb;
mod programs;
mod queries;
mod restores;
mod room;
mod scans;
mod writes;

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use service::document::engine::Engine;

use room::Room;

/// Something that an engine promises, shown in a collection of its own.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    run: for<'a> fn(&'a Room) -> BoxFuture<'a, ()>,
}

/// The cases of a file, by the names of their functions.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub(super) const CASES: &[super::Case] = &[$(super::Case {
            name: concat!(module_path!(), "::", stringify!($name)),
            run: |room| Box::pin($name(room)),
        }),*];
    };
}
use cases;

fn all_cases() -> Vec<Case> {
    [
        writes::CASES,
        restores::CASES,
        deletions::CASES,
        bodies::CASES,
        keys::CASES,
        scans::CASES,
        queries::CASES,
        changes::CASES,
        concurrent::CASES,
        programs::CASES,
    ]
    .concat()
}

/// Asks an engine for all of it.
///
/// # Panics
/// If it breaks a promise; it says which.
async fn keeps_its_promises(engine: Arc<dyn Engine>) {
    let mut broken = Vec::new();
    let cases = all_cases();
    for case in &cases {
        let room = Room::new(&engine);
        if AssertUnwindSafe((case.run)(&room)).catch_unwind().await.is_err() {
            broken.push(case.name);
        }
    }
    println!("{engine:?}: {} of {} cases", cases.len() - broken.len(), cases.len());
    assert!(broken.is_empty(), "{engine:?} breaks {broken:#?}");
}

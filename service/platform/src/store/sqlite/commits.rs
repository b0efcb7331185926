//! How many transactions SQLite has really committed and taken back on the writer's connections.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sea_orm::sqlx::{Error, SqliteConnection};

/// Counts the transactions that wrote or could have (BEGIN IMMEDIATE), as SQLite tells of them
/// (<https://www.sqlite.org/c3ref/commit_hook.html>), so that what steward believes is compared with
/// what took place.
#[derive(Debug, Clone, Default)]
pub(super) struct CommitCounter(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    commits: AtomicU64,
    rollbacks: AtomicU64,
}

/// What was counted at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CommitCount {
    commits: u64,
    rollbacks: u64,
}

impl CommitCounter {
    /// Counts on this connection, too.
    pub(super) async fn count_on(self, connection: &mut SqliteConnection) -> Result<(), Error> {
        let mut handle = connection.lock_handle().await?;
        let counters = self.0.clone();
        handle.set_commit_hook(move || {
            counters.commits.fetch_add(1, Ordering::SeqCst);
            true
        });
        let counters = self.0;
        handle.set_rollback_hook(move || {
            counters.rollbacks.fetch_add(1, Ordering::SeqCst);
        });
        Ok(())
    }

    pub(super) fn read(&self) -> CommitCount {
        CommitCount {
            commits: self.0.commits.load(Ordering::SeqCst),
            rollbacks: self.0.rollbacks.load(Ordering::SeqCst),
        }
    }

    /// Whether exactly one transaction was committed since, and none taken back.
    pub(super) fn is_one_after(&self, before: CommitCount) -> bool {
        self.read() == CommitCount { commits: before.commits + 1, ..before }
    }
}

//! How often access was revoked: what is remembered of access holds for as long as that is the same.
//!
//! The one process of a SQLite file counts for itself. Nodes on one PostgreSQL count in the database, in the
//! transaction that revokes: whoever asks once that is committed hears of it, whatever becomes of the node that
//! did it and of its notifications (docs/decisions/0032). Requests that a thread serves at the same time share a
//! statement, which is none of a single request and not counted among theirs.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::{Tx, connections::Connections, shared_read::SharedRead};
use crate::error::{Error, Result};

/// How many rows are counted in. Transactions that revoke at the same time seldom meet in one.
pub const SLOTS: u32 = 64;
/// How many threads have a reading of their own: a thread that is busy lets none of the others wait.
const LANES: usize = 16;
/// How long an answer may take. What waits for it is each request of the thread.
const TIMEOUT: Duration = Duration::from_secs(5);

const READ: &str = "SELECT COALESCE(SUM(revocations), 0)::int8 FROM revocation_count";

/// How often access was revoked, as far as was known at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocations {
    /// What this node was told: all on SQLite; on PostgreSQL also by nodes of a release that does not count.
    pub(super) told: u64,
    /// What the database has counted.
    pub(super) counted: i64,
}

/// The count of a database, as one node reads it.
#[derive(Debug, Default)]
pub(super) struct RevocationCounter([SharedRead<Result<Option<i64>, String>>; LANES]);

impl RevocationCounter {
    /// The count, of a moment after this was asked for. None where the database answers something else.
    pub(super) async fn read(&self, connections: &Connections) -> Result<Option<i64>> {
        self.0[lane()].get(read(connections)).await.map_err(Error::Unavailable)
    }
}

/// That of this thread.
fn lane() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static LANE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % LANES;
    }
    LANE.with(|lane| *lane)
}

async fn read(connections: &Connections) -> Result<Option<i64>, String> {
    match select(connections).await {
        Ok(count) => Ok(Some(count)),
        Err(Error::Unavailable(why)) => Err(why),
        // The schema was taken back while this node serves. What is not remembered is looked up.
        Err(error) => {
            tracing::debug!(%error, "revocations are not counted");
            Ok(None)
        }
    }
}

async fn select(connections: &Connections) -> Result<i64> {
    let statement = Statement::from_string(DbBackend::Postgres, READ);
    let mut connection = connections.acquire().await?;
    let row = tokio::time::timeout(TIMEOUT, connection.query_shared(&statement)).await;
    let late = |_| Error::Unavailable(format!("no answer within {TIMEOUT:?}"));
    let row = row.map_err(late)??;
    let count = row.map(|row| row.try_get_by_index::<i64>(0)).transpose()?;
    Ok(count.unwrap_or_default())
}

/// Counts a revocation in its transaction, as the last that is done in it: others wait for the row.
pub(super) async fn count(tx: &Tx) -> Result<(), DbErr> {
    if tx.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO revocation_count (slot, revocations) \
         VALUES ((pg_backend_pid() % {SLOTS})::text, 1) \
         ON CONFLICT (slot) DO UPDATE SET revocations = revocation_count.revocations + 1"
    );
    tx.execute_unprepared(&sql).await.map(drop)
}

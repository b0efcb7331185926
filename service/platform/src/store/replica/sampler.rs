use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use tokio::sync::Mutex;

use super::WalPosition;
use crate::store::connections::Connections;

/// How long a server may take to say how far it is.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// How far a primary is: all that was committed, however that was synchronized, is before it.
pub(super) const OF_PRIMARY: &str = "SELECT pg_current_wal_insert_lsn()::text";
/// How far a standby is. None where the server is no standby, whatever it was.
pub(super) const OF_STANDBY: &str =
    "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()::text END";

/// How far a server was at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sample {
    /// There.
    At(WalPosition),
    /// It is no standby.
    NoStandby,
    /// It has not answered, or not in time.
    Unanswered,
}

/// Asks a server how far it is, on a connection of its own: once for all who want to know at the same time.
#[derive(Clone)]
pub(super) struct Sampler(Arc<Inner>);

struct Inner {
    connections: Connections,
    sql: &'static str,
    /// How many questions were begun.
    begun: AtomicU64,
    /// The number of the last question that was answered, and what was.
    last: Mutex<(u64, Sample)>,
}

impl Sampler {
    /// Asks with one of [`OF_PRIMARY`] and [`OF_STANDBY`].
    pub(super) fn new(connections: Connections, sql: &'static str) -> Self {
        let last = Mutex::new((0, Sample::Unanswered));
        Self(Arc::new(Inner { connections, sql, begun: AtomicU64::new(0), last }))
    }

    /// How far the server is at some moment after this was called.
    pub(super) async fn sample(&self) -> Sample {
        // A question that was begun before may be answered with what was so before.
        let begun_before = self.0.begun.load(Ordering::SeqCst);
        let mut last = self.0.last.lock().await;
        if last.0 <= begun_before {
            let number = self.0.begun.fetch_add(1, Ordering::SeqCst) + 1;
            *last = (number, self.ask().await);
        }
        last.1
    }

    async fn ask(&self) -> Sample {
        match tokio::time::timeout(ANSWER_TIMEOUT, self.query()).await {
            Ok(Ok(sample)) => sample,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a server does not say how far it is");
                Sample::Unanswered
            }
            Err(_) => Sample::Unanswered,
        }
    }

    async fn query(&self) -> Result<Sample, DbErr> {
        let statement = Statement::from_string(DbBackend::Postgres, self.0.sql);
        let row = self.0.connections.query_one_raw(statement).await?;
        let text: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?.flatten();
        let Some(text) = text else { return Ok(Sample::NoStandby) };
        let position = text
            .parse::<WalPosition>()
            .map_err(|error| DbErr::Custom(format!("{text}: {error}")))?;
        Ok(Sample::At(position))
    }

    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.0.connections.close().await
    }
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sampler").field(&self.0.sql).finish()
    }
}

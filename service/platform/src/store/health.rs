//! How the database is, for probes and metrics.

use chrono::TimeDelta;
use sea_orm::ConnectionTrait;

use super::{Pool, Store, Writer, postgres, replica::Replica};
use crate::error::Result;

impl Store {
    /// Whether the database answers, and can be written.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::error::Error::Unavailable), with what the operator should know.
    pub async fn ping(&self) -> Result<()> {
        match &self.writer {
            Writer::Sqlite(writer) => {
                self.reader.execute_unprepared("SELECT 1").await?;
                writer.ping().await
            }
            Writer::Postgres(pools) => postgres::ping(pools).await,
        }
    }

    /// By how much the clock of the database's server is ahead of this machine's. SQLite has no other.
    pub async fn clock_ahead(&self) -> Result<TimeDelta> {
        match &self.writer {
            Writer::Sqlite(_) => Ok(TimeDelta::zero()),
            Writer::Postgres(pools) => {
                postgres::clock_ahead(&pools.shared, &self.context.clock).await
            }
        }
    }

    /// How many statements this store has run, transactions' brackets left out.
    pub fn statements(&self) -> u64 {
        self.reader.telemetry().statements()
    }

    /// The use of the connection pools, for metrics.
    pub fn pools(&self) -> Vec<Pool> {
        let other = self.schema_connection();
        let mut pools = vec![Pool::of(&self.reader)];
        if !other.is(&self.reader) {
            pools.push(Pool::of(other));
        }
        let replica = self.replica.as_ref().and_then(Replica::connections);
        pools.extend(replica.map(Pool::of));
        pools
    }

    /// How many writes wait for SQLite's writer. PostgreSQL has none.
    pub fn writer_queue(&self) -> Option<usize> {
        match &self.writer {
            Writer::Sqlite(writer) => Some(writer.queued()),
            Writer::Postgres(_) => None,
        }
    }
}

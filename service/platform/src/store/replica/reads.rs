//! Reads of a store on its replica.

use super::{Miss, Replica, ReplicaStatus, WalPosition};
use crate::{error::Result, store::Store};

impl Store {
    /// Runs a read that need not be made where writes are: on the replica, once that shows all that the reader was
    /// shown (`shown`; without it, all that is committed now), and else here, as where there is none. What fails there
    /// is done here again: the errors are the primary's. Gives the position of what the replica has shown.
    pub async fn read_from_replica<T>(
        &self,
        shown: Option<WalPosition>,
        work: impl AsyncFn(&Self) -> Result<T>,
    ) -> (Result<T>, Option<WalPosition>) {
        let Some(replica) = &self.replica else { return (work(self).await, None) };
        let served = self.on_replica(replica, shown, &work).await;
        let outcome = served.as_ref().map_or_else(|miss| miss.as_str(), |_| "served");
        metrics::counter!("steward_replica_reads_total", "outcome" => outcome).increment(1);
        match served {
            Ok((value, position)) => (Ok(value), Some(position)),
            Err(_) => (work(self).await, None),
        }
    }

    async fn on_replica<T>(
        &self,
        replica: &Replica,
        shown: Option<WalPosition>,
        work: &impl AsyncFn(&Self) -> Result<T>,
    ) -> Result<(T, WalPosition), Miss> {
        let reached = replica.reach(shown).await?;
        let there = Self { reader: reached.connections(), ..self.clone() };
        let value = work(&there).await.map_err(|error| {
            tracing::debug!(%error, "a read has failed on the replica");
            Miss::Failed
        })?;
        Ok((value, reached.confirm().await?))
    }

    /// The position of all that was committed before this was called, and so of all that the primary has shown.
    /// None where there is no replica, or the primary does not say so in time.
    pub async fn wal_position(&self) -> Option<WalPosition> {
        self.replica.as_ref()?.primary().await
    }

    /// Whether some reads may be made on a replica.
    pub fn has_replica(&self) -> bool {
        self.replica.is_some()
    }

    /// How the replica is, where there is one.
    pub async fn replica_status(&self) -> Option<ReplicaStatus> {
        Some(self.replica.as_ref()?.status().await)
    }
}

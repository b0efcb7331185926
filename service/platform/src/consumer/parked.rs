//! What an operator sees and does of events that consumers have given up on.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::repository;
use crate::{
    error::{Error, Result},
    store::{Store, signal::Signal},
};

/// An event that a consumer has given up on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEvent {
    /// What to name it by.
    pub id: Uuid,
    /// Whose event it is.
    pub organization_id: Uuid,
    /// The consumer.
    pub consumer: String,
    /// The event.
    pub event_id: Uuid,
    /// Its position in the log.
    pub position: i64,
    /// Its kind.
    pub kind: String,
    /// How often it has failed.
    pub attempts: i64,
    /// How it has failed last.
    pub error: String,
    /// Since when it is parked.
    pub parked_at: DateTime<Utc>,
    /// Whether it was requeued and is about to be tried once more.
    pub requeued: bool,
}

/// Every parked event, oldest first.
pub async fn parked(store: &Store) -> Result<Vec<ParkedEvent>> {
    let rows = repository::all_parked(store.read()).await?;
    let parked = rows.into_iter().map(|row| ParkedEvent {
        id: row.id,
        organization_id: row.organization_id,
        consumer: row.consumer,
        event_id: row.event_id,
        position: row.position,
        kind: row.kind,
        attempts: row.attempts,
        error: row.error,
        parked_at: row.parked_at.to_utc(),
        requeued: row.put_back_at.is_some(),
    });
    Ok(parked.collect())
}

/// Requeues a parked event: it is tried once more, and parked again if it fails.
///
/// # Errors
/// [`Error::NotFound`] where it is not parked.
pub async fn retry(store: &Store, id: Uuid) -> Result<()> {
    if requeue(store, Some(id)).await? == 0 {
        return Err(Error::NotFound("parked event"));
    }
    Ok(())
}

/// Requeues every parked event, and says how many there were.
pub async fn retry_all(store: &Store) -> Result<u64> {
    requeue(store, None).await
}

async fn requeue(store: &Store, id: Option<Uuid>) -> Result<u64> {
    let marked = store.write(async move |tx| {
        tx.signal(Signal::Sequenced);
        repository::mark_requeued(tx, id).await
    });
    marked.await
}

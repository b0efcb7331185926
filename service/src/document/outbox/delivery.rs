//! Writes what was intended to the store that keeps documents, and confirms it. Any node may do it, and two may do the
//! same: a write is known by its id.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{document, document_intent};
use futures_util::{StreamExt, future::BoxFuture, stream};
use uuid::Uuid;

use super::{DIVERGED, UNAVAILABLE, repository};
use crate::{
    background::{Concurrency, Work},
    backoff::{Backoff, Jitter},
    document::engine::CREDENTIALS_REFUSED,
    error::Result,
    fault,
    random::Random,
    store::{Kept, Part, Remote, Store},
};

/// How many intents a turn takes.
const BATCH: u64 = 64;
/// How many of them are under way at once.
const AT_ONCE: usize = 8;
/// How many documents of a deleted organization a turn removes.
const PURGED: u64 = 50;
/// How long to wait before one is tried again.
const BACKOFF: Backoff =
    Backoff { initial: TimeDelta::milliseconds(500), max: TimeDelta::seconds(30) };

/// Who does it in a process.
#[derive(Debug)]
pub(crate) struct Delivery {
    store: Store,
}

impl Delivery {
    /// For the documents of a store.
    pub(crate) fn new(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    async fn run_once(&self) -> Result<u64> {
        let Some(remote) = self.store.remote() else { return Ok(0) };
        let due = repository::due(self.store.read(), self.store.now(), BACKOFF.max, BATCH).await?;
        let all: Vec<_> =
            due.into_iter().map(|intent| deliver(&self.store, remote, intent)).collect();
        let results: Vec<Result<()>> = stream::iter(all).buffer_unordered(AT_ONCE).collect().await;
        let count = u64::try_from(results.len()).unwrap_or(BATCH);
        results.into_iter().collect::<Result<Vec<()>>>()?;
        Ok(count)
    }
}

impl Work for Delivery {
    fn turn(&self, _: Concurrency) -> BoxFuture<'_, Result<u64>> {
        Box::pin(self.run_once())
    }
}

/// What is to be done with an intent.
enum Step {
    /// The other store is to have this.
    Write(Kept),
    /// The document has another version, of which the intent does not know.
    Renew(i64),
    /// It was confirmed already, or the document was removed with all that it belonged to.
    Drop,
}

async fn deliver(
    store: &Store,
    remote: &Arc<dyn Remote>,
    intent: document_intent::Model,
) -> Result<()> {
    fault::point(format_args!("document.intended"));
    let kept = match step(store, &intent).await? {
        Step::Write(kept) => kept,
        Step::Renew(version) => {
            return store
                .write(async move |tx| repository::renew(tx, &intent, version).await)
                .await;
        }
        Step::Drop => {
            return store.write(async move |tx| repository::drop_intent(tx, &intent).await).await;
        }
    };
    let part = Part {
        organization_id: intent.organization_id,
        collection_id: intent.collection_id,
        id: intent.document_id,
        key: intent.key.clone(),
        version: intent.document_version,
    };
    match remote.write(&part, &kept).await {
        Ok(true) => {
            fault::point(format_args!("document.written"));
            store.write(async move |tx| repository::confirm(tx, &intent).await).await?;
            fault::point(format_args!("document.confirmed"));
            Ok(())
        }
        Ok(false) => postpone(store, intent, DIVERGED).await,
        Err(error) => {
            tracing::debug!(%error, "a document is not written to its store");
            let refused = error.code() == CREDENTIALS_REFUSED;
            let failure = if refused { CREDENTIALS_REFUSED } else { UNAVAILABLE };
            postpone(store, intent, failure).await
        }
    }
}

async fn step(store: &Store, intent: &document_intent::Model) -> Result<Step> {
    let (organization_id, id) = (intent.organization_id, intent.document_id);
    let row = repository::document(store.read(), organization_id, id).await?;
    let (text, created_at, updated_at) = match row {
        None if intent.deleted => (None, intent.written_at, intent.written_at),
        None => return Ok(Step::Drop),
        Some(row) if row.version != intent.document_version => return Ok(Step::Renew(row.version)),
        Some(row) if row.body.is_empty() => return Ok(Step::Drop),
        Some(row) => (Some(row.body), row.created_at, row.updated_at),
    };
    Ok(Step::Write(Kept {
        version: intent.document_version,
        text,
        created_at: created_at.to_utc(),
        updated_at: updated_at.to_utc(),
        write_id: intent.write_id,
    }))
}

async fn postpone(
    store: &Store,
    intent: document_intent::Model,
    failure: &'static str,
) -> Result<()> {
    if intent.failure.as_deref() != Some(failure) {
        tracing::warn!(failure, "the store of documents does not take what was written");
    }
    // Not of the store's randomness: how often something fails must not change ids.
    let delay = BACKOFF.delay(intent.failures + 1, Jitter::Half, &Random::system());
    let due_at = store.now() + delay;
    store.write(async move |tx| repository::postpone(tx, &intent, due_at, failure).await).await
}

/// Removes some documents of an organization that is purged, there and here, and says how many.
///
/// # Errors
/// Where the other store does not take it: then it is tried again.
pub(crate) async fn purge(store: &Store, organization_id: Uuid) -> Result<u64> {
    let Some(remote) = store.remote() else { return Ok(0) };
    let rows = repository::some(store.read(), organization_id, PURGED).await?;
    let writes: Vec<_> = rows.iter().map(|row| remove(remote, row, store.now())).collect();
    let gone: Vec<Result<bool>> = stream::iter(writes).buffer_unordered(AT_ONCE).collect().await;
    gone.into_iter().collect::<Result<Vec<bool>>>()?;
    let ids = rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    if ids.is_empty() {
        return Ok(0);
    }
    store.write(async move |tx| repository::remove(tx, organization_id, ids.clone()).await).await
}

/// Removes a document where it is kept.
async fn remove(
    remote: &Arc<dyn Remote>,
    row: &document::Model,
    now: DateTime<Utc>,
) -> Result<bool> {
    let part = Part {
        organization_id: row.organization_id,
        collection_id: row.collection_id,
        id: row.id,
        key: row.key.clone(),
        version: row.version + 1,
    };
    let write_id = Uuid::from_bytes(Random::system().bytes());
    let version = part.version;
    let kept = Kept { version, text: None, created_at: now, updated_at: now, write_id };
    remote.write(&part, &kept).await
}

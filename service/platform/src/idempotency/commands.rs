use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta};
use futures_util::future::BoxFuture;

use super::{InFlight, Key, RecordedResponse, WriteOnce, claim::Claim, repository};
use crate::{
    background::{Concurrency, Work},
    due,
    error::{Error, Result},
    store::Store,
};

/// How often it is looked for responses to drop.
const SWEEP_INTERVAL: TimeDelta = TimeDelta::minutes(5);
/// How many responses one transaction drops, or a few more.
const SWEEP_BATCH_SIZE: u64 = 500;

/// How something was done that is done once.
#[derive(Debug)]
pub enum Outcome<T> {
    /// Now.
    Fresh(T),
    /// Before: this was the response.
    Replayed(RecordedResponse),
}

/// Does `work`, unless it was done before with the same key. `render` makes the response of what its write gives.
///
/// # Errors
/// Those of `work`, which are not kept: nothing was done. [`Error::KeyInUse`] while this process is
/// at it, [`Error::KeyReused`] if the key stands for another request.
pub async fn run_once<T: 'static>(
    store: &Store,
    in_flight: &InFlight,
    key: Key,
    render: impl Fn(&T) -> Result<RecordedResponse> + Send + Sync + 'static,
    work: impl AsyncFnOnce(WriteOnce<'_, T>) -> Result<T>,
) -> Result<Outcome<T>> {
    let Some(_guard) = in_flight.begin(&key) else {
        return recorded_response(store, &key).await?.map(Outcome::Replayed).ok_or(Error::KeyInUse);
    };
    // Before all else: what is checked before the write may have changed by the first one.
    if let Some(response) = recorded_response(store, &key).await? {
        return Ok(Outcome::Replayed(response));
    }
    match work(WriteOnce::claiming(store, Claim::new(key.clone(), render))).await {
        Ok(value) => Ok(Outcome::Fresh(value)),
        Err(Error::Replayed(response)) => Ok(Outcome::Replayed(response)),
        // What was in the way may be what another node has just done with this key, or a commit
        // that was not heard of.
        Err(error) => match recorded_response(store, &key).await {
            Ok(Some(response)) => Ok(Outcome::Replayed(response)),
            Err(Error::KeyReused) => Err(Error::KeyReused),
            Ok(None) | Err(_) => Err(error),
        },
    }
}

/// The response that a key has, if it has one.
async fn recorded_response(store: &Store, key: &Key) -> Result<Option<RecordedResponse>> {
    let response = repository::response(store.read(), key.row(), store.now()).await?;
    response.map(|sealed| key.open(store.keyring(), &sealed)).transpose()
}

/// Drops responses that have been kept long enough.
#[derive(Debug)]
pub struct Sweep {
    store: Store,
    /// When it is worth while to look again, in seconds.
    next: AtomicI64,
}

impl Sweep {
    /// Those of a store.
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone(), next: AtomicI64::default() }
    }
}

impl Work for Sweep {
    fn turn(&self, _: Concurrency) -> BoxFuture<'_, Result<u64>> {
        Box::pin(sweep(&self.store, &self.next))
    }
}

/// Drops some, and says how many.
async fn sweep(store: &Store, next: &AtomicI64) -> Result<u64> {
    let now = store.now();
    let at = DateTime::from_timestamp_secs(next.load(Ordering::Relaxed)).unwrap_or_default();
    if !due::has_come(at, now, SWEEP_INTERVAL) {
        return Ok(0);
    }
    let expired = repository::expired(store.read(), now, SWEEP_BATCH_SIZE).await?;
    let Some(last) = expired else {
        next.store((now + SWEEP_INTERVAL).timestamp(), Ordering::Relaxed);
        return Ok(0);
    };
    store.write(async move |tx| repository::delete_until(tx, last).await).await
}

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta};

use super::{Answer, Claim, Key, Running, repository};
use crate::{
    due,
    error::{Error, Result},
    store::Store,
};

/// How often it is looked for answers to drop.
const SWEPT_EVERY: TimeDelta = TimeDelta::minutes(5);
/// How many answers one transaction drops, or a few more.
const DROPPED_AT_ONCE: u64 = 500;

/// How something was done that is done once.
#[derive(Debug)]
pub enum Done<T> {
    /// Now.
    Now(T),
    /// Before: this was the answer.
    Before(Answer),
}

/// Does `work`, unless it was done before with the same key. `work` writes once, with the store that
/// it is given; `render` makes the answer of what that write gives.
///
/// # Errors
/// Those of `work`, which are not kept: nothing was done. [`Error::KeyInUse`] while this process is
/// at it, [`Error::KeyReused`] if the key stands for another request.
pub async fn once<T: 'static>(
    store: &Store,
    running: &Running,
    key: Key,
    render: impl Fn(&T) -> Result<Answer> + Send + Sync + 'static,
    work: impl AsyncFnOnce(&Store) -> Result<T>,
) -> Result<Done<T>> {
    let Some(_at_work) = running.begin(&key) else {
        return recall(store, &key).await?.map(Done::Before).ok_or(Error::KeyInUse);
    };
    // Before all else: what is checked before the write may have changed by the first one.
    if let Some(answer) = recall(store, &key).await? {
        return Ok(Done::Before(answer));
    }
    match work(&store.with_idempotency(Claim::new(key.clone(), render))).await {
        Ok(value) => Ok(Done::Now(value)),
        Err(Error::Replayed(answer)) => Ok(Done::Before(answer)),
        // What was in the way may be what another node has just done with this key, or a commit
        // that was not heard of.
        Err(error) => match recall(store, &key).await {
            Ok(Some(answer)) => Ok(Done::Before(answer)),
            Err(Error::KeyReused) => Err(Error::KeyReused),
            Ok(None) | Err(_) => Err(error),
        },
    }
}

/// The answer that a key has, if it has one.
async fn recall(store: &Store, key: &Key) -> Result<Option<Answer>> {
    let answer = repository::answer(store.read(), key.row(), store.now()).await?;
    answer.map(|sealed| key.open(store.keyring(), &sealed)).transpose()
}

/// Drops some answers that have been kept long enough, and says how many. `next` is when it is
/// worth while to look again, in seconds.
pub(crate) async fn sweep(store: &Store, next: &AtomicI64) -> Result<u64> {
    let now = store.now();
    let at = DateTime::from_timestamp_secs(next.load(Ordering::Relaxed)).unwrap_or_default();
    if !due::has_come(at, now, SWEPT_EVERY) {
        return Ok(0);
    }
    let expired = repository::expired(store.read(), now, DROPPED_AT_ONCE).await?;
    let Some(last) = expired else {
        next.store((now + SWEPT_EVERY).timestamp(), Ordering::Relaxed);
        return Ok(0);
    };
    store.write(last, |tx, last| Box::pin(repository::drop_until(tx, *last))).await
}

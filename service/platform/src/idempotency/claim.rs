use std::{
    any::Any,
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

use futures_util::future::BoxFuture;

use super::{Key, RETENTION, RecordedResponse, repository};
use crate::{
    error::{Error, Result},
    store::Tx,
};

type Render = dyn Fn(&dyn Any) -> Result<RecordedResponse> + Send + Sync;

/// A key, and the way to make the response of what the write gives: for exactly one write
/// ([`crate::store::Store::with_idempotency`]).
pub(crate) struct Claim {
    key: Key,
    render: Box<Render>,
    spent: AtomicBool,
}

impl Claim {
    /// A claim for a write that gives a `T`.
    pub(super) fn new<T: 'static>(
        key: Key,
        render: impl Fn(&T) -> Result<RecordedResponse> + Send + Sync + 'static,
    ) -> Self {
        let render = move |value: &dyn Any| match value.downcast_ref() {
            Some(value) => render(value),
            None => Err(Error::Internal("a write does not give what its answer is made of".into())),
        };
        Self { key, render: Box::new(render), spent: AtomicBool::new(false) }
    }

    /// Holds the claim to one write: the response must stand or fall with all of the effect.
    pub(crate) fn spend(&self) -> Result<()> {
        if self.spent.swap(true, Ordering::SeqCst) {
            return Err(Error::Internal("what has a key is one write".into()));
        }
        Ok(())
    }

    /// Does `work` between the claim and its response, in one transaction.
    pub(crate) async fn around<I, T, F>(&self, tx: &Tx, input: &I, work: &F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a Tx, &'a I) -> BoxFuture<'a, Result<T>>,
    {
        let (now, row) = (tx.now(), self.key.row());
        if !repository::claim(tx, row, now, now + RETENTION).await? {
            let response = repository::response(tx, row, now).await?;
            let response = response.ok_or_else(|| Error::lost_race("the key has just gone"))?;
            return Err(Error::Replayed(self.key.open(tx.keyring(), &response)?));
        }
        let value = work(tx, input).await?;
        // What leaves nothing behind can be done again.
        if !tx.is_rollback_only() {
            let response = (self.render)(&value)?;
            let sealed = self.key.seal(tx.keyring(), tx.random(), &response)?;
            repository::record_response(tx, row, sealed).await?;
        }
        Ok(value)
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Claim").field(&self.key).finish()
    }
}

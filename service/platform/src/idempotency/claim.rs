use std::fmt;

use futures_util::future::BoxFuture;

use super::{Key, RETENTION, RecordedResponse, repository};
use crate::{
    error::{Error, Result},
    store::Tx,
};

type Render<T> = dyn Fn(&T) -> Result<RecordedResponse> + Send + Sync;

/// A key, and the way to make the response of what the write gives.
pub(super) struct Claim<T> {
    key: Key,
    render: Box<Render<T>>,
}

impl<T> Claim<T> {
    pub(super) fn new(
        key: Key,
        render: impl Fn(&T) -> Result<RecordedResponse> + Send + Sync + 'static,
    ) -> Self {
        Self { key, render: Box::new(render) }
    }

    /// Does `work` between the claim and its response, in one transaction.
    pub(super) async fn around<I, F>(&self, tx: &Tx, input: &I, work: &F) -> Result<T>
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

impl<T> fmt::Debug for Claim<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Claim").field(&self.key).finish()
    }
}

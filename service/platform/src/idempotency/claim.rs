use std::{fmt, future};

use futures_util::future::BoxFuture;

use super::{Key, RETENTION, RecordedResponse, repository};
use crate::{
    error::{Error, Result},
    store::{Interceptor, Tx},
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
}

/// Claims the key before the write, and records its response after it.
impl<T> Interceptor<T> for Claim<T> {
    fn before<'a>(&'a self, tx: &'a Tx) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (now, row) = (tx.now(), self.key.row());
            if repository::claim(tx, row, now, now + RETENTION).await? {
                return Ok(());
            }
            let response = repository::response(tx, row, now).await?;
            let response = response.ok_or_else(|| Error::lost_race("the key has just gone"))?;
            Err(Error::Replayed(self.key.open(tx.keyring(), &response)?))
        })
    }

    fn after<'a>(&'a self, tx: &'a Tx, value: &'a T) -> BoxFuture<'a, Result<()>> {
        // What leaves nothing behind can be done again.
        if tx.is_rollback_only() {
            return Box::pin(future::ready(Ok(())));
        }
        let response = (self.render)(value);
        Box::pin(async move {
            let sealed = self.key.seal(tx.keyring(), tx.random(), &response?)?;
            repository::record_response(tx, self.key.row(), sealed).await
        })
    }
}

impl<T> fmt::Debug for Claim<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Claim").field(&self.key).finish()
    }
}

use chrono::{DateTime, Utc};

use super::claim::Claim;
use crate::{
    error::Result,
    random::Random,
    seal::Keyring,
    store::{Connections, Interceptor, Isolation, Store, Tx},
};

/// A store for one write, which gives a `T` and uses this up. What a client may send again with an idempotency
/// key takes this in place of a [`Store`]: the response stands or falls with all of the effect, since there can
/// be no second write, and it is made of what the write gives.
///
/// Without a key, it is a write like any other. What is not written leaves nothing behind, and can be done again.
///
/// ```no_run
/// # use platform::{error::Result, idempotency::WriteOnce};
/// async fn once(store: WriteOnce<'_, i64>) -> Result<i64> {
///     store.write(async move |_| Ok(1)).await
/// }
/// ```
///
/// A second write does not compile:
///
/// ```compile_fail,E0382
/// # use platform::{error::Result, idempotency::WriteOnce};
/// async fn twice(store: WriteOnce<'_, i64>) -> Result<i64> {
///     store.write(async move |_| Ok(1)).await?;
///     store.write(async move |_| Ok(2)).await
/// }
/// ```
#[derive(Debug)]
#[must_use = "nothing is written"]
pub struct WriteOnce<'a, T> {
    store: &'a Store,
    isolation: Option<Isolation>,
    claim: Option<Claim<T>>,
}

impl<'a, T> WriteOnce<'a, T> {
    /// A write without a key.
    pub fn new(store: &'a Store) -> Self {
        Self { store, isolation: None, claim: None }
    }

    /// A write whose response is recorded under a key.
    pub(super) fn claiming(store: &'a Store, claim: Claim<T>) -> Self {
        Self { claim: Some(claim), ..Self::new(store) }
    }

    /// The same write at another isolation level.
    pub(crate) fn with_isolation(self, isolation: Isolation) -> Self {
        Self { isolation: Some(isolation), ..self }
    }

    /// The same write at [`Isolation::ReadCommitted`].
    pub fn read_committed(self) -> Self {
        self.with_isolation(Isolation::ReadCommitted)
    }

    /// Writes, as [`Store::write`] does: between the claim of the key and the record of the response, if there is
    /// a key.
    pub async fn write<F>(self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFn(&Tx) -> Result<T> + Send + 'static,
    {
        let Self { store, isolation, claim } = self;
        let store = match isolation {
            Some(isolation) => &store.with_isolation(isolation),
            None => store,
        };
        let claim = claim.map(|claim| Box::new(claim) as Box<dyn Interceptor<T>>);
        store.intercepted_write(claim, work).await
    }

    /// Records what was read as the response of the key, if there is one: for what writes nothing else.
    pub async fn record(self, read: T) -> Result<T>
    where
        T: Clone + Send + 'static,
    {
        if self.claim.is_none() {
            return Ok(read);
        }
        self.write(async move |_| Ok(read.clone())).await
    }

    /// Connections for queries, before the write or after it.
    pub fn read(&self) -> &'a Connections {
        self.store.read()
    }

    /// As [`Store::snapshot`]: of the moment at which this is awaited, which may be after the write.
    pub fn snapshot<U, F>(
        &self,
        work: F,
    ) -> impl Future<Output = Result<U>> + Send + use<'a, T, U, F>
    where
        U: Send + 'static,
        F: AsyncFnOnce(&Tx) -> Result<U> + Send + 'static,
    {
        let store = self.store;
        store.snapshot(work)
    }

    /// As [`Store::snapshot_with_parts`], as [`Self::snapshot`] is.
    pub fn snapshot_with_parts<U, F>(
        &self,
        work: F,
    ) -> impl Future<Output = Result<U>> + use<'a, T, U, F>
    where
        U: Send + 'static,
        F: AsyncFn(&Tx) -> Result<U> + Send + Sync + 'static,
    {
        let store = self.store;
        store.snapshot_with_parts(work)
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        self.store.now()
    }

    /// Randomness.
    pub fn random(&self) -> &'a Random {
        self.store.random()
    }

    /// The keys of what is encrypted.
    pub fn keyring(&self) -> &'a Keyring {
        self.store.keyring()
    }
}

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::event;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    TransactionTrait,
};
use uuid::Uuid;

use super::{
    Context,
    signal::{Raised, Signal},
};
use crate::{error::Result, random::Random, seal::Keyring};

/// A transaction: a connection, and the time and the ids of what happens in it.
#[derive(Debug)]
pub struct Tx {
    transaction: DatabaseTransaction,
    context: Context,
    undone: AtomicBool,
    events: Mutex<Vec<event::ActiveModel>>,
    /// The order of what is recorded in one transaction, its savepoints included.
    ordinal: Arc<AtomicI64>,
    /// What is told once the transaction is committed.
    raised: Arc<Raised>,
    /// The latest time that was told in it, in microseconds.
    latest: Arc<AtomicI64>,
    outermost: bool,
}

impl Tx {
    pub(super) fn new(transaction: DatabaseTransaction, context: Context) -> Self {
        Self {
            transaction,
            context,
            undone: AtomicBool::new(false),
            events: Mutex::default(),
            ordinal: Arc::default(),
            raised: Arc::default(),
            latest: Arc::new(AtomicI64::new(i64::MIN)),
            outermost: true,
        }
    }

    /// The time. Within a transaction it does not go back.
    pub fn now(&self) -> DateTime<Utc> {
        let now = self.context.clock.now();
        let before = self.latest.fetch_max(now.timestamp_micros(), Ordering::Relaxed);
        DateTime::from_timestamp_micros(before).map_or(now, |before| now.max(before))
    }

    /// The time at which something is done to what was last done something to at `before`: later than that,
    /// also where the clock has been put back since, or that of another node is ahead.
    pub fn now_after(&self, before: DateTime<Utc>) -> DateTime<Utc> {
        self.now().max(before + TimeDelta::microseconds(1))
    }

    /// How long this process has run: what waiting is measured with.
    pub(crate) fn uptime(&self) -> Duration {
        self.context.clock.uptime()
    }

    /// An id for a new row.
    pub fn new_id(&self) -> Uuid {
        self.context.random.id(self.now())
    }

    /// Randomness.
    pub fn random(&self) -> &Random {
        &self.context.random
    }

    /// The keys of what is encrypted.
    pub fn keyring(&self) -> &Keyring {
        &self.context.keyring
    }

    /// Keeps nothing of this transaction, though its result is given: for dry runs.
    pub fn undo(&self) {
        self.undone.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_undone(&self) -> bool {
        self.undone.load(Ordering::Relaxed)
    }

    /// Tells others once the transaction is committed.
    pub(crate) fn signal(&self, signal: Signal) {
        self.raised.add(signal);
    }

    /// Says that what someone may do has changed or ended, once the transaction is committed
    /// ([`crate::access`]).
    pub(crate) fn revoke(&self) {
        self.signal(Signal::Revoked);
    }

    /// Keeps an event until it is written, and says how many wait.
    pub(super) fn pending(&self, event: event::ActiveModel) -> usize {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.push(event);
        events.len()
    }

    pub(super) fn take_pending(&self) -> Vec<event::ActiveModel> {
        mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn next_ordinal(&self) -> i64 {
        self.ordinal.fetch_add(1, Ordering::Relaxed)
    }

    /// Runs `work` in a savepoint: if it fails, what it did goes, and the transaction goes on.
    ///
    /// # Errors
    /// The outer one where the transaction itself is lost.
    pub async fn attempt<T>(
        &self,
        work: impl AsyncFnOnce(&Self) -> Result<T>,
    ) -> Result<Result<T>> {
        let savepoint = self.savepoint().await?;
        let outcome = match work(&savepoint).await {
            Ok(value) => savepoint.write_events().await.map(|()| value),
            Err(error) => Err(error),
        };
        match outcome {
            Ok(value) => {
                savepoint.commit().await?;
                Ok(Ok(value))
            }
            Err(error) => {
                savepoint.rollback().await?;
                if error.loses_the_transaction() { Err(error) } else { Ok(Err(error)) }
            }
        }
    }

    /// A savepoint within this transaction.
    pub(super) async fn savepoint(&self) -> Result<Self, DbErr> {
        Ok(Self {
            ordinal: self.ordinal.clone(),
            raised: self.raised.clone(),
            latest: self.latest.clone(),
            outermost: false,
            ..Self::new(self.transaction.begin().await?, self.context.clone())
        })
    }

    pub(super) async fn commit(self) -> Result<(), DbErr> {
        self.transaction.commit().await?;
        if self.outermost {
            self.raised.take().for_each(|signal| self.context.signals.raise(signal));
        }
        Ok(())
    }

    pub(super) async fn rollback(self) -> Result<(), DbErr> {
        self.transaction.rollback().await
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, DbErr>> + Send + 'a>>;

// Written out rather than with #[async_trait], which would box every future a second time.
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }

    fn execute_raw<'s, 'a>(&'s self, statement: Statement) -> Answer<'a, ExecResult>
    where
        's: 'a,
        Self: 'a,
    {
        self.transaction.execute_raw(statement)
    }

    fn execute_unprepared<'s, 'q, 'a>(&'s self, sql: &'q str) -> Answer<'a, ExecResult>
    where
        's: 'a,
        'q: 'a,
        Self: 'a,
    {
        self.transaction.execute_unprepared(sql)
    }

    fn query_one_raw<'s, 'a>(&'s self, statement: Statement) -> Answer<'a, Option<QueryResult>>
    where
        's: 'a,
        Self: 'a,
    {
        self.transaction.query_one_raw(statement)
    }

    fn query_all_raw<'s, 'a>(&'s self, statement: Statement) -> Answer<'a, Vec<QueryResult>>
    where
        's: 'a,
        Self: 'a,
    {
        self.transaction.query_all_raw(statement)
    }
}

use std::{
    collections::HashSet,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use uuid::Uuid;

use super::{
    Catalogue, Context, Fetched, Remote,
    commit_marker::CommitMarker,
    event_buffer::EventBuffer,
    positions::{FullySequenced, LogHeads},
    revocations,
    signal::{Raised, Signal, Signals},
    transaction::Transaction,
};
use crate::{
    error::{Error, Result},
    random::Random,
    seal::Keyring,
};

/// A transaction, or a part of one: and the time and the ids of what happens in it.
///
/// A statement that fails ends it, as on PostgreSQL: no other statement runs in it, and it cannot be
/// committed. What may fail without ending the whole goes into a savepoint ([`Self::savepoint`]).
#[derive(Debug)]
pub struct Tx {
    transaction: Arc<Transaction>,
    /// How many savepoints this is below the transaction.
    depth: u32,
    context: Context,
    rollback_only: AtomicBool,
    /// Whether a statement has failed.
    failed: AtomicBool,
    /// Whether a statement has written.
    wrote: AtomicBool,
    /// What was recorded and is not written yet.
    event_buffer: Arc<EventBuffer>,
    /// The ids of new rows that clients have chosen.
    client_ids: Mutex<HashSet<Uuid>>,
    /// Where the logs end, if positions are given with the events.
    heads: Mutex<Option<LogHeads>>,
    /// An event that is there if, and only if, this was committed.
    commit_marker: Mutex<Option<CommitMarker>>,
    /// The order of what is recorded in one transaction, its savepoints included.
    ordinal: Arc<AtomicI64>,
    /// What is told once the transaction is committed.
    raised: Arc<Raised>,
    /// The latest time that was told in it, in microseconds.
    latest: Arc<AtomicI64>,
    /// What was read of another store for who runs in it.
    fetched: Mutex<Fetched>,
}

impl Tx {
    pub(super) fn new(transaction: Transaction, context: Context) -> Self {
        Self::at(Arc::new(transaction), 0, context)
    }

    /// The transaction of the only one who writes: it gives the positions of what it records.
    pub(super) fn for_single_writer(transaction: Transaction, context: Context) -> Self {
        Self { heads: Mutex::new(Some(LogHeads::default())), ..Self::new(transaction, context) }
    }

    fn at(transaction: Arc<Transaction>, depth: u32, context: Context) -> Self {
        Self {
            transaction,
            depth,
            context,
            rollback_only: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            wrote: AtomicBool::new(false),
            event_buffer: Arc::default(),
            client_ids: Mutex::default(),
            heads: Mutex::default(),
            commit_marker: Mutex::default(),
            ordinal: Arc::default(),
            raised: Arc::default(),
            latest: Arc::new(AtomicI64::new(i64::MIN)),
            fetched: Mutex::default(),
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
    pub fn uptime(&self) -> Duration {
        self.context.clock.uptime()
    }

    /// An id for a new row.
    pub fn new_id(&self) -> Uuid {
        self.context.random.id(self.now())
    }

    /// Says that something is missed of an organization ([`super::Store::backfill_requests`]).
    pub fn request_backfill(&self, organization_id: Uuid) {
        self.context.backfill_requests.add(organization_id);
    }

    /// Randomness.
    pub fn random(&self) -> &Random {
        &self.context.random
    }

    /// The keys of what is encrypted.
    pub fn keyring(&self) -> &Keyring {
        &self.context.keyring
    }

    pub(super) fn remote(&self) -> Option<&Arc<dyn Remote>> {
        self.context.remote.as_ref()
    }

    pub(super) fn fetched(&self) -> Fetched {
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Hands in what was read of another store.
    pub(super) fn set_fetched(&self, fetched: Fetched) {
        *self.fetched.lock().unwrap_or_else(PoisonError::into_inner) = fetched;
    }

    /// What the domain has handed in.
    pub fn catalogue(&self) -> &'static Catalogue {
        self.context.catalogue
    }

    /// Marks this transaction to be rolled back at its end, though its result is given: for dry
    /// runs.
    pub fn set_rollback_only(&self) {
        self.rollback_only.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_rollback_only(&self) -> bool {
        self.rollback_only.load(Ordering::Relaxed)
    }

    /// Tells others once the transaction is committed.
    pub fn signal(&self, signal: Signal) {
        self.raised.add(signal);
    }

    /// Says that what someone may do has changed or ended, once the transaction is committed
    /// (`AccessCache`, [`super::Store::revocations`]).
    pub fn invalidate_access(&self) {
        self.signal(Signal::Revoked);
    }

    pub(super) fn event_buffer(&self) -> &EventBuffer {
        &self.event_buffer
    }

    /// Remembers ids that clients have chosen.
    pub(super) fn add_client_ids<'a>(&self, ids: impl Iterator<Item = &'a Uuid>) {
        self.client_ids.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
    }

    pub(super) fn is_client_id(&self, id: Uuid) -> bool {
        self.client_ids.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }

    pub(super) fn next_ordinal(&self) -> i64 {
        self.ordinal.fetch_add(1, Ordering::Relaxed)
    }

    /// Runs `work` in a savepoint: if it fails, what it did goes, and the transaction goes on.
    ///
    /// # Errors
    /// The outer one where the transaction itself is lost.
    pub async fn savepoint<T>(
        &self,
        work: impl AsyncFnOnce(&Self) -> Result<T>,
    ) -> Result<Result<T>> {
        let savepoint = self.begin_savepoint().await?;
        let outcome = work(&savepoint).await;
        match outcome.and_then(|value| Ok(savepoint.check().map(|()| value)?)) {
            Ok(value) => {
                savepoint.release_into(self).await?;
                Ok(Ok(value))
            }
            Err(error) => {
                savepoint.rollback_to().await?;
                if error.aborts_transaction() { Err(error) } else { Ok(Err(error)) }
            }
        }
    }

    /// Says that the work of this is done. The transaction itself writes what was recorded: all that is left to do
    /// is to commit.
    ///
    /// # Errors
    /// [`Error::Internal`] where a statement has failed and nobody has heard of it;
    /// [`Error::Retry`] where another transaction has taken an id.
    pub(super) async fn finish(&self) -> Result<()> {
        if !self.event_buffer.is_nested() {
            self.write_events().await.map_err(|error| match error.into() {
                // Another transaction has made the same, which the work looks for when it runs again.
                Error::Duplicate { .. } => Error::lost_race("an id was taken meanwhile"),
                other => other,
            })?;
        }
        if self.raised.contains(Signal::Revoked) {
            revocations::count(self).await?;
        }
        Ok(self.check()?)
    }

    /// A savepoint within this transaction.
    pub(super) async fn begin_savepoint(&self) -> Result<Self> {
        self.check()?;
        let depth = self.depth + 1;
        self.fail_on_error(self.transaction.savepoint(depth).await)?;
        Ok(self.child(depth))
    }

    /// A part of this transaction without a savepoint: once it has written, it can only be kept, or the
    /// whole be taken back.
    pub(super) fn nested(&self) -> Self {
        self.child(self.depth)
    }

    fn child(&self, depth: u32) -> Self {
        Self {
            ordinal: self.ordinal.clone(),
            raised: self.raised.clone(),
            latest: self.latest.clone(),
            fetched: Mutex::new(self.fetched()),
            heads: Mutex::new(self.heads().clone()),
            event_buffer: Arc::new(EventBuffer::nested(&self.event_buffer)),
            ..Self::at(self.transaction.clone(), depth, self.context.clone())
        }
    }

    /// Ends a savepoint and keeps what was done in it.
    pub(super) async fn release_into(self, outer: &Self) -> Result<(), DbErr> {
        self.check()?;
        outer.fail_on_error(self.transaction.release(self.depth).await)?;
        self.merge_into(outer).await
    }

    /// Ends a part and keeps what was done in it.
    pub(super) async fn merge_into(self, outer: &Self) -> Result<(), DbErr> {
        self.check()?;
        if let Some(commit_marker) = self.commit_marker() {
            outer.set_commit_marker(commit_marker);
        }
        if self.has_written() {
            outer.wrote.store(true, Ordering::Relaxed);
        }
        *outer.heads() = self.heads().take();
        self.event_buffer.merge_into_outer();
        outer.write_events_if_many().await
    }

    /// Whether there is anything to take back.
    pub(super) fn has_written(&self) -> bool {
        self.wrote.load(Ordering::Relaxed)
    }

    /// Ends a savepoint and takes back what was done in it. An error means that the whole transaction
    /// is lost.
    pub(super) async fn rollback_to(self) -> Result<(), DbErr> {
        self.transaction.rollback_to(self.depth).await
    }

    /// Makes all of it last. What others are told is told
    /// by [`Announcement::publish`].
    pub(super) async fn commit(&self) -> Result<(), DbErr> {
        debug_assert_eq!(self.depth, 0, "a savepoint is released");
        self.check()?;
        self.fail_on_error(self.transaction.commit().await)
    }

    /// Gives recorded events their positions, where that can be done now.
    pub(super) async fn assign_positions(
        &self,
        events: &mut [entity::event::Model],
    ) -> Result<bool, DbErr> {
        // Not held while others wait: what takes it back meanwhile takes the transaction with it.
        let Some(mut heads) = self.heads().take() else { return Ok(false) };
        let assigned = heads.assign_positions(self, &self.context.fully_sequenced, events).await?;
        *self.heads() = Some(heads);
        Ok(assigned)
    }

    /// Does with the end of a log what recording does, and leaves it where it is: for what must take as long.
    pub async fn touch_head(&self, log: Uuid) -> Result<()> {
        let Some(mut heads) = self.heads().take() else { return Ok(()) };
        heads.touch(self, &self.context.fully_sequenced, log).await?;
        *self.heads() = Some(heads);
        Ok(())
    }

    /// Writes where the logs end to which it has written. Nothing is recorded afterwards.
    pub(super) async fn write_heads(&self) -> Result<(), DbErr> {
        let Some(heads) = self.heads().take() else { return Ok(()) };
        heads.write(self).await?;
        *self.heads() = Some(heads);
        Ok(())
    }

    fn heads(&self) -> MutexGuard<'_, Option<LogHeads>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the connection go, and gives what others are told if the transaction is committed.
    pub(super) fn close(self) -> Announcement {
        let fully_sequenced = self.heads().as_ref().is_some_and(LogHeads::is_fully_sequenced);
        let fully_sequenced = fully_sequenced.then_some(self.context.fully_sequenced);
        Announcement { raised: self.raised, signals: self.context.signals, fully_sequenced }
    }

    pub(super) async fn rollback(&self) {
        self.transaction.rollback().await;
    }

    /// An event that is there if, and only if, this was committed.
    pub(super) fn commit_marker(&self) -> Option<CommitMarker> {
        *self.commit_marker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_commit_marker(&self, commit_marker: CommitMarker) {
        self.commit_marker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(commit_marker);
    }

    /// Nothing runs in a transaction in which a statement has failed. PostgreSQL would refuse it, and
    /// answer COMMIT with ROLLBACK and no error; SQLite may have taken the transaction back, and would
    /// commit each further statement by itself.
    fn check(&self) -> Result<(), DbErr> {
        if self.failed.load(Ordering::Relaxed) {
            return Err(DbErr::Custom("a statement of this transaction has failed".into()));
        }
        Ok(())
    }

    fn fail_on_error<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        if result.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Before a statement: what reads or changes the log finds all that was recorded in it.
    async fn prepare(&self, sql: &str) -> Result<(), DbErr> {
        if sql.contains(LOG) && !self.event_buffer.is_empty() {
            self.write_events().await?;
        }
        self.check()
    }

    /// After a statement.
    fn done<T>(&self, sql: &str, result: Result<T, DbErr>) -> Result<T, DbErr> {
        if result.is_ok() && !sql.starts_with("SELECT") {
            self.wrote.store(true, Ordering::Relaxed);
        }
        self.fail_on_error(result)
    }
}

/// The table of the log, as statements name it.
const LOG: &str = "\"event\"";

/// What others are told of a transaction that is committed.
#[must_use]
pub(super) struct Announcement {
    raised: Arc<Raised>,
    signals: Signals,
    fully_sequenced: Option<FullySequenced>,
}

impl Announcement {
    pub(super) fn publish(self) {
        if let Some(fully_sequenced) = self.fully_sequenced {
            fully_sequenced.set();
        }
        self.raised.take().for_each(|signal| self.signals.raise(signal));
    }
}

type BoxedResult<'a, T> = Pin<Box<dyn Future<Output = Result<T, DbErr>> + Send + 'a>>;

// Written out rather than with #[async_trait], which would box every future a second time.
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.transaction.backend()
    }

    fn execute_raw<'s, 'a>(&'s self, statement: Statement) -> BoxedResult<'a, ExecResult>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            self.prepare(&statement.sql).await?;
            self.done(&statement.sql, self.transaction.execute(&statement).await)
        })
    }

    fn execute_unprepared<'s, 'q, 'a>(&'s self, sql: &'q str) -> BoxedResult<'a, ExecResult>
    where
        's: 'a,
        'q: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            self.prepare(sql).await?;
            self.done(sql, self.transaction.execute_unprepared(sql).await)
        })
    }

    fn query_one_raw<'s, 'a>(&'s self, statement: Statement) -> BoxedResult<'a, Option<QueryResult>>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            self.prepare(&statement.sql).await?;
            self.done(&statement.sql, self.transaction.query_one(&statement).await)
        })
    }

    fn query_all_raw<'s, 'a>(&'s self, statement: Statement) -> BoxedResult<'a, Vec<QueryResult>>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            self.prepare(&statement.sql).await?;
            self.done(&statement.sql, self.transaction.query_all(&statement).await)
        })
    }
}

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
    Context,
    outcome::Witness,
    pending::Pending,
    positions::{CaughtUp, Ends},
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
    pending: Arc<Pending>,
    /// The ids of new rows that clients have chosen.
    chosen: Mutex<HashSet<Uuid>>,
    /// Where the logs end, if positions are given with the events.
    ends: Mutex<Option<Ends>>,
    /// An event that is there if, and only if, this was committed.
    witness: Mutex<Option<Witness>>,
    /// The order of what is recorded in one transaction, its savepoints included.
    ordinal: Arc<AtomicI64>,
    /// What is told once the transaction is committed.
    raised: Arc<Raised>,
    /// The latest time that was told in it, in microseconds.
    latest: Arc<AtomicI64>,
}

impl Tx {
    pub(super) fn new(transaction: Transaction, context: Context) -> Self {
        Self::at(Arc::new(transaction), 0, context)
    }

    /// The transaction of the only one who writes: it gives the positions of what it records.
    pub(super) fn of_only_writer(transaction: Transaction, context: Context) -> Self {
        Self { ends: Mutex::new(Some(Ends::default())), ..Self::new(transaction, context) }
    }

    fn at(transaction: Arc<Transaction>, depth: u32, context: Context) -> Self {
        Self {
            transaction,
            depth,
            context,
            rollback_only: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            wrote: AtomicBool::new(false),
            pending: Arc::default(),
            chosen: Mutex::default(),
            ends: Mutex::default(),
            witness: Mutex::default(),
            ordinal: Arc::default(),
            raised: Arc::default(),
            latest: Arc::new(AtomicI64::new(i64::MIN)),
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

    /// Says that something is missed of an organization ([`super::Store::wanted`]).
    pub(crate) fn want(&self, organization_id: Uuid) {
        self.context.wanted.add(organization_id);
    }

    /// Randomness.
    pub fn random(&self) -> &Random {
        &self.context.random
    }

    /// The keys of what is encrypted.
    pub fn keyring(&self) -> &Keyring {
        &self.context.keyring
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
    pub(crate) fn signal(&self, signal: Signal) {
        self.raised.add(signal);
    }

    /// Says that what someone may do has changed or ended, once the transaction is committed
    /// ([`crate::access`]).
    pub(crate) fn invalidate_access(&self) {
        self.signal(Signal::Revoked);
    }

    pub(super) fn pending(&self) -> &Pending {
        &self.pending
    }

    /// Remembers ids that clients have chosen.
    pub(super) fn choose<'a>(&self, ids: impl Iterator<Item = &'a Uuid>) {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
    }

    pub(super) fn is_chosen(&self, id: Uuid) -> bool {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
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
        if !self.pending.is_of_a_part() {
            self.write_events().await.map_err(|error| match error.into() {
                // Another transaction has made the same, which the work looks for when it runs again.
                Error::Duplicate { .. } => Error::lost_race("an id was taken meanwhile"),
                other => other,
            })?;
        }
        Ok(self.check()?)
    }

    /// A savepoint within this transaction.
    pub(super) async fn begin_savepoint(&self) -> Result<Self> {
        self.check()?;
        let depth = self.depth + 1;
        self.fail_on_error(self.transaction.savepoint(depth).await)?;
        Ok(self.part(depth))
    }

    /// A part of this transaction without a savepoint: once it has written, it can only be kept, or the
    /// whole be taken back.
    pub(super) fn share(&self) -> Self {
        self.part(self.depth)
    }

    fn part(&self, depth: u32) -> Self {
        Self {
            ordinal: self.ordinal.clone(),
            raised: self.raised.clone(),
            latest: self.latest.clone(),
            ends: Mutex::new(self.ends().clone()),
            pending: Arc::new(Pending::within(&self.pending)),
            ..Self::at(self.transaction.clone(), depth, self.context.clone())
        }
    }

    /// Ends a savepoint and keeps what was done in it.
    pub(super) async fn release_into(self, outer: &Self) -> Result<(), DbErr> {
        self.check()?;
        outer.fail_on_error(self.transaction.release(self.depth).await)?;
        self.keep_in(outer).await
    }

    /// Ends a part and keeps what was done in it.
    pub(super) async fn keep_in(self, outer: &Self) -> Result<(), DbErr> {
        self.check()?;
        if let Some(witness) = self.witness() {
            outer.keep_witness(witness);
        }
        if self.has_written() {
            outer.wrote.store(true, Ordering::Relaxed);
        }
        *outer.ends() = self.ends().take();
        self.pending.end();
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
    /// by [`Announcement::make`].
    pub(super) async fn commit(&self) -> Result<(), DbErr> {
        debug_assert_eq!(self.depth, 0, "a savepoint is released");
        self.check()?;
        self.fail_on_error(self.transaction.commit().await)
    }

    /// Gives recorded events their positions, where that can be done now.
    pub(super) async fn place(&self, events: &mut [entity::event::Model]) -> Result<bool, DbErr> {
        // Not held while others wait: what takes it back meanwhile takes the transaction with it.
        let Some(mut ends) = self.ends().take() else { return Ok(false) };
        let placed = ends.place(self, &self.context.caught_up, events).await?;
        *self.ends() = Some(ends);
        Ok(placed)
    }

    /// Does with the end of a log what recording does, and leaves it where it is: for what must take as long.
    pub(crate) async fn touch_end(&self, log: Uuid) -> Result<()> {
        let Some(mut ends) = self.ends().take() else { return Ok(()) };
        ends.touch(self, &self.context.caught_up, log).await?;
        *self.ends() = Some(ends);
        Ok(())
    }

    /// Writes where the logs end to which it has written. Nothing is recorded afterwards.
    pub(super) async fn write_ends(&self) -> Result<(), DbErr> {
        let Some(ends) = self.ends().take() else { return Ok(()) };
        ends.write(self).await?;
        *self.ends() = Some(ends);
        Ok(())
    }

    fn ends(&self) -> MutexGuard<'_, Option<Ends>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the connection go, and gives what others are told if the transaction is committed.
    pub(super) fn close(self) -> Announcement {
        let caught_up = self.ends().as_ref().is_some_and(Ends::are_caught_up);
        let caught_up = caught_up.then_some(self.context.caught_up);
        Announcement { raised: self.raised, signals: self.context.signals, caught_up }
    }

    pub(super) async fn rollback(&self) {
        self.transaction.rollback().await;
    }

    /// An event that is there if, and only if, this was committed.
    pub(super) fn witness(&self) -> Option<Witness> {
        *self.witness.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keep_witness(&self, witness: Witness) {
        self.witness.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(witness);
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
        if sql.contains(LOG) && !self.pending.is_empty() {
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
    caught_up: Option<CaughtUp>,
}

impl Announcement {
    pub(super) fn make(self) {
        if let Some(caught_up) = self.caught_up {
            caught_up.keep();
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

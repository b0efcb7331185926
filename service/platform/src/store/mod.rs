//! The only room that knows which database this is.
//!
//! [`Store::read`] gives a connection for queries, [`Store::snapshot`] one state of the database for
//! several. [`Store::write`] runs a closure in one
//! transaction and gives its result once that is durable: on SQLite through one writer that commits
//! what waits together, on PostgreSQL in a transaction of its own, again from the start where others
//! were in the way.

mod backfill_requests;
mod catalogue;
pub mod children;
pub mod citus;
mod commit_marker;
mod connections;
pub mod dialect;
mod event_buffer;
mod failure;
pub mod fingerprint;
mod inspection;
mod job;
mod local;
pub mod log;
mod options;
pub mod page;
pub mod parts;
mod positions;
mod postgres;
pub mod references;
mod replica;
mod revocations;
pub mod rows;
mod shared_read;
pub mod signal;
pub mod slow;
mod sqlite;
pub mod stored;
mod telemetry;
mod transaction;
mod tx;
pub mod versioned;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::LocalBoxFuture;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, EntityName};

use backfill_requests::BackfillRequests;
pub use catalogue::{Catalogue, HasAmounts, OnTimeZoneChange};
pub use connections::Connections;
pub use failure::DUPLICATE_POINTERS;
pub(crate) use inspection::Inspection;
pub(crate) use job::Interceptor;
use job::Job;
pub use options::{ConnectError, Engine, Isolation, Options, Synchronous};
use replica::{Miss, Replica};
pub use replica::{NotAPosition, ReplicaStatus, WalPosition};
use revocations::RevocationCounter;
pub use revocations::{Revocations, SLOTS as REVOCATION_SLOTS};
use signal::{Signal, Signals};
pub use telemetry::{Observer, Pool};
use tokio::sync::{oneshot, watch};
use tracing::Instrument;
use transaction::{Begin, Transaction};
pub use tx::Tx;

use crate::{
    clock::Clock,
    error::{Error, Result},
    random::Random,
    seal::Keyring,
    trace,
};

/// The database. Cheap to clone; every clone is the same store.
#[derive(Debug, Clone)]
pub struct Store {
    engine: Engine,
    reader: Connections,
    writer: Writer,
    replica: Option<Replica>,
    context: Context,
    isolation: Isolation,
    exclusive: bool,
}

#[derive(Debug, Clone)]
enum Writer {
    Sqlite(sqlite::Writer),
    Postgres(postgres::Pools),
}

/// What a snapshot is for.
type Query = Box<dyn for<'a> FnOnce(&'a Tx) -> LocalBoxFuture<'a, ()> + Send>;

/// A transaction in which the schema can be changed.
struct Schema {
    transaction: DatabaseTransaction,
    _permit: connections::PoolPermit,
}

const NO_REPLICA_OF_SQLITE: &str = "\
DATABASE_REPLICA_URL names a replica, which only a PostgreSQL has: DATABASE_URL leads to SQLite";

/// What every transaction is handed besides its connection.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) keyring: Arc<Keyring>,
    catalogue: &'static Catalogue,
    signals: Signals,
    /// Whether positions can be given with the events.
    fully_sequenced: positions::FullySequenced,
    backfill_requests: BackfillRequests,
    revocations: Arc<RevocationCounter>,
}

impl Store {
    /// Connects: `sqlite://steward.db` (made if it is not there), `sqlite::memory:` (one connection,
    /// kept for ever), or `postgres://…`. What the domain has, it hands in.
    pub async fn connect(
        url: &str,
        options: Options,
        catalogue: &'static Catalogue,
    ) -> Result<Self, ConnectError> {
        let telemetry = telemetry::Telemetry::new(options.slow_statement, options.observer.clone());
        let context = Context {
            clock: options.clock.clone(),
            random: options.random.clone(),
            keyring: Arc::new(options.keyring.clone()),
            catalogue,
            signals: Signals::default(),
            fully_sequenced: positions::FullySequenced::default(),
            backfill_requests: BackfillRequests::default(),
            revocations: Arc::default(),
        };
        let mut replica = None;
        let (engine, reader, writer) = if url.starts_with("sqlite:") {
            if options.replica_url.is_some() {
                return Err(ConnectError::Session(NO_REPLICA_OF_SQLITE.into()));
            }
            let (reader, writer) = sqlite::connect(url, &options, &context, &telemetry).await?;
            (Engine::Sqlite, reader, Writer::Sqlite(writer))
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let pools = postgres::connect(url, &options, &telemetry).await?;
            if let Some(replica_url) = &options.replica_url {
                let primary = (url, &pools.shared);
                replica = Some(Replica::connect(replica_url, primary, &options, &telemetry).await?);
            }
            (Engine::Postgres, pools.shared.clone(), Writer::Postgres(pools))
        } else {
            return Err(ConnectError::Url);
        };
        let exclusive = options.exclusive && engine == Engine::Sqlite;
        let isolation = Isolation::default();
        Ok(Self { engine, reader, writer, replica, context, isolation, exclusive })
    }

    /// This store for writes at another isolation level.
    pub(crate) fn with_isolation(&self, isolation: Isolation) -> Self {
        Self { isolation, ..self.clone() }
    }

    /// This store for writes at [`Isolation::ReadCommitted`].
    pub fn read_committed(&self) -> Self {
        self.with_isolation(Isolation::ReadCommitted)
    }

    /// The organizations whose spending totals are to be backfilled.
    pub fn backfill_requests(&self) -> &BackfillRequests {
        &self.context.backfill_requests
    }

    /// Connections for queries.
    pub fn read(&self) -> &Connections {
        &self.reader
    }

    /// Runs `work` in one transaction, and gives its result once that is durable.
    ///
    /// `work` may run again from the start, so it does nothing outside the database. It runs to its
    /// end even if the one who waits for it goes away: it owns what it needs.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFn(&Tx) -> Result<T> + Send + 'static,
    {
        self.intercepted_write(None, work).await
    }

    /// As [`Self::write`], between what `interceptor` does before and after it.
    pub(crate) async fn intercepted_write<T, F>(
        &self,
        interceptor: Option<Box<dyn Interceptor<T>>>,
        work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFn(&Tx) -> Result<T> + Send + 'static,
    {
        let (job, answered) = job::job(interceptor, work);
        self.start(job).await?;
        answered.await.map_err(|_| self.unanswered())?
    }

    async fn start(&self, job: Box<dyn Job>) -> Result<()> {
        match &self.writer {
            Writer::Sqlite(writer) => writer.enqueue(job).await,
            Writer::Postgres(pools) => {
                let writer = postgres::Writer {
                    connections: pools.shared.clone(),
                    begin: self.isolation.into(),
                    context: self.context.clone(),
                };
                writer.start(job);
                Ok(())
            }
        }
    }

    /// The error of a job that was dropped.
    fn unanswered(&self) -> Error {
        match &self.writer {
            Writer::Sqlite(_) => sqlite::stopped(),
            Writer::Postgres(_) => Error::Internal("a write ended early".into()),
        }
    }

    /// Runs `work` on one state of the database: for answers that several statements make.
    ///
    /// In a task of its own, for the reason that PostgreSQL's writes are: a request that goes away
    /// must not cancel a BEGIN.
    pub async fn snapshot<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Tx) -> Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let query: Query = Box::new(move |tx| {
            Box::pin(async move {
                // Nobody may be waiting any more.
                let _ = answer.send(work(tx).await);
            })
        });
        let (fail, failed) = oneshot::channel();
        let (store, span) = (self.clone(), trace::current());
        local::spawn(move || {
            let run = async move {
                if let Err(error) = store.query(query).await {
                    let _ = fail.send(error);
                }
            };
            run.instrument(span)
        });
        match answered.await {
            Ok(result) => result,
            Err(_) => Err(failed
                .await
                .unwrap_or_else(|_| Error::Internal("a snapshot ended early".into()))),
        }
    }

    /// Runs a read that need not be made where writes are: on the replica, once that shows all that the reader was
    /// shown (`shown`; without it, all that is committed now), and else here, as where there is none. What fails there
    /// is done here again: the errors are the primary's. Gives the position of what the replica has shown.
    pub async fn read_from_replica<T>(
        &self,
        shown: Option<WalPosition>,
        work: impl AsyncFn(&Self) -> Result<T>,
    ) -> (Result<T>, Option<WalPosition>) {
        let Some(replica) = &self.replica else { return (work(self).await, None) };
        let served = self.on_replica(replica, shown, &work).await;
        let outcome = served.as_ref().map_or_else(|miss| miss.as_str(), |_| "served");
        metrics::counter!("steward_replica_reads_total", "outcome" => outcome).increment(1);
        match served {
            Ok((value, position)) => (Ok(value), Some(position)),
            Err(_) => (work(self).await, None),
        }
    }

    async fn on_replica<T>(
        &self,
        replica: &Replica,
        shown: Option<WalPosition>,
        work: &impl AsyncFn(&Self) -> Result<T>,
    ) -> Result<(T, WalPosition), Miss> {
        let reached = replica.reach(shown).await?;
        let there = Self { reader: reached.connections(), ..self.clone() };
        let value = work(&there).await.map_err(|error| {
            tracing::debug!(%error, "a read has failed on the replica");
            Miss::Failed
        })?;
        Ok((value, reached.confirm().await?))
    }

    /// The position of all that was committed before this was called, and so of all that the primary has shown.
    /// None where there is no replica, or the primary does not say so in time.
    pub async fn wal_position(&self) -> Option<WalPosition> {
        self.replica.as_ref()?.primary().await
    }

    /// Whether some reads may be made on a replica.
    pub fn has_replica(&self) -> bool {
        self.replica.is_some()
    }

    /// How the replica is, where there is one.
    pub async fn replica_status(&self) -> Option<ReplicaStatus> {
        Some(self.replica.as_ref()?.status().await)
    }

    async fn query(self, query: Query) -> Result<()> {
        let begin = match self.engine {
            Engine::Sqlite => Begin::Deferred,
            Engine::Postgres => Begin::ReadOnly,
        };
        let transaction = Transaction::begin(&self.reader, begin).await?;
        let tx = Tx::new(transaction, self.context);
        query(&tx).await;
        // There is nothing to keep.
        tx.rollback().await;
        Ok(())
    }

    /// Which database this is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        self.context.clock.now()
    }

    /// The clock, for who measures time without the store.
    pub fn clock(&self) -> Clock {
        self.context.clock.clone()
    }

    /// How long this process has run: what waiting is measured with, since the time can be put back.
    pub fn uptime(&self) -> Duration {
        self.context.clock.uptime()
    }

    /// Whether no other process serves this database, so that what another one seems to hold was left by
    /// one that is gone.
    pub fn is_exclusive(&self) -> bool {
        self.exclusive
    }

    /// Randomness.
    pub fn random(&self) -> &Random {
        &self.context.random
    }

    /// How often access was revoked, by a moment after this was asked for: by whichever node, and all that was
    /// answered before. None where nobody can say: then nothing holds that is remembered of access.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the database does not answer.
    pub async fn revocations(&self) -> Result<Option<Revocations>> {
        let told = self.context.signals.count(Signal::Revoked);
        let counted = match &self.writer {
            Writer::Sqlite(_) => Some(0),
            Writer::Postgres(pools) => self.context.revocations.read(&pools.shared).await?,
        };
        Ok(counted.map(|counted| Revocations { told, counted }))
    }

    /// The keys of what is encrypted.
    pub fn keyring(&self) -> &Keyring {
        &self.context.keyring
    }

    /// The way to wait for a signal, of this node or of another ([`Self::relay_notifications`]).
    pub fn watch(&self, signal: Signal) -> watch::Receiver<u64> {
        self.context.signals.watch(signal)
    }

    /// Tells other nodes of this one's signals, and this one of theirs, for ever. Nothing to do on
    /// SQLite, which has one node.
    pub async fn relay_notifications(&self) {
        match &self.writer {
            Writer::Sqlite(_) => std::future::pending().await,
            Writer::Postgres(pools) => {
                postgres::relay_notifications(pools, &self.context.signals).await
            }
        }
    }

    /// Wakes all that other nodes do, as the last notification of this one.
    pub(crate) async fn notify_shutdown(&self) -> Result<()> {
        match &self.writer {
            Writer::Sqlite(_) => Ok(()),
            Writer::Postgres(pools) => postgres::notify_shutdown(&pools.shared).await,
        }
    }

    /// Tells other nodes now what this process has to tell: for one that ends at once, as a command does.
    /// Nothing to do on SQLite: a server on the same file cannot be told, and notices when what it
    /// remembers runs out.
    pub async fn notify(&self) -> Result<()> {
        if let Writer::Postgres(pools) = &self.writer {
            postgres::notify(&pools.shared, &self.context.signals).await?;
        }
        Ok(())
    }

    /// Whether the database answers, and can be written.
    ///
    /// # Errors
    /// [`Error::Unavailable`], with what the operator should know.
    pub async fn ping(&self) -> Result<()> {
        match &self.writer {
            Writer::Sqlite(writer) => {
                self.reader.execute_unprepared("SELECT 1").await?;
                writer.ping().await
            }
            Writer::Postgres(pools) => postgres::ping(pools).await,
        }
    }

    /// By how much the clock of the database's server is ahead of this machine's. SQLite has no other.
    pub async fn clock_ahead(&self) -> Result<TimeDelta> {
        match &self.writer {
            Writer::Sqlite(_) => Ok(TimeDelta::zero()),
            Writer::Postgres(pools) => {
                postgres::clock_ahead(&pools.shared, &self.context.clock).await
            }
        }
    }

    /// How many statements this store has run, transactions' brackets left out.
    pub fn statements(&self) -> u64 {
        self.reader.telemetry().statements()
    }

    /// Renews the statistics of a table into which many rows have just been written: PostgreSQL goes on with plans
    /// that were made while it was empty, until autovacuum comes by. SQLite's plans do not depend on them.
    pub async fn analyze(&self, table: impl EntityName) -> Result<()> {
        if self.engine == Engine::Postgres {
            let sql = format!("ANALYZE \"{}\"", table.table_name());
            self.reader.execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    /// The use of the connection pools, for metrics.
    pub fn pools(&self) -> Vec<Pool> {
        let other = self.schema_connection();
        let mut pools = vec![Pool::of(&self.reader)];
        if !other.is(&self.reader) {
            pools.push(Pool::of(other));
        }
        let replica = self.replica.as_ref().and_then(Replica::connections);
        pools.extend(replica.map(Pool::of));
        pools
    }

    /// How many writes wait for SQLite's writer. PostgreSQL has none.
    pub fn writer_queue(&self) -> Option<usize> {
        match &self.writer {
            Writer::Sqlite(writer) => Some(writer.queued()),
            Writer::Postgres(_) => None,
        }
    }

    /// Applies every migration that is missing, all or none. Several processes may do so at once: one
    /// works and the others wait.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        let schema = self.lock_schema().await?;
        Migrator::up(&schema.transaction, None).await?;
        schema.transaction.commit().await
    }

    /// Takes the last `steps` migrations back, all or none.
    pub async fn migrate_down(&self, steps: u32) -> Result<(), DbErr> {
        let schema = self.lock_schema().await?;
        Migrator::down(&schema.transaction, Some(steps)).await?;
        schema.transaction.commit().await
    }

    async fn lock_schema(&self) -> Result<Schema, DbErr> {
        match &self.writer {
            Writer::Sqlite(writer) => writer.lock_schema().await,
            Writer::Postgres(pools) => postgres::lock_schema(pools).await,
        }
    }

    /// Every migration and whether it has been applied. Changes nothing.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>, DbErr> {
        let connection = self.schema_connection();
        let applied = Migrator::get_applied_migrations_read_only(connection).await?;
        let pending = Migrator::get_pending_migrations_read_only(connection).await?;
        let named = |migrations: Vec<migration::Migration>, done| {
            migrations.into_iter().map(move |m| (m.name().to_owned(), done)).collect::<Vec<_>>()
        };
        Ok([named(applied, true), named(pending, false)].concat())
    }

    fn schema_connection(&self) -> &Connections {
        match &self.writer {
            Writer::Sqlite(writer) => writer.connections(),
            Writer::Postgres(pools) => &pools.direct,
        }
    }

    /// Waits for the writes that were begun and closes every connection.
    pub async fn close(self) -> Result<(), DbErr> {
        if let Some(replica) = &self.replica {
            replica.close().await?;
        }
        match &self.writer {
            Writer::Sqlite(writer) => writer.stop().await,
            Writer::Postgres(pools) => pools.direct.close().await?,
        }
        self.reader.close().await
    }
}

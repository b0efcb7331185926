//! The only room that knows which database this is.
//!
//! [`Store::read`] gives a connection for queries, [`Store::snapshot`] one state of the database for
//! several. [`Store::write`] runs a closure in one transaction and gives its result once that is
//! durable: on SQLite through one writer that commits what waits together, on PostgreSQL in a
//! transaction of its own, again from the start where others were in the way.

mod backfill_requests;
pub mod bulk;
mod catalogue;
pub mod children;
pub mod citus;
mod commit_marker;
mod connections;
pub mod dialect;
mod event_buffer;
mod failure;
pub mod fingerprint;
mod health;
mod inspection;
mod job;
mod local;
pub mod log;
mod notification;
mod options;
pub mod page;
pub mod parts;
mod positions;
mod postgres;
pub mod references;
mod remote;
mod replica;
mod revocations;
pub mod rows;
mod schema;
mod shared_read;
pub mod signal;
pub mod slow;
mod snapshot;
mod sqlite;
pub mod stored;
mod telemetry;
mod transaction;
mod tx;
pub mod versioned;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use sea_orm::DbErr;

use backfill_requests::BackfillRequests;
pub use catalogue::{
    Attachable, AttachmentAct, Catalogue, EnsureAttachable, HasAmounts, OnTimeZoneChange,
    ReadableScopes,
};
pub use connections::Connections;
pub use failure::DUPLICATE_POINTERS;
pub(crate) use inspection::Inspection;
pub(crate) use job::Interceptor;
use job::{Answer, Job};
pub use options::{ConnectError, Engine, Isolation, Options, Synchronous};
use remote::Fetched;
pub use remote::{Kept, Part, Remote};
use replica::Replica;
pub use replica::{NotAPosition, ReplicaStatus, WalPosition};
use revocations::RevocationCounter;
pub use revocations::{Revocations, SLOTS as REVOCATION_SLOTS};
use schema::Schema;
use signal::Signals;
pub use telemetry::{Observer, Pool};
pub use tx::Tx;

use crate::{
    clock::Clock,
    error::{Error, Result},
    objects::Objects,
    random::Random,
    seal::Keyring,
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

const NO_REPLICA_OF_SQLITE: &str = "\
DATABASE_REPLICA_URL names a replica, which only a PostgreSQL has: DATABASE_URL leads to SQLite";

/// What every transaction is handed besides its connection.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) keyring: Arc<Keyring>,
    /// Where parts of rows are kept, if not in them.
    remote: Option<Arc<dyn Remote>>,
    objects: Option<Objects>,
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
            remote: options.remote.clone(),
            objects: options.objects.clone(),
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

    /// What the domain has handed in.
    pub fn catalogue(&self) -> &'static Catalogue {
        self.context.catalogue
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
        let (mut interceptor, mut work, mut fetched) = (interceptor, work, Fetched::default());
        loop {
            let (job, answered) = job::job(interceptor, work, fetched.clone());
            self.start(job).await?;
            match answered.await.map_err(|_| self.unanswered())? {
                Answer::Done(result) => return result,
                Answer::Again(again) => {
                    self.fetch(&mut fetched, &again.parts).await?;
                    (interceptor, work) = (again.interceptor, again.work);
                }
            }
        }
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

    /// The keys of what is encrypted.
    pub fn keyring(&self) -> &Keyring {
        &self.context.keyring
    }

    /// Where the bytes of files are.
    ///
    /// # Errors
    /// [`Error::NotConfigured`] where nobody has said.
    pub fn objects(&self) -> Result<&Objects> {
        self.context.objects.as_ref().ok_or_else(|| Error::NotConfigured {
            code: "objects_not_configured",
            detail: "the operation requires a place for files in STEWARD_OBJECTS_URL".into(),
        })
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

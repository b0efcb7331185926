//! The only room that knows which database this is.
//!
//! [`Store::read`] gives a connection for queries, [`Store::snapshot`] one state of the database for
//! several. [`Store::write`] runs a closure in one
//! transaction and gives its result once that is durable: on SQLite through one writer that commits
//! what waits together, on PostgreSQL in a transaction of its own, again from the start where others
//! were in the way.

pub mod dialect;
mod failure;
pub mod log;
pub mod page;
mod postgres;
pub mod rows;
pub mod signal;
mod sqlite;
mod telemetry;
mod tx;
pub mod versioned;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, IsolationLevel, TransactionTrait};

use signal::{Signal, Signals};
pub use telemetry::Pool;
use tokio::sync::watch;
pub use tx::Tx;

use crate::{
    clock::Clock,
    error::{Error, Result},
    idempotency::Claim,
    random::Random,
    seal::Keyring,
};

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, in a file or in memory.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Engine {
    /// Its name, as `/ready` says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
        }
    }
}

/// How hard SQLite works for a commit to survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Every commit is on the disk before it is answered.
    #[default]
    Full,
    /// A power cut may take the last commits back, but never a part of one. For benchmarks.
    Normal,
}

/// What a store is connected with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections for reading on SQLite; for all on PostgreSQL.
    pub max_connections: u32,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
    /// How long one statement may take on PostgreSQL.
    pub statement_timeout: Duration,
    /// How long SQLite waits for another process that holds the file.
    pub busy_timeout: Duration,
    /// Whether SQLite's writer commits what waits together.
    pub group_commit: bool,
    /// SQLite's `synchronous`.
    pub synchronous: Synchronous,
    /// The time.
    pub clock: Clock,
    /// Ids and tokens.
    pub random: Random,
    /// The keys of what is encrypted.
    pub keyring: Keyring,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            busy_timeout: Duration::from_secs(5),
            group_commit: true,
            synchronous: Synchronous::Full,
            clock: Clock::system(),
            random: Random::system(),
            keyring: Keyring::default(),
        }
    }
}

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Not a URL of SQLite or PostgreSQL.
    #[error("DATABASE_URL must start with sqlite: or postgres:, for example sqlite://steward.db")]
    Url,
    /// The database does not answer as it should.
    #[error("cannot connect to the database: {0}{hint}", hint = tls_hint(.0))]
    Database(#[from] DbErr),
}

/// rustls refuses certificates that other clients let pass, even where TLS is only preferred.
fn tls_hint(error: &DbErr) -> &'static str {
    let text = error.to_string();
    if ["certificate", "tls", "TLS", "UnknownIssuer"].iter().any(|word| text.contains(word)) {
        ". The server's certificate was refused: add sslmode=verify-full&sslrootcert=FILE to \
         DATABASE_URL with the certificate's authority, or sslmode=disable on a network that you trust"
    } else {
        ""
    }
}

/// The database. Cheap to clone; every clone is the same store.
#[derive(Debug, Clone)]
pub struct Store {
    engine: Engine,
    reader: DatabaseConnection,
    writer: Writer,
    context: Context,
    telemetry: telemetry::Telemetry,
    claim: Option<Arc<Claim>>,
    following: bool,
}

#[derive(Debug, Clone)]
enum Writer {
    Sqlite(sqlite::Writer),
    Postgres(DatabaseConnection),
}

/// What every transaction is handed besides its connection.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) keyring: Arc<Keyring>,
    signals: Signals,
}

impl Store {
    /// Connects: `sqlite://steward.db` (made if it is not there), `sqlite::memory:` (one connection,
    /// kept for ever), or `postgres://…`.
    pub async fn connect(url: &str, options: Options) -> Result<Self, ConnectError> {
        let telemetry = telemetry::Telemetry::default();
        let context = Context {
            clock: options.clock.clone(),
            random: options.random.clone(),
            keyring: Arc::new(options.keyring.clone()),
            signals: Signals::default(),
        };
        let (engine, reader, writer) = if url.starts_with("sqlite:") {
            let (reader, connection) = sqlite::connect(url, &options, &telemetry).await?;
            let writer = sqlite::Writer::start(connection, context.clone(), options.group_commit);
            (Engine::Sqlite, reader, Writer::Sqlite(writer))
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let pool = postgres::connect(url, &options, &telemetry).await?;
            (Engine::Postgres, pool.clone(), Writer::Postgres(pool))
        } else {
            return Err(ConnectError::Url);
        };
        Ok(Self { engine, reader, writer, context, telemetry, claim: None, following: false })
    }

    /// This store for one write, whose answer is kept under a key.
    pub(crate) fn claiming(&self, claim: Claim) -> Self {
        Self { claim: Some(Arc::new(claim)), ..self.clone() }
    }

    /// This store for writes of which each statement sees what others have committed before it, and an
    /// update waits for theirs and goes on from what they wrote: for sums that many move at once, where
    /// running again would not end. On SQLite, which has one writer, every write is like that.
    pub(crate) fn following(&self) -> Self {
        Self { following: true, ..self.clone() }
    }

    /// A connection for queries.
    pub fn read(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// Runs `work` on `input` in one transaction, and gives its result once that is durable.
    ///
    /// `work` may run again from the start, so it does nothing outside the database. It runs to its
    /// end even if the one who waits for it goes away.
    pub async fn write<I, T, F>(&self, input: I, work: F) -> Result<T>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'a> Fn(&'a Tx, &'a I) -> BoxFuture<'a, Result<T>> + Send + Sync + 'static,
    {
        let Some(claim) = self.claim.clone() else { return self.run(input, work).await };
        claim.spend()?;
        self.run((claim, input, work), |tx, (claim, input, work)| {
            Box::pin(claim.around(tx, input, work))
        })
        .await
    }

    /// Keeps what was read as the answer of a claim, where there is one: for what writes nothing else.
    pub(crate) async fn keep<T: Clone + Send + Sync + 'static>(&self, read: T) -> Result<T> {
        if self.claim.is_none() {
            return Ok(read);
        }
        self.write(read, |_, read| Box::pin(async { Ok(read.clone()) })).await
    }

    async fn run<I, T, F>(&self, input: I, work: F) -> Result<T>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'a> Fn(&'a Tx, &'a I) -> BoxFuture<'a, Result<T>> + Send + Sync + 'static,
    {
        match &self.writer {
            Writer::Sqlite(writer) => writer.write(input, work).await,
            Writer::Postgres(pool) => {
                let isolation = self.following.then_some(IsolationLevel::ReadCommitted);
                postgres::write((pool.clone(), isolation), self.context.clone(), input, work).await
            }
        }
    }

    /// Runs `work` on one state of the database: for answers that several statements make.
    ///
    /// In a task of its own, for the reason that PostgreSQL's writes are: a request that goes away
    /// must not cancel a BEGIN.
    pub async fn snapshot<I, T, F>(&self, input: I, work: F) -> Result<T>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'a> FnOnce(&'a Tx, &'a I) -> BoxFuture<'a, Result<T>> + Send + 'static,
    {
        let (reader, context) = (self.reader.clone(), self.context.clone());
        let task = tokio::spawn(async move {
            let tx = Tx::new(reader.begin().await?, context);
            let result = work(&tx, &input).await;
            // There is nothing to keep, and the connection notices a failed rollback.
            let _ = tx.rollback().await;
            result
        });
        task.await.map_err(|error| Error::Internal(format!("a snapshot ended early: {error}")))?
    }

    /// Which database this is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        self.context.clock.now()
    }

    /// Randomness.
    pub fn random(&self) -> &Random {
        &self.context.random
    }

    /// How often something was revoked, as far as this node knows.
    pub(crate) fn revocations(&self) -> u64 {
        self.context.signals.count(Signal::Revoked)
    }

    /// The keys of what is encrypted.
    pub fn keyring(&self) -> &Keyring {
        &self.context.keyring
    }

    /// The way to wait for a signal, of this node or of another ([`Self::relay`]).
    pub fn watch(&self, signal: Signal) -> watch::Receiver<u64> {
        self.context.signals.watch(signal)
    }

    /// Tells other nodes of this one's signals, and this one of theirs, for ever. Nothing to do on
    /// SQLite, which has one node.
    pub async fn relay(&self) {
        match &self.writer {
            Writer::Sqlite(_) => std::future::pending().await,
            Writer::Postgres(pool) => postgres::relay(pool, &self.context.signals).await,
        }
    }

    /// Tells other nodes now what this process has to tell: for one that ends at once, as a command does.
    /// Nothing to do on SQLite: a server on the same file cannot be told, and notices when what it
    /// remembers runs out.
    pub async fn notify(&self) -> Result<()> {
        if let Writer::Postgres(pool) = &self.writer {
            postgres::notify(pool, &self.context.signals).await?;
        }
        Ok(())
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.reader.execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// How many statements this store has run, transactions' brackets left out.
    pub fn statements(&self) -> u64 {
        self.telemetry.statements()
    }

    /// The use of the connection pools, for metrics.
    pub fn pools(&self) -> Vec<Pool> {
        let mut pools = vec![Pool::of("read", &self.reader)];
        if let Writer::Sqlite(writer) = &self.writer {
            pools.push(Pool::of("write", writer.connection()));
        }
        pools
    }

    /// Applies every migration that is missing. Several nodes may do so at once: on PostgreSQL one
    /// works and the others wait, and all is applied or nothing.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        match &self.writer {
            Writer::Sqlite(writer) => Migrator::up(writer.connection(), None).await,
            Writer::Postgres(pool) => {
                let schema = postgres::hold_schema(pool).await?;
                Migrator::up(&schema, None).await?;
                schema.commit().await
            }
        }
    }

    /// Takes the last `steps` migrations back.
    pub async fn migrate_down(&self, steps: u32) -> Result<(), DbErr> {
        match &self.writer {
            Writer::Sqlite(writer) => Migrator::down(writer.connection(), Some(steps)).await,
            Writer::Postgres(pool) => {
                let schema = postgres::hold_schema(pool).await?;
                Migrator::down(&schema, Some(steps)).await?;
                schema.commit().await
            }
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

    fn schema_connection(&self) -> &DatabaseConnection {
        match &self.writer {
            Writer::Sqlite(writer) => writer.connection(),
            Writer::Postgres(pool) => pool,
        }
    }

    /// Waits for the writes that were begun and closes every connection.
    pub async fn close(self) -> Result<(), DbErr> {
        match &self.writer {
            Writer::Sqlite(writer) => writer.stop().await,
            Writer::Postgres(_) => {}
        }
        self.reader.clone().close().await
    }
}

//! What a store is connected with, and why it is not.

use std::{path::PathBuf, sync::Arc, time::Duration};

use sea_orm::DbErr;

use super::{Observer, Remote};
use crate::{clock::Clock, objects::Objects, random::Random, seal::Keyring};

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

/// What the statements of a write see of other transactions on PostgreSQL. SQLite has one writer: a
/// write sees all that was committed before it, and nothing is committed meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// One state of the database: a write that conflicts with another runs again from the start.
    #[default]
    RepeatableRead,
    /// What was committed before each statement: an update waits for those of others and goes on
    /// from what they wrote. For sums that many move at once, where running again would not end.
    ReadCommitted,
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
    /// How long a statement takes that is slow: it is counted, and logged with its plan.
    pub slow_statement: Duration,
    /// How long SQLite waits for another process that holds the file.
    pub busy_timeout: Duration,
    /// How much of the database SQLite's connections keep in memory, all together, in MiB. What they do not keep
    /// the system does, where it has room.
    pub cache_mib: u32,
    /// Whether SQLite's writer commits what waits together.
    pub group_commit: bool,
    /// SQLite's `synchronous`.
    pub synchronous: Synchronous,
    /// Whether this process is to be the only one that serves a SQLite file. Others may still open
    /// it: the command line does.
    pub exclusive: bool,
    /// The URL of the same PostgreSQL database without a pooler between, for what needs a session of
    /// its own: LISTEN, and the lock of the schema. Without it, there is no pooler.
    pub direct_url: Option<String>,
    /// The URL of a streaming replica of the same PostgreSQL database, for reads that need not be made where writes
    /// are.
    pub replica_url: Option<String>,
    /// How long a read waits for the replica to show what its reader was shown before the primary answers it.
    pub replica_wait: Duration,
    /// The time.
    pub clock: Clock,
    /// Ids and tokens.
    pub random: Random,
    /// The keys of what is encrypted.
    pub keyring: Keyring,
    /// Where the bytes of files are, if anywhere.
    pub objects: Option<Objects>,
    /// What is told of every statement.
    pub observer: Option<Observer>,
    /// Where parts of rows are kept, if not in them.
    pub remote: Option<Arc<dyn Remote>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            slow_statement: Duration::from_millis(500),
            busy_timeout: Duration::from_secs(5),
            cache_mib: 32,
            group_commit: true,
            synchronous: Synchronous::Full,
            exclusive: false,
            direct_url: None,
            replica_url: None,
            replica_wait: Duration::from_millis(200),
            clock: Clock::system(),
            random: Random::system(),
            keyring: Keyring::default(),
            objects: None,
            observer: None,
            remote: None,
        }
    }
}

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Not a URL of SQLite or PostgreSQL.
    #[error("DATABASE_URL must start with sqlite: or postgres:, for example sqlite://steward.db")]
    Url,
    /// Another process serves the same SQLite file.
    #[error(
        "{} is served already, by {holder}: two servers on one file would not hear of each other. \
         Stop that one, or use PostgreSQL", .database.display()
    )]
    Served {
        /// The file.
        database: PathBuf,
        /// Who serves it, and since when.
        holder: String,
    },
    /// The lock of a SQLite file cannot be taken, for another reason than that it is held.
    #[error("cannot lock {}: {cause}", .path.display())]
    Lock {
        /// The file that is locked.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// A setting of steward's does not reach PostgreSQL, which would then be used wrongly in silence.
    #[error("{0}")]
    Session(String),
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

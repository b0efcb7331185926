//! SQLite: many connections that read, and one writer ([`writer`]).

mod commits;
mod file;
mod writer;

use std::sync::Arc;

use sea_orm::{
    DbErr, SqlxSqliteConnector,
    sqlx::{
        ConnectOptions, SqliteConnection,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    },
};

pub(super) use self::writer::{Writer, stopped};
use self::{commits::CommitCounter, file::DataFile};
use super::{
    ConnectError, Context, Options, Synchronous, connections::Connections, telemetry::Telemetry,
};

/// What a connection may keep of the database in memory at least, in KiB: SQLite's own default.
const MIN_CACHE_KIB: u32 = 2000;

/// How many rows a connection makes ahead of the one who reads them. A whole page fits, so that its
/// thread need not wait for the reader's.
const ROW_BUFFER_SIZE: usize = 512;

/// How large the write-ahead log stays once it has been written into the database, in bytes. A transaction of many
/// rows, or a reader who stays for long, makes it larger meanwhile, and SQLite would leave it so.
const JOURNAL_SIZE_LIMIT: &str = "8388608";

/// Gives the connections for reading, and the writer.
pub(super) async fn connect(
    url: &str,
    options: &Options,
    context: &Context,
    telemetry: &Telemetry,
) -> Result<(Connections, Writer), ConnectError> {
    let parsed: SqliteConnectOptions = url.parse().map_err(driver_error)?;
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let path = (!in_memory).then(|| parsed.get_filename().to_owned());
    let lock = match &path {
        Some(path) if options.exclusive => Some(file::lock(path, options.clock.now())?),
        _ => None,
    };
    let settings = settings(parsed, in_memory, options);
    let pool = |size: u32| {
        SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(size)
            .acquire_timeout(options.acquire_timeout)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
    };
    let keeper = match in_memory {
        true => Some(connect_keeper(&settings).await.map_err(driver_error)?),
        false => None,
    };
    let commits = CommitCounter::default();
    let counted = commits.clone();
    let one = pool(1).after_connect(move |connection, _| {
        let counted = counted.clone();
        Box::pin(async move { counted.count_on(connection).await })
    });
    let with_cache = |connections| {
        let size = format!("-{}", cache_kib(options, connections));
        settings.clone().pragma("cache_size", size)
    };
    // Every write touches pages all over the indexes: the writer has as much as all that read.
    let one = one.connect_with(with_cache(1)).await.map_err(driver_error)?;
    let connections = |name, pool, size| {
        let pool = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
        Connections::of(name, pool, size, options.acquire_timeout, telemetry)
    };
    let single = connections("write", one, 1);
    let gone = |error: std::io::Error| DbErr::Custom(format!("the database's file: {error}"));
    let file = path.map(|path| DataFile::opened(path, lock)).transpose().map_err(gone)?;
    let reader = if in_memory {
        single.clone()
    } else {
        let many = pool(options.max_connections)
            .connect_with(with_cache(options.max_connections).pragma("query_only", "on"))
            .await
            .map_err(driver_error)?;
        connections("read", many, options.max_connections)
    };
    let writer = Writer::start(writer::Parts {
        connections: single,
        context: context.clone(),
        group_commit: options.group_commit,
        commits,
        file,
        keeper,
    });
    Ok((reader, writer))
}

fn settings(
    parsed: SqliteConnectOptions,
    in_memory: bool,
    options: &Options,
) -> SqliteConnectOptions {
    parsed
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(if in_memory { SqliteJournalMode::Memory } else { SqliteJournalMode::Wal })
        .synchronous(match options.synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        })
        .busy_timeout(options.busy_timeout)
        .pragma("temp_store", "memory")
        .pragma("journal_size_limit", JOURNAL_SIZE_LIMIT)
        .statement_cache_capacity(512)
        .row_buffer_size(ROW_BUFFER_SIZE)
}

/// Of one of so many connections, which share half of the cache.
fn cache_kib(options: &Options, connections: u32) -> u32 {
    (options.cache_mib.saturating_mul(512) / connections).max(MIN_CACHE_KIB)
}

/// A database in memory is there as long as a connection to it is, and a connection that failed is
/// closed: this one is never used.
async fn connect_keeper(
    settings: &SqliteConnectOptions,
) -> Result<Arc<SqliteConnection>, sea_orm::sqlx::Error> {
    settings.connect().await.map(Arc::new)
}

fn driver_error(error: sea_orm::sqlx::Error) -> DbErr {
    DbErr::Conn(sea_orm::RuntimeErr::SqlxError(Arc::new(error)))
}

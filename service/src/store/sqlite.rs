//! SQLite: many connections that read, and one writer.
//!
//! The writer takes what waits, runs each closure in a savepoint of its own inside one transaction,
//! commits once, and then answers all. A closure belongs to the writer: a request that goes away
//! leaves nothing half done.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{
    DatabaseConnection, DbErr, SqliteTransactionMode, SqlxSqliteConnector, TransactionOptions,
    TransactionTrait,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::{mpsc, oneshot};

use super::{Context, Options, Synchronous, Tx, telemetry::Telemetry};
use crate::error::{Error, Result};

/// How many closures may wait before their callers wait to wait.
const QUEUE: usize = 1024;
/// How many closures one transaction takes at most, so that the first is answered in good time.
const BATCH: usize = 256;
/// What a connection may keep of the database in memory, in KiB.
const CACHE_KIB: u32 = 64 * 1024;

/// How many rows a connection makes ahead of the one who reads them. A whole page fits, so that its
/// thread need not wait for the reader's.
const ROWS_AHEAD: usize = 512;

/// Gives the connections for reading and the one for writing.
pub(super) async fn connect(
    url: &str,
    options: &Options,
    telemetry: &Telemetry,
) -> Result<(DatabaseConnection, DatabaseConnection), DbErr> {
    let parsed: SqliteConnectOptions = url.parse().map_err(driver_error)?;
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let settings = parsed
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(if in_memory { SqliteJournalMode::Memory } else { SqliteJournalMode::Wal })
        .synchronous(match options.synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        })
        .busy_timeout(options.busy_timeout)
        .pragma("cache_size", format!("-{CACHE_KIB}"))
        .pragma("temp_store", "memory")
        .statement_cache_capacity(512)
        .row_buffer_size(ROWS_AHEAD);
    let pool = |size: u32| {
        SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(size)
            .acquire_timeout(options.acquire_timeout)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
    };
    let one = pool(1).connect_with(settings.clone()).await.map_err(driver_error)?;
    let mut writer = SqlxSqliteConnector::from_sqlx_sqlite_pool(one);
    telemetry.watch(&mut writer);
    if in_memory {
        return Ok((writer.clone(), writer));
    }
    let many = pool(options.max_connections)
        .connect_with(settings.pragma("query_only", "on"))
        .await
        .map_err(driver_error)?;
    let mut reader = SqlxSqliteConnector::from_sqlx_sqlite_pool(many);
    telemetry.watch(&mut reader);
    Ok((reader, writer))
}

fn driver_error(error: sea_orm::sqlx::Error) -> DbErr {
    DbErr::Conn(sea_orm::RuntimeErr::SqlxError(Arc::new(error)))
}

/// The way to the task that writes.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
    connection: DatabaseConnection,
}

impl Writer {
    pub(super) fn start(connection: DatabaseConnection, context: Context, group: bool) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let limit = if group { BATCH } else { 1 };
        tokio::spawn(serve(waiting, connection.clone(), context, limit));
        Self { queue, connection }
    }

    pub(super) fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    pub(super) async fn write<I, T, F>(&self, input: I, work: F) -> Result<T>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'a> Fn(&'a Tx, &'a I) -> BoxFuture<'a, Result<T>> + Send + Sync + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Work { input, work, outcome: None, answer });
        let stopped = || Error::Unavailable("the writer has stopped".into());
        self.queue.send(job).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    /// Waits until what was begun is done.
    pub(super) async fn stop(&self) {
        let _ = self.write((), |_, ()| Box::pin(async { Ok(()) })).await;
        let _ = self.connection.clone().close().await;
    }
}

/// How a closure ended, as far as the transaction cares.
enum Ended {
    /// It stands, if the transaction does.
    Done,
    /// It failed, or wants nothing kept: its own changes go.
    Failed,
    /// The database itself failed under it: SQLite may have taken the whole transaction back
    /// already, so nothing of it can stand.
    Broken,
}

/// A closure that waits for the writer, with its input and the one to be answered.
trait Job: Send {
    fn run<'a>(&'a mut self, tx: &'a Tx) -> BoxFuture<'a, Ended>;
    fn abandoned(&self) -> bool;
    fn answer(self: Box<Self>, committed: Result<(), String>);
}

struct Work<I, T, F> {
    input: I,
    work: F,
    outcome: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
}

impl<I, T, F> Job for Work<I, T, F>
where
    I: Send + Sync,
    T: Send,
    F: for<'a> Fn(&'a Tx, &'a I) -> BoxFuture<'a, Result<T>> + Send + Sync,
{
    fn run<'a>(&'a mut self, tx: &'a Tx) -> BoxFuture<'a, Ended> {
        Box::pin(async move {
            let work = AssertUnwindSafe((self.work)(tx, &self.input)).catch_unwind();
            let mut outcome = work.await.unwrap_or_else(|_| Err(Error::Internal("a panic".into())));
            if outcome.is_ok()
                && !tx.is_undone()
                && let Err(error) = tx.write_events().await
            {
                outcome = Err(error);
            }
            let ended = match &outcome {
                Ok(_) if tx.is_undone() => Ended::Failed,
                Ok(_) => Ended::Done,
                Err(Error::Unavailable(_)) => Ended::Broken,
                Err(_) => Ended::Failed,
            };
            self.outcome = Some(outcome);
            ended
        })
    }

    fn abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn answer(self: Box<Self>, committed: Result<(), String>) {
        let answer = match (self.outcome, committed) {
            (Some(outcome), Ok(())) => outcome,
            (Some(Err(Error::Unavailable(reason))), Err(_)) | (_, Err(reason)) => {
                // What was refused, too: it may have been for what another one of this
                // transaction had written, and that is gone.
                Err(Error::Unavailable(reason))
            }
            (None, Ok(())) => Err(Error::Internal("the writer did not run this".into())),
        };
        // Nobody may be waiting any more, and that is their right.
        let _ = self.answer.send(answer);
    }
}

async fn serve(
    mut waiting: mpsc::Receiver<Box<dyn Job>>,
    connection: DatabaseConnection,
    context: Context,
    limit: usize,
) {
    while let Some(first) = waiting.recv().await {
        if first.abandoned() {
            continue;
        }
        metrics::gauge!("steward_writer_queue").set(waiting.len() as f64);
        let (jobs, committed) =
            transaction(first, &mut waiting, &connection, &context, limit).await;
        metrics::histogram!("steward_writer_batch").record(jobs.len() as f64);
        let committed = committed.map_err(|error| match Error::from(error) {
            Error::Unavailable(reason) => reason,
            other => other.to_string(),
        });
        for job in jobs {
            job.answer(committed.clone());
        }
    }
}

/// Runs `first` and what else waits in one transaction. The first has it to itself until it is
/// done, and so needs no savepoint.
async fn transaction(
    mut first: Box<dyn Job>,
    waiting: &mut mpsc::Receiver<Box<dyn Job>>,
    connection: &DatabaseConnection,
    context: &Context,
    limit: usize,
) -> (Vec<Box<dyn Job>>, Result<(), DbErr>) {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let tx = match connection.begin_with_options(immediate).await {
        Ok(transaction) => Tx::new(transaction, context.clone()),
        // Whoever waits for the file to be let go has waited long enough, too.
        Err(error) => {
            let waited = std::iter::from_fn(|| waiting.try_recv().ok());
            return (std::iter::once(first).chain(waited).collect(), Err(error));
        }
    };
    let ended = first.run(&tx).await;
    let mut jobs = vec![first];
    if !matches!(ended, Ended::Done) {
        let rolled_back = tx.rollback().await;
        return (jobs, rolled_back);
    }
    while jobs.len() < limit {
        let Ok(mut job) = waiting.try_recv() else { break };
        if job.abandoned() {
            continue;
        }
        let ended = in_savepoint(&tx, &mut job).await;
        jobs.push(job);
        if let Err(error) = ended {
            let _ = tx.rollback().await;
            return (jobs, Err(error));
        }
    }
    (jobs, tx.commit().await)
}

/// An error means that the whole transaction is lost.
async fn in_savepoint(tx: &Tx, job: &mut Box<dyn Job>) -> Result<(), DbErr> {
    let savepoint = tx.savepoint().await?;
    match job.run(&savepoint).await {
        Ended::Done => savepoint.commit().await,
        Ended::Failed => savepoint.rollback().await,
        Ended::Broken => {
            let _ = savepoint.rollback().await;
            Err(DbErr::Custom("another write of the same commit failed; try again".into()))
        }
    }
}

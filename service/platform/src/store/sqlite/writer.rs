//! The one who writes.
//!
//! It takes what waits, runs each closure inside one transaction, commits once, and then answers all. A closure that
//! fails before it has written anything leaves nothing to take back. Where one has written, the transaction begins
//! again, and each closure has a savepoint of its own. A closure belongs to the writer: a request that goes away leaves
//! nothing half done. Nobody is answered before the commit is known, and after a failure nothing is
//! written before a commit of the writer's own has succeeded.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{
    DbErr, RuntimeErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sqlx::SqliteConnection,
};
use tokio::sync::{mpsc, oneshot};

use super::{
    commits::{CommitCount, CommitCounter},
    file::DataFile,
};
use crate::{
    error::{Error, Result},
    store::{
        Context, Schema, Tx,
        connections::Connections,
        transaction::{Begin, Transaction},
    },
};

/// How many closures may wait before their callers wait to wait.
const QUEUE_CAPACITY: usize = 1024;
/// How many closures one transaction takes at most.
const MAX_BATCH: usize = 256;
/// How long a transaction goes on taking closures, so that the first is answered in good time and
/// whoever comes next waits no longer.
const MAX_BATCH_TIME: Duration = Duration::from_millis(50);
/// For how many transactions each closure has a savepoint, once one had to begin again: who fails
/// once may go on doing so.
const SAVEPOINT_BATCHES: u32 = 32;
/// How long the writer may take to say that it is there.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// What a writer is made of.
pub(super) struct Parts {
    pub(super) connections: Connections,
    pub(super) context: Context,
    pub(super) group_commit: bool,
    pub(super) commits: CommitCounter,
    /// None in memory.
    pub(super) file: Option<DataFile>,
    /// In memory alone.
    pub(super) keeper: Option<Arc<SqliteConnection>>,
}

/// The way to the task that writes.
#[derive(Debug, Clone)]
pub(in crate::store) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
    connections: Connections,
}

impl Writer {
    pub(super) fn start(parts: Parts) -> Self {
        let (sender, queue) = mpsc::channel(QUEUE_CAPACITY);
        let connections = parts.connections.clone();
        let task = WriterTask { parts, queue, failure: Failure::default(), savepoint_batches: 0 };
        tokio::spawn(task.run());
        Self { queue: sender, connections }
    }

    pub(in crate::store) fn connections(&self) -> &Connections {
        &self.connections
    }

    /// A transaction in which the schema can be changed: migrations take SeaORM's own. SeaORM itself
    /// begins none on SQLite, and a process that ends in the middle of a migration would leave half of
    /// it, which could neither be gone on with nor taken back.
    pub(in crate::store) async fn lock_schema(&self) -> Result<Schema, DbErr> {
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let permit = self.connections.reserve().await?;
        Ok(Schema {
            transaction: permit.pool.begin_with_options(immediate).await?,
            _permit: permit,
        })
    }

    pub(in crate::store) async fn write<I, T, F>(&self, input: I, work: F) -> Result<T>
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

    /// Whether it can write. After a failure, it finds out by writing.
    pub(in crate::store) async fn ping(&self) -> Result<()> {
        let nothing = self.write((), |tx, ()| {
            tx.set_rollback_only();
            Box::pin(async { Ok(()) })
        });
        let late = |_| Error::Unavailable("the writer does not answer".into());
        tokio::time::timeout(PING_TIMEOUT, nothing).await.map_err(late)?
    }

    /// Waits until what was begun is done.
    pub(in crate::store) async fn stop(&self) {
        let _ = self.write((), |_, ()| Box::pin(async { Ok(()) })).await;
        let _ = self.connections.close().await;
    }
}

/// How a closure ended, as far as the transaction cares.
enum JobOutcome {
    /// It stands, if the transaction does.
    Done,
    /// It failed, or wants nothing kept: its own changes go.
    Failed,
    /// The database itself failed under it: SQLite may have taken the whole transaction back
    /// already, so nothing of it can stand.
    Broken(String),
}

/// What has become of a transaction that is not known to be committed.
#[derive(Debug, Clone)]
enum CommitFailure {
    /// Nothing of it is there, and nothing of it will be.
    Refused(String),
    /// Nobody knows.
    Unknown(String),
}

/// A closure that waits for the writer, with its input and the one to be answered.
trait Job: Send {
    fn run<'a>(&'a mut self, tx: &'a Tx) -> BoxFuture<'a, JobOutcome>;
    fn is_abandoned(&self) -> bool;
    fn answer(self: Box<Self>, committed: Result<(), CommitFailure>);
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
    fn run<'a>(&'a mut self, tx: &'a Tx) -> BoxFuture<'a, JobOutcome> {
        Box::pin(async move {
            let work = AssertUnwindSafe((self.work)(tx, &self.input)).catch_unwind();
            let mut outcome = work.await.unwrap_or_else(|_| Err(Error::Internal("a panic".into())));
            if outcome.is_ok()
                && !tx.is_rollback_only()
                && let Err(error) = tx.finish().await
            {
                outcome = Err(error);
            }
            let ended = match &outcome {
                Ok(_) if tx.is_rollback_only() => JobOutcome::Failed,
                Ok(_) => JobOutcome::Done,
                Err(Error::Unavailable(reason)) => JobOutcome::Broken(reason.clone()),
                Err(_) => JobOutcome::Failed,
            };
            self.outcome = Some(outcome);
            ended
        })
    }

    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn answer(self: Box<Self>, committed: Result<(), CommitFailure>) {
        let answer = match (self.outcome, committed) {
            (Some(outcome), Ok(())) => outcome,
            // What was refused, too: it may have been for what another one of this transaction had
            // written, and that is gone.
            (_, Err(CommitFailure::Refused(reason))) => Err(Error::Unavailable(reason)),
            (_, Err(CommitFailure::Unknown(reason))) => Err(Error::OutcomeUnknown(reason)),
            (None, Ok(())) => Err(Error::Internal("the writer did not run this".into())),
        };
        // Nobody may be waiting any more, and that is their right.
        let _ = self.answer.send(answer);
    }
}

/// The task that writes.
struct WriterTask {
    parts: Parts,
    queue: mpsc::Receiver<Box<dyn Job>>,
    failure: Failure,
    /// For how many more transactions each closure has a savepoint.
    savepoint_batches: u32,
}

/// How the closures of a transaction ended.
enum BatchOutcome {
    /// Some of them stand, if the transaction does.
    Written,
    /// There is nothing to keep.
    Nothing,
    /// One has failed that had written: the others are to run again.
    Retry,
    Broken(String),
}

impl WriterTask {
    async fn run(mut self) {
        while let Some(first) = self.queue.recv().await {
            if first.is_abandoned() {
                continue;
            }
            metrics::gauge!("steward_writer_queue").set(self.queue.len() as f64);
            if let Err(reason) = self.recover().await {
                self.refuse(first, &CommitFailure::Refused(reason));
                continue;
            }
            let (jobs, committed) = self.transaction(first).await;
            metrics::histogram!("steward_writer_batch").record(jobs.len() as f64);
            for job in jobs {
                job.answer(committed.clone());
            }
        }
        drop(self.parts.keeper);
    }

    /// Answers one job, and all that wait: they have waited long enough, too.
    fn refuse(&mut self, first: Box<dyn Job>, why: &CommitFailure) {
        first.answer(Err(why.clone()));
        while let Ok(job) = self.queue.try_recv() {
            job.answer(Err(why.clone()));
        }
    }

    /// Whether the database can be written, as far as one can know before: the file is the one that
    /// was opened, and where the last transaction was lost, another one has been committed since.
    async fn recover(&self) -> Result<(), String> {
        if let Some(Err(reason)) = self.parts.file.as_ref().map(DataFile::check) {
            self.failure.set(&reason);
            return Err(reason);
        }
        if !self.failure.is_set() {
            return Ok(());
        }
        if let Err(error) = self.probe().await {
            let reason = reason(error);
            self.failure.set(&reason);
            return Err(reason);
        }
        self.failure.clear();
        Ok(())
    }

    /// Commits something: the header is written again as it is.
    ///
    /// It takes the place in the write-ahead log of the frames of a transaction whose COMMIT failed,
    /// so that these cannot come back when the log is read after a crash.
    async fn probe(&self) -> Result<(), DbErr> {
        let transaction = self.begin().await?;
        transaction.execute_unprepared("PRAGMA user_version = 0").await?;
        transaction.commit().await
    }

    async fn begin(&self) -> Result<Transaction, DbErr> {
        Transaction::begin(&self.parts.connections, Begin::Immediate).await
    }

    /// Runs `first` and what else waits in one transaction.
    async fn transaction(
        &mut self,
        first: Box<dyn Job>,
    ) -> (Vec<Box<dyn Job>>, Result<(), CommitFailure>) {
        let mut jobs = vec![first];
        loop {
            let tx = match self.begin().await {
                Ok(transaction) => Tx::for_single_writer(transaction, self.parts.context.clone()),
                Err(error) => return self.not_begun(jobs, error),
            };
            // Once the connection is the writer's: in memory, readers take their transactions back on it.
            let commits = self.parts.commits.read();
            match self.run_jobs(&tx, &mut jobs, commits).await {
                BatchOutcome::Written => {
                    let committed = self.finish(tx, commits).await;
                    return (jobs, committed);
                }
                BatchOutcome::Nothing => {
                    tx.rollback().await;
                    return (jobs, Ok(()));
                }
                BatchOutcome::Retry => {
                    tx.rollback().await;
                    self.savepoint_batches = SAVEPOINT_BATCHES;
                }
                BatchOutcome::Broken(reason) => return (jobs, Err(self.broken(&tx, reason).await)),
            }
        }
    }

    /// Runs the jobs, and adds to them what else waits.
    async fn run_jobs(
        &mut self,
        tx: &Tx,
        jobs: &mut Vec<Box<dyn Job>>,
        commits: CommitCount,
    ) -> BatchOutcome {
        let begun = Instant::now();
        let limit = if self.parts.group_commit { MAX_BATCH } else { 1 };
        let has_savepoints = self.savepoint_batches > 0;
        self.savepoint_batches = self.savepoint_batches.saturating_sub(1);
        let (mut next, mut ran) = (0, BatchOutcome::Nothing);
        loop {
            if next == jobs.len() {
                if next >= limit || begun.elapsed() >= MAX_BATCH_TIME {
                    return ran;
                }
                match self.queue.try_recv() {
                    Ok(job) if job.is_abandoned() => continue,
                    Ok(job) => jobs.push(job),
                    Err(_) => return ran,
                }
            }
            let Some(job) = jobs.get_mut(next) else { return ran };
            next += 1;
            let ended = if has_savepoints {
                run_in_savepoint(tx, job).await
            } else {
                run_without_savepoint(tx, job).await
            };
            match ended {
                BatchOutcome::Written => ran = BatchOutcome::Written,
                BatchOutcome::Nothing => {}
                // Nobody else's would be lost with it.
                BatchOutcome::Retry
                    if matches!(ran, BatchOutcome::Nothing) && next == jobs.len() =>
                {
                    return ran;
                }
                ended @ (BatchOutcome::Retry | BatchOutcome::Broken(_)) => return ended,
            }
            if self.parts.commits.read() != commits {
                return BatchOutcome::Broken(
                    "SQLite has taken the transaction back by itself".into(),
                );
            }
        }
    }

    /// Writes what is written once for all, and commits.
    async fn finish(&self, tx: Tx, commits: CommitCount) -> Result<(), CommitFailure> {
        let written = async {
            tx.finish().await?;
            Ok::<_, Error>(tx.write_heads().await?)
        };
        if let Err(error) = written.await {
            return Err(self.broken(&tx, error.to_string()).await);
        }
        self.commit(tx, commits).await
    }

    fn not_begun(
        &mut self,
        mut jobs: Vec<Box<dyn Job>>,
        error: DbErr,
    ) -> (Vec<Box<dyn Job>>, Result<(), CommitFailure>) {
        let reason = reason(error);
        self.failure.set(&reason);
        jobs.extend(std::iter::from_fn(|| self.queue.try_recv().ok()));
        (jobs, Err(CommitFailure::Refused(reason)))
    }

    async fn broken(&self, tx: &Tx, reason: String) -> CommitFailure {
        self.failure.set(&reason);
        tx.rollback().await;
        CommitFailure::Refused(reason)
    }

    /// Commits, and knows afterwards whether it did.
    async fn commit(&self, tx: Tx, before: CommitCount) -> Result<(), CommitFailure> {
        let error = match tx.commit().await {
            Ok(()) if self.parts.commits.is_one_after(before) => {
                tx.close().publish();
                return Ok(());
            }
            Ok(()) => {
                let reason = "a batch did not run in one transaction: this is a defect".to_owned();
                self.failure.set(&reason);
                return Err(CommitFailure::Unknown(reason));
            }
            Err(error) => error,
        };
        let full = is_full(&error);
        let reason = reason(error);
        self.failure.set(&reason);
        let marker = tx.commit_marker();
        let announcement = tx.close();
        if self.recover().await.is_err() {
            // A full disk has no room for the frame that makes a transaction one.
            return Err(if full {
                CommitFailure::Refused(reason)
            } else {
                CommitFailure::Unknown(reason)
            });
        }
        let Some(marker) = marker else { return Err(CommitFailure::Refused(reason)) };
        match marker.exists(&self.parts.connections).await {
            Ok(true) => {
                announcement.publish();
                Ok(())
            }
            Ok(false) => Err(CommitFailure::Refused(reason)),
            Err(_) => Err(CommitFailure::Unknown(reason)),
        }
    }
}

async fn run_in_savepoint(tx: &Tx, job: &mut Box<dyn Job>) -> BatchOutcome {
    let part = match tx.begin_savepoint().await {
        Ok(part) => part,
        Err(error) => return BatchOutcome::Broken(error.to_string()),
    };
    let ended = job.run(&part).await;
    let kept = match ended {
        JobOutcome::Done => part.release_into(tx).await.map(|()| BatchOutcome::Written),
        JobOutcome::Failed => part.rollback_to().await.map(|()| BatchOutcome::Nothing),
        JobOutcome::Broken(reason) => return BatchOutcome::Broken(reason),
    };
    kept.unwrap_or_else(|error| BatchOutcome::Broken(reason(error)))
}

async fn run_without_savepoint(tx: &Tx, job: &mut Box<dyn Job>) -> BatchOutcome {
    let part = tx.nested();
    match job.run(&part).await {
        JobOutcome::Done => match part.merge_into(tx).await {
            Ok(()) => BatchOutcome::Written,
            Err(error) => BatchOutcome::Broken(reason(error)),
        },
        JobOutcome::Failed if part.has_written() => BatchOutcome::Retry,
        JobOutcome::Failed => BatchOutcome::Nothing,
        JobOutcome::Broken(reason) => BatchOutcome::Broken(reason),
    }
}

/// Whether there was no room (SQLITE_FULL).
fn is_full(error: &DbErr) -> bool {
    let DbErr::Exec(RuntimeErr::SqlxError(cause)) = error else { return false };
    cause.as_database_error().and_then(|cause| cause.code()).is_some_and(|code| code == "13")
}

fn reason(error: DbErr) -> String {
    match Error::from(error) {
        Error::Unavailable(reason) => reason,
        other => other.to_string(),
    }
}

/// Why nothing can be written, if so; told in the log when it begins, changes and ends.
#[derive(Debug, Default)]
struct Failure(Mutex<Option<String>>);

impl Failure {
    fn is_set(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn set(&self, reason: &str) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_deref() != Some(reason) {
            tracing::error!(reason, "the database cannot be written: writes are refused");
            *current = Some(reason.to_owned());
        }
        metrics::gauge!("steward_writer_failed").set(1.0);
    }

    fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        tracing::info!("the database can be written again");
        metrics::gauge!("steward_writer_failed").set(0.0);
    }
}

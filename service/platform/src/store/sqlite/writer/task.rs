//! The task that writes: what waits goes into one transaction, and is answered once that is committed.

use std::time::{Duration, Instant};

use sea_orm::DbErr;
use tokio::sync::mpsc;
use tracing::{Instrument, Span, field::Empty};

use super::{Parts, failure::Failure};
use crate::{
    error::{Error, Result},
    store::{
        Tx,
        failure::is_full,
        job::{Job, JobOutcome},
        sqlite::{commits::CommitCount, file::DataFile},
        transaction::{Begin, Transaction},
    },
    trace::TARGET,
};

/// How many closures one transaction takes at most.
const MAX_BATCH: usize = 256;
/// How long a transaction goes on taking closures, so that the first is answered in good time and
/// whoever comes next waits no longer.
const MAX_BATCH_TIME: Duration = Duration::from_millis(50);
/// For how many transactions each closure has a savepoint, once one had to begin again: who fails
/// once may go on doing so.
const SAVEPOINT_BATCHES: u32 = 32;

/// What has become of a transaction that is not known to be committed.
#[derive(Debug, Clone)]
pub(super) enum CommitFailure {
    /// Nothing of it is there, and nothing of it will be.
    Refused(String),
    /// Nobody knows.
    Unknown(String),
}

impl From<CommitFailure> for Error {
    fn from(failure: CommitFailure) -> Self {
        match failure {
            CommitFailure::Refused(reason) => Self::Unavailable(reason),
            CommitFailure::Unknown(reason) => Self::OutcomeUnknown(reason),
        }
    }
}

/// The task that writes.
pub(super) struct WriterTask {
    pub(super) parts: Parts,
    pub(super) queue: mpsc::Receiver<Box<dyn Job>>,
    pub(super) failure: Failure,
    /// For how many more transactions each closure has a savepoint.
    pub(super) savepoint_batches: u32,
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
    pub(super) async fn run(mut self) {
        while let Some(first) = self.queue.recv().await {
            if first.is_abandoned() {
                continue;
            }
            if let Err(reason) = self.recover().await {
                self.refuse(first, &CommitFailure::Refused(reason));
                continue;
            }
            let span = batch_span(&*first);
            let (jobs, committed) = self.transaction(first).instrument(span.clone()).await;
            span.record("steward.batch.writes", jobs.len() as i64);
            metrics::histogram!("steward_writer_batch").record(jobs.len() as f64);
            for job in jobs {
                job.span().follows_from(&span);
                job.answer(committed.clone().map_err(Error::from));
            }
        }
        drop(self.parts.keeper);
    }

    /// Answers one job, and all that wait: they have waited long enough, too.
    fn refuse(&mut self, first: Box<dyn Job>, why: &CommitFailure) {
        first.answer(Err(why.clone().into()));
        while let Ok(job) = self.queue.try_recv() {
            job.answer(Err(why.clone().into()));
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

/// The span of a transaction that begins with a job. It is in a trace of its own, to which those of its writes are
/// linked, if the first of these is recorded.
fn batch_span(first: &dyn Job) -> Span {
    if first.span().is_none() {
        return Span::none();
    }
    tracing::debug_span!(target: TARGET, parent: None, "batch", steward.batch.writes = Empty)
}

async fn run(job: &mut Box<dyn Job>, tx: &Tx) -> JobOutcome {
    let span = job.span().clone();
    job.run(tx).instrument(span).await
}

async fn run_in_savepoint(tx: &Tx, job: &mut Box<dyn Job>) -> BatchOutcome {
    let part = match tx.begin_savepoint().await {
        Ok(part) => part,
        Err(error) => return BatchOutcome::Broken(error.to_string()),
    };
    let ended = run(job, &part).await;
    let kept = match ended {
        JobOutcome::Done => part.release_into(tx).await.map(|()| BatchOutcome::Written),
        JobOutcome::Failed | JobOutcome::Conflict(_) => {
            part.rollback_to().await.map(|()| BatchOutcome::Nothing)
        }
        JobOutcome::Broken(reason) => return BatchOutcome::Broken(reason),
    };
    kept.unwrap_or_else(|error| BatchOutcome::Broken(reason(error)))
}

async fn run_without_savepoint(tx: &Tx, job: &mut Box<dyn Job>) -> BatchOutcome {
    let part = tx.nested();
    match run(job, &part).await {
        JobOutcome::Done => match part.merge_into(tx).await {
            Ok(()) => BatchOutcome::Written,
            Err(error) => BatchOutcome::Broken(reason(error)),
        },
        JobOutcome::Failed | JobOutcome::Conflict(_) if part.has_written() => BatchOutcome::Retry,
        JobOutcome::Failed | JobOutcome::Conflict(_) => BatchOutcome::Nothing,
        JobOutcome::Broken(reason) => BatchOutcome::Broken(reason),
    }
}

fn reason(error: DbErr) -> String {
    match Error::from(error) {
        Error::Unavailable(reason) => reason,
        other => other.to_string(),
    }
}

//! A closure that waits, and how it is answered.

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, future::BoxFuture};
use tokio::sync::oneshot;

use crate::{
    error::{Error, Result},
    store::Tx,
};

/// How a closure ended, as far as the transaction cares.
pub(super) enum JobOutcome {
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
pub(super) enum CommitFailure {
    /// Nothing of it is there, and nothing of it will be.
    Refused(String),
    /// Nobody knows.
    Unknown(String),
}

/// A closure that waits for the writer, with its input and the one to be answered.
pub(super) trait Job: Send {
    fn run<'a>(&'a mut self, tx: &'a Tx) -> BoxFuture<'a, JobOutcome>;
    fn is_abandoned(&self) -> bool;
    fn answer(self: Box<Self>, committed: Result<(), CommitFailure>);
}

pub(super) struct Work<I, T, F> {
    pub(super) input: I,
    pub(super) work: F,
    pub(super) outcome: Option<Result<T>>,
    pub(super) answer: oneshot::Sender<Result<T>>,
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

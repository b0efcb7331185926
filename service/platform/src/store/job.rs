//! A write that waits: a closure, and its caller, who is answered once the transaction has ended.
//!
//! What runs a job does not know its types, and is compiled once, not once for each of the writes of the domain.

use std::panic::AssertUnwindSafe;

use futures_util::{
    FutureExt,
    future::{BoxFuture, LocalBoxFuture},
};
use tokio::sync::oneshot;
use tracing::Span;

use super::{Fetched, Part, Tx};
use crate::{
    error::{Error, Result},
    trace::{self, TARGET},
};

/// What is done before and after a write, in its transaction.
pub(crate) trait Interceptor<T>: Send + Sync {
    /// Before the write, which an error prevents.
    fn before<'a>(&'a self, tx: &'a Tx) -> BoxFuture<'a, Result<()>>;
    /// After the write has given a value.
    fn after<'a>(&'a self, tx: &'a Tx, value: &'a T) -> BoxFuture<'a, Result<()>>;
}

/// How a job ended, as far as the transaction cares.
pub(super) enum JobOutcome {
    /// It stands, if the transaction does.
    Done,
    /// It failed, or wants nothing kept: its own changes go.
    Failed,
    /// Another transaction was in the way: it can run again from the start.
    Conflict(String),
    /// The database itself failed under it: SQLite may have taken the whole transaction back
    /// already, so nothing of it can stand.
    Broken(String),
}

/// A closure that waits, and the one to be answered.
pub(super) trait Job: Send {
    /// Runs the closure, and keeps what it gives.
    fn call<'a>(&'a mut self, tx: &'a Tx) -> LocalBoxFuture<'a, ()>;
    /// The error of the last call, unless it gave a value.
    fn error(&self) -> Option<&Error>;
    /// Has an error in place of what the last call gave.
    fn fail(&mut self, error: Error);
    /// Whether nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
    /// The span of the write, from its wait to its answer: what is done for it is a part of that.
    fn span(&self) -> &Span;
    /// Answers what the last call gave, if it has not come to nothing.
    fn answer(self: Box<Self>, committed: Result<()>);
}

impl dyn Job + '_ {
    /// Calls the closure in a transaction, and writes what it has recorded.
    pub(super) async fn run(&mut self, tx: &Tx) -> JobOutcome {
        if AssertUnwindSafe(self.call(tx)).catch_unwind().await.is_err() {
            self.fail(Error::Internal("a panic".into()));
        }
        if self.error().is_none()
            && !tx.is_rollback_only()
            && let Err(error) = tx.finish().await
        {
            self.fail(error);
        }
        match self.error() {
            None if tx.is_rollback_only() => JobOutcome::Failed,
            None => JobOutcome::Done,
            Some(Error::Retry(reason)) => JobOutcome::Conflict(reason.clone()),
            Some(Error::Unavailable(reason)) => JobOutcome::Broken(reason.clone()),
            Some(_) => JobOutcome::Failed,
        }
    }
}

/// What a caller is answered.
pub(super) enum Answer<T, F> {
    /// What became of it.
    Done(Result<T>),
    /// Nothing yet.
    Again(Again<T, F>),
}

/// A closure that is to run again, with parts of rows that another store has.
pub(super) struct Again<T, F> {
    pub(super) interceptor: Option<Box<dyn Interceptor<T>>>,
    pub(super) work: F,
    pub(super) parts: Vec<Part>,
}

impl<T, F> Answer<T, F> {
    /// What became of a closure that needs nothing of another store.
    pub(super) fn done(self) -> Result<T> {
        match self {
            Self::Done(result) => result,
            Self::Again(again) => Err(Error::Remote(again.parts)),
        }
    }
}

struct Work<T, F> {
    work: F,
    interceptor: Option<Box<dyn Interceptor<T>>>,
    /// What was read for it of another store.
    fetched: Fetched,
    outcome: Result<T>,
    answer: oneshot::Sender<Answer<T, F>>,
    /// Ends when it is called.
    queued: Span,
    /// Ends when it is answered.
    span: Span,
}

/// A job, and where its result arrives.
pub(super) fn job<T, F>(
    interceptor: Option<Box<dyn Interceptor<T>>>,
    work: F,
    fetched: Fetched,
) -> (Box<dyn Job>, oneshot::Receiver<Answer<T, F>>)
where
    T: Send + 'static,
    F: AsyncFn(&Tx) -> Result<T> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    let outcome = Err(Error::Internal("the writer did not run this".into()));
    let (span, queued) = spans();
    (Box::new(Work { work, interceptor, fetched, outcome, answer, queued, span }), answered)
}

/// The spans of a write that is asked for now, and of its wait.
fn spans() -> (Span, Span) {
    if !trace::is_active() {
        return (Span::none(), Span::none());
    }
    let span = tracing::debug_span!(target: TARGET, "write");
    let queued = tracing::debug_span!(target: TARGET, parent: &span, "queue");
    (span, queued)
}

async fn intercept<T>(
    interceptor: &dyn Interceptor<T>,
    tx: &Tx,
    work: impl AsyncFnOnce(&Tx) -> Result<T>,
) -> Result<T> {
    interceptor.before(tx).await?;
    let value = work(tx).await?;
    interceptor.after(tx, &value).await?;
    Ok(value)
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: AsyncFn(&Tx) -> Result<T> + Send,
{
    fn call<'a>(&'a mut self, tx: &'a Tx) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            self.queued = Span::none();
            tx.set_fetched(self.fetched.clone());
            self.outcome = match &self.interceptor {
                None => (self.work)(tx).await,
                Some(interceptor) => intercept(&**interceptor, tx, &self.work).await,
            };
        })
    }

    fn error(&self) -> Option<&Error> {
        self.outcome.as_ref().err()
    }

    fn fail(&mut self, error: Error) {
        self.outcome = Err(error);
    }

    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn span(&self) -> &Span {
        &self.span
    }

    fn answer(self: Box<Self>, committed: Result<()>) {
        let Self { work, interceptor, outcome, answer, span, .. } = *self;
        // What was refused, too: it may have been for what another job of this transaction had written,
        // and that is gone.
        let answered = match committed.and(outcome) {
            Err(Error::Remote(parts)) => Answer::Again(Again { interceptor, work, parts }),
            outcome => Answer::Done(outcome),
        };
        // Nobody may be waiting any more, and that is their right. A span ends when it is left for the last time.
        let _ = span.in_scope(|| answer.send(answered));
    }
}

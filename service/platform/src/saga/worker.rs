//! Takes sagas up that are due, and does the step that they are at.
//!
//! A step within the database is done in the transaction that notes it. A call to somebody else stands
//! between two: the first notes that it is made, and the second what came of it. If this process ends
//! between them, the call is made again once nobody waits for its answer any longer, with the same key.
//! Each transaction writes the saga at the version that it has read: of two nodes that do the same,
//! one does it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::saga;
use futures_util::future::{BoxFuture, join_all};
use sea_orm::ActiveValue::Set;
use serde_json::Value;
use tracing::{Instrument, Span, field::Empty};
use uuid::Uuid;

use super::{Saga, SagaTimeouts, State, repository, rules::Progress};
use crate::{
    actor::Actor,
    background::{self, Concurrency},
    due,
    error::{Error, Result},
    event::Verb,
    fault,
    lease::Node,
    liveness::LivenessTracker,
    outbound::Outbound,
    store::{Store, Tx, signal::Signal, versioned},
    trace::{self, TARGET},
};

/// How many sagas one turn takes up.
const MAX_CONCURRENT: u64 = 16;

/// Takes sagas up that are due.
#[derive(Debug, Clone)]
pub struct Sagas {
    store: Store,
    node: Node,
    outbound: Outbound,
    timeouts: SagaTimeouts,
    /// The calls of other nodes that this one has seen, by organization and saga, with the saga's version.
    calls: LivenessTracker<(Uuid, Uuid), i64>,
}

impl Sagas {
    /// Those that a node takes up.
    pub fn new(store: &Store, node: &Node, outbound: &Outbound, timeouts: SagaTimeouts) -> Self {
        let (store, node, outbound) = (store.clone(), node.clone(), outbound.clone());
        Self { store, node, outbound, timeouts, calls: LivenessTracker::default() }
    }
}

impl background::Work for Sagas {
    fn turn(&self, concurrency: Concurrency) -> BoxFuture<'_, Result<u64>> {
        let limit = match concurrency {
            Concurrency::Concurrent => MAX_CONCURRENT,
            Concurrency::Sequential => 1,
        };
        Box::pin(run_once(self, limit))
    }
}

/// A kind of saga.
#[derive(Debug)]
pub struct Kind {
    /// Its name, as [`Saga::kind`] has it.
    pub name: &'static str,
    /// Its steps. The first is done by whoever starts it.
    pub steps: &'static [StepKind],
    /// The step after which nothing is undone any more: it is the last that may be refused.
    pub pivot: usize,
}

impl Kind {
    /// Whether what cannot be undone is done elsewhere, and so may have been done by hand.
    pub fn is_done_elsewhere(&self) -> bool {
        self.steps.get(self.pivot).is_some_and(|step| matches!(step.run, Run::Remote { .. }))
    }
}

/// What a step knows of its saga.
#[derive(Debug, Clone)]
pub struct Work {
    /// The saga.
    pub saga_id: Uuid,
    /// What it is about: an expense, a member.
    pub subject_id: Uuid,
    /// What the saga knows besides.
    pub data: Value,
    /// Why it is undone.
    pub reason: Option<String>,
}

/// How much of a step was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    /// All of it.
    Done,
    /// A part: the rest is done by the same function in transactions of their own, so that nobody waits
    /// long for one.
    More,
    /// Nothing but a note of why it is refused: that stays, and the saga is undone.
    Refused(String),
}

/// Something done within the transaction.
pub type Local = for<'a> fn(&'a Tx, &'a Actor, &'a Work) -> BoxFuture<'a, Result<StepResult>>;

/// A call to somebody else, which they may get more than once.
#[derive(Debug, Clone)]
pub struct Call {
    /// Where it goes.
    pub url: String,
    /// The same each time that it is made: whoever gets it does it once.
    pub key: String,
    /// What is sent.
    pub body: Vec<u8>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallOutcome {
    /// It was done.
    Done,
    /// It was not, and will not be.
    Refused(String),
    /// It could not even be made: that settles it unless one was made before.
    NotSent(String),
    /// It may have been, or may be yet.
    Unknown(String),
}

/// How a step is done.
#[derive(Debug)]
pub enum Run {
    /// In the transaction that notes it.
    Local(Local),
    /// By a call, which `prepare` makes up in a transaction.
    Remote {
        /// Makes it up.
        prepare: for<'a> fn(&'a Tx, &'a Work) -> BoxFuture<'a, Result<Call>>,
        /// Makes it, and waits for its answer no longer than that.
        call: for<'a> fn(&'a Outbound, &'a Call, Duration) -> BoxFuture<'a, CallOutcome>,
    },
}

/// A step of a kind of saga.
#[derive(Debug)]
pub struct StepKind {
    /// Its name, as [`Step::name`](super::Step::name) has it.
    pub name: &'static str,
    /// How it is done.
    pub run: Run,
    /// How it is undone, where there is something to undo.
    pub undo: Option<Local>,
}

/// Writes a new saga, whose first step is done by whoever starts it.
pub async fn start(
    tx: &Tx,
    actor: &Actor,
    kind: &Kind,
    (id, subject_id): (Uuid, Uuid),
    data: Value,
) -> Result<Saga> {
    let now = tx.now();
    let progress = Progress::start(kind.steps.iter().map(|step| step.name), kind.pivot, now);
    let row = saga::ActiveModel {
        organization_id: Set(actor.organization_id),
        id: Set(id),
        kind: Set(kind.name.to_owned()),
        subject_id: Set(subject_id),
        data: Set(data),
        created_at: Set(now.fixed_offset()),
        updated_at: Set(now.fixed_offset()),
        ..repository::columns(&progress)?
    };
    tx.signal(Signal::Work);
    trace::remember(&trace::current(), id);
    versioned::insert(tx, actor, row, Saga::try_from).await
}

/// Takes up some that are due, together, and says how many went on.
///
/// # Errors
/// That of the first that could not be taken up; the others were.
async fn run_once(sagas: &Sagas, limit: u64) -> Result<u64> {
    let store = &sagas.store;
    let max_wait = sagas.timeouts.max_wait();
    let due = repository::due(store.read(), store.now(), max_wait, limit).await?;
    let (mut went_on, mut failed) = (0, None);
    for outcome in join_all(due.into_iter().map(|saga| advance(sagas, saga))).await {
        match outcome {
            Ok(moved) => went_on += u64::from(moved),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(went_on), Err)
}

/// A call that has been noted, to be made.
struct PendingCall {
    work: Work,
    version: i64,
    label: String,
    call: Call,
    send: for<'a> fn(&'a Outbound, &'a Call, Duration) -> BoxFuture<'a, CallOutcome>,
}

/// Does the step that a saga is at which makes no calls, for somebody who waits for it.
pub async fn run_step(store: &Store, saga: (Uuid, Uuid)) -> Result<()> {
    let timeouts = SagaTimeouts::default();
    store
        .read_committed()
        .write(async move |tx| {
            // Whoever waits makes no calls, and takes none over.
            begin(tx, saga, timeouts, |_| false).await.map(drop)
        })
        .await
}

/// Does the step that a saga is at. False if another node was at it.
async fn advance(sagas: &Sagas, saga: (Uuid, Uuid)) -> Result<bool> {
    let span = tracing::debug_span!(
        target: TARGET,
        parent: None,
        "saga step",
        steward.saga.id = %saga.1,
        steward.saga.step = Empty,
    );
    trace::link(&span, saga.1);
    advance_within(&span, sagas, saga).instrument(span.clone()).await
}

async fn advance_within(span: &Span, sagas: &Sagas, saga: (Uuid, Uuid)) -> Result<bool> {
    let (store, timeouts) = (sagas.store.read_committed(), sagas.timeouts);
    let start = {
        let sagas = sagas.clone();
        store
            .write(async move |tx| {
                let is_abandoned = |version| is_abandoned(tx, &sagas, saga, version);
                begin(tx, saga, sagas.timeouts, is_abandoned).await
            })
            .await?
    };
    let pending = match start {
        StepStart::NotDue => return Ok(false),
        StepStart::Done(label) => {
            span.record("steward.saga.step", &*label);
            fault::point(format_args!("{label}.noted"));
            return Ok(true);
        }
        StepStart::Call(pending) => *pending,
    };
    let PendingCall { work, version, label, call, send } = pending;
    span.record("steward.saga.step", &*label);
    fault::point(format_args!("{label}.noted"));
    let outcome = send(&sagas.outbound, &call, timeouts.call).await;
    fault::point(format_args!("{label}.called"));
    let recorded = (saga.0, work.saga_id, version, outcome);
    store.write(async move |tx| record_outcome(tx, &recorded, timeouts).await).await?;
    fault::point(format_args!("{label}.answered"));
    Ok(true)
}

/// What the first transaction of a step has done.
enum StepStart {
    /// Nothing: it is not due any more.
    NotDue,
    /// The step, whose name this is.
    Done(String),
    /// The note that a call is made.
    Call(Box<PendingCall>),
}

/// `is_abandoned` says of a version whether nobody waits any longer for the answer of the call that
/// it notes.
async fn begin(
    tx: &Tx,
    (organization_id, id): (Uuid, Uuid),
    timeouts: SagaTimeouts,
    is_abandoned: impl Fn(i64) -> bool,
) -> Result<StepStart> {
    let row = repository::get(tx, organization_id, id).await?;
    let kind = tx.catalogue().saga(&row.kind)?;
    let mut progress = Progress::of(&row, kind)?;
    let now = tx.now();
    let max_wait = timeouts.max_wait();
    if !progress.due_at.is_some_and(|due_at| due::has_come(due_at, now, max_wait)) {
        return Ok(StepStart::NotDue);
    }
    if progress.is_at_work() && !is_abandoned(row.version) {
        return Ok(StepStart::NotDue);
    }
    // Another node that is at the same step waits here, and then finds it done.
    versioned::lock::<saga::Entity>(tx, &row).await?;
    let step = kind.steps.get(progress.step);
    let step = step.ok_or_else(|| Error::Internal(format!("no such step of a {}", row.kind)))?;
    let way = if progress.undoing { ".undo" } else { "" };
    let label = format!("{}.{}{way}", row.kind, step.name);
    fault::point(format_args!("{label}.begun"));
    let actor = Actor::system(tx, organization_id).await?;
    let work = work_of(&row);
    let local = match (&step.run, step.undo) {
        (_, undo) if progress.undoing => undo,
        (Run::Local(run), _) => Some(*run),
        (Run::Remote { prepare, call }, _) => match prepare(tx, &work).await {
            Ok(prepared) => {
                progress.called(now, now + timeouts.call_window());
                let saga = save(tx, &actor, &row, &progress).await?;
                fault::point(format_args!("{label}.inside"));
                let (version, send) = (saga.version, *call);
                return Ok(StepStart::Call(Box::new(PendingCall {
                    work,
                    version,
                    label,
                    call: prepared,
                    send,
                })));
            }
            Err(error) => {
                progress.tried(now);
                record_failure(&mut progress, error, now, timeouts)?;
                save(tx, &actor, &row, &progress).await?;
                return Ok(StepStart::Done(label));
            }
        },
    };
    let is_midway = progress.is_midway();
    progress.tried(now);
    let outcome = match local {
        None => Ok(StepResult::Done),
        Some(local) => tx.savepoint(async |tx| local(tx, &actor, &work).await).await?,
    };
    match outcome {
        // Whoever follows the saga learns nothing from the tenth part of a step: no new version, no event.
        Ok(StepResult::More) if is_midway => {
            repository::postpone(tx, &row, now).await?;
            tx.signal(Signal::Work);
            fault::point(format_args!("{label}.inside"));
            return Ok(StepStart::Done(label));
        }
        Ok(StepResult::More) => progress.continue_later(now),
        Ok(StepResult::Refused(why)) if !progress.undoing => {
            progress.refused(now, shortened(&why), timeouts.step);
        }
        Ok(StepResult::Refused(why)) => progress.failed(now, shortened(&why), timeouts.step),
        Ok(StepResult::Done) if progress.undoing => progress.undone(now),
        Ok(StepResult::Done) => progress.done(now),
        Err(error) => record_failure(&mut progress, error, now, timeouts)?,
    }
    save(tx, &actor, &row, &progress).await?;
    fault::point(format_args!("{label}.inside"));
    Ok(StepStart::Done(label))
}

/// Whether nobody waits for the answer of a call any longer. If it is another node that may, this one has seen
/// for long enough that nothing comes of it: whose clock is right, nobody knows.
fn is_abandoned(tx: &Tx, sagas: &Sagas, saga: (Uuid, Uuid), version: i64) -> bool {
    let long_enough = sagas.timeouts.call_window().to_std().unwrap_or(Duration::MAX);
    sagas.node.is_alone() || sagas.calls.unchanged_for(saga, version, tx.uptime()) >= long_enough
}

/// Undoes something, unless somebody has changed it since, or the rules of now do not allow it: then false.
pub async fn undo_unless_changed(
    tx: &Tx,
    undo: impl AsyncFnOnce(&Tx) -> Result<()>,
) -> Result<bool> {
    match tx.savepoint(undo).await? {
        Err(error @ Error::Internal(_)) => Err(error),
        outcome => Ok(outcome.is_ok()),
    }
}

fn work_of(row: &saga::Model) -> Work {
    Work {
        saga_id: row.id,
        subject_id: row.subject_id,
        data: row.data.clone(),
        reason: row.reason.clone(),
    }
}

/// A step within the database has failed: by a rule, or by a defect that somebody may mend.
fn record_failure(
    progress: &mut Progress,
    error: Error,
    now: DateTime<Utc>,
    timeouts: SagaTimeouts,
) -> Result<()> {
    if error.aborts_transaction() {
        return Err(error);
    }
    let why = shortened(&error.to_string());
    match error {
        Error::Internal(cause) => {
            tracing::error!(cause, "a step of a saga failed");
            progress.failed(now, "internal error".into(), timeouts.step);
        }
        _ if progress.undoing => progress.failed(now, why, timeouts.step),
        _ => progress.refused(now, why, timeouts.step),
    }
    Ok(())
}

/// A text that fits, of which every database keeps each character.
pub fn shortened(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(300).collect()
}

/// Notes what came of a call, unless the saga has gone on meanwhile: then another has called, with the
/// same key.
async fn record_outcome(
    tx: &Tx,
    (organization_id, id, version, outcome): &(Uuid, Uuid, i64, CallOutcome),
    timeouts: SagaTimeouts,
) -> Result<()> {
    let row = repository::get(tx, *organization_id, *id).await?;
    if row.version != *version {
        return Ok(());
    }
    let mut progress = Progress::of(&row, tx.catalogue().saga(&row.kind)?)?;
    let now = tx.now();
    match outcome.clone() {
        CallOutcome::Done => progress.done(now),
        CallOutcome::Refused(why) => progress.refused(now, why, timeouts.step),
        CallOutcome::NotSent(why) if progress.is_first_attempt() => {
            progress.refused(now, why, timeouts.step);
        }
        CallOutcome::NotSent(why) | CallOutcome::Unknown(why) => {
            progress.failed(now, why, timeouts.step)
        }
    }
    let actor = Actor::system(tx, *organization_id).await?;
    save(tx, &actor, &row, &progress).await.map(drop)
}

async fn save(tx: &Tx, actor: &Actor, row: &saga::Model, progress: &Progress) -> Result<Saga> {
    let verb = match progress.state {
        State::Running | State::Compensating => Verb::Advanced,
        State::Completed => Verb::Completed,
        State::Compensated => Verb::Compensated,
        State::Failed => Verb::Failed,
    };
    tx.signal(Signal::Work);
    versioned::update(tx, actor, verb, row, repository::columns(progress)?, Saga::try_from).await
}

//! Gives events their positions: in order, without gaps, each once.
//!
//! One node at a time does so, under a lease whose row is written in the same transaction: of two
//! that believe to hold it, one cannot commit. A transaction sees all that was committed before it
//! began, so a version of a row never gets its position before an earlier one of the same row, and
//! what is committed later gets a higher position.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tracing::Instrument;
use uuid::Uuid;

use super::{chain, repository};
use crate::{
    background::{Concurrency, Work},
    error::Result,
    lease::{self, Node},
    measure::count_waiting,
    store::{Store, Tx, signal::Signal},
    trace::TARGET,
};

/// The name of the lease.
pub const LEASE: &str = "sequencer";
/// How many events one transaction assigns positions to.
const BATCH_SIZE: u64 = 500;

/// The sequencer of a node.
#[derive(Debug)]
pub struct Sequencer {
    store: Store,
    node: Node,
    lag: SequencingLag,
}

impl Sequencer {
    /// That of this node.
    pub fn new(store: &Store, node: &Node) -> Self {
        Self { store: store.clone(), node: node.clone(), lag: SequencingLag::default() }
    }
}

impl Work for Sequencer {
    fn turn(&self, _: Concurrency) -> BoxFuture<'_, Result<u64>> {
        Box::pin(sequence(&self.store, &self.node, &self.lag))
    }
}

/// Since when events wait for a position that nobody gives them, as this node sees it.
#[derive(Debug, Default)]
struct SequencingLag(Mutex<Option<Duration>>);

impl SequencingLag {
    /// Keeps whether any wait, and shows for how long they have.
    fn record(&self, waiting: bool, uptime: Duration) {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *since = waiting.then(|| since.unwrap_or(uptime));
        let waited = since.map_or(Duration::ZERO, |since| uptime.saturating_sub(since));
        metrics::gauge!("steward_events_waiting_seconds").set(waited.as_secs_f64());
    }
}

/// Measures how many events wait for a position.
///
/// # Errors
/// Where the database does not answer.
pub async fn measure(store: &Store) -> Result<()> {
    let (events, _) = count_waiting(store.read(), repository::waiting()).await?;
    metrics::gauge!("steward_events_waiting").set(events as f64);
    Ok(())
}

/// Assigns positions to the events that wait, some of each log. Gives how many; none if another
/// node is at it.
///
/// # Errors
/// That of the first log whose events get none; those of the others do.
async fn sequence(store: &Store, node: &Node, lag: &SequencingLag) -> Result<u64> {
    let logs = repository::logs_with_unsequenced(store.read()).await?;
    let any = !logs.is_empty();
    let assigned = sequence_logs(store, node, logs).await;
    let waiting = any && !assigned.as_ref().is_ok_and(|assigned| *assigned > 0);
    lag.record(waiting, store.uptime());
    assigned
}

async fn sequence_logs(store: &Store, node: &Node, logs: Vec<Uuid>) -> Result<u64> {
    let mut assigned = 0;
    let mut failed = None;
    for log in logs {
        let node = node.clone();
        let some = store.write(async move |tx| sequence_log(tx, &node, log).await);
        let span = tracing::debug_span!(target: TARGET, parent: None, "sequence events");
        match some.instrument(span).await {
            Ok(Some(some)) => assigned += some,
            Ok(None) => break,
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(assigned), Err)
}

/// None if another node holds the lease.
async fn sequence_log(tx: &Tx, node: &Node, log: Uuid) -> Result<Option<u64>> {
    if !lease::acquire(tx, LEASE, node).await? {
        return Ok(None);
    }
    let mut events = repository::unsequenced(tx, log, BATCH_SIZE).await?;
    chain::order(&mut events);
    let head = repository::head(tx, log).await?;
    let (mut position, mut previous) = repository::head_or_start(head.as_ref());
    let assignments: Vec<_> = events
        .iter()
        .map(|event| {
            position += 1;
            let own = chain::link(&previous, position, event);
            let before = std::mem::replace(&mut previous, own.clone());
            (event.id, position, before, own)
        })
        .collect();
    let count = assignments.len() as u64;
    repository::assign_positions(tx, log, assignments, head.is_none()).await?;
    tx.signal(Signal::Sequenced);
    Ok(Some(count))
}

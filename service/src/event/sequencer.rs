//! Gives events their positions: in order, without gaps, each once.
//!
//! One node at a time does so, under a lease whose row is written in the same transaction: of two
//! that believe to hold it, one cannot commit. A transaction sees all that was committed before it
//! began, so a version of a row is never placed before an earlier one of the same row, and what is
//! committed later gets a higher position.

use uuid::Uuid;

use super::{chain, repository};
use crate::{
    error::Result,
    lease,
    store::{Store, Tx, signal::Signal},
};

/// The name of the lease.
pub const LEASE: &str = "sequencer";
/// How many events one transaction places.
const AT_ONCE: u64 = 500;

/// Places the events that wait, some of each log. Gives how many; none if another node is at it.
///
/// # Errors
/// That of the first log whose events cannot be placed; those of the others are.
pub async fn sequence(store: &Store, node: Uuid) -> Result<u64> {
    let mut placed = 0;
    let mut failed = None;
    for log in repository::logs_waiting(store.read()).await? {
        let some = store
            .write((node, log), |tx, (node, log)| Box::pin(sequence_log(tx, *node, *log)))
            .await;
        match some {
            Ok(Some(some)) => placed += some,
            Ok(None) => break,
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(placed), Err)
}

/// None if another node holds the lease.
async fn sequence_log(tx: &Tx, node: Uuid, log: Uuid) -> Result<Option<u64>> {
    if !lease::hold(tx, LEASE, node).await? {
        return Ok(None);
    }
    let mut events = repository::waiting(tx, log, AT_ONCE).await?;
    chain::order(&mut events);
    let (mut position, mut previous) =
        repository::end_of(repository::head(tx, log).await?.as_ref());
    let places: Vec<_> = events
        .iter()
        .map(|event| {
            position += 1;
            let own = chain::link(&previous, position, event);
            let before = std::mem::replace(&mut previous, own.clone());
            (event.id, position, before, own)
        })
        .collect();
    let count = places.len() as u64;
    repository::place(tx, log, places).await?;
    tx.signal(Signal::Sequenced);
    Ok(Some(count))
}

//! Keeps the totals: adds deltas to them, and sums an organization's expenses the first time.
//!
//! Any node may do either at any time. Who adds deltas deletes them in the same transaction; who
//! backfills deletes those that the rows it has summed are in already, and nobody else touches an
//! organization's deltas before that.

use entity::spending_total;
use uuid::Uuid;

use super::repository;
use crate::{
    error::{Error, Result},
    store::{Store, Tx},
};

/// How many deltas one transaction adds.
const BATCH_SIZE: u64 = 1000;
/// How many totals written at once make their table another one for a planner.
const ANALYZE_FROM: usize = 1000;

/// One round over the organizations that have deltas, and those whose totals somebody has asked for. Gives how many
/// deltas were added where more wait: a few may wait for the next round, which then adds more at a time.
pub(crate) async fn run_once(store: &Store) -> Result<u64> {
    for organization_id in store.backfill_requests().drain() {
        backfill(store, organization_id).await?;
    }
    let mut added = 0;
    let mut after = None;
    while let Some(organization_id) = repository::next_with_deltas(store.read(), after).await? {
        if !backfill(store, organization_id).await? {
            let id = organization_id;
            let some = store.write(async move |tx| add_deltas(tx, id).await).await?;
            added += if some == BATCH_SIZE { some } else { 0 };
        }
        after = Some(organization_id);
    }
    Ok(added)
}

async fn add_deltas(tx: &Tx, organization_id: Uuid) -> Result<u64> {
    let (ids, mut totals) = repository::deltas(tx, organization_id, Some(BATCH_SIZE)).await?;
    totals.prune();
    repository::delete_deltas(tx, organization_id, &ids).await?;
    repository::add_totals(tx, organization_id, &totals).await?;
    Ok(ids.len() as u64)
}

/// Makes the totals of an organization, of which none are kept. False if they are.
pub(super) async fn backfill(store: &Store, organization_id: Uuid) -> Result<bool> {
    if repository::is_backfilled(store.read(), organization_id).await? {
        return Ok(false);
    }
    let read = store.snapshot(async move |tx| {
        let (known, _) = repository::deltas(tx, organization_id, None).await?;
        Ok((known, repository::compute_totals(tx, organization_id).await?))
    });
    let (known, totals) = read.await?;
    let is_bulk = totals.0.len() >= ANALYZE_FROM;
    let written = store.write(async move |tx| {
        if !repository::insert_backfill(tx, organization_id).await? {
            return Ok(());
        }
        repository::delete_deltas(tx, organization_id, &known).await?;
        repository::add_totals(tx, organization_id, &totals).await
    });
    match written.await {
        // The organization has gone.
        Err(Error::Reference) => return Ok(true),
        other => other?,
    }
    if is_bulk {
        store.analyze(spending_total::Entity).await?;
    }
    Ok(true)
}

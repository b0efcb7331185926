//! Sums the expenses again, and compares: a total that no expense adds up to shows.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{repository, totals::Total, worker};
use crate::{error::Result, identity::organization, store::Store};

/// What was found in one organization's totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The organization.
    pub organization_id: Uuid,
    /// How many totals hold.
    pub totals: u64,
    /// What is wrong.
    pub faults: Vec<String>,
}

/// Checks the totals of every organization that has them.
///
/// # Errors
/// Of the database.
pub async fn verify(store: &Store) -> Result<Vec<Findings>> {
    let mut findings = Vec::new();
    for id in repository::backfilled(store.read()).await? {
        let found = store.snapshot(async move |tx| {
            // A part of it may be removed by now.
            if organization::repository::is_deleted(tx, id).await? {
                return Ok(None);
            }
            let mut stored = repository::totals(tx, id).await?;
            let (_, deltas) = repository::deltas(tx, id, None).await?;
            stored.merge(deltas);
            let right = repository::compute_totals(tx, id).await?;
            let keys: BTreeSet<_> = stored.0.keys().chain(right.0.keys()).cloned().collect();
            let mut found = Findings { organization_id: id, totals: 0, faults: Vec::new() };
            for key in keys {
                let of = |totals: &super::totals::Totals| {
                    totals.0.get(&key).copied().unwrap_or_default()
                };
                match (of(&stored), of(&right)) {
                    (stored, right) if stored == right => found.totals += 1,
                    (stored, right) => found.faults.push(format!(
                        "{key} is {}, and should be {}",
                        shown(stored),
                        shown(right)
                    )),
                }
            }
            Ok(Some(found))
        });
        findings.extend(found.await?);
    }
    Ok(findings)
}

/// Makes the totals of an organization anew.
///
/// # Errors
/// Of the database.
pub async fn repair(store: &Store, organization_id: Uuid) -> Result<()> {
    let id = organization_id;
    store.write(async move |tx| repository::delete_totals(tx, id).await).await?;
    worker::backfill(store, organization_id).await.map(drop)
}

fn shown(total: Total) -> String {
    let Total { settled_minor, pending_minor, count, first_count } = total;
    format!("{settled_minor} settled, {pending_minor} pending of {count} ({first_count}) expenses")
}

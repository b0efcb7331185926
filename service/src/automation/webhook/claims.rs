//! Claims: who sends a delivery. A process that is gone leaves its claims behind, and others take them
//! back.

use std::{collections::HashSet, time::Duration};

use chrono::{DateTime, Utc};
use entity::webhook_delivery;
use futures_util::future::BoxFuture;
use sea_orm::{ActiveValue::Set, ColumnTrait, sea_query::Condition};

use super::{
    Settings,
    repository::{self, Endpoint},
};
use crate::{
    background::{Concurrency, Work},
    error::Result,
    liveness::LivenessTracker,
    store::{Store, Tx, signal::Signal},
};

/// How long a claim stands at least: longer than what was claimed can be on its way.
pub(super) fn claim_timeout(settings: &Settings) -> Duration {
    settings.timeout * 2 + Duration::from_secs(1)
}

/// Takes claims back that nobody has done anything about for longer than they last.
#[derive(Debug)]
pub(crate) struct Reclaimer {
    store: Store,
    settings: Settings,
    /// The claims that this process has seen, by organization and delivery.
    claims: LivenessTracker<Endpoint, DateTime<Utc>>,
}

impl Reclaimer {
    pub(crate) fn new(store: &Store, settings: &Settings) -> Self {
        let (store, settings) = (store.clone(), settings.clone());
        Self { store, settings, claims: LivenessTracker::default() }
    }
}

impl Work for Reclaimer {
    fn turn(&self, _: Concurrency) -> BoxFuture<'_, Result<u64>> {
        Box::pin(reclaim(self))
    }
}

/// Takes some back, and says how many.
async fn reclaim(Reclaimer { store, settings, claims: seen }: &Reclaimer) -> Result<u64> {
    let claim_timeout = claim_timeout(settings);
    // Before the look: what it finds has stood at least since then.
    let uptime = store.uptime();
    let claims = repository::claims(store.read()).await?;
    let there: HashSet<Endpoint> = claims.iter().map(|(delivery, _)| *delivery).collect();
    seen.retain(|delivery| there.contains(delivery));
    let mut released = 0;
    for claim in claims {
        if seen.unchanged_for(claim.0, claim.1, uptime) >= claim_timeout {
            released += store.write(async move |tx| release_claim(tx, claim).await).await?;
        }
    }
    Ok(released)
}

async fn release_claim(
    tx: &Tx,
    ((organization_id, id), until): (Endpoint, DateTime<Utc>),
) -> Result<u64> {
    let change = webhook_delivery::ActiveModel { claimed_until: Set(None), ..Default::default() };
    let same = webhook_delivery::Column::ClaimedUntil.eq(until.fixed_offset());
    tx.signal(Signal::Work);
    repository::update(tx, organization_id, &[id], change, Condition::all().add(same)).await
}

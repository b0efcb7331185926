//! From the log to the deliveries: each webhook's position moves in the transaction that writes what
//! is to be delivered of the events up to there.
//!
//! A webhook follows the log by itself, from the position at which it was made. Its position is held
//! to what it was when the events were read, so two nodes cannot both move it.

use entity::{event, webhook_delivery};
use futures_util::future::BoxFuture;
use sea_orm::ActiveValue::Set;
use tracing::Instrument;

use super::{
    DeliveryState, Settings, Webhook,
    repository::{self, Endpoint},
    rules::{VIEWER_ROLE, wants},
};
use crate::{
    background::{Concurrency, Work},
    error::Result,
    event::repository::{after, version},
    resource::Resource,
    store::{Store, Tx, signal::Signal, stored::StoredWord},
    trace::TARGET,
};

/// How many events one transaction goes through.
const BATCH_SIZE: u64 = 200;

/// Writes down what is to be delivered.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    store: Store,
    settings: Settings,
}

impl Dispatcher {
    pub(crate) fn new(store: &Store, settings: &Settings) -> Self {
        Self { store: store.clone(), settings: settings.clone() }
    }
}

impl Work for Dispatcher {
    fn turn(&self, _: Concurrency) -> BoxFuture<'_, Result<u64>> {
        Box::pin(dispatch(&self.store, &self.settings))
    }
}

/// Moves each webhook that is behind on by some events, and says by how many in all.
///
/// # Errors
/// That of the first that could not be moved on; the others were.
async fn dispatch(store: &Store, settings: &Settings) -> Result<u64> {
    let (mut passed, mut failed) = (0, None);
    for endpoint in repository::lagging(store.read()).await? {
        let settings = settings.clone();
        let moved = store.write(async move |tx| advance(tx, endpoint, &settings).await);
        let span = tracing::debug_span!(
            target: TARGET, parent: None, "webhook dispatch", steward.webhook.id = %endpoint.1,
        );
        match moved.instrument(span).await {
            Ok(moved) => passed += moved,
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(passed), Err)
}

async fn advance(tx: &Tx, endpoint: Endpoint, settings: &Settings) -> Result<u64> {
    let (organization_id, _) = endpoint;
    let row = repository::find(tx, endpoint).await?;
    let Some(row) = row.filter(|row| row.enabled) else { return Ok(0) };
    let webhook = Webhook::try_from(row)?;
    let progress = repository::progress(tx, endpoint).await?;
    let Some(begins) = begins_after(tx, endpoint).await? else { return Ok(0) };
    let from = progress.position.max(begins);
    let events = after(tx, organization_id, from, BATCH_SIZE).await?;
    let Some(position) = events.last().and_then(|event| event.position) else { return Ok(0) };
    let passed = events.len() as u64;
    let wanted = events.into_iter().filter(|it| wants(&webhook.kinds, &it.entity, &it.kind));
    let visibility = tx.visibility(organization_id, VIEWER_ROLE);
    let wanted = visibility.screen(tx, wanted.collect()).await?;
    let deliveries: Vec<_> =
        wanted.iter().map(|event| delivery(tx, endpoint, settings, event)).collect();
    if !deliveries.is_empty() {
        tx.signal(Signal::Work);
    }
    repository::insert(tx, deliveries).await?;
    repository::advance(tx, &progress, position).await?;
    Ok(passed)
}

/// The position of what came before a webhook was made, which may not have had one by then. None as long as the
/// making itself has none.
async fn begins_after(tx: &Tx, (organization_id, id): Endpoint) -> Result<Option<i64>> {
    let made = version(tx, organization_id, Webhook::ENTITY, id, 1).await?;
    // What is older than the log has always followed it.
    Ok(made.map_or(Some(0), |made| made.position.map(|position| position - 1)))
}

fn delivery(
    tx: &Tx,
    (organization_id, webhook_id): Endpoint,
    settings: &Settings,
    event: &event::Model,
) -> webhook_delivery::ActiveModel {
    let now = tx.now();
    let wait = settings.retries.after(0, 0).unwrap_or_default();
    webhook_delivery::ActiveModel {
        organization_id: Set(organization_id),
        id: Set(tx.new_id()),
        webhook_id: Set(webhook_id),
        event_id: Set(Some(event.id)),
        kind: Set(event.kind.clone()),
        entity_id: Set(event.entity_id),
        position: Set(event.position.unwrap_or_default()),
        state: Set(DeliveryState::Pending.as_str().to_owned()),
        attempt_count: Set(0),
        tries: Set(0),
        next_at: Set((now + wait).fixed_offset()),
        claimed_until: Set(None),
        created_at: Set(now.fixed_offset()),
        ended_at: Set(None),
    }
}

//! Sends what is due: claims it in a transaction, sends it outside of any, and writes down what came
//! of it in another.
//!
//! A process that ends in between leaves a claim that others take back ([`super::claims`]), and the
//! message is sent again with the same id. Each endpoint has its own few places, so that one that is
//! slow or dead keeps no other waiting.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{event, webhook, webhook_delivery};
use futures_util::future::BoxFuture;
use sea_orm::{ActiveValue::Set, sea_query::Condition};
use serde_json::Value;
use tokio::sync::Notify;
use tracing::{Instrument, Span, field::Empty};
use uuid::Uuid;

use super::{
    Settings, claims, message, outcome,
    repository::{self, Endpoint},
};
use crate::{
    actor::Actor,
    background::{Concurrency, Work},
    error::{Error, Result},
    event::{Event, repository::by_ids},
    outbound::Outbound,
    store::{Store, Tx, signal::Signal},
    trace::{self, TARGET},
};

/// How many messages are on their way to one endpoint at once.
const MAX_CONCURRENT: usize = 4;
/// How long the sender waits for a permit to be returned before it looks again.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Sends what is due.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    store: Store,
    outbound: Outbound,
    settings: Settings,
    sends: Sends,
}

impl Sender {
    pub(crate) fn new(store: &Store, outbound: &Outbound, settings: &Settings) -> Self {
        let (store, outbound) = (store.clone(), outbound.clone());
        Self { store, outbound, settings: settings.clone(), sends: Sends::default() }
    }
}

impl Work for Sender {
    fn turn(&self, concurrency: Concurrency) -> BoxFuture<'_, Result<u64>> {
        Box::pin(send(self, concurrency))
    }

    fn finish(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.sends.finish())
    }
}

/// What this process is sending.
#[derive(Debug, Clone, Default)]
struct Sends(Arc<InFlight>);

#[derive(Debug, Default)]
struct InFlight {
    by_endpoint: Mutex<HashMap<Endpoint, usize>>,
    ended: Notify,
}

/// A permit to send to an endpoint, until this goes.
#[derive(Debug)]
struct Permit {
    sends: Sends,
    endpoint: Endpoint,
}

impl Sends {
    fn change<T>(&self, change: impl FnOnce(&mut HashMap<Endpoint, usize>) -> T) -> T {
        change(&mut self.0.by_endpoint.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn available(&self, endpoint: Endpoint) -> usize {
        let taken = self.change(|in_flight| in_flight.get(&endpoint).copied().unwrap_or_default());
        MAX_CONCURRENT.saturating_sub(taken)
    }

    fn is_empty(&self) -> bool {
        self.change(|in_flight| in_flight.is_empty())
    }

    fn acquire(&self, endpoint: Endpoint) -> Permit {
        self.change(|in_flight| *in_flight.entry(endpoint).or_default() += 1);
        Permit { sends: self.clone(), endpoint }
    }

    /// Waits until nothing is on its way any more.
    async fn finish(&self) {
        while !self.is_empty() {
            let _ = tokio::time::timeout(POLL_INTERVAL, self.0.ended.notified()).await;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.sends.change(|in_flight| match in_flight.get_mut(&self.endpoint) {
            Some(taken) if *taken > 1 => *taken -= 1,
            _ => {
                in_flight.remove(&self.endpoint);
            }
        });
        self.sends.0.ended.notify_one();
    }
}

/// Begins to send what is due where there is room, and says how much that is. While something is on
/// its way there is work: it waits for the end of one, or for something new.
async fn send(sender: &Sender, concurrency: Concurrency) -> Result<u64> {
    let store = &sender.store;
    let mut work = store.watch(Signal::Work);
    // Before the look: what ends during it may leave something that is due.
    let idle = sender.sends.is_empty();
    let mut begun = 0;
    let due = repository::Due { now: store.now(), retries: &sender.settings.retries };
    for endpoint in repository::with_due(store.read(), due).await? {
        let available = sender.sends.available(endpoint);
        if available == 0 {
            continue;
        }
        match begin(sender, concurrency, endpoint, available).await {
            Ok(some) => begun += some,
            Err(error) => {
                tracing::warn!(webhook = %endpoint.1, %error, "a webhook cannot be sent");
            }
        }
    }
    if begun > 0 || idle {
        return Ok(begun);
    }
    tokio::select! {
        () = sender.sends.0.ended.notified() => {}
        _ = work.changed() => {}
        () = tokio::time::sleep(POLL_INTERVAL) => {}
    }
    Ok(1)
}

/// What was claimed for an endpoint.
struct Claimed {
    webhook: webhook::Model,
    messages: Vec<(webhook_delivery::Model, Value)>,
    until: DateTime<Utc>,
}

/// A message that is sent.
pub(super) struct Sent {
    pub(super) delivery: webhook_delivery::Model,
    pub(super) until: DateTime<Utc>,
    pub(super) settings: Settings,
}

async fn begin(
    sender: &Sender,
    concurrency: Concurrency,
    endpoint: Endpoint,
    available: usize,
) -> Result<u64> {
    let settings = sender.settings.clone();
    let claimed =
        sender.store.write(async move |tx| claim(tx, endpoint, available, &settings).await).await?;
    let Some(Claimed { webhook, messages, until }) = claimed else { return Ok(0) };
    let keys = message::keys(sender.store.keyring(), &webhook, sender.store.now())?;
    let begun = messages.len() as u64;
    for (delivery, message) in messages {
        let span = span(&delivery, &message);
        let body = message.to_string().into_bytes();
        let (started_at, began) = (sender.store.now(), sender.store.uptime());
        let headers = keys.headers(message::id(&delivery), started_at, &body)?;
        let settings = sender.settings.clone();
        let sent = Sent { delivery, until, settings };
        let (permit, sender, url) =
            (sender.sends.acquire(endpoint), sender.clone(), webhook.url.clone());
        let sending = async move {
            let timeout = sent.settings.timeout;
            let answer = sender.outbound.post(&url, &headers, body, timeout).await;
            let took = (started_at, sender.store.uptime().saturating_sub(began));
            if let Err(error) = outcome::record(&sender.store, sent, took, answer).await {
                tracing::warn!(%error, "what came of a delivery was not kept: it is sent again");
            }
            drop(permit);
        };
        let sending = sending.instrument(span);
        match concurrency {
            Concurrency::Sequential => sending.await,
            Concurrency::Concurrent => drop(tokio::spawn(sending)),
        }
    }
    Ok(begun)
}

/// The span of an attempt: in a trace of its own, linked to that of the request that the event is of.
fn span(delivery: &webhook_delivery::Model, message: &Value) -> Span {
    let span = tracing::debug_span!(
        target: TARGET,
        parent: None,
        "webhook delivery",
        steward.webhook.id = %delivery.webhook_id,
        steward.delivery.id = %delivery.id,
        steward.event.kind = delivery.kind,
        steward.request_id = Empty,
    );
    let request = message["data"]["request_id"].as_str();
    if let Some(request) = request.filter(|_| !span.is_disabled())
        && let Ok(id) = Uuid::try_parse(request)
    {
        span.record("steward.request_id", request);
        trace::link(&span, id);
    }
    span
}

/// Claims what is due, so that nobody else sends it for longer than it can take. None if the webhook
/// is gone or disabled.
async fn claim(
    tx: &Tx,
    endpoint: Endpoint,
    available: usize,
    settings: &Settings,
) -> Result<Option<Claimed>> {
    let (organization_id, _) = endpoint;
    let webhook = repository::find(tx, endpoint).await?;
    let Some(webhook) = webhook.filter(|webhook| webhook.enabled) else { return Ok(None) };
    let now = tx.now();
    let is_due = repository::Due { now, retries: &settings.retries };
    let due = repository::due(tx, endpoint, is_due, available as u64).await?;
    if due.is_empty() {
        return Ok(None);
    }
    let until = now + TimeDelta::from_std(claims::claim_timeout(settings)).unwrap_or_default();
    let claim = webhook_delivery::ActiveModel {
        claimed_until: Set(Some(until.fixed_offset())),
        ..Default::default()
    };
    let ids: Vec<_> = due.iter().map(|delivery| delivery.id).collect();
    repository::update(tx, organization_id, &ids, claim, Condition::all()).await?;
    Ok(Some(Claimed { webhook, messages: messages(tx, organization_id, due).await?, until }))
}

/// The messages of deliveries, in their order.
async fn messages(
    tx: &Tx,
    organization_id: Uuid,
    deliveries: Vec<webhook_delivery::Model>,
) -> Result<Vec<(webhook_delivery::Model, Value)>> {
    let viewer = message::webhook_viewer(Actor::system(tx, organization_id).await?);
    let ids: Vec<_> = deliveries.iter().filter_map(|delivery| delivery.event_id).collect();
    let rows = by_ids(tx, organization_id, &ids).await?;
    let visible = tx.visibility(organization_id, viewer.role).screen(tx, rows.clone()).await?;
    let mut visible: HashMap<_, _> = visible.into_iter().map(|row| (row.id, row)).collect();
    // What was visible when it happened, and is not now, is told of without its data.
    let mut event = |row: event::Model| match visible.remove(&row.id) {
        Some(row) => Event::unsealed(row),
        None => Event::without_data(row),
    };
    let events = rows.into_iter().map(|row| Ok((row.id, event(row)?)));
    let mut events = events.collect::<Result<HashMap<_, _>>>()?;
    let message = |delivery: webhook_delivery::Model| {
        let message = match delivery.event_id {
            None => message::of_test(&delivery),
            Some(id) => {
                let event = events.remove(&id);
                let event = event.ok_or_else(|| Error::Internal(format!("no event {id}")))?;
                message::of_event(&viewer, event)
            }
        };
        Ok((delivery, message))
    };
    deliveries.into_iter().map(message).collect()
}

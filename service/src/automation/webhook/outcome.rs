//! What came of an attempt: for the delivery, and for the webhook as a whole.

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::{webhook, webhook_attempt, webhook_delivery};
use sea_orm::{ActiveValue::Set, sea_query::Condition};

use super::{DeliveryState, DisabledReason, Webhook, repository, rules, sender::Sent};
use crate::{
    actor::Author,
    error::Result,
    event::Verb,
    outbound::{OutboundError, Response},
    store::{Store, Tx, log::EventContext, signal::Signal, stored::StoredWord, versioned},
};

/// The status of an endpoint that wants nothing any more.
const GONE: u16 = 410;

type Outcome = Result<Response, OutboundError>;

/// Records what came of an attempt.
pub(super) async fn record(
    store: &Store,
    sent: Sent,
    took: (DateTime<Utc>, Duration),
    outcome: Outcome,
) -> Result<()> {
    store.write(async move |tx| record_in(tx, &sent, took, &outcome).await).await
}

async fn record_in(
    tx: &Tx,
    sent: &Sent,
    took: (DateTime<Utc>, Duration),
    outcome: &Outcome,
) -> Result<()> {
    let delivery = &sent.delivery;
    let endpoint = (delivery.organization_id, delivery.webhook_id);
    let webhook = repository::find(tx, endpoint).await?;
    let Some(webhook) = webhook else { return Ok(()) };
    let status = outcome.as_ref().ok().map(|response| response.status);
    let accepted = outcome.as_ref().is_ok_and(Response::is_success);
    let wait = match outcome {
        Ok(Response { retry_after: Some(text), .. }) if !accepted => {
            rules::retry_after(text, tx.now())
        }
        _ => None,
    };
    let next = sent.settings.retries.after(delivery.tries + 1, tx.random().below(1000));
    let next = next
        .filter(|_| !accepted && status != Some(GONE))
        .map(|scheduled| tx.now() + wait.map_or(scheduled, |wait| wait.max(scheduled)));
    if !update_delivery(tx, sent, accepted, next).await? {
        return Ok(());
    }
    repository::insert_attempt(tx, attempt(tx, sent, took, outcome)).await?;
    tx.signal(Signal::Work);
    update_health(tx, &webhook, accepted, status, wait.map(|wait| tx.now() + wait)).await
}

/// False where the claim has run out and somebody else has taken the delivery, or it was sent anew.
async fn update_delivery(
    tx: &Tx,
    sent: &Sent,
    accepted: bool,
    next: Option<DateTime<Utc>>,
) -> Result<bool> {
    let delivery = &sent.delivery;
    let state = match (accepted, next) {
        (true, _) => DeliveryState::Delivered,
        (false, Some(_)) => DeliveryState::Pending,
        (false, None) => DeliveryState::Failed,
    };
    let ended = state != DeliveryState::Pending;
    let mut change = webhook_delivery::ActiveModel {
        state: Set(state.as_str().to_owned()),
        attempt_count: Set(delivery.attempt_count + 1),
        tries: Set(delivery.tries + 1),
        claimed_until: Set(None),
        ended_at: Set(ended.then(|| tx.now().fixed_offset())),
        ..Default::default()
    };
    if let Some(next) = next {
        change.next_at = Set(next.fixed_offset());
    }
    let claimed =
        Condition::all().add(webhook_delivery::COLUMN.claimed_until.eq(sent.until.fixed_offset()));
    let id = [delivery.id];
    let moved = repository::update(tx, delivery.organization_id, &id, change, claimed).await?;
    Ok(moved == 1)
}

fn attempt(
    tx: &Tx,
    sent: &Sent,
    (started_at, took): (DateTime<Utc>, Duration),
    outcome: &Outcome,
) -> webhook_attempt::ActiveModel {
    let (status, error, response) = match outcome {
        Ok(response) => (Some(i64::from(response.status)), None, rules::excerpt(&response.body)),
        Err(error) => (None, Some(error.word().to_owned()), None),
    };
    webhook_attempt::ActiveModel {
        organization_id: Set(sent.delivery.organization_id),
        id: Set(tx.new_id()),
        delivery_id: Set(sent.delivery.id),
        started_at: Set(started_at.fixed_offset()),
        duration_ms: Set(i64::try_from(took.as_millis()).unwrap_or(i64::MAX)),
        status: Set(status),
        error: Set(error),
        response: Set(response),
    }
}

/// What an attempt says of the endpoint: since when it fails, until when it wants to be left alone,
/// and whether it is used any longer.
async fn update_health(
    tx: &Tx,
    webhook: &webhook::Model,
    accepted: bool,
    status: Option<u16>,
    resumes_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let endpoint = (webhook.organization_id, webhook.id);
    let known = repository::progress(tx, endpoint).await?;
    let since = known.failing_since.map(|at| at.to_utc());
    let until = known.resumes_at.map(|at| at.to_utc());
    // Not later than now, also where the clock was ahead then.
    let now = tx.now();
    let failing_since = if accepted { None } else { Some(since.unwrap_or(now).min(now)) };
    let resumes_at = resumes_at.or(until);
    if (failing_since, resumes_at) != (since, until) {
        repository::update_health(tx, endpoint, failing_since, resumes_at).await?;
    }
    let failing = failing_since.is_some_and(|since| tx.now() - since >= rules::DISABLE_AFTER);
    match status {
        Some(GONE) => disable(tx, webhook, DisabledReason::Gone).await,
        _ if failing => disable(tx, webhook, DisabledReason::Failing).await,
        _ => Ok(()),
    }
}

async fn disable(tx: &Tx, webhook: &webhook::Model, reason: DisabledReason) -> Result<()> {
    if !webhook.enabled {
        return Ok(());
    }
    let context = EventContext {
        organization_id: webhook.organization_id,
        author: Author::System,
        request_id: None,
    };
    let change = webhook::ActiveModel {
        enabled: Set(false),
        disabled_reason: Set(Some(reason.as_str().to_owned())),
        ..Default::default()
    };
    versioned::update(tx, context, Verb::Disabled, webhook, change, Webhook::try_from).await?;
    Ok(())
}

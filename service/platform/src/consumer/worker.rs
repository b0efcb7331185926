//! Feeds each consumer each organization's events, in order, some in a transaction.
//!
//! Where some fail, each of them gets a transaction of its own. An event that fails alone is tried again,
//! later each time, and then parked. Meanwhile only that consumer waits, and only with that organization.
//! Consumers take turns, a part of each log at a time: none waits for another to be done.

use std::panic::AssertUnwindSafe;

use chrono::TimeDelta;
use entity::{event, parked_event};
use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::ActiveValue::Set;
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::{
    Consumer,
    repository::{self, Lag, PositionUpdate},
};
use crate::{
    actor::Actor,
    background::{Concurrency, Work},
    backoff::{Backoff, Jitter},
    error::{Error, Result},
    lease::{self, Node},
    store::{Store, Tx},
    trace::{self, TARGET},
};

/// How many events of one log a consumer is given in a turn, and one transaction holds.
const BATCH_SIZE: u64 = 50;
/// Of how many organizations is asked at once whether anything is relevant to a consumer.
const ORGANIZATIONS_PER_QUERY: usize = 500;
/// How often an event is tried before it is parked.
const MAX_ATTEMPTS: i64 = 10;
/// How long an event waits that is to be tried again. In all, some eight minutes.
pub(super) const BACKOFF: Backoff =
    Backoff { initial: TimeDelta::seconds(1), max: TimeDelta::seconds(1 << (MAX_ATTEMPTS - 2)) };
/// How long the text of an error is that is kept.
const MAX_ERROR_LENGTH: usize = 500;

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    /// It failed, and the log waits for it.
    Failed,
    /// The organization is gone, or its log is further than was thought.
    Gone,
    /// Another node is at it, with all logs.
    LeaseHeld,
}

/// What the consumers of a node do.
#[derive(Debug)]
pub struct Consumers {
    store: Store,
    node: Node,
    consumers: &'static [Consumer],
}

impl Consumers {
    /// These consumers.
    pub fn new(store: &Store, node: &Node, consumers: &'static [Consumer]) -> Self {
        Self { store: store.clone(), node: node.clone(), consumers }
    }
}

impl Work for Consumers {
    fn turn(&self, _: Concurrency) -> BoxFuture<'_, Result<u64>> {
        Box::pin(run_once(self))
    }
}

/// Gives every consumer some of what it has not seen, and says how much that was.
async fn run_once(context: &Consumers) -> Result<u64> {
    let mut done = 0;
    let mut failed = None;
    for consumer in context.consumers {
        match run_consumer(context, consumer).await {
            Ok(some) => done += some,
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(done), Err)
}

async fn run_consumer(context: &Consumers, consumer: &'static Consumer) -> Result<u64> {
    if !repository::has_started(context.store.read(), consumer.name).await? {
        start(context, consumer).await?;
    }
    let mut done = 0;
    let mut failed = None;
    let now = context.store.now();
    let lags = repository::lags(context.store.read(), consumer.name, now).await?;
    for some in lags.chunks(ORGANIZATIONS_PER_QUERY) {
        let organizations: Vec<Uuid> = some.iter().map(|it| it.organization_id).collect();
        let relevant = (consumer.relevant_to)(context.store.read(), &organizations).await?;
        let (relevant, others): (Vec<Lag>, Vec<Lag>) =
            some.iter().partition(|it| relevant.contains(&it.organization_id));
        if skip_to_head(context, consumer, others).await? == Outcome::LeaseHeld {
            return Ok(done);
        }
        for lag in relevant {
            match process_log(context, consumer, lag).await {
                Ok((some, Outcome::LeaseHeld)) => return Ok(done + some),
                Ok((some, _)) => done += some,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
    }
    for parked in repository::requeued(context.store.read(), consumer.name).await? {
        match retry_parked(context, consumer, parked).await {
            Ok(some) => done += some,
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(done), Err)
}

async fn start(context: &Consumers, consumer: &'static Consumer) -> Result<()> {
    let node = context.node.clone();
    let started = context.store.write(async move |tx| {
        let ours = acquire_lease(tx, consumer, &node).await?;
        if ours && !repository::has_started(tx, consumer.name).await? {
            repository::start(tx, consumer).await?;
        }
        Ok(())
    });
    started.await
}

async fn acquire_lease(tx: &Tx, consumer: &Consumer, node: &Node) -> Result<bool> {
    lease::acquire(tx, &format!("consumer:{}", consumer.name), node).await
}

/// Goes over all that has happened in organizations where nothing is relevant to the consumer.
async fn skip_to_head(
    context: &Consumers,
    consumer: &'static Consumer,
    logs: Vec<Lag>,
) -> Result<Outcome> {
    if logs.is_empty() {
        return Ok(Outcome::Done);
    }
    let node = context.node.clone();
    let passed = context.store.write(async move |tx| {
        if !acquire_lease(tx, consumer, &node).await? {
            return Ok(Outcome::LeaseHeld);
        }
        repository::skip_to_head(tx, consumer.name, &logs).await?;
        Ok(Outcome::Done)
    });
    match passed.await {
        // One of them has just been removed: the next turn does without it.
        Err(Error::Reference) => Ok(Outcome::Gone),
        other => other,
    }
}

async fn process_log(
    context: &Consumers,
    consumer: &'static Consumer,
    lag: Lag,
) -> Result<(u64, Outcome)> {
    let connection = context.store.read();
    let events = repository::next_events(connection, lag, consumer.kinds, BATCH_SIZE).await?;
    let span = turn_span(consumer, &events);
    process_events(context, consumer, lag, events).instrument(span).await
}

/// The span of what a consumer does with events, which is linked to the requests that they are of.
fn turn_span(consumer: &Consumer, events: &[event::Model]) -> Span {
    if events.is_empty() {
        return Span::none();
    }
    let span = tracing::debug_span!(
        target: TARGET,
        parent: None,
        "consumer turn",
        otel.name = format!("process {}", consumer.name),
        otel.kind = "consumer",
        steward.consumer.name = consumer.name,
        steward.consumer.events = events.len() as i64,
    );
    if !span.is_disabled() {
        let mut requests: Vec<_> = events.iter().filter_map(|event| event.request_id).collect();
        requests.dedup();
        requests.into_iter().for_each(|request| trace::link(&span, request));
    }
    span
}

async fn process_events(
    context: &Consumers,
    consumer: &'static Consumer,
    mut lag: Lag,
    events: Vec<event::Model>,
) -> Result<(u64, Outcome)> {
    // What is after the last of them holds nothing that the consumer wants.
    let more = events.len() as u64 == BATCH_SIZE;
    let to = if more { last_position(&events, lag.position) } else { lag.head };
    let count = events.len() as u64;
    match process(context, consumer, lag, events.clone(), to).await {
        Ok(Outcome::Done) => return Ok((count, Outcome::Done)),
        Ok(other) => return Ok((0, other)),
        // The organization has just been removed.
        Err(Error::Reference) if events.is_empty() => return Ok((0, Outcome::Gone)),
        Err(error) if events.is_empty() => return Err(error),
        Err(error) => match &events[..] {
            // It has just been tried alone.
            [event] => {
                let outcome =
                    schedule_retry(context, consumer, lag.position, event.clone(), error).await?;
                let is_done = matches!(outcome, Outcome::Done | Outcome::Failed);
                return Ok((is_done.into(), outcome));
            }
            _ => tracing::debug!(consumer = consumer.name, %error, "one at a time"),
        },
    }
    let mut done = 0;
    for event in events {
        let alone = vec![event.clone()];
        let to = last_position(&alone, lag.position);
        let stepped = match process(context, consumer, lag, alone, to).await {
            Err(error) => schedule_retry(context, consumer, lag.position, event, error).await?,
            Ok(outcome) => outcome,
        };
        match stepped {
            Outcome::Done => done += 1,
            Outcome::Failed => return Ok((done + 1, Outcome::Failed)),
            other => return Ok((done, other)),
        }
        lag.position = to;
    }
    Ok((done, Outcome::Done))
}

/// The position of the last of some events.
fn last_position(events: &[event::Model], otherwise: i64) -> i64 {
    events.last().and_then(|event| event.position).unwrap_or(otherwise)
}

/// Some events, and with them the position.
async fn process(
    context: &Consumers,
    consumer: &'static Consumer,
    lag: Lag,
    events: Vec<event::Model>,
    to: i64,
) -> Result<Outcome> {
    let node = context.node.clone();
    let reacted = context.store.write(async move |tx| {
        if !acquire_lease(tx, consumer, &node).await? {
            return Ok(Outcome::LeaseHeld);
        }
        let Lag { organization_id, position, .. } = lag;
        let Some(actor) = system(tx, organization_id).await? else {
            return Ok(Outcome::Gone);
        };
        let to = PositionUpdate { position: to, ..PositionUpdate::default() };
        if !repository::advance(tx, organization_id, consumer.name, position, to).await? {
            return Ok(Outcome::Gone);
        }
        if !events.is_empty() {
            react(tx, consumer, &actor, &events).await?;
        }
        Ok(Outcome::Done)
    });
    reacted.await
}

/// What the consumer does; a panic of it is a failure like any other. What a panic says may hold what
/// the events hold, and is left out.
async fn react(tx: &Tx, consumer: &Consumer, actor: &Actor, events: &[event::Model]) -> Result<()> {
    let reacted = AssertUnwindSafe(async { (consumer.react)(tx, actor, events).await });
    reacted.catch_unwind().await.unwrap_or_else(|_| Err(Error::Internal("a panic".into())))
}

/// After an event has failed: says when it is tried again, or parks it.
async fn schedule_retry(
    context: &Consumers,
    consumer: &'static Consumer,
    from: i64,
    event: event::Model,
    error: Error,
) -> Result<Outcome> {
    let text = error_summary(&error);
    tracing::warn!(consumer = consumer.name, kind = event.kind, event = %event.id, error = text,
        "an event failed");
    let node = context.node.clone();
    let scheduled = context.store.write(async move |tx| {
        if !acquire_lease(tx, consumer, &node).await? {
            return Ok(Outcome::LeaseHeld);
        }
        if system(tx, event.organization_id).await?.is_none() {
            return Ok(Outcome::Gone);
        }
        let organization_id = event.organization_id;
        let known = repository::position(tx, organization_id, consumer.name).await?;
        let attempts = known.map_or(0, |row| row.attempts) + 1;
        let (to, outcome) = if attempts < MAX_ATTEMPTS {
            let next_at = Some(tx.now() + BACKOFF.delay(attempts, Jitter::Half, tx.random()));
            (PositionUpdate { position: from, attempts, next_at }, Outcome::Failed)
        } else {
            let position = event.position.unwrap_or(from);
            (PositionUpdate { position, ..PositionUpdate::default() }, Outcome::Done)
        };
        if !repository::advance(tx, organization_id, consumer.name, from, to).await? {
            return Ok(Outcome::Gone);
        }
        if outcome == Outcome::Done {
            repository::park(tx, parked(tx, consumer, &event, attempts, &text)).await?;
        }
        Ok(outcome)
    });
    scheduled.await
}

/// steward itself in an organization, unless that is gone.
async fn system(tx: &Tx, organization_id: Uuid) -> Result<Option<Actor>> {
    match Actor::system(tx, organization_id).await {
        Ok(actor) => Ok(Some(actor)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

fn parked(
    tx: &Tx,
    consumer: &Consumer,
    event: &event::Model,
    attempts: i64,
    text: &str,
) -> parked_event::ActiveModel {
    parked_event::ActiveModel {
        organization_id: Set(event.organization_id),
        id: Set(tx.new_id()),
        consumer: Set(consumer.name.to_owned()),
        event_id: Set(event.id),
        position: Set(event.position.unwrap_or_default()),
        kind: Set(event.kind.clone()),
        error: Set(text.to_owned()),
        attempts: Set(attempts),
        parked_at: Set(tx.now().fixed_offset()),
        put_back_at: Set(None),
    }
}

/// Tries an event once that an operator has requeued.
async fn retry_parked(
    context: &Consumers,
    consumer: &'static Consumer,
    parked: parked_event::Model,
) -> Result<u64> {
    let reacted = {
        let (node, parked) = (context.node.clone(), parked.clone());
        context.store.write(async move |tx| {
            if !acquire_lease(tx, consumer, &node).await?
                || !repository::delete_requeued(tx, &parked).await?
            {
                return Ok(0);
            }
            let organization_id = parked.organization_id;
            let actor = Actor::system(tx, organization_id).await?;
            if let Some(event) = repository::event(tx, organization_id, parked.event_id).await? {
                react(tx, consumer, &actor, &[event]).await?;
            }
            Ok(1)
        })
    };
    let error = match reacted.await {
        Ok(done) => return Ok(done),
        Err(error) => error,
    };
    let node = context.node.clone();
    let text = error_summary(&error);
    let back = context.store.write(async move |tx| {
        if !acquire_lease(tx, consumer, &node).await? {
            return Ok(0);
        }
        let change = parked_event::ActiveModel {
            error: Set(text.clone()),
            attempts: Set(parked.attempts + 1),
            parked_at: Set(tx.now().fixed_offset()),
            put_back_at: Set(None),
            ..Default::default()
        };
        Ok(repository::repark(tx, &parked, change).await?.into())
    });
    back.await
}

/// An error as it is kept: errors hold no personal data.
fn error_summary(error: &Error) -> String {
    error.to_string().chars().take(MAX_ERROR_LENGTH).collect()
}

//! Feeds each consumer each organization's events, in order, some in a transaction.
//!
//! Where some fail, each of them gets a transaction of its own. An event that fails alone is tried again,
//! later each time, and then parked. Meanwhile only that consumer waits, and only with that organization.
//! Consumers take turns, a part of each log at a time: none waits for another to be done.

use std::panic::AssertUnwindSafe;

use chrono::TimeDelta;
use entity::{event, parked_event};
use futures_util::FutureExt;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{
    Consumer,
    repository::{self, Behind, Next},
};
use crate::{
    access,
    actor::Actor,
    background::Context,
    error::{Error, Result},
    lease::{self, Node},
    random::Random,
    store::Tx,
};

/// How many events of one log a consumer is given in a turn, and one transaction holds.
const AT_ONCE: u64 = 50;
/// Of how many organizations is asked at once whether anything concerns a consumer.
const ORGANIZATIONS_AT_ONCE: usize = 500;
/// How often an event is tried before it is parked.
const ATTEMPTS: i64 = 10;
/// How long until it is tried for the second time; twice as long each time after that. In all, some
/// eight minutes.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(1);
/// How long an event waits at most that is to be tried again.
pub(super) const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(1 << (ATTEMPTS - 2));
/// How long the text of an error is that is kept.
const ERROR_LENGTH: usize = 500;

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Done,
    /// It failed, and the log waits for it.
    Failed,
    /// The organization is gone, or its log is further than was thought.
    Gone,
    /// Another node is at it, with all logs.
    NotOurs,
}

/// Gives every consumer some of what it has not seen, and says how much that was.
pub(crate) async fn feed(context: &Context) -> Result<u64> {
    let mut done = 0;
    let mut failed = None;
    for consumer in context.consumers {
        match feed_one(context, consumer).await {
            Ok(some) => done += some,
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(done), Err)
}

async fn feed_one(context: &Context, consumer: &'static Consumer) -> Result<u64> {
    if !repository::has_started(context.store.read(), consumer.name).await? {
        start(context, consumer).await?;
    }
    let mut done = 0;
    let mut failed = None;
    let now = context.store.now();
    let behind = repository::behind(context.store.read(), consumer.name, now).await?;
    for some in behind.chunks(ORGANIZATIONS_AT_ONCE) {
        let organizations: Vec<Uuid> = some.iter().map(|it| it.organization_id).collect();
        let concerned = (consumer.concerns)(context.store.read(), &organizations).await?;
        let (concerned, others): (Vec<Behind>, Vec<Behind>) =
            some.iter().partition(|it| concerned.contains(&it.organization_id));
        if pass_over(context, consumer, others).await? == Step::NotOurs {
            return Ok(done);
        }
        for behind in concerned {
            match feed_organization(context, consumer, behind).await {
                Ok((some, Step::NotOurs)) => return Ok(done + some),
                Ok((some, _)) => done += some,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
    }
    for parked in repository::requeued(context.store.read(), consumer.name).await? {
        match again(context, consumer, parked).await {
            Ok(some) => done += some,
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(done), Err)
}

async fn start(context: &Context, consumer: &'static Consumer) -> Result<()> {
    let started = context.store.write((context.node.clone(), consumer), |tx, (node, consumer)| {
        Box::pin(async move {
            let ours = acquire_lease(tx, consumer, node).await?;
            if ours && !repository::has_started(tx, consumer.name).await? {
                repository::start(tx, consumer).await?;
            }
            Ok(())
        })
    });
    started.await
}

async fn acquire_lease(tx: &Tx, consumer: &Consumer, node: &Node) -> Result<bool> {
    lease::acquire(tx, &format!("consumer:{}", consumer.name), node).await
}

/// Goes over all that has happened in organizations where nothing concerns the consumer.
async fn pass_over(
    context: &Context,
    consumer: &'static Consumer,
    logs: Vec<Behind>,
) -> Result<Step> {
    if logs.is_empty() {
        return Ok(Step::Done);
    }
    let input = (context.node.clone(), consumer, logs);
    let passed = context.store.write(input, |tx, (node, consumer, logs)| {
        Box::pin(async move {
            if !acquire_lease(tx, consumer, node).await? {
                return Ok(Step::NotOurs);
            }
            repository::pass_over(tx, consumer.name, logs).await?;
            Ok(Step::Done)
        })
    });
    match passed.await {
        // One of them has just been removed: the next turn does without it.
        Err(Error::Reference) => Ok(Step::Gone),
        other => other,
    }
}

async fn feed_organization(
    context: &Context,
    consumer: &'static Consumer,
    mut behind: Behind,
) -> Result<(u64, Step)> {
    let connection = context.store.read();
    let events = repository::wanted(connection, behind, consumer.kinds, AT_ONCE).await?;
    // What is after the last of them holds nothing that the consumer wants.
    let more = events.len() as u64 == AT_ONCE;
    let to = if more { end_of(&events, behind.position) } else { behind.head };
    let count = events.len() as u64;
    match step(context, consumer, behind, events.clone(), to).await {
        Ok(Step::Done) => return Ok((count, Step::Done)),
        Ok(other) => return Ok((0, other)),
        // The organization has just been removed.
        Err(Error::Reference) if events.is_empty() => return Ok((0, Step::Gone)),
        Err(error) if events.is_empty() => return Err(error),
        Err(error) => match &events[..] {
            // It has just been tried alone.
            [event] => {
                let step =
                    postpone(context, consumer, behind.position, event.clone(), error).await?;
                let is_done = matches!(step, Step::Done | Step::Failed);
                return Ok((is_done.into(), step));
            }
            _ => tracing::debug!(consumer = consumer.name, %error, "one at a time"),
        },
    }
    let mut done = 0;
    for event in events {
        let alone = vec![event.clone()];
        let to = end_of(&alone, behind.position);
        let stepped = match step(context, consumer, behind, alone, to).await {
            Err(error) => postpone(context, consumer, behind.position, event, error).await?,
            Ok(step) => step,
        };
        match stepped {
            Step::Done => done += 1,
            Step::Failed => return Ok((done + 1, Step::Failed)),
            other => return Ok((done, other)),
        }
        behind.position = to;
    }
    Ok((done, Step::Done))
}

/// The position of the last of some events.
fn end_of(events: &[event::Model], otherwise: i64) -> i64 {
    events.last().and_then(|event| event.position).unwrap_or(otherwise)
}

/// Some events, and with them the position.
async fn step(
    context: &Context,
    consumer: &'static Consumer,
    behind: Behind,
    events: Vec<event::Model>,
    to: i64,
) -> Result<Step> {
    let input = (context.node.clone(), consumer, behind, events, to);
    let reacted = context.store.write(input, |tx, (node, consumer, behind, events, to)| {
        Box::pin(async move {
            if !acquire_lease(tx, consumer, node).await? {
                return Ok(Step::NotOurs);
            }
            let Behind { organization_id, position, .. } = *behind;
            let Some(actor) = system(tx, organization_id).await? else {
                return Ok(Step::Gone);
            };
            let to = Next { position: *to, ..Next::default() };
            if !repository::advance(tx, organization_id, consumer.name, position, to).await? {
                return Ok(Step::Gone);
            }
            if !events.is_empty() {
                react(tx, consumer, &actor, events).await?;
            }
            Ok(Step::Done)
        })
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
async fn postpone(
    context: &Context,
    consumer: &'static Consumer,
    from: i64,
    event: event::Model,
    error: Error,
) -> Result<Step> {
    let text = told(&error);
    tracing::warn!(consumer = consumer.name, kind = event.kind, event = %event.id, error = text,
        "an event failed");
    let input = (context.node.clone(), consumer, from, event, text);
    let postponed = context.store.write(input, |tx, (node, consumer, from, event, text)| {
        Box::pin(async move {
            if !acquire_lease(tx, consumer, node).await? {
                return Ok(Step::NotOurs);
            }
            if system(tx, event.organization_id).await?.is_none() {
                return Ok(Step::Gone);
            }
            let organization_id = event.organization_id;
            let known = repository::position(tx, organization_id, consumer.name).await?;
            let attempts = known.map_or(0, |row| row.attempts) + 1;
            let (to, step) = if attempts < ATTEMPTS {
                let next_at = Some(tx.now() + pause(attempts, tx.random()));
                (Next { position: *from, attempts, next_at }, Step::Failed)
            } else {
                let position = event.position.unwrap_or(*from);
                (Next { position, ..Next::default() }, Step::Done)
            };
            if !repository::advance(tx, organization_id, consumer.name, *from, to).await? {
                return Ok(Step::Gone);
            }
            if step == Step::Done {
                repository::park(tx, parked(tx, consumer, event, attempts, text)).await?;
            }
            Ok(step)
        })
    });
    postponed.await
}

/// steward itself in an organization, unless that is gone.
async fn system(tx: &Tx, organization_id: Uuid) -> Result<Option<Actor>> {
    match access::system(tx, organization_id).await {
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
async fn again(
    context: &Context,
    consumer: &'static Consumer,
    parked: parked_event::Model,
) -> Result<u64> {
    let input = (context.node.clone(), consumer, parked.clone());
    let reacted = context.store.write(input, |tx, (node, consumer, parked)| {
        Box::pin(async move {
            if !acquire_lease(tx, consumer, node).await? || !repository::forget(tx, parked).await? {
                return Ok(0);
            }
            let organization_id = parked.organization_id;
            let actor = access::system(tx, organization_id).await?;
            if let Some(event) = repository::event(tx, organization_id, parked.event_id).await? {
                react(tx, consumer, &actor, &[event]).await?;
            }
            Ok(1)
        })
    });
    let error = match reacted.await {
        Ok(done) => return Ok(done),
        Err(error) => error,
    };
    let input = (context.node.clone(), consumer, parked, told(&error));
    let back = context.store.write(input, |tx, (node, consumer, parked, text)| {
        Box::pin(async move {
            if !acquire_lease(tx, consumer, node).await? {
                return Ok(0);
            }
            let change = parked_event::ActiveModel {
                error: Set(text.clone()),
                attempts: Set(parked.attempts + 1),
                parked_at: Set(tx.now().fixed_offset()),
                put_back_at: Set(None),
                ..Default::default()
            };
            Ok(repository::park_again(tx, parked, change).await?.into())
        })
    });
    back.await
}

/// An error as it is kept: errors hold no personal data.
fn told(error: &Error) -> String {
    error.to_string().chars().take(ERROR_LENGTH).collect()
}

/// How long an event waits that has failed so often: half of it for certain, the rest by chance, so
/// that what failed together is not tried together.
fn pause(attempts: i64, random: &Random) -> TimeDelta {
    let doublings = u32::try_from((attempts - 1).clamp(0, 20)).unwrap_or_default();
    let longest = FIRST_PAUSE.num_milliseconds() << doublings;
    let half = longest / 2;
    let chance = random.below(u64::try_from(half).unwrap_or_default() + 1);
    TimeDelta::milliseconds(half + i64::try_from(chance).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_never_longer_than_twice_the_last() {
        let random = Random::seeded(1);
        for attempts in 1..ATTEMPTS {
            let longest = FIRST_PAUSE * (1 << (attempts - 1));
            for _ in 0..100 {
                let pause = pause(attempts, &random);
                assert!(longest / 2 <= pause && pause <= longest, "{attempts}: {pause}");
                assert!(pause <= LONGEST_PAUSE);
            }
        }
    }
}

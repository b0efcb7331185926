//! Walks the chain of every log: an event that was changed, removed or put in shows.

use chrono::TimeDelta;
use entity::event;
use uuid::Uuid;

use super::{chain, repository, sealed};
use crate::{
    error::Result,
    seal::Keyring,
    store::{Store, log::digest},
    tenant,
};

/// How many events are read at once.
const BATCH_SIZE: u64 = 500;

/// What was found in one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The organization; nil for the log of users.
    pub organization_id: Uuid,
    /// How many events hold.
    pub events: u64,
    /// Of how many of them something is sealed for which there is no key here: that it is what was
    /// written is not known.
    pub undecryptable: u64,
    /// How many events have no position yet. Where they wait for longer than a moment, nobody gives
    /// them one.
    pub unsequenced: u64,
    /// What is wrong, the first of each kind of place.
    pub faults: Vec<String>,
}

/// Checks every log.
pub async fn verify(store: &Store) -> Result<Vec<Findings>> {
    let mut findings = Vec::new();
    for log in repository::logs(store.read()).await? {
        if tenant::is_deleted(store.read(), log).await? {
            continue;
        }
        let found = verify_log(store, log).await?;
        // What is removed meanwhile is not missing.
        let is_deleted = tenant::is_deleted(store.read(), log).await?;
        findings.extend(Some(found).filter(|_| !is_deleted));
    }
    Ok(findings)
}

/// By how much the latest of what was told last was done later than now: then this machine's clock was ahead,
/// or is behind. None if it is not.
pub async fn from_the_future(store: &Store) -> Result<Option<TimeDelta>> {
    let latest = repository::latest(store.read()).await?;
    Ok(latest.map(|latest| latest - store.now()).filter(|ahead| *ahead > TimeDelta::zero()))
}

async fn verify_log(store: &Store, log: Uuid) -> Result<Findings> {
    let connection = store.read();
    let unsequenced = repository::count_unsequenced(connection, log).await?;
    let faults = Vec::new();
    let mut found =
        Findings { organization_id: log, events: 0, undecryptable: 0, unsequenced, faults };
    // Before the events: the log may grow meanwhile.
    let head = repository::head(connection, log).await?;
    let (head_position, head_chain) = repository::head_or_start(head.as_ref());
    let (mut position, mut previous) = (0, chain::START.to_owned());
    let mut at_head = (head_position == 0).then(|| previous.clone());
    loop {
        let events = repository::after(connection, log, position, BATCH_SIZE).await?;
        if events.is_empty() {
            break;
        }
        for event in events {
            let expected = position + 1;
            let here = event.position.unwrap_or_default();
            if here != expected {
                found.faults.push(format!("positions {expected} to {} are missing", here - 1));
            }
            let link = chain::link(&previous, here, &event);
            match check(store.keyring(), &event, here, (&previous, &link)) {
                Err(fault) => found.faults.push(fault),
                Ok(is_decryptable) => {
                    found.events += 1;
                    found.undecryptable += u64::from(!is_decryptable);
                }
            }
            position = here;
            // What is stored, so that one fault is told once.
            previous = event.chain.unwrap_or(link);
            if here == head_position {
                at_head = Some(previous.clone());
            }
        }
    }
    if at_head.is_none_or(|chain| chain != head_chain) {
        found
            .faults
            .push(format!("the log ends at position {position}, and not with {head_position}"));
    }
    Ok(found)
}

/// What is wrong with the event at a position, or whether there is a key here for what is sealed in it.
fn check(
    keyring: &Keyring,
    event: &event::Model,
    here: i64,
    (previous, link): (&str, &str),
) -> Result<bool, String> {
    if event.previous_chain.as_deref() != Some(previous) {
        return Err(format!("position {here} does not follow the one before"));
    }
    if event.chain.as_deref() != Some(link) {
        return Err(format!("position {here} is not as it was written"));
    }
    if event.data.as_ref().is_some_and(|data| digest(data) != event.data_digest) {
        return Err(format!("the data of position {here} is not as it was written"));
    }
    match sealed::holds(keyring, event) {
        Some(false) => Err(format!("what is sealed at position {here} is not as it was written")),
        known => Ok(known.is_some()),
    }
}

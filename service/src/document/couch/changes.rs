//! `_changes`: which documents have changed since, each once, where it has changed last.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    Refusal,
    read::{Known, With, unique},
    repository, settled, wire,
};
use crate::{
    actor::Actor,
    document::{
        collection::{self, Collection},
        document,
    },
    error::Result,
    event,
    store::{Store, Tx, signal::Signal},
};

/// How many changes are told at once.
pub const MAX_CHANGES: u64 = 5_000;
/// How long whoever asks waits for the positions of what has been written before.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(1);

/// Which changes are asked for.
#[derive(Debug, Clone)]
pub struct ChangesQuery {
    /// After which position of the log.
    pub since: i64,
    /// How many, at most.
    pub limit: u64,
    /// The latest first.
    pub descending: bool,
    /// All leaves, and not the winners alone.
    pub all_leaves: bool,
    /// The documents, with what is to be shown of them.
    pub documents: Option<With>,
    /// Of these documents alone.
    pub ids: Option<Vec<String>>,
}

/// Changes, and how far they go.
#[derive(Debug, Clone)]
pub struct Changes {
    /// The changes.
    pub results: Vec<Value>,
    /// The position after which the next ones are to be asked for.
    pub last: i64,
}

/// Where the log ends, once it has what was written before: a client that has just written looks for that.
pub(super) async fn settled_end(store: &Store, actor: &Actor) -> Result<i64> {
    let mut wake = store.watch(Signal::Sequenced);
    let settled = async {
        loop {
            wake.borrow_and_update();
            if let Some(state) = event::state(store.read(), actor.organization_id).await? {
                return Ok(state.position);
            }
            if wake.changed().await.is_err() {
                return event::head_position(store, actor).await;
            }
        }
    };
    match timeout(SETTLE_TIMEOUT, settled).await {
        Ok(position) => position,
        Err(_) => event::head_position(store, actor).await,
    }
}

/// The changes that a query asks for.
///
/// # Errors
/// Where the actor may not read the collection, or the log has not come as far as the query says.
pub async fn changes(
    store: &Store,
    actor: &Actor,
    collection: &str,
    query: ChangesQuery,
) -> Result<Changes, Refusal> {
    let until = settled_end(store, actor).await?;
    event::require_reached(query.since, until, "?since")?;
    let (actor, collection) = (actor.clone(), collection.to_owned());
    let found = store.snapshot_with_parts(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        settled(told(tx, &actor, &collection, (&query, until)).await)
    });
    found.await?
}

async fn told(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    (query, until): (&ChangesQuery, i64),
) -> Result<Changes, Refusal> {
    let ids = query.ids.as_ref().map(|keys| {
        let ids = keys.iter().map(|key| document::rules::uuid(collection.id, key));
        ids.collect::<Vec<Uuid>>()
    });
    let range = repository::Range {
        positions: (query.since, until),
        descending: query.descending,
        limit: query.limit.min(MAX_CHANGES),
    };
    let scope = (actor.organization_id, collection.id);
    let changed = repository::latest(tx, scope, &range, ids.as_deref()).await?;
    let ids: Vec<Uuid> = changed.iter().map(|(_, id)| *id).collect();
    let known = Known::of(tx, actor, collection, &unique(&ids), query.documents.is_some()).await?;
    let is_cut = changed.len() as u64 == range.limit && !query.descending;
    let last = changed.last().filter(|_| is_cut).map_or(until, |(position, _)| *position);
    let mut results = Vec::with_capacity(changed.len());
    for (position, id) in changed {
        let leaves = known.leaves(id);
        let Some(winner) = leaves.first().filter(|leaf| wire::is_shown(&leaf.key)) else {
            continue;
        };
        let told = if query.all_leaves { leaves } else { &leaves[..1] };
        let told = told.iter().map(|leaf| json!({ "rev": leaf.revision.to_string() }));
        let mut change = Map::new();
        change.insert("seq".into(), position.into());
        change.insert("id".into(), winner.key.clone().into());
        change.insert("changes".into(), told.collect());
        if winner.deleted {
            change.insert("deleted".into(), true.into());
        }
        if let Some(with) = query.documents {
            let document = known.shown((id, &winner.key), &winner.revision, with).await?;
            change.insert("doc".into(), document.into());
        }
        results.push(Value::Object(change));
    }
    Ok(Changes { results, last })
}

/// Changes, as they are answered.
impl From<Changes> for Value {
    fn from(changes: Changes) -> Self {
        json!({ "results": changes.results, "last_seq": changes.last })
    }
}

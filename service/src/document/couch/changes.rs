//! `_changes`: which documents have changed since, each once, where it has changed last.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    Refusal,
    known::{Known, With, unique},
    repository,
    seq::Seq,
    settled, wire,
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
    /// After which change.
    pub since: Seq,
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
    /// After which the next ones are to be asked for.
    pub last: Seq,
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
    event::require_reached(query.since.position, until, "?since")?;
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
        positions: (query.since.position, until),
        descending: query.descending,
        limit: query.limit.min(MAX_CHANGES),
    };
    let scope = (actor.organization_id, collection.id);
    let changed = repository::latest(tx, scope, &range, ids.as_deref()).await?;
    let ids: Vec<Uuid> = changed.iter().map(|(_, id)| *id).collect();
    let known = Known::of(tx, actor, collection, &unique(&ids), query.documents.is_some()).await?;
    let is_cut = changed.len() as u64 == range.limit && !query.descending;
    let last = changed.last().filter(|_| is_cut).map_or(until, |(position, _)| *position);
    let is_shown = |id: &Uuid| known.leaves(*id).first().is_some_and(|it| wire::is_shown(&it.key));
    let shown: Vec<(i64, Uuid)> = changed.into_iter().filter(|(_, id)| is_shown(id)).collect();
    let told = query.since.told + shown.len() as u64;
    let mut results = Vec::with_capacity(shown.len());
    for (nth, (position, id)) in (query.since.told + 1..).zip(shown) {
        // The later a change is, the more were told before it.
        let nth = if query.descending { told + query.since.told + 1 - nth } else { nth };
        let seq = Seq { told: nth, position };
        results.push(change(&known, id, seq, query).await?);
    }
    Ok(Changes { results, last: Seq { told, position: last } })
}

/// The last change of a document, at this place.
async fn change(
    known: &Known<'_>,
    id: Uuid,
    seq: Seq,
    query: &ChangesQuery,
) -> Result<Value, Refusal> {
    let leaves = known.leaves(id);
    let winner = leaves.first().ok_or(Refusal::Missing)?;
    let told = if query.all_leaves { leaves } else { &leaves[..1] };
    let told = told.iter().map(|leaf| json!({ "rev": leaf.revision.to_string() }));
    let mut change = Map::new();
    change.insert("seq".into(), seq.into());
    change.insert("id".into(), winner.key.clone().into());
    change.insert("changes".into(), told.collect());
    if winner.deleted {
        change.insert("deleted".into(), true.into());
    }
    if let Some(with) = query.documents {
        let document = known.shown((id, &winner.key), &winner.revision, with).await?;
        change.insert("doc".into(), document.into());
    }
    Ok(Value::Object(change))
}

/// Changes, as they are answered.
impl From<Changes> for Value {
    fn from(changes: Changes) -> Self {
        json!({ "results": changes.results, "last_seq": changes.last.to_string() })
    }
}

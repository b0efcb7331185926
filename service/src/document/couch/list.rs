//! `_all_docs`: the documents of a collection, in the order of their ids.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    Refusal,
    known::{Known, With, unique},
    settled, wire,
};
use crate::{
    actor::Actor,
    document::{
        collection::{self, Collection},
        document,
    },
    error::Result,
    store::{Store, Tx},
};

/// How many documents one list has at most.
const MAX_ROWS: u64 = 5_000;

/// Which documents are asked for.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// These, in this order, also those that are not there.
    pub keys: Option<Vec<String>>,
    /// From this id on.
    pub start: Option<String>,
    /// Up to this id.
    pub end: Option<String>,
    /// Without the last id itself.
    pub excludes_end: bool,
    /// The last first.
    pub descending: bool,
    /// How many, at most.
    pub limit: Option<u64>,
    /// How many are left out before the first.
    pub skip: u64,
    /// The documents, with what is to be shown of them.
    pub documents: Option<With>,
}

/// Documents of a collection.
#[derive(Debug, Clone)]
pub struct List {
    /// How many there are, or one more than are counted.
    pub total: u64,
    /// How many were left out before the first.
    pub skipped: u64,
    /// A row for each.
    pub rows: Vec<Value>,
}

/// The documents that a query asks for.
///
/// # Errors
/// Where the actor may not read the collection, or there are more than one answer has.
pub async fn list(
    store: &Store,
    actor: &Actor,
    collection: &str,
    query: ListQuery,
) -> Result<List, Refusal> {
    let total = super::info(store, actor, collection).await?.documents;
    let skipped = query.skip;
    let (actor, collection) = (actor.clone(), collection.to_owned());
    let rows = store.snapshot_with_parts(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        settled(match &query.keys {
            Some(keys) => rows_of_keys(tx, &actor, &collection, keys, &query).await,
            None => rows(tx, &actor, &collection, &query).await,
        })
    });
    Ok(List { total, skipped, rows: rows.await?? })
}

async fn rows(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    query: &ListQuery,
) -> Result<Vec<Value>, Refusal> {
    let limit = query.limit.unwrap_or(MAX_ROWS + 1).min(MAX_ROWS + 1);
    let range = document::repository::KeyRange {
        start: query.start.as_deref(),
        end: query.end.as_deref(),
        excludes_end: query.excludes_end,
        descending: query.descending,
        skip: query.skip,
        limit,
    };
    let found =
        document::repository::keys(tx, (actor.organization_id, collection.id), range).await?;
    if found.len() as u64 > MAX_ROWS {
        let reason = format!("name a limit of at most {MAX_ROWS}");
        return Err(Refusal::BadRequest(reason.into()));
    }
    let ids: Vec<Uuid> = found.iter().map(|(id, _)| *id).collect();
    let known = Known::of(tx, actor, collection, &ids, query.documents.is_some()).await?;
    let mut rows = Vec::with_capacity(found.len());
    for (id, key) in &found {
        rows.extend(row(&known, (*id, key), query.documents).await?);
    }
    Ok(rows)
}

async fn rows_of_keys(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    keys: &[String],
    query: &ListQuery,
) -> Result<Vec<Value>, Refusal> {
    let ids = keys.iter().map(|key| document::rules::uuid(collection.id, key));
    let ids: Vec<Uuid> = ids.collect();
    let known = Known::of(tx, actor, collection, &unique(&ids), query.documents.is_some()).await?;
    let mut rows = Vec::with_capacity(keys.len());
    for (id, key) in ids.into_iter().zip(keys) {
        let missing = || json!({ "key": key, "error": "not_found" });
        let row = row(&known, (id, key), query.documents).await?;
        rows.push(row.unwrap_or_else(missing));
    }
    Ok(rows)
}

async fn row(
    known: &Known<'_>,
    (id, key): (Uuid, &str),
    documents: Option<With>,
) -> Result<Option<Value>, Refusal> {
    let winner = known.leaves(id).first().filter(|_| wire::is_shown(key));
    let Some(winner) = winner else { return Ok(None) };
    let mut value = Map::new();
    value.insert("rev".into(), winner.revision.to_string().into());
    if winner.deleted {
        value.insert("deleted".into(), true.into());
    }
    let mut row = Map::new();
    row.insert("id".into(), key.into());
    row.insert("key".into(), key.into());
    row.insert("value".into(), value.into());
    if let Some(with) = documents {
        let document = match winner.deleted {
            true => None,
            false => known.shown((id, key), &winner.revision, with).await?,
        };
        row.insert("doc".into(), document.into());
    }
    Ok(Some(row.into()))
}

//! `_local` documents: how far a client has come. They have no history, no events and no conflicts.

use serde_json::{Map, Value};

use super::{
    Refusal,
    repository::{self, Checkpoint},
    settled,
    wire::Sent,
};
use crate::{
    actor::Actor,
    document::{collection, document},
    error::{Error, Result},
    store::{Store, Tx},
};

/// What their ids begin with.
pub(super) const PREFIX: &str = "_local/";
/// The revision of one that is removed.
const REMOVED: &str = "0-0";
/// How many bytes of JSON one has at most.
const MAX_SIZE: usize = 64 * 1024;

fn named(revision: i64) -> String {
    format!("0-{revision}")
}

/// A checkpoint.
///
/// # Errors
/// Where there is none.
pub async fn get(
    store: &Store,
    actor: &Actor,
    (collection, key): (&str, &str),
) -> Result<Map<String, Value>, Refusal> {
    let collection = collection::readable(store.read(), actor, collection).await?;
    let organization_id = actor.organization_id;
    let checkpoint = Checkpoint { organization_id, collection_id: collection.id, key };
    let found = repository::checkpoint(store.read(), checkpoint).await?;
    let (revision, body) = found.ok_or(Refusal::Missing)?;
    let body: Map<String, Value> = serde_json::from_str(&body)
        .map_err(|_| Error::Internal("the body of a checkpoint is no JSON".into()))?;
    let mut document = Map::new();
    document.insert("_id".into(), format!("{PREFIX}{key}").into());
    document.insert("_rev".into(), named(revision).into());
    document.extend(body);
    Ok(document)
}

/// Writes a checkpoint, or removes it, and gives its revision. Who may read the documents may: they keep it for
/// themselves.
///
/// # Errors
/// Where it has another revision by now.
pub async fn put(
    store: &Store,
    actor: &Actor,
    (collection, key): (&str, &str),
    sent: LocalSent,
) -> Result<String, Refusal> {
    let (actor, collection, key) = (actor.clone(), collection.to_owned(), key.to_owned());
    let written = store.write(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        settled(put_in(tx, &actor, &collection, &key, &sent).await)
    });
    written.await?
}

/// A `_local` document that a client sends.
#[derive(Debug, Clone)]
pub struct LocalSent {
    revision: Option<String>,
    deleted: bool,
    body: String,
}

impl LocalSent {
    /// Takes a document apart. Its revision is none of a tree.
    ///
    /// # Errors
    /// As of [`Sent::of`], or where it is too large.
    pub fn of(document: Value) -> Result<Self, Refusal> {
        let Value::Object(mut members) = document else {
            return Err(Refusal::BadRequest("a document must be a JSON object".into()));
        };
        let revision = members.shift_remove("_rev");
        let revision = revision.and_then(|it| it.as_str().map(str::to_owned));
        for name in ["_revisions", "_attachments"] {
            members.shift_remove(name);
        }
        let Sent { deleted, body, .. } = Sent::of(Value::Object(members))?;
        let body = Value::Object(body).to_string();
        if body.len() > MAX_SIZE {
            let reason = "a _local document has at most 64 KiB";
            return Err(Refusal::BadRequest(reason.into()));
        }
        Ok(Self { revision, deleted, body })
    }

    /// One that is to be removed.
    pub fn removal(revision: Option<String>) -> Self {
        Self { revision, deleted: true, body: String::new() }
    }
}

pub(super) async fn put_in(
    tx: &Tx,
    actor: &Actor,
    collection: &collection::Collection,
    key: &str,
    sent: &LocalSent,
) -> Result<String, Refusal> {
    document::rules::key(key).map_err(|_| Refusal::BadRequest("the id is too long".into()))?;
    let organization_id = actor.organization_id;
    let checkpoint = Checkpoint { organization_id, collection_id: collection.id, key };
    let before = repository::checkpoint(tx, checkpoint).await?.map(|(revision, _)| revision);
    if sent.revision.is_some() && before.is_none() && sent.deleted {
        return Err(Refusal::Missing);
    }
    if before.map(named) != sent.revision {
        return Err(Refusal::Conflict);
    }
    if sent.deleted {
        repository::remove_checkpoint(tx, checkpoint).await?;
        return Ok(REMOVED.to_owned());
    }
    let news = (sent.body.clone(), tx.now());
    Ok(named(repository::write_checkpoint(tx, checkpoint, before, news).await?))
}

//! What clients write: edits of their own, and revisions that they have from elsewhere.

use serde_json::{Value, json};

use super::{
    Refusal, checkpoint,
    checkpoint::LocalSent,
    settled,
    wire::{self, Sent},
};
use crate::{
    actor::Actor,
    document::{
        collection::{self, Collection},
        document,
        revision::{self, Leaf, Revision, tree::Path},
    },
    error::{Error, Result},
    store::{Store, Tx},
};

/// How many documents one transaction writes.
const DOCUMENTS_PER_WRITE: usize = 100;
const DESIGN_PREFIX: &str = "_design/";

/// How the documents of a request are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edits {
    /// Each is an edit of the revision that it names, and gets a revision of its own.
    New,
    /// Each is the revision that it names, which was made elsewhere.
    Replicated,
}

/// Writes documents, each by itself, and gives what became of each: of those that were made elsewhere, what was
/// refused alone.
///
/// # Errors
/// Where the actor may not read the collection. Where they may not write it, each document is refused.
pub async fn bulk(
    store: &Store,
    actor: &Actor,
    collection: &str,
    documents: Vec<Value>,
    edits: Edits,
) -> Result<Vec<Value>> {
    let mut results = Vec::with_capacity(documents.len());
    let mut rest = documents;
    while !rest.is_empty() {
        let others = rest.split_off(rest.len().min(DOCUMENTS_PER_WRITE));
        let some = std::mem::replace(&mut rest, others);
        let (actor, collection) = (actor.clone(), collection.to_owned());
        let written = store.write(async move |tx| {
            let collection = collection::readable(tx, &actor, &collection).await?;
            let keys = some.iter().filter_map(|document| document["_id"].as_str());
            let ids = keys.map(|key| document::rules::uuid(collection.id, key));
            let ids: Vec<_> = ids.collect();
            document::repository::prepare(tx, actor.organization_id, &ids).await?;
            let mut results = Vec::with_capacity(some.len());
            for document in &some {
                let id = document["_id"].as_str().map(str::to_owned);
                let outcome = one(tx, &actor, &collection, document.clone(), edits).await?;
                results.push((id, outcome));
            }
            Ok(results.into_iter().filter_map(|(id, it)| told(id, it, edits)).collect::<Vec<_>>())
        });
        results.extend(written.await?);
    }
    Ok(results)
}

fn told(id: Option<String>, outcome: Result<Written, Refusal>, edits: Edits) -> Option<Value> {
    match outcome {
        Ok(_) if edits == Edits::Replicated => None,
        Ok(Written { id, revision }) => Some(json!({ "ok": true, "id": id, "rev": revision })),
        Err(refusal) => {
            let (error, reason) = (refusal.error(), refusal.reason());
            Some(json!({ "id": id, "error": error, "reason": reason }))
        }
    }
}

/// A document that was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// Its id.
    pub id: String,
    /// Its revision.
    pub revision: String,
}

/// Writes one document, and gives its revision.
///
/// # Errors
/// Where it is not written.
pub async fn put(
    store: &Store,
    actor: &Actor,
    collection: &str,
    document: Value,
    edits: Edits,
) -> Result<Written, Refusal> {
    let (actor, collection) = (actor.clone(), collection.to_owned());
    let written = store.write(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        one(tx, &actor, &collection, document.clone(), edits).await
    });
    written.await?
}

/// What is refused of one leaves nothing, and the others go on.
async fn one(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    document: Value,
    edits: Edits,
) -> Result<Result<Written, Refusal>> {
    if let Some(key) = document["_id"].as_str().and_then(|id| id.strip_prefix(checkpoint::PREFIX)) {
        let key = key.to_owned();
        return settled(local(tx, actor, collection, &key, document).await);
    }
    let mut refused = None;
    let written = tx.savepoint(async |tx| {
        match written(tx, actor, collection, document, edits).await {
            Ok(written) => Ok(written),
            Err(Refusal::Other(error)) => Err(error),
            Err(refusal) => {
                refused = Some(refusal);
                // Taken back, and told in the words above.
                Err(Error::Reference)
            }
        }
    });
    match written.await? {
        Ok(written) => Ok(Ok(written)),
        Err(error) => refused.unwrap_or(Refusal::Other(error)).of_one().map(Err),
    }
}

async fn local(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    key: &str,
    document: Value,
) -> Result<Written, Refusal> {
    let sent = LocalSent::of(document)?;
    let revision = checkpoint::put_in(tx, actor, collection, key, &sent).await?;
    Ok(Written { id: format!("{}{key}", checkpoint::PREFIX), revision })
}

async fn written(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    document: Value,
    edits: Edits,
) -> Result<Written, Refusal> {
    collection.require_writable(actor)?;
    let sent = Sent::of(document)?;
    let id = sent.id.clone().unwrap_or_else(|| tx.new_id().simple().to_string());
    require_key(&id)?;
    let path = match edits {
        Edits::Replicated => sent.as_edited()?,
        Edits::New => edited(tx, actor, collection, &id, &sent).await?,
    };
    let revision = path.leaf().to_string();
    document::merge(tx, actor, collection, &id, path, sent.body).await?;
    Ok(Written { id, revision })
}

fn require_key(id: &str) -> Result<(), Refusal> {
    if id.starts_with(DESIGN_PREFIX) {
        return Err(Refusal::Design);
    }
    if wire::is_reserved(id) {
        return Err(Refusal::Id);
    }
    document::rules::key(id).map_err(|refused| {
        Refusal::BadRequest(refused.message.unwrap_or_else(|| "the id is none".into()))
    })
}

/// The revision that an edit makes of the one that it names.
async fn edited(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    id: &str,
    sent: &Sent,
) -> Result<Path, Refusal> {
    let uuid = document::rules::uuid(collection.id, id);
    let leaves = revision::repository::leaves(tx, actor.organization_id, &[uuid]).await?;
    let leaves = leaves.get(&uuid).map_or(&[][..], Vec::as_slice);
    let parent = parent(leaves, sent)?;
    let body = Value::Object(sent.body.clone()).to_string();
    let revision = Revision::of_edit(parent.as_ref(), id, &body, sent.deleted);
    Ok(Path::of_edit(parent, revision, sent.deleted))
}

/// The revision of which an edit is made. What is deleted is made anew without naming it.
fn parent(leaves: &[Leaf], sent: &Sent) -> Result<Option<Revision>, Refusal> {
    let Some(named) = &sent.revision else {
        return match leaves.first() {
            None if sent.deleted => Err(Refusal::Missing),
            None => Ok(None),
            Some(winner) if winner.deleted && sent.deleted => Err(Refusal::Deleted),
            Some(winner) if winner.deleted => Ok(Some(winner.revision.clone())),
            Some(_) => Err(Refusal::Conflict),
        };
    };
    let leaf = leaves.iter().find(|leaf| leaf.revision == *named);
    match leaf {
        Some(leaf) if !(leaf.deleted && sent.deleted) => Ok(Some(named.clone())),
        None if leaves.is_empty() && sent.deleted => Err(Refusal::Missing),
        _ => Err(Refusal::Conflict),
    }
}

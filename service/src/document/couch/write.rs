//! What clients write: edits of their own, and revisions that they have from elsewhere.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{
    Refusal, checkpoint,
    checkpoint::LocalSent,
    read::{Known, With},
    settled,
    wire::{self, Sent},
};
use crate::{
    actor::Actor,
    document::{
        attachment::{Attachments, SentAttachment},
        collection::{self, Collection},
        document::{self, Content},
        revision::{self, Leaf, Revision, Subject, tree::Path},
    },
    error::{Error, Result},
    store::{Store, Tx},
};

/// How many documents one transaction writes.
const DOCUMENTS_PER_WRITE: usize = 100;
/// The member of a design document that says which documents may be written.
const VALIDATION: &str = "validate_doc_update";

/// How the documents of a request are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edits {
    /// Each is an edit of the revision that it names, and gets a revision of its own.
    New,
    /// The same of a document that is there, which is to be deleted.
    Removal,
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
    keep_revisions(store, actor, collection).await?;
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
    keep_revisions(store, actor, collection).await?;
    let (actor, collection) = (actor.clone(), collection.to_owned());
    let written = store.write(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        one(tx, &actor, &collection, document.clone(), edits).await
    });
    written.await?
}

/// Writes an attachment of a document, or removes it: an edit of the revision that it names, or of none for a new
/// document.
///
/// # Errors
/// Where it is not written.
pub async fn edit_attachment(
    store: &Store,
    actor: &Actor,
    (collection, key, name): (&str, &str, &str),
    revision: Option<Revision>,
    bytes: Option<(Option<String>, Vec<u8>)>,
) -> Result<Written, Refusal> {
    let attachment = match bytes {
        Some((content_type, bytes)) => {
            let data = STANDARD.encode(&bytes);
            // What cannot be kept is refused before it is written down.
            let SentAttachment { content_type, .. } =
                SentAttachment::of_bytes(content_type, bytes)?;
            Some(json!({ "content_type": content_type, "data": data }))
        }
        None => None,
    };
    keep_revisions(store, actor, collection).await?;
    let (actor, collection) = (actor.clone(), collection.to_owned());
    let (key, name) = (key.to_owned(), name.to_owned());
    let written = store.write(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        let before = document_before(tx, &actor, (&collection, &key), revision.as_ref());
        let mut document = match settled(before.await)? {
            Ok(document) => document,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let attachments = document.entry("_attachments").or_insert_with(|| json!({}));
        if let Value::Object(attachments) = attachments {
            match &attachment {
                Some(attachment) => drop(attachments.insert(name.clone(), attachment.clone())),
                None if attachments.shift_remove(&name).is_none() => {
                    return Ok(Err(Refusal::AttachmentMissing));
                }
                None => {}
            }
        }
        one(tx, &actor, &collection, Value::Object(document), Edits::New).await
    });
    written.await?
}

/// The document as of a revision, with its attachments named alone; or a new one.
async fn document_before(
    tx: &Tx,
    actor: &Actor,
    (collection, key): (&Collection, &str),
    revision: Option<&Revision>,
) -> Result<Map<String, Value>, Refusal> {
    let Some(revision) = revision else {
        return Ok(Map::from_iter([("_id".to_owned(), key.into())]));
    };
    let id = document::rules::uuid(collection.id, key);
    let known = Known::of(tx, actor, collection, &[id], true).await?;
    let is_leaf = known.leaves(id).iter().any(|leaf| leaf.revision == *revision);
    let document = match is_leaf {
        true => known.shown((id, key), revision, With::default()).await?,
        false => None,
    };
    document.ok_or(Refusal::Conflict)
}

/// From now on the collection keeps revisions. The transaction waits for all writes that knew nothing of it, and those
/// that begin later know: so none is between a revision and the version that it is made of.
async fn keep_revisions(store: &Store, actor: &Actor, reference: &str) -> Result<()> {
    let collection = collection::readable(store.read(), actor, reference).await?;
    if collection.keeps_revisions || !collection.is_writable(actor) {
        return Ok(());
    }
    let place = (actor.organization_id, collection.id);
    store.write(async move |tx| collection::repository::keep_revisions(tx, place).await).await
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
    if !collection.keeps_revisions {
        return Err(Error::lost_race("the collection has just begun to keep revisions").into());
    }
    let sent = Sent::of(document)?;
    let id = sent.id.clone().unwrap_or_else(|| tx.new_id().simple().to_string());
    require_key(&id, &sent.body)?;
    let subject = Subject {
        organization_id: actor.organization_id,
        collection_id: collection.id,
        id: document::rules::uuid(collection.id, &id),
        key: &id,
    };
    let leaves = revision::kept_leaves(tx, subject).await?;
    let (path, content) = match edits {
        Edits::Replicated => replicated(&leaves, sent)?,
        Edits::New | Edits::Removal => edited(&leaves, &id, sent, edits)?,
    };
    let revision = path.leaf().to_string();
    document::merge(tx, actor, collection, &id, path, content).await?;
    Ok(Written { id, revision })
}

fn require_key(id: &str, body: &Map<String, Value>) -> Result<(), Refusal> {
    if !wire::is_shown(id) {
        return Err(Refusal::Id);
    }
    // Who writes it relies on it.
    if wire::is_reserved(id) && body.contains_key(VALIDATION) {
        return Err(Refusal::Validation);
    }
    document::rules::key(id).map_err(|refused| {
        Refusal::BadRequest(refused.message.unwrap_or_else(|| "the id is none".into()))
    })
}

fn attached(leaf: &Leaf) -> Result<Attachments, Refusal> {
    Ok(Attachments::stored(leaf.attachments.as_deref())?)
}

/// A revision that was made elsewhere. What it has attached may be that of any leaf.
fn replicated(leaves: &[Leaf], sent: Sent) -> Result<(Path, Content), Refusal> {
    let path = sent.as_edited()?;
    let known = leaves.iter().map(attached).collect::<Result<Vec<_>, _>>()?;
    let (attachments, blobs) = sent.attachments.resolve(path.leaf().generation(), &known)?;
    Ok((path, Content { body: sent.body, attachments, blobs }))
}

/// The revision that an edit makes of the one that it names.
fn edited(leaves: &[Leaf], id: &str, sent: Sent, edits: Edits) -> Result<(Path, Content), Refusal> {
    let parent = parent(leaves, &sent, edits)?;
    let known = leaves.iter().find(|leaf| Some(&leaf.revision) == parent.as_ref());
    let known = known.map(attached).transpose()?.unwrap_or_default();
    let generation = parent.as_ref().map_or(1, |parent| parent.generation() + 1);
    let (attachments, blobs) = sent.attachments.resolve(generation, &[known])?;
    let (body, text) = (Value::Object(sent.body.clone()).to_string(), attachments.text());
    let content = (&*body, text.as_deref());
    let revision = Revision::of_edit(parent.as_ref(), id, content, sent.deleted);
    let path = Path::of_edit(parent, revision, sent.deleted);
    Ok((path, Content { body: sent.body, attachments, blobs }))
}

/// The revision of which an edit is made. What is deleted is made anew without naming it, and a new document may be one
/// that is deleted.
fn parent(leaves: &[Leaf], sent: &Sent, edits: Edits) -> Result<Option<Revision>, Refusal> {
    let Some(named) = &sent.revision else {
        return match leaves.first() {
            None if edits == Edits::Removal => Err(Refusal::Missing),
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

//! What clients write: edits of their own, and revisions that they have from elsewhere.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{
    Refusal, checkpoint,
    checkpoint::LocalSent,
    edit::{Edits, edited, replicated},
    known::{Known, With},
    settled,
    wire::{self, Sent},
};
use crate::{
    actor::Actor,
    document::{
        attachment::SentAttachment,
        collection::{self, Collection},
        document::{self, Content},
        revision::{self, Revision, Subject},
    },
    error::{Error, Result},
    store::{Store, Tx},
};

/// How many documents one transaction writes.
const DOCUMENTS_PER_WRITE: usize = 100;
/// The member of a design document that says which documents may be written.
const VALIDATION: &str = "validate_doc_update";

/// How documents are written.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// How they are meant.
    pub edits: Edits,
    /// How many bytes of files the organization may have.
    pub quota: Option<u64>,
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
    how: How,
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
                let outcome = one(tx, &actor, &collection, document.clone(), how).await?;
                results.push((id, outcome));
            }
            Ok(results
                .into_iter()
                .filter_map(|(id, it)| told(id, it, how.edits))
                .collect::<Vec<_>>())
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
    how: How,
) -> Result<Written, Refusal> {
    keep_revisions(store, actor, collection).await?;
    let (actor, collection) = (actor.clone(), collection.to_owned());
    let written = store.write(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        one(tx, &actor, &collection, document.clone(), how).await
    });
    written.await?
}

/// The media type of an attachment, where it is said, and its bytes.
type MediaBytes = (Option<String>, Vec<u8>);

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
    (content, quota): (Option<MediaBytes>, Option<u64>),
) -> Result<Written, Refusal> {
    let attachment = match content {
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
        let how = How { edits: Edits::New, quota };
        one(tx, &actor, &collection, Value::Object(document), how).await
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
    how: How,
) -> Result<Result<Written, Refusal>> {
    if let Some(key) = document["_id"].as_str().and_then(|id| id.strip_prefix(checkpoint::PREFIX)) {
        let key = key.to_owned();
        return settled(local(tx, actor, collection, &key, document).await);
    }
    let mut refused = None;
    let written = tx.savepoint(async |tx| {
        match written(tx, actor, collection, document, how).await {
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
    How { edits, quota }: How,
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
    let (path, (body, attachments, blobs)) = match edits {
        Edits::Replicated => replicated(&leaves, sent)?,
        Edits::New | Edits::Removal => edited(&leaves, &id, sent, edits)?,
    };
    let content = Content { body, attachments, blobs, quota };
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

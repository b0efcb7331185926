//! What clients read of documents: any revision that is kept, with what they ask for besides.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    Refusal,
    known::{Known, Which, With, unique},
    settled, wire,
};
use crate::{
    actor::Actor,
    document::{
        attachment::{Attachment, blobs},
        collection, document,
        revision::Revision,
    },
    store::Store,
};

/// One revision of a document.
///
/// # Errors
/// Where it is not there, or cannot be read any more.
pub async fn get(
    store: &Store,
    actor: &Actor,
    (collection, key): (&str, &str),
    which: Which,
    with: With,
) -> Result<Map<String, Value>, Refusal> {
    let (actor, collection, key) = (actor.clone(), collection.to_owned(), key.to_owned());
    let outcome = store.snapshot_with_parts(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        let id = document::rules::uuid(collection.id, &key);
        let known = Known::of(tx, &actor, &collection, &[id], true).await?;
        let found = async {
            let revision = known.which((id, &key), &which).await?.into_iter().next();
            let revision = revision.ok_or(Refusal::Missing)?;
            let mut with = with;
            if with.attachments_after.is_some() && !which.attachments_since.is_empty() {
                let path = known.tree(id).await?.path(&revision);
                let has = path.iter().find(|it| which.attachments_since.contains(it));
                with.attachments_after = Some(has.map_or(0, Revision::generation));
            }
            known.shown((id, &key), &revision, with).await?.ok_or(Refusal::Missing)
        };
        settled(found.await)
    });
    outcome.await?
}

/// `open_revs`: these revisions of a document, or all leaves.
///
/// # Errors
/// Where there is no such document.
pub async fn open_revisions(
    store: &Store,
    actor: &Actor,
    (collection, key): (&str, &str),
    (revisions, latest): (Option<Vec<Revision>>, bool),
    with: With,
) -> Result<Vec<Value>, Refusal> {
    let (actor, collection, key) = (actor.clone(), collection.to_owned(), key.to_owned());
    let outcome = store.snapshot_with_parts(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        let id = document::rules::uuid(collection.id, &key);
        let known = Known::of(tx, &actor, &collection, &[id], true).await?;
        settled(opened(&known, (id, &key), (revisions.as_deref(), latest), with).await)
    });
    outcome.await?
}

async fn opened(
    known: &Known<'_>,
    (id, key): (Uuid, &str),
    (revisions, latest): (Option<&[Revision]>, bool),
    with: With,
) -> Result<Vec<Value>, Refusal> {
    let leaves = known.leaves(id).iter().filter(|leaf| wire::is_shown(&leaf.key));
    let leaves = leaves.map(|leaf| leaf.revision.clone());
    let Some(asked) = revisions else {
        let mut all = Vec::new();
        for revision in leaves {
            let document = known.shown((id, key), &revision, with).await?;
            all.extend(document.map(|document| json!({ "ok": document })));
        }
        return if all.is_empty() { Err(Refusal::Missing) } else { Ok(all) };
    };
    let mut some = Vec::new();
    for revision in asked {
        let which = Which { revision: Some(revision.clone()), latest, ..Which::default() };
        let found = settled(known.which((id, key), &which).await)?.unwrap_or_default();
        let mut any = false;
        for found in found {
            let document = known.shown((id, key), &found, with).await?;
            any |= document.is_some();
            some.extend(document.map(|document| json!({ "ok": document })));
        }
        if !any {
            some.push(json!({ "missing": revision.to_string() }));
        }
    }
    Ok(some)
}

/// What `_bulk_get` asks for of one document.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The document.
    pub id: String,
    /// The revision, or the winner.
    pub revision: Option<Revision>,
}

/// `_bulk_get`: many revisions at once, each with its own result.
///
/// # Errors
/// Where the actor may not read the collection.
pub async fn bulk_get(
    store: &Store,
    actor: &Actor,
    collection: &str,
    wanted: Vec<Wanted>,
    (latest, with): (bool, With),
) -> Result<Vec<Value>, Refusal> {
    let (actor, collection) = (actor.clone(), collection.to_owned());
    let results = store.snapshot_with_parts(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        let ids = wanted.iter().map(|it| document::rules::uuid(collection.id, &it.id));
        let ids: Vec<Uuid> = ids.collect();
        let known = Known::of(tx, &actor, &collection, &unique(&ids), true).await?;
        let mut results = Vec::with_capacity(wanted.len());
        for (wanted, id) in wanted.iter().zip(ids) {
            match settled(bulk_got(&known, id, wanted, latest, with).await)? {
                Ok(documents) => results.push(json!({ "id": wanted.id, "docs": documents })),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        Ok(Ok(results))
    });
    results.await?
}

async fn bulk_got(
    known: &Known<'_>,
    id: Uuid,
    wanted: &Wanted,
    latest: bool,
    with: With,
) -> Result<Vec<Value>, Refusal> {
    let which = Which { revision: wanted.revision.clone(), latest, ..Which::default() };
    // A document that is deleted is shown as it was deleted: a replica wants to know.
    let winner = known.leaves(id).first().map(|leaf| leaf.revision.clone());
    let found = match settled(known.which((id, &wanted.id), &which).await)? {
        Ok(found) => found,
        Err(Refusal::Deleted) => winner.into_iter().collect(),
        Err(_) => Vec::new(),
    };
    let mut documents = Vec::new();
    for revision in found {
        let document = known.shown((id, &wanted.id), &revision, with).await?;
        documents.extend(document.map(|document| json!({ "ok": document })));
    }
    if documents.is_empty() {
        let revision = wanted.revision.as_ref().map_or("undefined".into(), Revision::to_string);
        let missing = json!({
            "id": wanted.id, "rev": revision, "error": "not_found", "reason": "missing",
        });
        documents.push(json!({ "error": missing }));
    }
    Ok(documents)
}

/// An attachment of a document, as [`get`] finds the document.
///
/// # Errors
/// Where it is not there.
pub async fn get_attachment(
    store: &Store,
    actor: &Actor,
    (collection, key, name): (&str, &str, &str),
    which: Which,
) -> Result<(Attachment, Vec<u8>), Refusal> {
    let (actor, collection) = (actor.clone(), collection.to_owned());
    let (key, name) = (key.to_owned(), name.to_owned());
    let outcome = store.snapshot(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        let id = document::rules::uuid(collection.id, &key);
        let known = Known::of(tx, &actor, &collection, &[id], false).await?;
        let found = async {
            let revision = known.which((id, &key), &which).await?.into_iter().next();
            let revision = revision.ok_or(Refusal::Missing)?;
            let content = known.content(id, &revision).await?.ok_or(Refusal::Missing)?;
            let attachment = content.attachments.0.get(&name).cloned();
            let attachment = attachment.ok_or(Refusal::AttachmentMissing)?;
            let hashes = [&*attachment.sha256];
            let mut bytes = blobs::read(tx, actor.organization_id, hashes).await?;
            let bytes = bytes.remove(&attachment.sha256).ok_or(Refusal::AttachmentMissing)?;
            Ok((attachment, bytes))
        };
        settled(found.await)
    });
    outcome.await?
}

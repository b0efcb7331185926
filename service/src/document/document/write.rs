//! The writes of a document: its row, its indexes, its revision, and what another store is to be told.

use entity::document;
use sea_orm::ActiveValue::{self, NotSet, Set};
use serde_json::Value;

use super::{Document, repository, rules};
use crate::{
    actor::Actor,
    document::{
        collection::Collection,
        index::{self, Entry},
        outbox::{self, Intent},
        revision::{self, Edit, Subject},
        schema::{Admitted, admit},
    },
    error::{Error, Result},
    event::Verb,
    input::ExactObject,
    store::{Tx, versioned},
};

fn columns(
    Admitted { body, secrets }: Admitted,
    attachments: ActiveValue<Option<String>>,
) -> document::ActiveModel {
    let body = Value::Object(body).to_string();
    let (body, secrets) = (Set(body), Set(secrets));
    document::ActiveModel { body, secrets, attachments, ..Default::default() }
}

/// Writes a new document.
pub(super) async fn insert(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    key: String,
    body: ExactObject,
) -> Result<Document> {
    let document = insert_row(tx, actor, collection, key, (body, NotSet)).await?;
    record(tx, actor, collection, &document).await?;
    Ok(document)
}

/// Adds the revision that a document is, where any are kept.
async fn record(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    document: &Document,
) -> Result<()> {
    if !collection.keeps_revisions {
        return Ok(());
    }
    let body = Value::Object(document.body.0.clone()).to_string();
    let subject = document.subject(actor);
    revision::record(tx, subject, document.version, Edit::Written(&body)).await
}

/// Writes the row of a new document.
pub(super) async fn insert_row(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    key: String,
    (body, attachments): (ExactObject, ActiveValue<Option<String>>),
) -> Result<Document> {
    let id = rules::uuid(collection.id, &key);
    let place = (actor.organization_id, id);
    let admitted = admit(tx, collection.declared_schema(), place, body.0, None)?;
    let now = tx.now().fixed_offset();
    let row = document::ActiveModel {
        organization_id: Set(actor.organization_id),
        id: Set(id),
        created_at: Set(now),
        updated_at: Set(now),
        collection_id: Set(collection.id),
        key: Set(key),
        ..columns(admitted, attachments)
    };
    let view = |row| Document::of(collection, row);
    let document = match versioned::insert_again(tx, actor, id, row, view).await {
        // It is gone by now.
        Err(Error::Reference) => return Err(Error::NotFound("collection")),
        other => other?,
    };
    index::write(tx, collection.indexed(actor), None, entry(&document)).await?;
    outbox::intend(tx, document.subject(actor), Intent::Written(document.version)).await?;
    Ok(document)
}

/// A document as indexes have it.
fn entry(document: &Document) -> Entry<'_> {
    Entry { id: document.uuid, key: &document.id, body: &document.body }
}

/// Writes the next version of a document.
pub(super) async fn update(
    tx: &Tx,
    actor: &Actor,
    verb: Verb,
    collection: &Collection,
    (row, before): (&document::Model, &ExactObject),
    body: ExactObject,
) -> Result<Document> {
    // Who knows nothing of attachments leaves them as they are.
    let content = (body, NotSet);
    let document = update_row(tx, actor, verb, collection, (row, before), content).await?;
    record(tx, actor, collection, &document).await?;
    Ok(document)
}

/// Writes the row of the next version of a document.
pub(super) async fn update_row(
    tx: &Tx,
    actor: &Actor,
    verb: Verb,
    collection: &Collection,
    (row, before): (&document::Model, &ExactObject),
    (body, attachments): (ExactObject, ActiveValue<Option<String>>),
) -> Result<Document> {
    let (place, kept) = ((row.organization_id, row.id), row.secrets.as_deref());
    let admitted = admit(tx, collection.declared_schema(), place, body.0, kept)?;
    let view = |row| Document::of(collection, row);
    let row = outbox::row_of_write(tx, row);
    let next = columns(admitted, attachments);
    let document = versioned::update(tx, actor, verb, row.as_ref(), next, view).await?;
    index::write(tx, collection.indexed(actor), Some(before), entry(&document)).await?;
    outbox::intend(tx, document.subject(actor), Intent::Written(document.version)).await?;
    Ok(document)
}

/// Removes a document, and all that conflicts with it.
pub(super) async fn remove(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    row: &document::Model,
    current: &Document,
) -> Result<()> {
    remove_row(tx, actor, row, current).await?;
    if !collection.keeps_revisions {
        return Ok(());
    }
    let subject = current.subject(actor);
    revision::record(tx, subject, current.version + 1, Edit::Deleted).await
}

/// Removes the row of a document.
pub(super) async fn remove_row(
    tx: &Tx,
    actor: &Actor,
    row: &document::Model,
    current: &Document,
) -> Result<()> {
    versioned::delete(tx, actor, row, current).await?;
    outbox::intend(tx, current.subject(actor), Intent::Deleted(current.version + 1)).await
}

impl Document {
    /// What its revisions are of.
    fn subject(&self, actor: &Actor) -> Subject<'_> {
        Subject {
            organization_id: actor.organization_id,
            collection_id: self.collection_id,
            id: self.uuid,
            key: &self.id,
        }
    }
}

/// Removes some documents of a collection, and says how many.
pub(crate) async fn remove_some(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    limit: u64,
) -> Result<u64> {
    let scope = (actor.organization_id, collection.id);
    let rows = repository::first(tx, scope, limit).await?;
    let count = rows.len() as u64;
    for row in rows {
        let current = Document::of(collection, row.clone())?;
        remove(tx, actor, collection, &row, &current).await?;
    }
    Ok(count)
}

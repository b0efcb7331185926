//! Revisions that were made elsewhere.

use sea_orm::ActiveValue::Set;
use serde_json::{Map, Value, json};
use validator::Validate;

use super::{
    Document, DocumentReplacementInput, repository, rules,
    write::{insert_row, remove_row, update_row},
};
use crate::{
    actor::Actor,
    document::{
        attachment::{Attachments, Blob, blobs},
        collection::Collection,
        revision::{self, Plan, Subject, tree::Path},
    },
    error::{Error, Result, violations},
    event::{self, Verb},
    input::ExactObject,
    resource::Resource,
    store::{Tx, log::EventContext},
};

/// What a revision says that the document is.
#[derive(Debug)]
pub(crate) struct Content {
    /// Its body.
    pub(crate) body: Map<String, Value>,
    /// Its attachments.
    pub(crate) attachments: Attachments,
    /// The bytes of those that may be new.
    pub(crate) blobs: Vec<Blob>,
    /// How many bytes of files the organization may have.
    pub(crate) quota: Option<u64>,
}

/// Adds a revision of a document that was made elsewhere. If it wins, it is the next version of the document; if not,
/// it is kept beside it. What is known already changes nothing.
///
/// # Errors
/// Where the document may not be what the revision says, or another transaction was faster.
pub(crate) async fn merge(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    key: &str,
    path: Path,
    content: Content,
) -> Result<()> {
    let Content { body, attachments, blobs, quota } = content;
    let input = DocumentReplacementInput { body: body.into() };
    input.validate().map_err(|errors| Error::Invalid(violations(&errors)))?;
    let organization_id = actor.organization_id;
    let id = rules::uuid(collection.id, key);
    let subject = Subject { organization_id, collection_id: collection.id, id, key };
    let text = Value::Object(input.body.0).to_string();
    let content = (text, attachments.text());
    let Some(plan) = revision::plan(tx, subject, path, content).await? else { return Ok(()) };
    blobs::put(tx, organization_id, blobs, quota).await?;
    let row = repository::find_in(tx, organization_id, id).await?;
    let body = row.as_ref().map(|row| row.body.clone());
    let version = if plan.changes_winner() {
        write(tx, actor, collection, subject, &plan, row).await?
    } else {
        notice(tx, actor, collection, subject, row.map(|row| row.version)).await?;
        None
    };
    plan.write(tx, subject, body, version).await
}

/// Makes the document what the revision says that wins now. Gives the version that this has made.
async fn write(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    subject: Subject<'_>,
    plan: &Plan,
    row: Option<entity::document::Model>,
) -> Result<Option<i64>> {
    let winner = plan.winner();
    let body = || -> Result<ExactObject> {
        let body: Option<Map<_, _>> = winner
            .body
            .as_deref()
            .map(serde_json::from_str)
            .transpose()
            .map_err(|_| Error::Internal("the body of a revision is no JSON".into()))?;
        Ok(body.unwrap_or_default().into())
    };
    match row {
        Some(row) if winner.deleted => {
            let current = Document::of(collection, row.clone())?;
            remove_row(tx, actor, &row, &current).await?;
            Ok(Some(current.version + 1))
        }
        Some(row) => {
            let before = Document::of(collection, row.clone())?.body;
            let (verb, of) = (Verb::Updated, (&row, &before));
            let content = (body()?, Set(winner.attachments.clone()));
            Ok(Some(update_row(tx, actor, verb, collection, of, content).await?.version))
        }
        None if winner.deleted => {
            notice(tx, actor, collection, subject, None).await?;
            Ok(None)
        }
        None => {
            let (key, content) =
                (subject.key.to_owned(), (body()?, Set(winner.attachments.clone())));
            let written = insert_row(tx, actor, collection, key, content).await;
            let written = written.map_err(|error| match error {
                Error::Duplicate { .. } => Error::lost_race("another has just made the document"),
                other => other,
            });
            Ok(Some(written?.version))
        }
    }
}

/// Tells who follows the collection that there is another revision, though the document is as it was.
async fn notice(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    subject: Subject<'_>,
    version: Option<i64>,
) -> Result<()> {
    let Subject { organization_id, collection_id, id, key } = subject;
    let version = match version {
        Some(version) => version,
        None => {
            let entity = Document::ENTITY;
            let last = event::repository::last_version(tx, organization_id, entity, id);
            // What was never there is at its beginning.
            last.await?.unwrap_or_default()
        }
    };
    let data = json!({ "id": key, "collection": collection.name });
    let context = EventContext::from(actor);
    let about = (id, version);
    tx.record_notice_in::<Document>(&context, collection_id, Verb::Merged, about, data).await
}

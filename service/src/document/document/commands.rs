use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{
    Document, DocumentQuery, DocumentReplacementInput, NewDocument, repository, rules,
    write::{insert, update},
};
use crate::{
    actor::Actor,
    document::{
        collection::{self, Collection},
        outbox,
    },
    error::{Error, Result, Violation},
    event::{self, At, AtQuery, Event, Verb},
    idempotency::WriteOnce,
    input::{Deferred, TransitionBody},
    resource::Resource,
    store::{
        Store, Tx,
        page::{Page, PageQuery},
        versioned::Expected,
    },
};

/// What identifies a document, there or not, of a collection that the actor may read.
pub async fn document_id(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    (collection, key): (&str, &str),
) -> Result<Uuid> {
    let collection = collection::readable(connection, actor, collection).await?;
    Ok(rules::uuid(collection.id, key))
}

async fn read(
    store: &Store,
    actor: &Actor,
    collection: &Collection,
    key: &str,
) -> Result<Document> {
    let id = rules::uuid(collection.id, key);
    let row = repository::find(store.read(), actor.organization_id, id).await?;
    let row = outbox::fill(store, row.into_iter().collect()).await?.pop();
    Document::of(collection, row.ok_or(Error::NotFound(Document::ENTITY))?)
}

/// A document as it is, or as it was at the instant that the query names.
pub async fn get_at(
    store: &Store,
    actor: &Actor,
    (collection, key): (&str, &str),
    query: AtQuery,
) -> Result<At<Document>> {
    let collection = collection::readable(store.read(), actor, collection).await?;
    let id = rules::uuid(collection.id, key);
    event::at(store, actor, id, query, read(store, actor, &collection, key)).await
}

/// What has happened to a document, the latest first; also to one that is gone.
pub async fn history(
    store: &Store,
    actor: &Actor,
    path: (&str, &str),
    query: &PageQuery,
) -> Result<Page<Event>> {
    let id = document_id(store.read(), actor, path).await?;
    event::history::<Document>(store, actor, id, query).await
}

/// A page of the documents of a collection, in the order of their keys.
pub async fn list(
    store: &Store,
    actor: &Actor,
    collection: &str,
    query: &DocumentQuery,
) -> Result<Page<Document>> {
    let collection = collection::readable(store.read(), actor, collection).await?;
    let id = actor.organization_id;
    let page = repository::list(store.read(), id, collection.id, query).await?;
    let items = outbox::fill(store, page.items).await?;
    let page = Page { items, ..page };
    page.try_map(|row| Document::of(&collection, row))
}

/// Makes a document, with a key of its own if the client chooses none.
pub async fn create(
    store: WriteOnce<'_, Document>,
    actor: &Actor,
    collection: &str,
    body: Deferred<NewDocument>,
) -> Result<Document> {
    let (actor, collection) = (actor.clone(), collection.to_owned());
    store
        .write(async move |tx| {
            let collection = collection::writable(tx, &actor, &collection).await?;
            let NewDocument { id, body } = body.read()?;
            let key = id.unwrap_or_else(|| tx.new_id().to_string());
            insert(tx, &actor, &collection, key, body).await
        })
        .await
}

/// What a PUT has made of a document.
#[derive(Debug)]
pub struct Put {
    /// The document.
    pub document: Document,
    /// Whether there was none before.
    pub is_new: bool,
}

/// Makes a document of this key, or writes another body in the place of that of one which is there. `must_be_new` is
/// that of `If-None-Match: *`.
pub async fn put(
    store: &Store,
    actor: &Actor,
    (collection, key): (&str, &str),
    (expected, must_be_new): (Expected, bool),
    body: TransitionBody<DocumentReplacementInput>,
) -> Result<Put> {
    let (actor, collection, key) = (actor.clone(), collection.to_owned(), key.to_owned());
    store
        .write(async move |tx| {
            let collection = collection::writable(tx, &actor, &collection).await?;
            let id = rules::uuid(collection.id, &key);
            let row = repository::find_in(tx, actor.organization_id, id).await?;
            let expected = match (must_be_new, &expected) {
                (true, Expected::Unnamed) => Expected::OneOf(Vec::new()),
                (true, _) => Expected::Contradictory,
                (false, named) => named.clone(),
            };
            let Some(row) = row else {
                return put_new(tx, &actor, &collection, &key, (expected, must_be_new), &body)
                    .await;
            };
            let current = Document::of(&collection, row.clone())?;
            expected.check(current.version, &current)?;
            let DocumentReplacementInput { body } = body.input()?;
            let of = (&row, &current.body);
            let document = update(tx, &actor, Verb::Updated, &collection, of, body).await?;
            Ok(Put { document, is_new: false })
        })
        .await
}

async fn put_new(
    tx: &Tx,
    actor: &Actor,
    collection: &Collection,
    key: &str,
    (expected, must_be_new): (Expected, bool),
    body: &TransitionBody<DocumentReplacementInput>,
) -> Result<Put> {
    match expected {
        Expected::Contradictory => return Err(Error::VersionsDiffer),
        Expected::Unnamed => {}
        _ if must_be_new => {}
        _ => return Err(Error::NotFound(Document::ENTITY)),
    }
    let DocumentReplacementInput { body } = body.input()?;
    rules::key(key).map_err(|refused| {
        let message = refused.message.unwrap_or_default();
        Error::Invalid(vec![Violation::new("/id", refused.code, message)])
    })?;
    let document = insert(tx, actor, collection, key.to_owned(), body).await;
    let document = document.map_err(|error| match error {
        Error::Duplicate { .. } => Error::lost_race("another has just made the document"),
        other => other,
    })?;
    Ok(Put { document, is_new: true })
}

use entity::document;
use sea_orm::{
    ActiveValue::{self, NotSet, Set},
    ConnectionTrait,
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Document, DocumentInput, DocumentQuery, DocumentReplacementInput, NewDocument, repository,
    rules,
};
use crate::{
    actor::Actor,
    document::{
        collection::{self, Collection},
        index::{self, Entry},
        outbox::{self, Intent},
        revision::{self, Edit, Subject},
        schema::{Admitted, admit},
    },
    error::{Error, Result, Violation},
    event::{self, At, AtQuery, Event, Verb},
    idempotency::WriteOnce,
    input::{Change, Create, Deferred, ExactObject, TransitionBody},
    resource::{Changeable, Resource, Versioned, Writable},
    role::Permission,
    store::{
        Store, Tx,
        page::{Page, PageQuery},
        versioned::{self, Expected},
    },
};

impl Versioned for Document {
    fn id(&self) -> Uuid {
        self.uuid
    }

    fn version(&self) -> i64 {
        self.version
    }
}

impl Resource for Document {
    const ENTITY: &'static str = revision::ENTITY;
    const READ: Permission = Permission::ReadDocuments;
    const VERBS: &'static [Verb] =
        &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::Deleted, Verb::Merged];
    const VERBATIM: &'static [&'static str] = &["body"];
    const SCOPED: bool = true;

    fn scope(&self) -> Option<Uuid> {
        Some(self.collection_id)
    }
}

impl Changeable for Document {
    type Input = DocumentInput;
    const WRITE: Permission = Permission::WriteDocuments;

    fn input(&self) -> DocumentInput {
        DocumentInput {
            id: self.id.clone(),
            collection: self.collection.clone(),
            body: self.body.clone(),
        }
    }

    async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Self> {
        let (collection, row) = found(tx, actor, id).await?;
        Self::of(&collection, row)
    }

    async fn change(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        change: &Change<DocumentInput>,
    ) -> Result<Self> {
        let (collection, row) = found_to_write(tx, actor, id).await?;
        let current = Self::of(&collection, row.clone())?;
        expected.check(current.version, &current)?;
        let input = change.apply(&current.input())?;
        // The collection may have had another name by then.
        if change.verb() == Verb::Updated {
            require_same(&current, &input)?;
        }
        let before = current.body;
        update(tx, actor, change.verb(), &collection, (&row, &before), input.body).await
    }
}

impl Writable for Document {
    const IN_USE: &'static str = "other resources refer to the document";

    async fn create(tx: &Tx, actor: &Actor, new: &Create<DocumentInput>) -> Result<Self> {
        let DocumentInput { id: key, collection, body } = new.input.clone();
        let collection = match collection::writable(tx, actor, &collection).await {
            Err(Error::NotFound(_)) => {
                let message = "must name a collection of the organization";
                return Err(Error::invalid("/collection", "unknown", message));
            }
            other => other?,
        };
        if new.id.is_some_and(|id| id != rules::uuid(collection.id, &key)) {
            let message = "must be the UUID that follows from the collection and the document's id";
            return Err(Error::invalid("/id", "mismatch", message));
        }
        insert(tx, actor, &collection, key, body).await
    }

    async fn delete(tx: &Tx, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
        let (collection, row) = found_to_write(tx, actor, id).await?;
        let current = Self::of(&collection, row.clone())?;
        expected.check(current.version, &current)?;
        remove(tx, actor, &collection, &row, &current).await
    }
}

/// A document of a collection that the actor may read.
async fn found(tx: &Tx, actor: &Actor, id: Uuid) -> Result<(Collection, document::Model)> {
    let row = repository::find_in(tx, actor.organization_id, id).await?;
    let row = row.ok_or(Error::NotFound(Document::ENTITY))?;
    let collection = collection::readable(tx, actor, &row.collection_id.to_string()).await;
    Ok((collection.map_err(hidden)?, row))
}

/// The same, of a collection that the actor may write.
async fn found_to_write(tx: &Tx, actor: &Actor, id: Uuid) -> Result<(Collection, document::Model)> {
    let row = repository::find_in(tx, actor.organization_id, id).await?;
    let row = row.ok_or(Error::NotFound(Document::ENTITY))?;
    let collection = collection::writable(tx, actor, &row.collection_id.to_string()).await;
    Ok((collection.map_err(hidden)?, row))
}

/// A document of a collection that is hidden is as one that is not there.
fn hidden(error: Error) -> Error {
    match error {
        Error::NotFound(_) => Error::NotFound(Document::ENTITY),
        other => other,
    }
}

fn require_same(current: &Document, input: &DocumentInput) -> Result<()> {
    let same =
        [("/id", current.id == input.id), ("/collection", current.collection == input.collection)];
    let changed = same.into_iter().filter(|(_, is_same)| !is_same);
    let changed: Vec<_> =
        changed.map(|(at, _)| Violation::new(at, "immutable", "must not be changed")).collect();
    if changed.is_empty() { Ok(()) } else { Err(Error::Invalid(changed)) }
}

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

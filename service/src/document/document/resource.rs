//! What documents have in common with all resources.

use entity::document;
use uuid::Uuid;

use super::{Document, DocumentInput, repository, rules, write};
use crate::{
    actor::Actor,
    document::{
        collection::{self, Collection},
        revision,
    },
    error::{Error, Result, Violation},
    event::Verb,
    input::{Change, Create},
    resource::{Changeable, Resource, Versioned, Writable},
    role::Permission,
    store::{Tx, versioned::Expected},
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
        write::update(tx, actor, change.verb(), &collection, (&row, &before), input.body).await
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
        write::insert(tx, actor, &collection, key, body).await
    }

    async fn delete(tx: &Tx, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
        let (collection, row) = found_to_write(tx, actor, id).await?;
        let current = Self::of(&collection, row.clone())?;
        expected.check(current.version, &current)?;
        write::remove(tx, actor, &collection, &row, &current).await
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

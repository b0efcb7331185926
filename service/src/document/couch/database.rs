//! Databases, which are collections.

use serde_json::json;

use super::{changes, seq::Seq};
use crate::{
    actor::Actor,
    document::{
        collection::{self, Collection, CollectionInput},
        document,
    },
    error::Result,
    input::{self, Create},
    resource::Writable,
    store::{Store, versioned::Expected},
};

/// How many documents one transaction removes.
const DOCUMENTS_PER_WRITE: u64 = 100;

/// Makes a collection of this name, which is otherwise as a collection is by default.
///
/// # Errors
/// Where there is one, or it cannot have that name.
pub async fn create(store: &Store, actor: &Actor, name: &str) -> Result<()> {
    let input: CollectionInput = input::read(json!({ "name": name }))?;
    let (actor, new) = (actor.clone(), Create::from(input));
    store.write(async move |tx| Collection::create(tx, &actor, &new).await.map(drop)).await
}

/// Removes a collection with all its documents, some in each transaction: where that ends early, what is left can be
/// removed again.
///
/// # Errors
/// Where the actor may not.
pub async fn delete(store: &Store, actor: &Actor, collection: &str) -> Result<()> {
    loop {
        let (actor, name) = (actor.clone(), collection.to_owned());
        let removed = store.write(async move |tx| {
            let collection = collection::writable(tx, &actor, &name).await?;
            document::remove_some(tx, &actor, &collection, DOCUMENTS_PER_WRITE).await
        });
        if removed.await? < DOCUMENTS_PER_WRITE {
            break;
        }
    }
    let (actor, name) = (actor.clone(), collection.to_owned());
    let removed = store.write(async move |tx| {
        let Collection { id, version, .. } = collection::writable(tx, &actor, &name).await?;
        Collection::delete(tx, &actor, id, Expected::Version(version)).await
    });
    removed.await.map_err(|error| error.reference_means_in_use(<Collection as Writable>::IN_USE))
}

/// What a collection is called, and how many documents it has, counted so far.
#[derive(Debug, Clone)]
pub struct Info {
    /// Its name.
    pub name: String,
    /// How many documents it has, or one more than are counted.
    pub documents: u64,
    /// How far the log has come, as a client is told it that has been told of all documents.
    pub seq: Seq,
}

/// How many documents are counted.
const MAX_COUNTED: u64 = 10_000;

/// What there is to say of a collection.
///
/// # Errors
/// Where the actor may not read it.
pub async fn info(store: &Store, actor: &Actor, collection: &str) -> Result<Info> {
    let position = changes::settled_end(store, actor).await?;
    let Collection { id, name, .. } = collection::readable(store.read(), actor, collection).await?;
    let organization_id = actor.organization_id;
    let documents =
        document::repository::count(store.read(), (organization_id, id), MAX_COUNTED + 1).await?;
    Ok(Info { name, documents, seq: Seq { told: documents, position } })
}

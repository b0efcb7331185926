//! Who may read and write the documents of a collection: by its roles as they are now.

use entity::collection;
use sea_orm::ConnectionTrait;

use super::{Collection, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    store::{Tx, stored::StoredWord},
};

/// The collection of this id or name, if the actor may read its documents.
///
/// # Errors
/// [`Error::NotFound`], also where the actor may not.
pub(crate) async fn readable(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    reference: &str,
) -> Result<Collection> {
    visible(repository::find(connection, actor.organization_id, reference).await?, actor)
}

fn visible(row: Option<collection::Model>, actor: &Actor) -> Result<Collection> {
    let collection = row.map(Collection::try_from).transpose()?;
    collection
        .filter(|collection| collection.is_readable(actor))
        .ok_or(Error::NotFound("collection"))
}

/// The collection of this id or name, if the actor may write its documents. It stays as it is until the transaction
/// ends: what is written goes into its indexes.
///
/// # Errors
/// [`Error::NotFound`] where the actor may not even read them, [`Error::Forbidden`].
pub(crate) async fn writable(tx: &Tx, actor: &Actor, reference: &str) -> Result<Collection> {
    let row = repository::find_and_hold(tx, actor.organization_id, reference).await?;
    let collection = visible(row, actor)?;
    collection.require_writable(actor)?;
    Ok(collection)
}

impl Collection {
    /// Whether the actor may read the documents.
    pub(crate) fn is_readable(&self, actor: &Actor) -> bool {
        actor.role >= self.read_role
    }

    /// Whether the actor may write the documents, if the actor may write any.
    pub(crate) fn is_writable(&self, actor: &Actor) -> bool {
        actor.role >= self.write_role
    }

    /// Refuses an actor who may not write the documents.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub(crate) fn require_writable(&self, actor: &Actor) -> Result<()> {
        if self.is_writable(actor) {
            return Ok(());
        }
        let role = self.write_role.as_str();
        let detail =
            format!("documents of the collection are written by the role {role} and higher");
        Err(Error::forbidden("role_insufficient", detail))
    }
}

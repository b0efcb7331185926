//! The organizations, as far as what is below the domain knows them: each is a tenant.

use entity::organization;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, Select};
use uuid::Uuid;

use crate::error::{Error, Result};

/// The organization.
///
/// # Errors
/// [`Error::NotFound`] where there is none, or it is deleted.
pub async fn get(connection: &impl ConnectionTrait, id: Uuid) -> Result<organization::Model> {
    let rows = not_deleted().filter(organization::COLUMN.id.eq(id)).all(connection).await?;
    rows.into_iter().next().ok_or(Error::NotFound("organization"))
}

/// Those that are not deleted.
pub fn not_deleted() -> Select<organization::Entity> {
    organization::Entity::find().filter(organization::COLUMN.deleted_at.is_null())
}

/// Whether an organization is deleted and not yet removed.
pub async fn is_deleted(connection: &impl ConnectionTrait, id: Uuid) -> Result<bool> {
    let row = organization::Entity::find_by_id(id).one(connection).await?;
    Ok(row.is_some_and(|row| row.deleted_at.is_some()))
}

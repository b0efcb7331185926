use entity::invitation;
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter};
use uuid::Uuid;

use super::Invitation;
use crate::{
    error::Result,
    resource::Mapped,
    store::{
        page::{PageQuery, Sort},
        versioned,
    },
};

/// The newest first.
impl Mapped for Invitation {
    type Entity = invitation::Entity;
    type Query = PageQuery;

    fn sort(_: &PageQuery) -> Sort<invitation::Column> {
        Sort { name: "-created_at", column: invitation::Column::CreatedAt, descending: true }
    }
}

pub(super) async fn by_token(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    token_hash: &str,
) -> Result<Option<invitation::Model>> {
    let rows = versioned::find_in_organization::<invitation::Entity>(organization_id)
        .filter(invitation::COLUMN.token_hash.eq(token_hash))
        .all(connection)
        .await?;
    Ok(rows.into_iter().next())
}

/// The invitations of a member's that nobody has accepted.
pub(super) async fn open_of_member(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    member_id: Uuid,
) -> Result<Vec<invitation::Model>> {
    let rows = versioned::find_in_organization::<invitation::Entity>(organization_id)
        .filter(invitation::COLUMN.created_by_member_id.eq(member_id))
        .filter(invitation::COLUMN.accepted_at.is_null())
        .all(connection)
        .await?;
    Ok(rows)
}

/// The invitations that these API keys have made and nobody has accepted.
pub(super) async fn open_of_api_keys(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ids: &[Uuid],
) -> Result<Vec<invitation::Model>> {
    let rows = versioned::find_in_organization::<invitation::Entity>(organization_id)
        .filter(invitation::Column::CreatedByApiKeyId.is_in(ids.iter().copied()))
        .filter(invitation::COLUMN.accepted_at.is_null())
        .all(connection)
        .await?;
    Ok(rows)
}

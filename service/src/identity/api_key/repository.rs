use entity::api_key;
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter};
use uuid::Uuid;

use super::ApiKey;
use crate::{
    error::Result,
    resource::Mapped,
    store::{
        page::{PageQuery, Sort},
        versioned,
    },
};

/// The newest first.
impl Mapped for ApiKey {
    type Entity = api_key::Entity;
    type Query = PageQuery;

    fn sort(_: &PageQuery) -> Sort<api_key::Column> {
        Sort { name: "-created_at", column: api_key::Column::CreatedAt, descending: true }
    }
}

pub(crate) async fn by_token(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    token_hash: &str,
) -> Result<Option<api_key::Model>> {
    let rows = versioned::find_in_organization::<api_key::Entity>(organization_id)
        .filter(api_key::COLUMN.token_hash.eq(token_hash))
        .all(connection)
        .await?;
    Ok(rows.into_iter().next())
}

pub(super) async fn of_member(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    member_id: Uuid,
) -> Result<Vec<api_key::Model>> {
    let rows = versioned::find_in_organization::<api_key::Entity>(organization_id)
        .filter(api_key::COLUMN.member_id.eq(member_id))
        .all(connection)
        .await?;
    Ok(rows)
}

/// The keys that these keys have made.
pub(super) async fn made_by(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ids: &[Uuid],
) -> Result<Vec<api_key::Model>> {
    let rows = versioned::find_in_organization::<api_key::Entity>(organization_id)
        .filter(api_key::Column::CreatedByApiKeyId.is_in(ids.iter().copied()))
        .all(connection)
        .await?;
    Ok(rows)
}

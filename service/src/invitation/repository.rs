use entity::invitation;
use sea_orm::{ConnectionTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    error::Result,
    store::{
        page::{Page, PageQuery, Sort, page},
        versioned,
    },
};

pub(super) async fn list(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    query: &PageQuery,
) -> Result<Page<invitation::Model>> {
    let rows = versioned::owned::<invitation::Entity>(organization_id);
    let sort =
        Sort { name: "-created_at", column: invitation::Column::CreatedAt, descending: true };
    page(connection, rows, sort, query).await
}

pub(super) async fn by_token(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    token_hash: &str,
) -> Result<Option<invitation::Model>> {
    let rows = versioned::owned::<invitation::Entity>(organization_id)
        .filter(invitation::COLUMN.token_hash.eq(token_hash))
        .all(connection)
        .await?;
    Ok(rows.into_iter().next())
}

use chrono::{DateTime, Utc};
use entity::session;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    error::Result,
    store::page::{Page, PageQuery, Sort, page},
};

pub(crate) async fn by_token(
    connection: &impl ConnectionTrait,
    token_hash: &str,
) -> Result<Option<session::Model>> {
    let rows = session::Entity::find()
        .filter(session::COLUMN.token_hash.eq(token_hash))
        .all(connection)
        .await?;
    Ok(rows.into_iter().next())
}

pub(super) async fn insert(
    connection: &impl ConnectionTrait,
    row: session::ActiveModel,
) -> Result<session::Model> {
    Ok(session::Entity::insert(row).exec_with_returning(connection).await?)
}

pub(super) async fn list(
    connection: &impl ConnectionTrait,
    user_id: Uuid,
    now: DateTime<Utc>,
    query: &PageQuery,
) -> Result<Page<session::Model>> {
    let rows = session::Entity::find()
        .filter(session::COLUMN.user_id.eq(user_id))
        .filter(session::COLUMN.expires_at.gt(now.fixed_offset()));
    let sort = Sort { name: "-created_at", column: session::Column::CreatedAt, descending: true };
    page(connection, rows, sort, query).await
}

pub(super) async fn end(
    connection: &impl ConnectionTrait,
    user_id: Uuid,
    id: Uuid,
) -> Result<bool> {
    let ended = session::Entity::delete_many()
        .filter(session::COLUMN.user_id.eq(user_id))
        .filter(session::COLUMN.id.eq(id))
        .exec(connection)
        .await?;
    Ok(ended.rows_affected > 0)
}

pub(crate) async fn end_others(
    connection: &impl ConnectionTrait,
    user_id: Uuid,
    kept: Uuid,
) -> Result<()> {
    session::Entity::delete_many()
        .filter(session::COLUMN.user_id.eq(user_id))
        .filter(session::COLUMN.id.ne(kept))
        .exec(connection)
        .await?;
    Ok(())
}

pub(crate) async fn end_all(connection: &impl ConnectionTrait, user_id: Uuid) -> Result<()> {
    session::Entity::delete_many()
        .filter(session::COLUMN.user_id.eq(user_id))
        .exec(connection)
        .await?;
    Ok(())
}

/// Forgets the user's sessions that have ended by themselves.
pub(super) async fn sweep(
    connection: &impl ConnectionTrait,
    user_id: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    session::Entity::delete_many()
        .filter(session::COLUMN.user_id.eq(user_id))
        .filter(session::COLUMN.expires_at.lte(now.fixed_offset()))
        .exec(connection)
        .await?;
    Ok(())
}

use entity::user;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::error::{Error, Result};

pub(crate) async fn get(connection: &impl ConnectionTrait, id: Uuid) -> Result<user::Model> {
    let rows = user::Entity::find().filter(user::COLUMN.id.eq(id)).all(connection).await?;
    rows.into_iter().next().ok_or(Error::NotFound("user"))
}

pub(crate) async fn by_email(
    connection: &impl ConnectionTrait,
    email_key: &str,
) -> Result<Option<user::Model>> {
    let rows =
        user::Entity::find().filter(user::COLUMN.email_key.eq(email_key)).all(connection).await?;
    Ok(rows.into_iter().next())
}

/// The users in the order of their addresses, after one of them.
pub(super) async fn after(
    connection: &impl ConnectionTrait,
    email_key: &str,
    count: u64,
) -> Result<Vec<user::Model>> {
    Ok(user::Entity::find()
        .filter(user::COLUMN.email_key.gt(email_key))
        .order_by_asc(user::Column::EmailKey)
        .limit(count)
        .all(connection)
        .await?)
}

/// Keeps the hash of the same password, made anew. What a client sees of the user stays as it is, so
/// this is no version of theirs, and no event.
pub(crate) async fn renew_hash(
    connection: &impl ConnectionTrait,
    row: &user::Model,
    hash: String,
) -> Result<()> {
    user::Entity::update_many()
        .col_expr(user::Column::PasswordHash, hash.into())
        .filter(user::COLUMN.id.eq(row.id))
        .filter(user::COLUMN.password_hash.eq(&row.password_hash))
        .exec(connection)
        .await?;
    Ok(())
}

pub(crate) async fn any(connection: &impl ConnectionTrait) -> Result<bool> {
    Ok(user::Entity::find().limit(1).one(connection).await?.is_some())
}

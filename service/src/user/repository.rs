use entity::user;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
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

pub(crate) async fn any(connection: &impl ConnectionTrait) -> Result<bool> {
    Ok(user::Entity::find().limit(1).one(connection).await?.is_some())
}

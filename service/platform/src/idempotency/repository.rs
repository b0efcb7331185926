use chrono::{DateTime, Utc};
use entity::idempotency_key::{self, COLUMN, Column, Entity};
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    store::{Tx, versioned},
};

/// The response of a key that still counts.
pub(super) async fn response(
    connection: &impl ConnectionTrait,
    (organization_id, id): (Uuid, Uuid),
    now: DateTime<Utc>,
) -> Result<Option<String>> {
    let row = versioned::find::<Entity>(connection, organization_id, id).await?;
    Ok(row.filter(|row| row.expires_at.to_utc() > now).and_then(|row| row.answer))
}

/// Claims a key, if it is nobody's or no longer counts. On PostgreSQL this waits for whoever else is
/// claiming it, and then runs again.
pub(super) async fn claim(
    tx: &Tx,
    (organization_id, id): (Uuid, Uuid),
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<bool> {
    let row = idempotency_key::ActiveModel {
        organization_id: Set(organization_id),
        id: Set(id),
        answer: Set(None),
        created_at: Set(now.fixed_offset()),
        expires_at: Set(until.fixed_offset()),
    };
    let expired = Expr::col((Entity, Column::ExpiresAt)).lte(now.fixed_offset());
    let taken = OnConflict::columns([Column::OrganizationId, Column::Id])
        .update_columns([Column::Answer, Column::CreatedAt, Column::ExpiresAt])
        .action_and_where(expired)
        .to_owned();
    let claimed = Entity::insert_many([row]).on_conflict(taken).exec_without_returning(tx).await?;
    Ok(claimed == 1)
}

/// Records the response of a key that this transaction has claimed.
pub(super) async fn record_response(
    tx: &Tx,
    (organization_id, id): (Uuid, Uuid),
    response: String,
) -> Result<()> {
    let kept = Entity::update_many()
        .set(idempotency_key::ActiveModel { answer: Set(Some(response)), ..Default::default() })
        .filter(COLUMN.organization_id.eq(organization_id))
        .filter(COLUMN.id.eq(id))
        .exec(tx)
        .await?;
    match kept.rows_affected {
        1 => Ok(()),
        _ => Err(Error::Internal("the claim of a key has gone".into())),
    }
}

/// When the last of some responses ended that no longer count, if there are any.
pub(super) async fn expired(
    connection: &impl ConnectionTrait,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Option<DateTime<Utc>>> {
    let ends: Vec<DateTime<Utc>> = Entity::find()
        .select_only()
        .column(Column::ExpiresAt)
        .filter(COLUMN.expires_at.lte(now.fixed_offset()))
        .order_by_asc(Column::ExpiresAt)
        .limit(limit)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(ends.last().copied())
}

/// Drops the responses that ended until then.
pub(super) async fn delete_until(tx: &Tx, last: DateTime<Utc>) -> Result<u64> {
    let dropped =
        Entity::delete_many().filter(COLUMN.expires_at.lte(last.fixed_offset())).exec(tx).await?;
    Ok(dropped.rows_affected)
}

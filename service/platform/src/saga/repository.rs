//! The sagas in the database, for the engine and for the kinds of sagas.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{saga, saga_write};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
    sea_query::{Expr, OnConflict, SelectStatement},
};
use serde_json::Value;
use uuid::Uuid;

use super::{SagaQuery, State, rules::Progress};
use crate::{
    due,
    error::{Error, Result},
    input::AnyOf,
    store::{
        Tx, dialect,
        page::{Page, Paged, Sort, page},
        parts::Rows,
        rows,
        stored::StoredWord,
        versioned,
    },
};

/// The saga.
///
/// # Errors
/// [`Error::NotFound`] where there is none.
pub async fn get(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<saga::Model> {
    versioned::get::<saga::Entity>(connection, organization_id, id).await
}

/// Those of these ids.
pub(super) async fn by_ids(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ids: Vec<Uuid>,
) -> Result<Vec<saga::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let some = versioned::find_in_organization::<saga::Entity>(organization_id)
        .filter(saga::Column::Id.is_in(ids));
    rows::all(connection, some).await
}

/// Replaces the data of a saga. That is no new version of it.
pub async fn update_data(tx: &Tx, saga: (Uuid, Uuid), data: Value) -> Result<()> {
    change(tx, saga, saga::ActiveModel { data: Set(data), ..Default::default() }).await
}

/// Takes a saga up again after the others that are due. That is no new version of it.
pub(super) async fn postpone(tx: &Tx, row: &saga::Model, now: DateTime<Utc>) -> Result<()> {
    let due_at = Set(Some(now.fixed_offset()));
    let key = (row.organization_id, row.id);
    change(tx, key, saga::ActiveModel { due_at, ..Default::default() }).await
}

async fn change(
    tx: &Tx,
    (organization_id, id): (Uuid, Uuid),
    change: saga::ActiveModel,
) -> Result<()> {
    saga::Entity::update_many()
        .set(change)
        .filter(saga::COLUMN.organization_id.eq(organization_id))
        .filter(saga::COLUMN.id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// The newest first.
pub(super) async fn list(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    query: &SagaQuery,
) -> Result<Page<saga::Model>> {
    let SagaQuery { state, subject_id, limit: _, cursor: _ } = query;
    let backend = connection.get_database_backend();
    let rows = Rows::from(versioned::find_in_organization::<saga::Entity>(organization_id))
        .any_of(backend, saga::Column::SubjectId, subject_id.as_ref().map(AnyOf::ids))
        .any_of(backend, saga::Column::State, state.as_ref().map(AnyOf::words));
    let sort = Sort { name: "-created_at", column: saga::Column::CreatedAt, descending: true };
    page(connection, rows, sort, &query.page()).await
}

/// Some that are due, of all organizations, by organization and id.
pub(super) async fn due(
    connection: &impl ConnectionTrait,
    now: DateTime<Utc>,
    max_wait: TimeDelta,
    limit: u64,
) -> Result<Vec<(Uuid, Uuid)>> {
    let is_due = due::is(Expr::col(saga::Column::DueAt), now, max_wait);
    let backend = connection.get_database_backend();
    let due = saga::Entity::find()
        .select_only()
        .columns([saga::Column::OrganizationId, saga::Column::Id])
        .filter(is_due)
        // In the order of its index, SQLite would walk all that have ended: they are due never.
        .order_by(dialect::unindexed(backend, Expr::col(saga::Column::DueAt)), Order::Asc)
        .limit(limit)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(due)
}

/// Since when sagas are due that are.
pub(super) fn waiting(now: DateTime<Utc>) -> SelectStatement {
    saga::Entity::find()
        .select_only()
        .column_as(saga::Column::DueAt, "since")
        .filter(saga::COLUMN.due_at.lte(now.fixed_offset()))
        .into_query()
}

/// Whether a saga of a kind is about this and has not ended.
pub async fn is_under_way(tx: &Tx, organization_id: Uuid, kind: &str, id: Uuid) -> Result<bool> {
    let ended = [State::Completed, State::Compensated].map(StoredWord::as_str);
    let first = versioned::find_in_organization::<saga::Entity>(organization_id)
        .filter(saga::COLUMN.subject_id.eq(id))
        .filter(saga::COLUMN.kind.eq(kind))
        .filter(saga::Column::State.is_not_in(ended))
        .limit(1);
    Ok(!rows::all(tx, first).await?.is_empty())
}

/// Records which versions of other resources a saga has left.
pub async fn record_writes(
    tx: &Tx,
    (organization_id, saga_id): (Uuid, Uuid),
    entity: &str,
    written: impl IntoIterator<Item = (Uuid, i64)>,
) -> Result<()> {
    use saga_write::Column;
    let row = |(id, version)| saga_write::ActiveModel {
        organization_id: Set(organization_id),
        saga_id: Set(saga_id),
        entity: Set(entity.to_owned()),
        entity_id: Set(id),
        entity_version: Set(version),
    };
    let rows: Vec<_> = written.into_iter().map(row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let key = [Column::OrganizationId, Column::SagaId, Column::Entity, Column::EntityId];
    let known = OnConflict::columns(key).update_column(Column::EntityVersion).to_owned();
    saga_write::Entity::insert_many(rows).on_conflict(known).exec_without_returning(tx).await?;
    Ok(())
}

/// Takes some of what a saga has left out of its memory, by id, and gives it with the versions.
pub async fn take_writes(
    tx: &Tx,
    (organization_id, saga_id): (Uuid, Uuid),
    entity: &str,
    limit: u64,
) -> Result<Vec<(Uuid, i64)>> {
    let of_this = Condition::all()
        .add(saga_write::COLUMN.organization_id.eq(organization_id))
        .add(saga_write::COLUMN.saga_id.eq(saga_id))
        .add(saga_write::COLUMN.entity.eq(entity));
    let some: Vec<(Uuid, i64)> = saga_write::Entity::find()
        .select_only()
        .columns([saga_write::Column::EntityId, saga_write::Column::EntityVersion])
        .filter(of_this.clone())
        .order_by_asc(saga_write::Column::EntityId)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    saga_write::Entity::delete_many()
        .filter(of_this)
        .filter(saga_write::Column::EntityId.is_in(some.iter().map(|(id, _)| *id)))
        .exec(tx)
        .await?;
    Ok(some)
}

/// The columns of how far a saga is.
pub fn columns(progress: &Progress) -> Result<saga::ActiveModel> {
    let Progress { state, step, undoing, due_at, steps, reason, pivot: _ } = progress;
    let steps = serde_json::to_value(steps)
        .map_err(|error| Error::Internal(format!("steps cannot be written: {error}")))?;
    Ok(saga::ActiveModel {
        state: Set(state.as_str().to_owned()),
        step: Set(i64::try_from(*step).unwrap_or(i64::MAX)),
        undoing: Set(*undoing),
        due_at: Set(due_at.map(|at| at.fixed_offset())),
        steps: Set(steps),
        reason: Set(reason.clone()),
        ..Default::default()
    })
}

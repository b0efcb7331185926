use chrono::{DateTime, Utc};
use entity::{import, import_slice};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::Value;
use uuid::Uuid;

use super::{ImportRunQuery, Tally};
use crate::{
    error::{Error, Result},
    input::AnyOf,
    store::{
        Tx,
        page::{Page, Paged, Sort, page},
        parts::Rows,
        versioned,
    },
};

/// How many slices one transaction removes.
const SLICES_PER_TRANSACTION: u64 = 20;

/// One that has begun.
pub(crate) async fn get(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<import::Model> {
    let row = versioned::find::<import::Entity>(connection, organization_id, id).await?;
    row.filter(|row| row.staging_until.is_none()).ok_or(Error::NotFound("import"))
}

/// Those that have begun, the newest first.
pub(super) async fn list(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    query: &ImportRunQuery,
) -> Result<Page<import::Model>> {
    let ImportRunQuery { kind, limit: _, cursor: _ } = query;
    let rows = versioned::find_in_organization::<import::Entity>(organization_id)
        .filter(import::COLUMN.staging_until.is_null());
    let backend = connection.get_database_backend();
    let kinds = kind.as_ref().map(AnyOf::words);
    let rows = Rows::from(rows).any_of(backend, import::Column::Kind, kinds);
    let sort = Sort { name: "-created_at", column: import::Column::CreatedAt, descending: true };
    page(connection, rows, sort, &query.page()).await
}

/// Some that nobody has brought in to the end, of all organizations.
pub(super) async fn abandoned(
    connection: &impl ConnectionTrait,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<(Uuid, Uuid)>> {
    let abandoned = import::Entity::find()
        .select_only()
        .columns([import::Column::OrganizationId, import::Column::Id])
        .filter(import::Column::StagingUntil.lte(now.fixed_offset()))
        .order_by_asc(import::Column::StagingUntil)
        .limit(limit)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(abandoned)
}

pub(super) async fn insert(tx: &Tx, row: import::ActiveModel) -> Result<()> {
    import::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

fn is(key: (Uuid, Uuid)) -> Condition {
    let (organization_id, id) = key;
    Condition::all()
        .add(import::COLUMN.organization_id.eq(organization_id))
        .add(import::COLUMN.id.eq(id))
}

/// Changes one that is being brought in. False if it is no longer.
pub(super) async fn update_staged(
    tx: &Tx,
    key: (Uuid, Uuid),
    change: import::ActiveModel,
) -> Result<bool> {
    let changed = import::Entity::update_many()
        .set(import::ActiveModel { updated_at: Set(tx.now().fixed_offset()), ..change })
        .filter(is(key))
        .filter(import::COLUMN.staging_until.is_not_null())
        .exec(tx)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// Notes how far one is. The row of its saga is held, so that nobody else does.
pub(crate) async fn advance(
    tx: &Tx,
    row: &import::Model,
    next_slice: i64,
    tally: Tally,
) -> Result<()> {
    let change = import::ActiveModel {
        updated_at: Set(tx.now().fixed_offset()),
        next_slice: Set(next_slice),
        ..tally.columns()
    };
    import::Entity::update_many()
        .set(change)
        .filter(is((row.organization_id, row.id)))
        .exec(tx)
        .await?;
    Ok(())
}

fn slice_is(row: &import::Model, ordinal: i64) -> Condition {
    of_import((row.organization_id, row.id)).add(import_slice::COLUMN.ordinal.eq(ordinal))
}

fn of_import((organization_id, id): (Uuid, Uuid)) -> Condition {
    Condition::all()
        .add(import_slice::COLUMN.organization_id.eq(organization_id))
        .add(import_slice::COLUMN.import_id.eq(id))
}

pub(super) async fn insert_slice(
    tx: &Tx,
    (organization_id, import_id): (Uuid, Uuid),
    ordinal: i64,
    rows: Value,
) -> Result<()> {
    let row = import_slice::ActiveModel {
        organization_id: Set(organization_id),
        import_id: Set(import_id),
        ordinal: Set(ordinal),
        rows: Set(rows),
        written: Set(None),
    };
    import_slice::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// A slice of an import, if it has one of that number.
pub(crate) async fn slice(
    tx: &Tx,
    row: &import::Model,
    ordinal: i64,
) -> Result<Option<import_slice::Model>> {
    Ok(import_slice::Entity::find().filter(slice_is(row, ordinal)).one(tx).await?)
}

/// Notes what was made of a slice, whose rows are no longer needed.
pub(crate) async fn slice_written(
    tx: &Tx,
    row: &import::Model,
    ordinal: i64,
    written: &[Uuid],
) -> Result<()> {
    let change = import_slice::ActiveModel {
        rows: Set(Value::Array(Vec::new())),
        written: Set(Some(serde_json::json!(written))),
        ..Default::default()
    };
    import_slice::Entity::update_many().set(change).filter(slice_is(row, ordinal)).exec(tx).await?;
    Ok(())
}

/// Removes some slices of an import. False if none is left.
pub(crate) async fn clear(tx: &Tx, key: (Uuid, Uuid)) -> Result<bool> {
    let some: Vec<i64> = import_slice::Entity::find()
        .select_only()
        .column(import_slice::Column::Ordinal)
        .filter(of_import(key))
        .order_by_asc(import_slice::Column::Ordinal)
        .limit(SLICES_PER_TRANSACTION)
        .into_tuple()
        .all(tx)
        .await?;
    let Some(last) = some.last() else { return Ok(false) };
    import_slice::Entity::delete_many()
        .filter(of_import(key))
        .filter(import_slice::COLUMN.ordinal.lte(*last))
        .exec(tx)
        .await?;
    Ok(some.len() as u64 == SLICES_PER_TRANSACTION)
}

/// Removes one that was never begun.
pub(super) async fn delete_staged(tx: &Tx, key: (Uuid, Uuid)) -> Result<()> {
    import::Entity::delete_many()
        .filter(is(key))
        .filter(import::COLUMN.staging_until.is_not_null())
        .exec(tx)
        .await?;
    Ok(())
}

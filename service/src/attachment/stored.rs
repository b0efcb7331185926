//! What is stored of attachments: an object for each content, as long as something refers to it, and how many bytes
//! all of an organization's have.
//!
//! The name of an object is never used again. So an object that nothing refers to can be removed at any time, whatever
//! is uploaded meanwhile: who uploads the same content has an object of their own, until their transaction finds that
//! there is one to refer to.

use entity::{object_removal, storage_usage, stored_object};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, IntoSimpleExpr, QueryFilter,
    sea_query::{Expr, OnConflict, Query},
};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    objects::ObjectName,
    store::Tx,
};

/// An object that is published, and that no row names yet.
#[derive(Debug, Clone)]
pub(super) struct Published {
    pub(super) id: Uuid,
    pub(super) name: ObjectName,
    /// Of what is stored.
    pub(super) sha256: String,
    pub(super) size: i64,
}

/// Refers to an object, or to one that has the same content, and gives its id. What is stored anew counts.
///
/// # Errors
/// [`Error::StorageFull`] where the organization has no room for it.
pub(super) async fn refer(
    tx: &Tx,
    organization_id: Uuid,
    object: &Published,
    quota: Option<u64>,
) -> Result<Uuid> {
    use stored_object::Column;
    let one_more = Expr::col((stored_object::Entity, Column::ReferenceCount)).add(1);
    let known = OnConflict::columns([Column::OrganizationId, Column::Sha256])
        .value(Column::ReferenceCount, one_more)
        .to_owned();
    let insert = Query::insert()
        .into_table(stored_object::Entity)
        .columns([
            Column::OrganizationId,
            Column::Id,
            Column::Sha256,
            Column::Size,
            Column::ReferenceCount,
            Column::CreatedAt,
        ])
        .values_panic([
            organization_id.into(),
            object.id.into(),
            object.sha256.clone().into(),
            object.size.into(),
            1_i64.into(),
            tx.now().fixed_offset().into(),
        ])
        .on_conflict(known)
        .returning_col(Column::Id)
        .to_owned();
    let row = tx.query_one(&insert).await?;
    let nothing = || Error::Internal("a stored object was not given back".into());
    let id: Uuid = row.ok_or_else(nothing)?.try_get_by_index(0)?;
    if id == object.id {
        charge(tx, organization_id, object.size, quota).await?;
    } else {
        remove_later(tx, object.name.as_str()).await?;
    }
    Ok(id)
}

/// Refers to an object no longer. One that nothing refers to goes, and its bytes do after it.
pub(super) async fn release(tx: &Tx, organization_id: Uuid, id: Uuid) -> Result<()> {
    use stored_object::Column;
    let this = |condition: Expr| condition.and(Column::Id.eq(id));
    let this = this(Column::OrganizationId.eq(organization_id));
    let update = Query::update()
        .table(stored_object::Entity)
        .value(Column::ReferenceCount, Column::ReferenceCount.into_simple_expr().sub(1))
        .and_where(this.clone())
        .returning(Query::returning().columns([
            Column::ReferenceCount,
            Column::Sha256,
            Column::Size,
        ]))
        .to_owned();
    let row = tx.query_one(&update).await?;
    let row = row.ok_or_else(|| Error::Internal(format!("there is no stored object {id}")))?;
    let (count, sha256, size): (i64, String, i64) =
        (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
    if count > 0 {
        return Ok(());
    }
    stored_object::Entity::delete_many().filter(this).exec(tx).await?;
    remove_later(tx, ObjectName::of(organization_id, &sha256, id).as_str()).await?;
    charge(tx, organization_id, -size, None).await
}

/// Adds to what an organization has stored, within its quota.
///
/// # Errors
/// [`Error::StorageFull`] where there is no room.
pub(crate) async fn charge(
    tx: &Tx,
    organization_id: Uuid,
    bytes: i64,
    quota: Option<u64>,
) -> Result<()> {
    use storage_usage::Column;
    let sum = Expr::col((storage_usage::Entity, Column::Bytes)).add(bytes);
    let known = OnConflict::column(Column::OrganizationId).value(Column::Bytes, sum).to_owned();
    let insert = Query::insert()
        .into_table(storage_usage::Entity)
        .columns([Column::OrganizationId, Column::Bytes])
        .values_panic([organization_id.into(), bytes.into()])
        .on_conflict(known)
        .returning_col(Column::Bytes)
        .to_owned();
    let row = tx.query_one(&insert).await?;
    let nothing = || Error::Internal("the use of storage was not given back".into());
    let used: i64 = row.ok_or_else(nothing)?.try_get_by_index(0)?;
    match quota {
        Some(quota) if u64::try_from(used).is_ok_and(|used| used > quota) => {
            Err(Error::StorageFull {
                code: "storage_quota_exceeded",
                detail: format!("the files of the organization may have {quota} bytes in all")
                    .into(),
            })
        }
        _ => Ok(()),
    }
}

/// Has an object removed, or what is in a folder of names, once the transaction is committed.
pub(super) async fn remove_later(tx: &Tx, name: &str) -> Result<()> {
    let row = object_removal::ActiveModel { id: Set(tx.new_id()), name: Set(name.to_owned()) };
    object_removal::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

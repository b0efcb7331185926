//! The bytes of attachments in the database (docs/decisions/0062): once for each content of an organization, with how
//! many documents have them. What writes a document counts them; what is not counted any more is removed in the
//! background. They take room of the organization's quota as long as they are there.

use std::collections::{BTreeSet, HashMap};

use entity::{document_blob, document_blob_use};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, Func, OnConflict},
};
use uuid::Uuid;

use super::Blob;
use crate::{
    attachment::charge,
    document::subject::Subject,
    error::{Error, Result},
    store::Tx,
};

fn of_organization(organization_id: Uuid) -> Condition {
    Condition::all().add(document_blob::COLUMN.organization_id.eq(organization_id))
}

/// Keeps bytes, which whoever writes them counts in the same transaction.
///
/// # Errors
/// [`Error::StorageFull`] where the organization has no room for those that are new.
pub(crate) async fn put(
    tx: &Tx,
    organization_id: Uuid,
    blobs: Vec<Blob>,
    quota: Option<u64>,
) -> Result<()> {
    let mut added = 0;
    for Blob { sha256, bytes } in blobs {
        let size = bytes.len() as i64;
        let row = document_blob::ActiveModel {
            organization_id: Set(organization_id),
            sha256: Set(sha256),
            bytes: Set(bytes),
            uses: Set(0),
        };
        let key = [document_blob::Column::OrganizationId, document_blob::Column::Sha256];
        let inserted = document_blob::Entity::insert(row)
            .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
            .exec_without_returning(tx)
            .await?;
        added += if inserted == 0 { 0 } else { size };
    }
    if added == 0 { Ok(()) } else { charge(tx, organization_id, added, quota).await }
}

/// How many bytes some contents have together is for the caller to bound.
pub(crate) async fn read(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    hashes: impl IntoIterator<Item = &str>,
) -> Result<HashMap<String, Vec<u8>>> {
    let found: Vec<(String, Vec<u8>)> = document_blob::Entity::find()
        .select_only()
        .columns([document_blob::Column::Sha256, document_blob::Column::Bytes])
        .filter(of_organization(organization_id))
        .filter(document_blob::Column::Sha256.is_in(hashes))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(found.into_iter().collect())
}

/// Counts what a document has now in the place of what it had.
///
/// # Errors
/// Where bytes that it has now have just been removed, the whole closure runs again ([`Error::Retry`]).
pub(crate) async fn count(
    tx: &Tx,
    subject: Subject<'_>,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
) -> Result<()> {
    let added: Vec<&str> = after.difference(before).map(String::as_str).collect();
    if !added.is_empty() {
        let uses = added.iter().map(|sha256| document_blob_use::ActiveModel {
            organization_id: Set(subject.organization_id),
            document_id: Set(subject.id),
            sha256: Set((*sha256).to_owned()),
            collection_id: Set(subject.collection_id),
        });
        document_blob_use::Entity::insert_many(uses).exec_without_returning(tx).await?;
        if add(tx, subject.organization_id, &added, 1).await? != added.len() as u64 {
            return Err(Error::lost_race("the bytes of an attachment have just been removed"));
        }
    }
    let removed: Vec<&str> = before.difference(after).map(String::as_str).collect();
    if !removed.is_empty() {
        document_blob_use::Entity::delete_many()
            .filter(document_blob_use::COLUMN.organization_id.eq(subject.organization_id))
            .filter(document_blob_use::COLUMN.document_id.eq(subject.id))
            .filter(document_blob_use::Column::Sha256.is_in(removed.iter().copied()))
            .exec(tx)
            .await?;
        add(tx, subject.organization_id, &removed, -1).await?;
    }
    Ok(())
}

async fn add(tx: &Tx, organization_id: Uuid, hashes: &[&str], by: i64) -> Result<u64> {
    let uses = Expr::col(document_blob::Column::Uses).add(by);
    let counted = document_blob::Entity::update_many()
        .col_expr(document_blob::Column::Uses, uses)
        .filter(of_organization(organization_id))
        .filter(document_blob::Column::Sha256.is_in(hashes.iter().copied()))
        .exec(tx)
        .await?;
    Ok(counted.rows_affected)
}

/// Counts some of what the documents of a collection had, which is gone, no longer, and says how much.
pub(crate) async fn release_some(
    tx: &Tx,
    (organization_id, collection_id): (Uuid, Uuid),
    limit: u64,
) -> Result<u64> {
    let some = document_blob_use::Entity::find()
        .filter(document_blob_use::COLUMN.organization_id.eq(organization_id))
        .filter(document_blob_use::COLUMN.collection_id.eq(collection_id))
        .limit(limit)
        .all(tx)
        .await?;
    for document_blob_use::Model { document_id, sha256, .. } in &some {
        document_blob_use::Entity::delete_by_id((organization_id, *document_id, sha256.clone()))
            .exec(tx)
            .await?;
        add(tx, organization_id, &[sha256], -1).await?;
    }
    Ok(some.len() as u64)
}

/// An organization that has bytes which no document has, if there is one: work for the background.
pub(crate) async fn unused(connection: &impl ConnectionTrait) -> Result<Option<Uuid>> {
    let unused = document_blob::Entity::find()
        .select_only()
        .column(document_blob::Column::OrganizationId)
        .filter(document_blob::COLUMN.uses.eq(0))
        .limit(1);
    Ok(unused.into_tuple().one(connection).await?)
}

/// Removes some of them, and says how many.
pub(crate) async fn remove_unused(tx: &Tx, organization_id: Uuid, limit: u64) -> Result<u64> {
    let unused = of_organization(organization_id).add(document_blob::COLUMN.uses.eq(0));
    let some: Vec<(String, i64)> = document_blob::Entity::find()
        .select_only()
        .column(document_blob::Column::Sha256)
        .expr(size())
        .filter(unused.clone())
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    let hashes = some.iter().map(|(sha256, _)| sha256.as_str());
    document_blob::Entity::delete_many()
        .filter(unused)
        .filter(document_blob::Column::Sha256.is_in(hashes))
        .exec(tx)
        .await?;
    let bytes: i64 = some.iter().map(|(_, size)| size).sum();
    if bytes > 0 {
        charge(tx, organization_id, -bytes, None).await?;
    }
    Ok(some.len() as u64)
}

/// How many bytes a row has, which are not read for it.
fn size() -> Expr {
    let bytes = Expr::col((document_blob::Entity, document_blob::Column::Bytes));
    Expr::from(Func::cust("LENGTH").arg(bytes)).cast_as("bigint")
}

use entity::{collection, collection_removal};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
    sea_query::{Expr, SelectStatement},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    document::attachment::blobs,
    error::Result,
    role::Role,
    store::{Tx, log::hashed_id, rows, signal::Signal, stored::StoredWord, versioned},
};

/// The collection of this id or name.
pub(super) async fn find(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    reference: &str,
) -> Result<Option<collection::Model>> {
    if let Ok(id) = Uuid::try_parse(reference) {
        return versioned::find::<collection::Entity>(connection, organization_id, id).await;
    }
    let named = versioned::find_in_organization::<collection::Entity>(organization_id)
        .filter(collection::COLUMN.name.eq(reference));
    Ok(rows::all(connection, named).await?.pop())
}

/// The same, which nobody changes then until the transaction ends.
pub(super) async fn find_and_hold(
    tx: &Tx,
    organization_id: Uuid,
    reference: &str,
) -> Result<Option<collection::Model>> {
    let rows = versioned::find_in_organization::<collection::Entity>(organization_id);
    let named = match Uuid::try_parse(reference) {
        Ok(id) => rows.filter(collection::COLUMN.id.eq(id)),
        Err(_) => rows.filter(collection::COLUMN.name.eq(reference)),
    };
    Ok(rows::all(tx, named.lock_shared()).await?.pop())
}

/// Whether an organization has so many collections.
pub(super) async fn has_as_many(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    count: u64,
) -> Result<bool> {
    let last: Option<Uuid> = versioned::find_in_organization::<collection::Entity>(organization_id)
        .select_only()
        .column(collection::Column::Id)
        .order_by_asc(collection::Column::Id)
        .offset(count - 1)
        .limit(1)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(last.is_some())
}

/// A query of the ids of the collections whose documents a role may read.
pub(crate) fn readable(organization_id: Uuid, role: Role) -> SelectStatement {
    let roles = Role::ALL.iter().filter(|least| **least <= role).map(|least| least.as_str());
    versioned::find_in_organization::<collection::Entity>(organization_id)
        .select_only()
        .column(collection::Column::Id)
        .filter(collection::Column::ReadRole.is_in(roles))
        .into_query()
}

/// A word that is another one whenever a collection has changed who may read its documents; none as long as none has.
pub(crate) async fn access_state(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<Option<String>> {
    let changed: Vec<(Uuid, i64)> =
        versioned::find_in_organization::<collection::Entity>(organization_id)
            .select_only()
            .column(collection::Column::Id)
            .column(collection::Column::AccessVersion)
            .filter(collection::COLUMN.access_version.gt(1))
            .order_by_asc(collection::Column::Id)
            .into_tuple()
            .all(connection)
            .await?;
    let hash = changed.iter().fold(Sha256::new(), |hash, (id, version)| {
        hash.chain_update(id.as_bytes()).chain_update(version.to_be_bytes())
    });
    Ok((!changed.is_empty()).then(|| hashed_id(hash).simple().to_string()))
}

/// From now on, revisions of its documents are kept. Waits for who holds the collection.
pub(crate) async fn keep_revisions(tx: &Tx, (organization_id, id): (Uuid, Uuid)) -> Result<()> {
    collection::Entity::update_many()
        .col_expr(collection::Column::KeepsRevisions, Expr::val(true))
        .filter(collection::COLUMN.organization_id.eq(organization_id))
        .filter(collection::COLUMN.id.eq(id))
        .filter(collection::COLUMN.keeps_revisions.eq(false))
        .exec(tx)
        .await?;
    Ok(())
}

/// Leaves what a collection has beside its documents to the background: nobody sees it any more.
pub(super) async fn remove_rest(
    tx: &Tx,
    (organization_id, collection_id): (Uuid, Uuid),
) -> Result<()> {
    let row = collection_removal::ActiveModel {
        organization_id: Set(organization_id),
        collection_id: Set(collection_id),
    };
    collection_removal::Entity::insert(row).exec_without_returning(tx).await?;
    tx.signal(Signal::Work);
    Ok(())
}

/// A collection that is gone and has left something, if there is one: of any organization, since it is work for the
/// background.
pub(crate) async fn removed(connection: &impl ConnectionTrait) -> Result<Option<(Uuid, Uuid)>> {
    let removed = collection_removal::Entity::find().limit(1).one(connection).await?;
    Ok(removed.map(|row| (row.organization_id, row.collection_id)))
}

/// How many uses of bytes one transaction removes: each takes two statements.
const USES: u64 = 50;

/// Removes some of what a collection has left, and says how many rows; fewer than so many once nothing is left.
pub(crate) async fn remove_some_of_rest(
    tx: &Tx,
    (organization_id, collection_id): (Uuid, Uuid),
    limit: u64,
) -> Result<u64> {
    let mut room = limit;
    room -= blobs::release_some(tx, (organization_id, collection_id), limit.min(USES)).await?;
    if limit - room == USES {
        return Ok(limit);
    }
    macro_rules! remove {
        ($($table:ident),*) => {$({
            use entity::$table::{Column, Entity};
            let theirs = Condition::all()
                .add(Column::OrganizationId.eq(organization_id))
                .add(Column::CollectionId.eq(collection_id));
            room -= rows::delete_first::<Entity>(tx, &theirs, &[Column::CollectionId], room).await?;
            if room == 0 {
                return Ok(limit);
            }
        })*};
    }
    remove!(document_leaf, document_revision, document_checkpoint);
    collection_removal::Entity::delete_by_id((organization_id, collection_id)).exec(tx).await?;
    Ok(limit - room)
}

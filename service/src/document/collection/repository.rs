use entity::collection;
use sea_orm::{
    ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::SelectStatement,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    error::Result,
    role::Role,
    store::{Tx, log::hashed_id, rows, stored::StoredWord, versioned},
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

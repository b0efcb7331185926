use entity::collection;
use sea_orm::{
    ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::SelectStatement,
};
use uuid::Uuid;

use crate::{
    error::Result,
    role::Role,
    store::{rows, stored::StoredWord, versioned},
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

use entity::{member, organization};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    store::{
        Tx,
        page::{Page, PageQuery, Sort, page},
        versioned,
    },
};

pub(crate) async fn get(
    connection: &impl ConnectionTrait,
    id: Uuid,
) -> Result<organization::Model> {
    let rows =
        organization::Entity::find().filter(organization::COLUMN.id.eq(id)).all(connection).await?;
    rows.into_iter().next().ok_or(Error::NotFound("organization"))
}

/// Some organizations in the order of their ids.
pub(crate) async fn ids_after(
    connection: &impl ConnectionTrait,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Uuid>> {
    let ids = organization::Entity::find()
        .select_only()
        .column(organization::Column::Id)
        .apply_if(after, |rows, id| rows.filter(organization::COLUMN.id.gt(id)))
        .order_by_asc(organization::Column::Id)
        .limit(limit);
    Ok(ids.into_tuple().all(connection).await?)
}

/// Holds the organization's row until the transaction ends: for rules over several of its rows.
pub(crate) async fn lock(tx: &Tx, id: Uuid) -> Result<()> {
    let row = get(tx, id).await?;
    versioned::lock::<organization::Entity>(tx, &row).await
}

pub(super) async fn of_user(
    connection: &impl ConnectionTrait,
    user_id: Uuid,
    query: &PageQuery,
) -> Result<Page<organization::Model>> {
    let memberships = member::Entity::find()
        .select_only()
        .column(member::Column::OrganizationId)
        .filter(member::COLUMN.user_id.eq(user_id))
        .filter(member::COLUMN.active.eq(true))
        .into_query();
    let rows =
        organization::Entity::find().filter(organization::COLUMN.id.in_subquery(memberships));
    let sort =
        Sort { name: "created_at", column: organization::Column::CreatedAt, descending: false };
    page(connection, rows, sort, query).await
}

use entity::rate;
use sea_orm::{ConnectionTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::RateQuery;
use crate::{
    error::Result,
    store::{
        page::{Page, Paged, Sort, page},
        versioned,
    },
};

pub(super) async fn get(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<rate::Model> {
    versioned::get::<rate::Entity>(connection, organization_id, id).await
}

pub(super) async fn list(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    query: &RateQuery,
) -> Result<Page<rate::Model>> {
    let RateQuery { member_id, limit: _, cursor: _ } = query;
    let rows = versioned::find_in_organization::<rate::Entity>(organization_id)
        .apply_if(*member_id, |rows, id| rows.filter(rate::COLUMN.member_id.eq(id)));
    let sort = Sort { name: "-starts_on", column: rate::Column::StartsOn, descending: true };
    page(connection, rows, sort, &query.page()).await
}

/// All rates: few, and read whole where much is costed.
pub(crate) async fn all(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<Vec<rate::Model>> {
    Ok(versioned::find_in_organization::<rate::Entity>(organization_id).all(connection).await?)
}

/// The rates of a member, the latest first.
pub(super) async fn of_member(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    member_id: Uuid,
) -> Result<Vec<rate::Model>> {
    let rows = versioned::find_in_organization::<rate::Entity>(organization_id)
        .filter(rate::COLUMN.member_id.eq(member_id))
        .order_by_desc(rate::Column::StartsOn);
    Ok(rows.all(connection).await?)
}

/// The latest rate of a member.
pub(super) async fn latest(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    member_id: Uuid,
) -> Result<Option<rate::Model>> {
    let rows = versioned::find_in_organization::<rate::Entity>(organization_id)
        .filter(rate::COLUMN.member_id.eq(member_id))
        .order_by_desc(rate::Column::StartsOn)
        .limit(1);
    Ok(rows.one(connection).await?)
}

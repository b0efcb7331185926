use entity::rate;
use sea_orm::{ConnectionTrait, DbBackend, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use super::{Rate, RateQuery};
use crate::{
    error::Result,
    input::AnyOf,
    resource::Mapped,
    store::{page::Sort, parts::Rows, versioned},
};

/// The latest first.
impl Mapped for Rate {
    type Entity = rate::Entity;
    type Query = RateQuery;

    fn sort(_: &RateQuery) -> Sort<rate::Column> {
        Sort { name: "-starts_on", column: rate::Column::StartsOn, descending: true }
    }

    fn filter(
        backend: DbBackend,
        rows: Select<rate::Entity>,
        query: &RateQuery,
    ) -> Rows<rate::Entity> {
        let RateQuery { member_id, limit: _, cursor: _ } = query;
        let members = member_id.as_ref().map(AnyOf::ids);
        Rows::from(rows).any_of(backend, rate::Column::MemberId, members)
    }
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

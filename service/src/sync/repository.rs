use std::collections::HashMap;

use entity::{event, event_head};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, Order, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, Query, SubQueryStatement},
};
use uuid::Uuid;

use crate::{
    error::Result,
    event::Effect,
    store::{rows, stored::StoredWord, versioned},
};

/// The position of the last event of a log that has one.
pub(super) async fn end(connection: &impl ConnectionTrait, log: Uuid) -> Result<i64> {
    let head = event_head::Entity::find_by_id(log).one(connection).await?;
    Ok(head.map_or(0, |head| head.position))
}

/// The hashes of a log at some positions.
pub(super) async fn chains(
    connection: &impl ConnectionTrait,
    log: Uuid,
    positions: [i64; 2],
) -> Result<HashMap<i64, String>> {
    let chains: Vec<(Option<i64>, Option<String>)> =
        versioned::find_in_organization::<event::Entity>(log)
            .select_only()
            .column(event::Column::Position)
            .column(event::Column::Chain)
            .filter(event::Column::Position.is_in(positions))
            .into_tuple()
            .all(connection)
            .await?;
    Ok(chains.into_iter().filter_map(|(position, chain)| Some((position?, chain?))).collect())
}

/// The events after one position and up to another that say how a resource is now, in order.
pub(super) async fn latest(
    connection: &impl ConnectionTrait,
    log: Uuid,
    (after, until): (i64, i64),
    entities: impl IntoIterator<Item = &'static str>,
    limit: u64,
) -> Result<Vec<event::Model>> {
    let events = versioned::find_in_organization::<event::Entity>(log)
        .filter(event::COLUMN.position.gt(after))
        .filter(event::COLUMN.position.lte(until))
        .filter(event::COLUMN.effect.ne(Effect::None.as_str()))
        .filter(event::Column::Entity.is_in(entities))
        .filter(Expr::col((event::Entity, event::Column::Id)).eq(latest_of_row(log)))
        .order_by_asc(event::Column::Position)
        .limit(limit);
    rows::all(connection, events).await
}

/// The id of the last event of the same row that has a position and is a state. A subquery that gives
/// one value is looked up by `idx-event-history`, row for row: PostgreSQL would join a NOT EXISTS with
/// the whole log where it takes that for cheaper.
fn latest_of_row(log: Uuid) -> Expr {
    const LATER: &str = "later";
    let later = |column| Expr::col((LATER, column));
    let same = |column| later(column).equals((event::Entity, column));
    let latest = Query::select()
        .column((LATER, event::Column::Id))
        .from_as(event::Entity, LATER)
        .and_where(later(event::Column::OrganizationId).eq(log))
        .and_where(same(event::Column::EntityId))
        .and_where(same(event::Column::Entity))
        .and_where(later(event::Column::Effect).ne(Effect::None.as_str()))
        .and_where(later(event::Column::Position).is_not_null())
        .order_by((LATER, event::Column::EntityVersion), Order::Desc)
        .limit(1)
        .to_owned();
    SubQueryStatement::from(latest).into()
}

/// The version that a resource had last, and one more, if it was there and is gone.
pub(super) async fn removed(
    connection: &impl ConnectionTrait,
    log: Uuid,
    entity: &str,
    id: Uuid,
) -> Result<Option<i64>> {
    let version = versioned::find_in_organization::<event::Entity>(log)
        .select_only()
        .column(event::Column::EntityVersion)
        .filter(event::COLUMN.entity_id.eq(id))
        .filter(event::COLUMN.entity.eq(entity))
        .filter(event::COLUMN.effect.eq(Effect::Removed.as_str()))
        .into_tuple()
        .one(connection)
        .await?;
    Ok(version)
}

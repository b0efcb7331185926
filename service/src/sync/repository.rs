use std::collections::HashMap;

use entity::{event, event_head};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    error::Result,
    event::{Effect, Visibility, VisibleRow, repository::latest_of_row},
    store::{stored::StoredWord, versioned},
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
    visibility: &Visibility,
    log: Uuid,
    (after, until): (i64, i64),
    entities: impl IntoIterator<Item = &'static str>,
    limit: u64,
) -> Result<Vec<VisibleRow>> {
    let events = versioned::find_in_organization::<event::Entity>(log)
        .filter(event::COLUMN.position.gt(after))
        .filter(event::COLUMN.position.lte(until))
        .filter(event::COLUMN.effect.ne(Effect::None.as_str()))
        .filter(event::Column::Entity.is_in(entities))
        .filter(Expr::col((event::Entity, event::Column::Id)).eq(latest_of_row(log)))
        .order_by_asc(event::Column::Position)
        .limit(limit);
    visibility.rows(connection, events).await
}

/// The version that a resource had last, and one more, if it was there and is gone.
pub(super) async fn removed(
    connection: &impl ConnectionTrait,
    visibility: &Visibility,
    log: Uuid,
    entity: &str,
    id: Uuid,
) -> Result<Option<i64>> {
    let removed = versioned::find_in_organization::<event::Entity>(log)
        .filter(event::COLUMN.entity_id.eq(id))
        .filter(event::COLUMN.entity.eq(entity))
        .filter(event::COLUMN.effect.eq(Effect::Removed.as_str()))
        .order_by_desc(event::Column::EntityVersion)
        .limit(1);
    let removed = visibility.rows(connection, removed).await?.pop();
    Ok(removed.map(|removed| removed.entity_version))
}

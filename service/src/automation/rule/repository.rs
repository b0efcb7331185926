use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::{event, rule};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};
use uuid::Uuid;

use super::Rule;
use crate::{
    error::Result,
    event::Effect,
    resource::Mapped,
    store::{
        page::{PageQuery, Sort},
        rows,
        stored::StoredWord,
        versioned,
    },
};

/// By name: in the order in which they apply.
impl Mapped for Rule {
    type Entity = rule::Entity;
    type Query = PageQuery;

    fn sort(_: &PageQuery) -> Sort<rule::Column> {
        Sort { name: "name", column: rule::Column::NameKey, descending: false }
    }
}

/// How many rules there are.
pub(super) async fn count(connection: &impl ConnectionTrait, organization_id: Uuid) -> Result<u64> {
    Ok(versioned::find_in_organization::<rule::Entity>(organization_id).count(connection).await?)
}

/// In which of these organizations any rule applies at all.
pub(super) async fn having_any(
    connection: &impl ConnectionTrait,
    organizations: &[Uuid],
) -> Result<HashSet<Uuid>> {
    let applying = rule::Entity::find().filter(rule::COLUMN.enabled.eq(true));
    versioned::organizations_with(connection, applying, organizations).await
}

/// The rules that wait for a kind of event, in the order in which they apply.
pub(super) async fn waiting_for(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    kind: &str,
) -> Result<Vec<rule::Model>> {
    let waiting = versioned::find_in_organization::<rule::Entity>(organization_id)
        .filter(rule::COLUMN.enabled.eq(true))
        .filter(rule::COLUMN.kind.eq(kind))
        .order_by_asc(rule::Column::NameKey)
        .order_by_asc(rule::Column::Id);
    rows::all(connection, waiting).await
}

/// Which events of the past are looked at.
#[derive(Debug, Clone)]
pub(super) struct Past {
    pub(super) organization_id: Uuid,
    pub(super) kind: String,
    pub(super) from: Option<DateTime<Utc>>,
    pub(super) until: Option<DateTime<Utc>>,
}

/// The latest of them that lie before a position, the latest first: of those to which rules react.
pub(super) async fn past(
    connection: &impl ConnectionTrait,
    past: &Past,
    before: i64,
    limit: u64,
) -> Result<Vec<event::Model>> {
    let events = versioned::find_in_organization::<event::Entity>(past.organization_id)
        .filter(event::COLUMN.position.lt(before))
        .filter(event::COLUMN.kind.eq(&past.kind))
        .filter(event::COLUMN.effect.eq(Effect::Written.as_str()))
        .filter(event::Column::Author.is_not_in(super::reaction::NOT_REACTED_TO))
        .apply_if(past.from, |rows, at| rows.filter(event::COLUMN.at.gte(at.fixed_offset())))
        .apply_if(past.until, |rows, at| rows.filter(event::COLUMN.at.lt(at.fixed_offset())))
        .order_by_desc(event::Column::Position)
        .limit(limit);
    rows::all(connection, events).await
}

//! The log in the database, for what follows it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{event, event_head};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait,
    IntoActiveModel, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
    sea_query::{Expr, Func, IntoValueTuple, Query, SelectStatement, SubQueryStatement, TableRef},
};
use uuid::Uuid;

use super::{Effect, Verb, Visibility, VisibleRow, chain::START, feed::Filter};
use crate::{
    error::{Error, Result},
    store::{
        Tx,
        page::{Page, PageQuery, Sort, page},
        rows,
        stored::StoredWord,
        versioned,
    },
};

/// Positions count from 1.
const NO_POSITION: i64 = 0;
/// What is made has this version.
const FIRST_VERSION: i64 = 1;
/// How many logs one look finds at most that have events without a position.
const MAX_LOGS: usize = 100;

/// The logs that have events without a position: one look for each, and not one at all that wait.
pub(super) async fn logs_with_unsequenced(connection: &impl ConnectionTrait) -> Result<Vec<Uuid>> {
    let mut logs: Vec<Uuid> = Vec::new();
    while logs.len() < MAX_LOGS {
        let Some(log) = first_log_with_unsequenced(connection, logs.last()).await? else { break };
        logs.push(log);
    }
    Ok(logs)
}

/// Whether any event has no position.
pub(crate) async fn has_unsequenced(connection: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(first_log_with_unsequenced(connection, None).await?.is_some())
}

/// The instants of events that have no position, of some logs first.
pub(super) fn waiting() -> SelectStatement {
    event::Entity::find()
        .select_only()
        .column_as(event::Column::At, "since")
        .filter(event::COLUMN.position.is_null())
        .order_by_asc(event::Column::OrganizationId)
        .order_by_asc(event::Column::At)
        .into_query()
}

/// The first log after another that has events without a position.
async fn first_log_with_unsequenced(
    connection: &impl ConnectionTrait,
    after: Option<&Uuid>,
) -> Result<Option<Uuid>, DbErr> {
    event::Entity::find()
        .select_only()
        .column(event::Column::OrganizationId)
        .filter(event::COLUMN.position.is_null())
        .apply_if(after, |rows, log| rows.filter(event::COLUMN.organization_id.gt(*log)))
        // Both columns of the index over what waits: by the first alone, SQLite walks the index of all positions.
        .order_by_asc(event::Column::OrganizationId)
        .order_by_asc(event::Column::At)
        .limit(1)
        .into_tuple()
        .one(connection)
        .await
}

/// The oldest events of a log that have no position; and with them any earlier version of the same
/// rows, which a clock that is ahead may have put behind.
pub(super) async fn unsequenced(
    connection: &impl ConnectionTrait,
    log: Uuid,
    limit: u64,
) -> Result<Vec<event::Model>> {
    let unsequenced = || {
        versioned::find_in_organization::<event::Entity>(log)
            .filter(event::COLUMN.position.is_null())
    };
    let oldest = unsequenced()
        .order_by_asc(event::Column::At)
        .order_by_asc(event::Column::Ordinal)
        .order_by_asc(event::Column::Id)
        .limit(limit);
    let mut events = rows::all(connection, oldest).await?;
    if events.len() as u64 == limit {
        let latest: HashMap<Uuid, i64> = events.iter().fold(HashMap::new(), |mut latest, event| {
            let version = latest.entry(event.entity_id).or_insert(event.entity_version);
            *version = std::cmp::max(event.entity_version, *version);
            latest
        });
        let same_rows = unsequenced().filter(event::Column::EntityId.is_in(latest.keys().copied()));
        let known: Vec<Uuid> = events.iter().map(|event| event.id).collect();
        let behind = rows::all(connection, same_rows).await?.into_iter().filter(|event| {
            !known.contains(&event.id)
                && latest.get(&event.entity_id).is_some_and(|most| event.entity_version < *most)
        });
        events.extend(behind);
    }
    Ok(events)
}

/// How many events of a log have no position.
pub(super) async fn count_unsequenced(connection: &impl ConnectionTrait, log: Uuid) -> Result<u64> {
    let unsequenced = versioned::find_in_organization::<event::Entity>(log)
        .filter(event::COLUMN.position.is_null());
    Ok(unsequenced.count(connection).await?)
}

/// The latest instant of the last event of each log, and of those that have no position yet.
pub(super) async fn latest(connection: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>> {
    let column = |column: event::Column| Expr::col((event::Entity, column));
    let head = |column: event_head::Column| Expr::col((event_head::Entity, column));
    let heads = Query::select()
        .expr(Func::max(column(event::Column::At)))
        .from(event_head::Entity)
        .inner_join(
            event::Entity,
            column(event::Column::OrganizationId)
                .eq(head(event_head::Column::OrganizationId))
                .and(column(event::Column::Position).eq(head(event_head::Column::Position))),
        )
        .to_owned();
    let unsequenced = Query::select()
        .expr(Func::max(column(event::Column::At)))
        .from(event::Entity)
        .and_where(column(event::Column::Position).is_null())
        .to_owned();
    let mut found: [Option<DateTime<Utc>>; 2] = [None; 2];
    for (statement, latest) in [heads, unsequenced].iter().zip(&mut found) {
        let row = connection.query_one(statement).await?;
        *latest = row.map(|row| row.try_get_by_index(0)).transpose()?.flatten();
    }
    Ok(found.into_iter().flatten().max())
}

/// Where a log ends: the position and the hash of its last event.
pub async fn head(
    connection: &impl ConnectionTrait,
    log: Uuid,
) -> Result<Option<event_head::Model>, DbErr> {
    event_head::Entity::find_by_id(log).one(connection).await
}

/// The position and the hash after which a log goes on.
pub(crate) fn head_or_start(head: Option<&event_head::Model>) -> (i64, String) {
    head.map_or_else(|| (0, START.to_owned()), |head| (head.position, head.chain.clone()))
}

/// What an event is given: its id, its position, the hash before it and its own.
pub(super) type Assignment = (Uuid, i64, String, String);

/// Gives events their positions, and moves the end of the log, or makes its first.
pub(super) async fn assign_positions(
    tx: &Tx,
    log: Uuid,
    assignments: Vec<Assignment>,
    is_first: bool,
) -> Result<()> {
    let Some((_, position, _, chain)) = assignments.last().cloned() else { return Ok(()) };
    let count = assignments.len() as u64;
    let values = assignments
        .into_iter()
        .map(|(id, position, previous, chain)| (id, position, previous, chain).into_value_tuple());
    let given = |column: &'static str| Expr::col(("given", column));
    let position_now = Expr::col((event::Entity, event::Column::Position));
    let statement = Query::update()
        .table(event::Entity)
        .value(event::Column::Position, given("column2"))
        .value(event::Column::PreviousChain, given("column3"))
        .value(event::Column::Chain, given("column4"))
        .from(TableRef::ValuesList(values.collect(), "given".into()))
        .and_where(Expr::col((event::Entity, event::Column::OrganizationId)).eq(log))
        .and_where(Expr::col((event::Entity, event::Column::Id)).eq(given("column1")))
        // As IS NULL, SQLite would look for each id among all events that wait, by the index of positions.
        .and_where(Func::coalesce([position_now, Expr::val(NO_POSITION)]).eq(NO_POSITION))
        .to_owned();
    let assigned = tx.execute(&statement).await?;
    if assigned.rows_affected() != count {
        return Err(Error::lost_race("events were given positions meanwhile"));
    }
    let head = event_head::Model { organization_id: log, position, chain };
    match is_first {
        true => insert_heads(tx, vec![head]).await?,
        false => update_heads(tx, vec![head]).await?,
    }
    Ok(())
}

/// Writes where logs end that had no events before.
pub(crate) async fn insert_heads(tx: &Tx, heads: Vec<event_head::Model>) -> Result<(), DbErr> {
    if heads.is_empty() {
        return Ok(());
    }
    let heads = heads.into_iter().map(|head| head.into_active_model().reset_all());
    event_head::Entity::insert_many(heads).exec_without_returning(tx).await?;
    Ok(())
}

/// Writes where logs end now. One that is gone does not come back.
pub(crate) async fn update_heads(tx: &Tx, heads: Vec<event_head::Model>) -> Result<(), DbErr> {
    if heads.is_empty() {
        return Ok(());
    }
    let heads = heads.into_iter().map(|head| {
        let event_head::Model { organization_id, position, chain } = head;
        (organization_id, position, chain).into_value_tuple()
    });
    let moved = |column: &'static str| Expr::col(("moved", column));
    let statement = Query::update()
        .table(event_head::Entity)
        .value(event_head::Column::Position, moved("column2"))
        .value(event_head::Column::Chain, moved("column3"))
        .from(TableRef::ValuesList(heads.collect(), "moved".into()))
        .and_where(
            Expr::col((event_head::Entity, event_head::Column::OrganizationId))
                .eq(moved("column1")),
        )
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}

/// Every log.
pub(super) async fn logs(connection: &impl ConnectionTrait) -> Result<Vec<Uuid>> {
    let logs = event::Entity::find()
        .select_only()
        .column(event::Column::OrganizationId)
        .distinct()
        .order_by_asc(event::Column::OrganizationId)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(logs)
}

/// The events of a log after a position, in order.
pub async fn after(
    connection: &impl ConnectionTrait,
    log: Uuid,
    position: i64,
    limit: u64,
) -> Result<Vec<event::Model>> {
    let events = versioned::find_in_organization::<event::Entity>(log)
        .filter(event::COLUMN.position.gt(position))
        .order_by_asc(event::Column::Position)
        .limit(limit);
    rows::all(connection, events).await
}

/// Those of the events of a log.
pub async fn by_ids(
    connection: &impl ConnectionTrait,
    log: Uuid,
    ids: &[Uuid],
) -> Result<Vec<event::Model>> {
    let events = versioned::find_in_organization::<event::Entity>(log)
        .filter(event::Column::Id.is_in(ids.iter().copied()));
    rows::all(connection, events).await
}

/// The order of a history.
const LATEST_FIRST: Sort<event::Column> =
    Sort { name: "-version", column: event::Column::EntityVersion, descending: true };

/// What is in a log about one resource, by the index of its history.
fn about(log: Uuid, entity: &str, id: Uuid) -> Select<event::Entity> {
    versioned::find_in_organization::<event::Entity>(log)
        .filter(event::COLUMN.entity_id.eq(id))
        .filter(event::COLUMN.entity.eq(entity))
}

/// What has happened to a resource, the latest first.
pub async fn history(
    connection: &impl ConnectionTrait,
    log: Uuid,
    entity: &str,
    id: Uuid,
    query: &PageQuery,
) -> Result<Page<event::Model>> {
    page(connection, about(log, entity, id), LATEST_FIRST, query).await
}

/// The same as far as it may be seen.
pub(super) async fn visible_history(
    connection: &impl ConnectionTrait,
    visibility: &Visibility,
    log: Uuid,
    (entity, id): (&str, Uuid),
    query: &PageQuery,
) -> Result<Page<VisibleRow>> {
    visibility.page(connection, about(log, entity, id), LATEST_FIRST, query).await
}

/// The version that a resource was told of last, if it ever was: if it is gone, one more than it had.
pub async fn last_version(
    connection: &impl ConnectionTrait,
    log: Uuid,
    entity: &str,
    id: Uuid,
) -> Result<Option<i64>> {
    let version = about(log, entity, id)
        .select_only()
        .column(event::Column::EntityVersion)
        .order_by_desc(event::Column::EntityVersion)
        .limit(1);
    Ok(version.into_tuple().one(connection).await?)
}

/// When one thing has happened to a resource, the latest first, as far as it may be seen.
pub(super) async fn of_verb(
    connection: &impl ConnectionTrait,
    visibility: &Visibility,
    log: Uuid,
    (entity, id): (&str, Uuid),
    verb: Verb,
    query: &PageQuery,
) -> Result<Page<VisibleRow>> {
    let kind = format!("{entity}.{}", verb.as_str());
    let events = about(log, entity, id).filter(event::COLUMN.kind.eq(kind));
    visibility.page(connection, events, LATEST_FIRST, query).await
}

/// What had last been written of a resource at an instant, or that it was gone.
pub(super) async fn at(
    connection: &impl ConnectionTrait,
    visibility: &Visibility,
    log: Uuid,
    (entity, id): (&str, Uuid),
    instant: DateTime<Utc>,
) -> Result<Option<VisibleRow>> {
    let events = about(log, entity, id)
        .filter(event::COLUMN.at.lte(instant.fixed_offset()))
        .filter(event::COLUMN.effect.ne(Effect::None.as_str()))
        .order_by_desc(event::Column::EntityVersion)
        .limit(1);
    Ok(visibility.rows(connection, events).await?.pop())
}

/// What made a version of a resource.
pub async fn version(
    connection: &impl ConnectionTrait,
    log: Uuid,
    entity: &str,
    id: Uuid,
    version: i64,
) -> Result<Option<event::Model>> {
    Ok(rows::all(connection, of_version(log, entity, id, version)).await?.pop())
}

/// The same as far as it may be seen.
pub(super) async fn visible_version(
    connection: &impl ConnectionTrait,
    visibility: &Visibility,
    log: Uuid,
    (entity, id): (&str, Uuid),
    version: i64,
) -> Result<Option<VisibleRow>> {
    Ok(visibility.rows(connection, of_version(log, entity, id, version)).await?.pop())
}

fn of_version(log: Uuid, entity: &str, id: Uuid, version: i64) -> Select<event::Entity> {
    about(log, entity, id)
        .filter(event::COLUMN.entity_version.eq(version))
        .filter(event::COLUMN.effect.eq(Effect::Written.as_str()))
        .limit(1)
}

/// The events of a log after a position and up to another, in order, that are about what is readable
/// and pass a filter.
pub(super) async fn visible_between(
    connection: &impl ConnectionTrait,
    visibility: &Visibility,
    log: Uuid,
    (after, until): (i64, i64),
    readable: &[&str],
    filter: &Filter,
    limit: u64,
) -> Result<Vec<VisibleRow>> {
    let mut events = match filter.about() {
        Some((entity, Some(id))) => about(log, entity, id),
        Some((entity, None)) => versioned::find_in_organization::<event::Entity>(log)
            .filter(event::COLUMN.entity.eq(entity)),
        None => versioned::find_in_organization::<event::Entity>(log),
    };
    if !filter.kinds().is_empty() || !filter.entities().is_empty() {
        let kinds = event::Column::Kind.is_in(filter.kinds().iter().map(String::as_str));
        let entities = event::Column::Entity.is_in(filter.entities().iter().copied());
        events = events.filter(Condition::any().add(kinds).add(entities));
    }
    let events = events
        .filter(event::Column::Entity.is_in(readable.iter().copied()))
        .filter(event::COLUMN.position.gt(after))
        .filter(event::COLUMN.position.lte(until))
        .order_by_asc(event::Column::Position)
        .limit(limit);
    visibility.rows(connection, events).await
}

/// What the log says of the version before that of an event.
pub async fn version_before(
    connection: &impl ConnectionTrait,
    event: &event::Model,
) -> Result<Option<event::Model>> {
    if event.entity_version <= FIRST_VERSION {
        return Ok(None);
    }
    let before = versioned::find_in_organization::<event::Entity>(event.organization_id)
        .filter(event::COLUMN.entity_id.eq(event.entity_id))
        .filter(event::COLUMN.entity.eq(&event.entity))
        .filter(event::COLUMN.effect.eq(Effect::Written.as_str()))
        .filter(event::COLUMN.entity_version.lt(event.entity_version))
        .order_by_desc(event::Column::EntityVersion)
        .limit(1);
    Ok(rows::all(connection, before).await?.pop())
}

/// The id of the last event of the same row that has a position and is a state. A subquery that gives
/// one value is looked up by `idx-event-history`, row for row: PostgreSQL would join a NOT EXISTS with
/// the whole log where it takes that for cheaper.
pub fn latest_of_row(log: Uuid) -> Expr {
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

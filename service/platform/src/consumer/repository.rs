use chrono::{DateTime, Utc};
use entity::{consumer, consumer_position, event, event_head, parked_event};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, Func, FunctionCall, OnConflict, Query, SelectStatement},
};
use uuid::Uuid;

use super::{Consumer, Start, worker::BACKOFF};
use crate::{
    due,
    error::Result,
    store::{Tx, log::NO_ORGANIZATION, rows, versioned},
};

/// An organization with events that a consumer has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromQueryResult)]
pub(super) struct Lag {
    pub(super) organization_id: Uuid,
    /// How far the consumer has got.
    pub(super) position: i64,
    /// Where the log ends.
    pub(super) head: i64,
}

/// Whether a consumer has begun.
pub(super) async fn has_started(connection: &impl ConnectionTrait, name: &str) -> Result<bool> {
    Ok(consumer::Entity::find_by_id(name).one(connection).await?.is_some())
}

/// Begins a consumer.
pub(super) async fn start(tx: &Tx, consumer: &Consumer) -> Result<()> {
    let new = consumer::ActiveModel {
        consumer: Set(consumer.name.to_owned()),
        started_at: Set(tx.now().fixed_offset()),
    };
    consumer::Entity::insert(new).exec_without_returning(tx).await?;
    if consumer.start == Start::End {
        use consumer_position::Column;
        let ends = event_head::Entity::find()
            .select_only()
            .column(event_head::Column::OrganizationId)
            .expr(Expr::val(consumer.name))
            .column(event_head::Column::Position)
            .expr(Expr::val(0_i64))
            .filter(event_head::COLUMN.organization_id.ne(NO_ORGANIZATION))
            .into_query();
        let mut statement = Query::insert();
        statement.into_table(consumer_position::Entity).columns([
            Column::OrganizationId,
            Column::Consumer,
            Column::Position,
            Column::Attempts,
        ]);
        statement.select_from(ends).map_err(|error| sea_orm::DbErr::Custom(error.to_string()))?;
        tx.execute(&statement).await?;
    }
    Ok(())
}

/// The organizations with events that a consumer has not seen, but for those where it waits to try
/// one again. All of them: of a part, those at the end might never be reached.
pub(super) async fn lags(
    connection: &impl ConnectionTrait,
    name: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Lag>> {
    let next_at = (consumer_position::Entity, consumer_position::Column::NextAt);
    let head = (event_head::Entity, event_head::Column::OrganizationId);
    let mut statement = unseen(name);
    statement
        .column(head)
        .expr_as(seen(), "position")
        .expr_as(Expr::col((event_head::Entity, event_head::Column::Position)), "head")
        .cond_where(due::is(Expr::col(next_at), now, BACKOFF.max).add(Expr::col(next_at).is_null()))
        .order_by(head, sea_orm::Order::Asc);
    let rows = connection.query_all(&statement).await?;
    Ok(rows.iter().map(|row| Lag::from_query_result(row, "")).collect::<Result<_, _>>()?)
}

/// How many events a consumer has not seen, in all organizations, and since when the oldest of them is there.
pub(super) async fn behind(
    connection: &impl ConnectionTrait,
    name: &str,
) -> Result<(i64, Option<DateTime<Utc>>)> {
    let head = |column| Expr::col((event_head::Entity, column));
    let event = |column| Expr::col((event::Entity, column));
    let of_log = event(event::Column::OrganizationId)
        .eq(head(event_head::Column::OrganizationId))
        .and(event(event::Column::Position).eq(Expr::from(seen()).add(1)));
    let left = Expr::from(Func::sum(head(event_head::Column::Position).sub(Expr::from(seen()))));
    let mut statement = unseen(name);
    statement
        .expr(left.cast_as("bigint"))
        .expr(Func::min(event(event::Column::At)))
        .left_join(event::Entity, of_log);
    let row = connection.query_one(&statement).await?;
    let Some(row) = row else { return Ok((0, None)) };
    let left: Option<i64> = row.try_get_by_index(0)?;
    Ok((left.unwrap_or_default(), row.try_get_by_index(1)?))
}

/// How far a consumer has got with a log of [`unseen`].
fn seen() -> FunctionCall {
    let position = (consumer_position::Entity, consumer_position::Column::Position);
    Func::coalesce([Expr::col(position), Expr::val(0_i64)])
}

/// The logs of organizations that go further than a consumer has got.
fn unseen(name: &str) -> SelectStatement {
    use consumer_position::Column;
    let of = |column| Expr::col((consumer_position::Entity, column));
    let head = (event_head::Entity, event_head::Column::OrganizationId);
    let of_consumer =
        of(Column::OrganizationId).eq(Expr::col(head)).and(of(Column::Consumer).eq(name));
    let end = Expr::col((event_head::Entity, event_head::Column::Position));
    Query::select()
        .from(event_head::Entity)
        .left_join(consumer_position::Entity, of_consumer)
        .and_where(end.gt(Expr::from(seen())))
        .and_where(Expr::col(head).ne(NO_ORGANIZATION))
        .to_owned()
}

/// The next events of these kinds of an organization, up to where its log ended.
pub(super) async fn next_events(
    connection: &impl ConnectionTrait,
    lag: Lag,
    kinds: &[&str],
    limit: u64,
) -> Result<Vec<event::Model>> {
    let (kinds, entities): (Vec<&str>, Vec<&str>) = kinds.iter().partition(|it| it.contains('.'));
    let wanted = Condition::any()
        .add(event::Column::Kind.is_in(kinds))
        .add(event::Column::Entity.is_in(entities));
    let events = versioned::find_in_organization::<event::Entity>(lag.organization_id)
        .filter(event::COLUMN.position.gt(lag.position))
        .filter(event::COLUMN.position.lte(lag.head))
        .filter(wanted)
        .order_by_asc(event::Column::Position)
        .limit(limit);
    rows::all(connection, events).await
}

/// How far a consumer has got with an organization's log.
pub(super) async fn position(
    tx: &Tx,
    organization_id: Uuid,
    name: &str,
) -> Result<Option<consumer_position::Model>> {
    let key = (organization_id, name.to_owned());
    Ok(consumer_position::Entity::find_by_id(key).one(tx).await?)
}

/// What is written of a consumer's position.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PositionUpdate {
    pub(super) position: i64,
    pub(super) attempts: i64,
    pub(super) next_at: Option<DateTime<Utc>>,
}

/// Moves a consumer's position. False if it is not where it was thought to be.
pub(super) async fn advance(
    tx: &Tx,
    organization_id: Uuid,
    name: &str,
    from: i64,
    to: PositionUpdate,
) -> Result<bool> {
    use consumer_position::Column;
    let PositionUpdate { position, attempts, next_at } = to;
    let row = consumer_position::ActiveModel {
        organization_id: Set(organization_id),
        consumer: Set(name.to_owned()),
        position: Set(position),
        attempts: Set(attempts),
        next_at: Set(next_at.map(|at| at.fixed_offset())),
    };
    let known = OnConflict::columns([Column::OrganizationId, Column::Consumer])
        .update_columns([Column::Position, Column::Attempts, Column::NextAt])
        .action_and_where(Expr::col((consumer_position::Entity, Column::Position)).eq(from))
        .to_owned();
    let moved = consumer_position::Entity::insert_many([row])
        .on_conflict(known)
        .exec_without_returning(tx)
        .await?;
    Ok(moved == 1)
}

/// Moves a consumer's positions to where the logs end. One that is there by now, or further, stays.
pub(super) async fn skip_to_head(tx: &Tx, name: &str, logs: &[Lag]) -> Result<()> {
    use consumer_position::Column;
    let rows = logs.iter().map(|log| consumer_position::ActiveModel {
        organization_id: Set(log.organization_id),
        consumer: Set(name.to_owned()),
        position: Set(log.head),
        attempts: Set(0),
        next_at: Set(None),
    });
    let behind = Expr::col((consumer_position::Entity, Column::Position))
        .lt(Expr::col((Alias::new("excluded"), Column::Position)));
    let known = OnConflict::columns([Column::OrganizationId, Column::Consumer])
        .update_columns([Column::Position, Column::Attempts, Column::NextAt])
        .action_and_where(behind)
        .to_owned();
    consumer_position::Entity::insert_many(rows)
        .on_conflict(known)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Puts an event aside.
pub(super) async fn park(tx: &Tx, row: parked_event::ActiveModel) -> Result<()> {
    parked_event::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// The events that were requeued for a consumer, oldest first.
pub(super) async fn requeued(
    connection: &impl ConnectionTrait,
    name: &str,
) -> Result<Vec<parked_event::Model>> {
    let rows = parked_event::Entity::find()
        .filter(parked_event::COLUMN.put_back_at.is_not_null())
        .filter(parked_event::COLUMN.consumer.eq(name))
        .order_by_asc(parked_event::Column::OrganizationId)
        .order_by_asc(parked_event::Column::Position);
    rows::all(connection, rows).await
}

/// An event, if it is still there.
pub(super) async fn event(
    tx: &Tx,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Option<event::Model>> {
    versioned::find::<event::Entity>(tx, organization_id, id).await
}

/// Changes an event that was requeued and is parked. False if it no longer is.
pub(super) async fn repark(
    tx: &Tx,
    parked: &parked_event::Model,
    change: parked_event::ActiveModel,
) -> Result<bool> {
    let changed = parked_event::Entity::update_many()
        .set(change)
        .filter(is_requeued(parked))
        .exec(tx)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// Forgets an event that was requeued. False if it is gone already.
pub(super) async fn delete_requeued(tx: &Tx, parked: &parked_event::Model) -> Result<bool> {
    let gone = parked_event::Entity::delete_many().filter(is_requeued(parked)).exec(tx).await?;
    Ok(gone.rows_affected == 1)
}

fn is_requeued(parked: &parked_event::Model) -> Condition {
    Condition::all()
        .add(parked_event::COLUMN.organization_id.eq(parked.organization_id))
        .add(parked_event::COLUMN.id.eq(parked.id))
        .add(parked_event::COLUMN.put_back_at.is_not_null())
}

/// Every parked event, oldest first: for the operator.
pub(super) async fn all_parked(
    connection: &impl ConnectionTrait,
) -> Result<Vec<parked_event::Model>> {
    let rows = parked_event::Entity::find()
        .order_by_asc(parked_event::Column::ParkedAt)
        .order_by_asc(parked_event::Column::Id);
    rows::all(connection, rows).await
}

/// How many events each consumer has given up on. They are few, and an operator's work.
pub(super) async fn count_parked(connection: &impl ConnectionTrait) -> Result<Vec<(String, i64)>> {
    let counted = parked_event::Entity::find()
        .select_only()
        .column(parked_event::Column::Consumer)
        .column_as(parked_event::Column::Id.count(), "count")
        .group_by(parked_event::Column::Consumer);
    Ok(counted.into_tuple().all(connection).await?)
}

/// Requeues parked events, one or all, and says how many.
pub(super) async fn mark_requeued(tx: &Tx, id: Option<Uuid>) -> Result<u64> {
    let change = parked_event::ActiveModel {
        put_back_at: Set(Some(tx.now().fixed_offset())),
        ..Default::default()
    };
    let marked = parked_event::Entity::update_many()
        .set(change)
        .apply_if(id, |rows, id| rows.filter(parked_event::COLUMN.id.eq(id)))
        .exec(tx)
        .await?;
    Ok(marked.rows_affected)
}

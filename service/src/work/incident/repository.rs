use chrono::{DateTime, NaiveDate, Utc};
use entity::{incident, time_entry_day};
use sea_orm::{
    ConnectionTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::Expr,
};
use uuid::Uuid;

use super::IncidentQuery;
use crate::{
    actor::Actor,
    error::Result,
    input::{AnyOf, AnyOrNone},
    store::{
        Tx, dialect,
        page::{Page, Paged, Sort, page},
        parts::Rows,
        rows, versioned,
    },
};

pub(super) async fn get(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<incident::Model> {
    versioned::get::<incident::Entity>(connection, organization_id, id).await
}

pub(super) async fn list(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    query: &IncidentQuery,
) -> Result<Page<incident::Model>> {
    use incident::{COLUMN, Column};
    let IncidentQuery { status, member_id, project_id, from, to, limit: _, cursor: _ } = query;
    let from = from.map(|day| actor.settings.start_of(day).fixed_offset());
    let until = to.and_then(|day| day.succ_opt());
    let until = until.map(|day| actor.settings.start_of(day).fixed_offset());
    let rows = versioned::find_in_organization::<incident::Entity>(actor.organization_id)
        .apply_if(from, |rows, from| rows.filter(COLUMN.occurred_at.gte(from)))
        .apply_if(until, |rows, until| rows.filter(COLUMN.occurred_at.lt(until)));
    let backend = connection.get_database_backend();
    let column = Column::OccurredAt;
    let projects = project_id.as_ref().map(AnyOrNone::ids);
    let rows = Rows::from(rows)
        .any_of(backend, Column::MemberId, member_id.as_ref().map(AnyOf::ids))
        .any_or_none(backend, [Column::ProjectId, column], projects)
        .any_of(backend, Column::Status, status.as_ref().map(AnyOf::words));
    page(connection, rows, Sort { name: "-occurred_at", column, descending: true }, &query.page())
        .await
}

/// The number of the next incident of an organization that the transaction holds.
pub(super) async fn next_case_number(tx: &Tx, organization_id: Uuid) -> Result<i64> {
    let last: Option<i64> = versioned::find_in_organization::<incident::Entity>(organization_id)
        .select_only()
        .column(incident::Column::CaseNumber)
        .order_by_desc(incident::Column::CaseNumber)
        .limit(1)
        .into_tuple()
        .one(tx)
        .await?;
    Ok(last.unwrap_or_default() + 1)
}

/// The recordable incidents from one instant to before another, in the order of their numbers.
pub(super) async fn recordable(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<incident::Model>> {
    let recordable = versioned::find_in_organization::<incident::Entity>(organization_id)
        .filter(incident::COLUMN.occurred_at.gte(from.fixed_offset()))
        .filter(incident::COLUMN.occurred_at.lt(until.fixed_offset()))
        .filter(incident::COLUMN.recordable.eq(true))
        .order_by_asc(incident::Column::CaseNumber);
    rows::all(connection, recordable).await
}

/// How many members have time from one day to another, and how many seconds in all.
pub(super) async fn worked(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    (from, to): (NaiveDate, NaiveDate),
) -> Result<(i64, i128)> {
    use time_entry_day::{COLUMN, Column, Entity};
    let [high, low] = dialect::sum_halves(Expr::col(Column::Seconds));
    let days = <Entity as sea_orm::EntityTrait>::find()
        .select_only()
        .expr(Expr::col(Column::MemberId).count_distinct())
        .expr(high)
        .expr(low)
        .filter(COLUMN.organization_id.eq(organization_id))
        .filter(COLUMN.day.gte(from))
        .filter(COLUMN.day.lte(to))
        // A timer that has just been started is no time yet.
        .filter(COLUMN.seconds.gt(0));
    let sums: Option<(i64, i64, i64)> = days.into_tuple().one(connection).await?;
    Ok(sums.map_or((0, 0), |(members, high, low)| (members, dialect::join_halves([high, low]))))
}

use std::collections::BTreeSet;

use chrono::NaiveDate;
use entity::{time_entry_day, timecard};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, ExprTrait, FromQueryResult, IntoSimpleExpr,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, sea_query::Func,
};
use uuid::Uuid;

use super::{Status, Timecard, TimecardQuery, TimecardSort, Week};
use crate::{
    error::Result,
    input::AnyOf,
    resource::Mapped,
    store::{page::Sort, parts::Rows, rows, stored::StoredWord, versioned},
    work::time_entry::days,
};

/// How many weeks one statement looks up: SQLite takes 32,766 parameters.
const WEEKS_PER_QUERY: usize = 10_000;

pub(super) async fn get(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<timecard::Model> {
    versioned::get::<timecard::Entity>(connection, organization_id, id).await
}

/// By week, up or down.
impl Mapped for Timecard {
    type Entity = timecard::Entity;
    type Query = TimecardQuery;

    fn sort(query: &TimecardQuery) -> Sort<timecard::Column> {
        let (name, descending) = match query.sort {
            TimecardSort::Week => ("week_starts_on", false),
            TimecardSort::WeekDescending => ("-week_starts_on", true),
        };
        Sort { name, column: timecard::Column::WeekStartsOn, descending }
    }

    fn filter(
        backend: DbBackend,
        rows: Select<timecard::Entity>,
        query: &TimecardQuery,
    ) -> Rows<timecard::Entity> {
        use timecard::{COLUMN, Column};
        let TimecardQuery { member_id, status, from, to, sort: _, limit: _, cursor: _ } = query;
        let rows = rows
            .apply_if(*from, |rows, day| rows.filter(COLUMN.week_starts_on.gte(days::week_of(day))))
            .apply_if(*to, |rows, day| rows.filter(COLUMN.week_starts_on.lte(day)));
        Rows::from(rows)
            .any_of(backend, Column::MemberId, member_id.as_ref().map(AnyOf::ids))
            .any_of(backend, Column::Status, status.as_ref().map(AnyOf::words))
    }
}

/// The cards of these weeks, and perhaps some more of these members.
pub(super) async fn of_weeks(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    weeks: &BTreeSet<Week>,
) -> Result<Vec<timecard::Model>> {
    let members: BTreeSet<Uuid> = weeks.iter().map(|week| week.0).collect();
    let mondays: BTreeSet<NaiveDate> = weeks.iter().map(|week| week.1).collect();
    let mondays: Vec<_> = mondays.into_iter().collect();
    let mut cards = Vec::new();
    for chunk in mondays.chunks(WEEKS_PER_QUERY) {
        let some = versioned::find_in_organization::<timecard::Entity>(organization_id)
            .filter(timecard::Column::MemberId.is_in(members.iter().copied()))
            .filter(timecard::Column::WeekStartsOn.is_in(chunk.iter().copied()));
        cards.extend(rows::all(connection, some).await?);
    }
    Ok(cards)
}

/// The open cards of a member, by week.
pub(super) async fn open_of(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    member_id: Uuid,
) -> Result<Vec<timecard::Model>> {
    let open = versioned::find_in_organization::<timecard::Entity>(organization_id)
        .filter(timecard::COLUMN.member_id.eq(member_id))
        .filter(timecard::COLUMN.status.eq(Status::Open.as_str()))
        .order_by_asc(timecard::Column::WeekStartsOn);
    rows::all(connection, open).await
}

/// What lies in one day of a card for one project, billable or not.
#[derive(Debug, FromQueryResult)]
pub(super) struct Part {
    pub(super) day: NaiveDate,
    pub(super) project_id: Option<Uuid>,
    pub(super) billable: bool,
    pub(super) seconds: i64,
}

/// The parts of a card, by day and project.
pub(super) async fn parts(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    timecard_id: Uuid,
) -> Result<Vec<Part>> {
    use sea_orm::EntityTrait;
    use time_entry_day::{COLUMN, Column};
    // A day has 86,400 seconds at most in each of at most as many entries as there are: no sum of
    // these leaves 64 bits. PostgreSQL gives sums another type.
    let seconds = Func::sum(Column::Seconds.into_simple_expr());
    let by = [Column::Day, Column::ProjectId, Column::Billable];
    Ok(time_entry_day::Entity::find()
        .select_only()
        .columns(by)
        .column_as(sea_orm::sea_query::Expr::from(seconds).cast_as("bigint"), "seconds")
        .filter(COLUMN.organization_id.eq(organization_id))
        .filter(COLUMN.timecard_id.eq(timecard_id))
        .group_by(Column::Day)
        .group_by(Column::ProjectId)
        .group_by(Column::Billable)
        .order_by_asc(Column::Day)
        .into_model::<Part>()
        .all(connection)
        .await?)
}

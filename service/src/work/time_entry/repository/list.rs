//! The lists of time entries, and what they are asked for.

use chrono::{Days, NaiveDate};
use entity::{time_entry, time_entry_day, time_entry_tag, timecard};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, IntoSimpleExpr, QueryFilter,
    QuerySelect, QueryTrait, Select,
    sea_query::{Expr, SelectStatement},
};
use uuid::Uuid;

use crate::{
    actor::Actor,
    error::Result,
    input::{AnyOf, AnyOrNone},
    store::{
        dialect,
        page::{Page, Paged, Sort, page},
        parts::{Choice, Rows},
        versioned,
    },
    text::lower,
    work::time_entry::{TimeEntryQuery, TimeEntrySort, rules::MAX_DURATION},
};

pub(in crate::work::time_entry) async fn list(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    query: &TimeEntryQuery,
) -> Result<Page<time_entry::Model>> {
    use time_entry::Column;
    let backend = connection.get_database_backend();
    let (name, column, descending) = match query.sort {
        TimeEntrySort::StartedAt => ("started_at", Column::StartedAt, false),
        TimeEntrySort::StartedAtDescending => ("-started_at", Column::StartedAt, true),
        TimeEntrySort::UpdatedAt => ("updated_at", Column::UpdatedAt, false),
    };
    let filtered = filtered(backend, actor, query);
    let rows = match query.running {
        // There is one of each member at most, and SQLite would look for them in the order of all.
        Some(true) => Rows::few(filtered),
        _ => Rows::from(filtered),
    };
    let rows = rows
        .any_or_none(
            backend,
            [Column::TaskId, Column::StartedAt],
            query.task_id.as_ref().map(AnyOrNone::ids),
        )
        .any_of(backend, Column::MemberId, query.member_id.as_ref().map(AnyOf::ids))
        .any_or_none(
            backend,
            [Column::ProjectId, Column::StartedAt],
            query.project_id.as_ref().map(AnyOrNone::ids),
        );
    page(connection, rows, Sort { name, column, descending }, &query.page()).await
}

fn filtered(
    backend: DbBackend,
    actor: &Actor,
    query: &TimeEntryQuery,
) -> Select<time_entry::Entity> {
    use time_entry::COLUMN;
    let TimeEntryQuery {
        member_id: _,
        project_id: _,
        task_id: _,
        from,
        to,
        billable,
        running,
        status,
        tag,
        q,
        changed_since,
        sort: _,
        limit: _,
        cursor: _,
    } = query;
    let organization_id = actor.organization_id;
    let rows = versioned::find_in_organization::<time_entry::Entity>(organization_id)
        .apply_if(*billable, |rows, billable| rows.filter(COLUMN.billable.eq(billable)))
        .apply_if(*running, |rows, running| {
            let timer = time_entry::Column::RunningMemberId;
            rows.filter(if running { timer.is_not_null() } else { timer.is_null() })
        })
        .apply_if(status.as_ref().map(AnyOf::words), |rows, statuses| {
            let of = statuses.on(timecard::Column::Status);
            rows.filter(time_entry::Column::Id.in_subquery(in_cards(organization_id, of)))
        })
        .apply_if(tag.as_ref().map(AnyOf::keys), |rows, tags| {
            rows.filter(time_entry::Column::Id.in_subquery(tagged(organization_id, &tags)))
        })
        .apply_if(q.as_deref(), |rows, text| {
            let key = time_entry::Column::SearchKey.into_simple_expr();
            rows.filter(dialect::contains(backend, key, &lower(text)))
        })
        .apply_if(*changed_since, |rows, at| {
            let column = query.page().bounded(backend, time_entry::Column::UpdatedAt);
            rows.filter(column.gte(at.fixed_offset()))
        });
    on_days(rows, actor, query.page().bounded(backend, time_entry::Column::StartedAt), *from, *to)
}

/// Of which some lies on these days. That it begins about then is said, too: there is an index for that.
fn on_days(
    rows: Select<time_entry::Entity>,
    actor: &Actor,
    started_at: Expr,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
) -> Select<time_entry::Entity> {
    use time_entry_day::{COLUMN, Column};
    if from.is_none() && to.is_none() {
        return rows;
    }
    // Zones lie a day apart at most, and the organization may have had another one.
    let zones = Days::new(2);
    let max_days = Days::new(2 + MAX_DURATION.num_days().unsigned_abs());
    let earliest = from.map(|day| actor.settings.start_of(day)).map(|at| at - max_days);
    let latest = to.map(|day| actor.settings.start_of(day)).map(|at| at + zones);
    let segments = time_entry_day::Entity::find()
        .select_only()
        .expr(Expr::val(1))
        .filter(COLUMN.organization_id.eq(actor.organization_id))
        .filter(
            Column::TimeEntryId.into_simple_expr().eq(time_entry::Column::Id.into_simple_expr()),
        )
        .apply_if(from, |segments, day| segments.filter(COLUMN.day.gte(day)))
        .apply_if(to, |segments, day| segments.filter(COLUMN.day.lte(day)))
        .into_query();
    rows.apply_if(earliest, |rows, at| rows.filter(started_at.clone().gte(at.fixed_offset())))
        .apply_if(latest, |rows, at| rows.filter(started_at.clone().lt(at.fixed_offset())))
        .filter(Expr::exists(segments))
}

fn in_cards(organization_id: Uuid, of: Expr) -> SelectStatement {
    let cards = versioned::find_in_organization::<timecard::Entity>(organization_id)
        .select_only()
        .column(timecard::Column::Id)
        .filter(of)
        .into_query();
    time_entry_day::Entity::find()
        .select_only()
        .column(time_entry_day::Column::TimeEntryId)
        .filter(time_entry_day::COLUMN.organization_id.eq(organization_id))
        .filter(time_entry_day::Column::TimecardId.in_subquery(cards))
        .into_query()
}

fn tagged(organization_id: Uuid, tags: &Choice) -> SelectStatement {
    time_entry_tag::Entity::find()
        .select_only()
        .column(time_entry_tag::Column::TimeEntryId)
        .filter(time_entry_tag::COLUMN.organization_id.eq(organization_id))
        .filter(tags.on(time_entry_tag::Column::TagKey))
        .into_query()
}

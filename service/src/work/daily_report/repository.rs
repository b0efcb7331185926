use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use entity::{daily_report, daily_report_crew, daily_report_item, member, project, time_entry_day};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, IntoSimpleExpr, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
    sea_query::{Expr, Func},
};
use uuid::Uuid;

use super::{Crew, DailyReport, DailyReportInput, DailyReportQuery, DailyReportSort, Item};
use crate::{
    actor::Actor,
    error::{Error, Result},
    input::AnyOf,
    store::{
        Tx, dialect,
        page::{Page, Paged, Sort, page},
        parts::Rows,
        references::References,
        stored::{self, StoredWord},
        versioned,
    },
    text::lower,
};

/// The lines of a report.
type Lines = (Vec<Crew>, Vec<Item>);

/// A report with its lines, within a transaction.
pub(super) async fn get(
    tx: &Tx,
    organization_id: Uuid,
    id: Uuid,
) -> Result<(daily_report::Model, DailyReport)> {
    let row = versioned::get::<daily_report::Entity>(tx, organization_id, id).await?;
    let crew = crew_of(tx, organization_id, &[id]).await?.remove(&id).unwrap_or_default();
    let items = items_of(tx, organization_id, &[id]).await?.remove(&id).unwrap_or_default();
    Ok((row.clone(), view(row, (crew, items))?))
}

/// Whether there is such a report.
pub(super) async fn is_there(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<()> {
    versioned::get::<daily_report::Entity>(connection, organization_id, id).await.map(|_| ())
}

/// The crews of some reports, in their order.
async fn crew_of(tx: &Tx, organization_id: Uuid, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<Crew>>> {
    let rows = daily_report_crew::Entity::find()
        .filter(daily_report_crew::COLUMN.organization_id.eq(organization_id))
        .filter(daily_report_crew::Column::DailyReportId.is_in(ids.iter().copied()))
        .order_by_asc(daily_report_crew::Column::DailyReportId)
        .order_by_asc(daily_report_crew::Column::Position)
        .all(tx)
        .await?;
    let mut crews: HashMap<Uuid, Vec<Crew>> = HashMap::new();
    for row in rows {
        let daily_report_crew::Model {
            organization_id: _,
            daily_report_id,
            position: _,
            member_id,
            trade,
            count,
            seconds,
        } = row;
        let line = Crew { member_id, trade, count, seconds };
        crews.entry(daily_report_id).or_default().push(line);
    }
    Ok(crews)
}

/// The items of some reports, in their order.
async fn items_of(
    tx: &Tx,
    organization_id: Uuid,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Item>>> {
    let rows = items(organization_id)
        .filter(daily_report_item::Column::DailyReportId.is_in(ids.iter().copied()))
        .order_by_asc(daily_report_item::Column::DailyReportId)
        .order_by_asc(daily_report_item::Column::Position)
        .all(tx)
        .await?;
    let mut items: HashMap<Uuid, Vec<Item>> = HashMap::new();
    for row in rows {
        let daily_report_item::Model {
            organization_id: _,
            daily_report_id,
            position: _,
            kind,
            text,
            search_key: _,
            quantity_milli,
            unit,
            minutes,
        } = row;
        let kind = stored::word(daily_report_item::Column::Kind, daily_report_id, &kind)?;
        let item = Item { kind, text, quantity_milli, unit, minutes };
        items.entry(daily_report_id).or_default().push(item);
    }
    Ok(items)
}

fn items(organization_id: Uuid) -> Select<daily_report_item::Entity> {
    daily_report_item::Entity::find()
        .filter(daily_report_item::COLUMN.organization_id.eq(organization_id))
}

pub(super) fn view(row: daily_report::Model, (crew, items): Lines) -> Result<DailyReport> {
    use daily_report::Column;
    let daily_report::Model {
        organization_id: _,
        id,
        version,
        created_at,
        updated_at,
        project_id,
        day,
        status,
        weather,
        summary,
        search_key: _,
        created_by_member_id,
        submitted_at,
        submitted_by_member_id,
        amended_at,
        amended_by_member_id,
        amendment_reason,
        decided_at,
        decided_by_member_id,
        decision_note,
        changed_by_member_id,
    } = row;
    let weather = weather.map(|weather| stored::json(Column::Weather, id, weather));
    Ok(DailyReport {
        id,
        version,
        project_id,
        day,
        status: stored::word(Column::Status, id, &status)?,
        weather: weather.transpose()?,
        summary,
        crew,
        items,
        created_by_member_id,
        changed_by_member_id,
        submitted_at: submitted_at.map(|at| at.to_utc()),
        submitted_by_member_id,
        amended_at: amended_at.map(|at| at.to_utc()),
        amended_by_member_id,
        amendment_reason,
        decided_at: decided_at.map(|at| at.to_utc()),
        decided_by_member_id,
        decision_note,
        created_at: created_at.to_utc(),
        updated_at: updated_at.to_utc(),
    })
}

/// A page of reports with their lines, within a transaction.
pub(super) async fn list(
    tx: &Tx,
    organization_id: Uuid,
    query: &DailyReportQuery,
) -> Result<Page<DailyReport>> {
    let (name, descending) = match query.sort {
        DailyReportSort::Day => ("day", false),
        DailyReportSort::DayDescending => ("-day", true),
    };
    let sort = Sort { name, column: daily_report::Column::Day, descending };
    let rows = filtered(tx, organization_id, query);
    let page = page(tx, rows, sort, &query.page()).await?;
    let ids: Vec<_> = page.items.iter().map(|row| row.id).collect();
    let mut crews = crew_of(tx, organization_id, &ids).await?;
    let mut items = items_of(tx, organization_id, &ids).await?;
    page.try_map(|row| {
        let crew = crews.remove(&row.id).unwrap_or_default();
        let items = items.remove(&row.id).unwrap_or_default();
        view(row, (crew, items))
    })
}

fn filtered(
    tx: &Tx,
    organization_id: Uuid,
    query: &DailyReportQuery,
) -> Rows<daily_report::Entity> {
    use daily_report::{COLUMN, Column};
    let DailyReportQuery {
        project_id,
        from,
        to,
        status,
        item_kind,
        q,
        sort: _,
        limit: _,
        cursor: _,
    } = query;
    let with = |items: Select<daily_report_item::Entity>| {
        let items = items.select_only().column(daily_report_item::Column::DailyReportId);
        Column::Id.in_subquery(items.into_query())
    };
    let backend = tx.get_database_backend();
    let rows = versioned::find_in_organization::<daily_report::Entity>(organization_id)
        .apply_if(*from, |rows, day| rows.filter(COLUMN.day.gte(day)))
        .apply_if(*to, |rows, day| rows.filter(COLUMN.day.lte(day)))
        .apply_if(item_kind.as_ref().map(AnyOf::words), |rows, kinds| {
            let one_of = kinds.on(daily_report_item::Column::Kind);
            rows.filter(with(items(organization_id).filter(one_of)))
        })
        .apply_if(q.as_deref(), |rows, text| {
            let contains = |key: Expr| dialect::contains(backend, key, &lower(text));
            let item = contains(daily_report_item::Column::SearchKey.into_simple_expr());
            let summary = contains(Column::SearchKey.into_simple_expr());
            rows.filter(summary.or(with(items(organization_id).filter(item))))
        });
    Rows::from(rows).any_of(backend, Column::ProjectId, project_id.as_ref().map(AnyOf::ids)).any_of(
        backend,
        Column::Status,
        status.as_ref().map(AnyOf::words),
    )
}

/// The columns of what a client may write.
pub(super) fn columns(input: &DailyReportInput) -> Result<daily_report::ActiveModel> {
    let DailyReportInput { project_id, day, weather, summary, crew: _, items: _ } = input;
    let weather = weather.as_ref().map(serde_json::to_value).transpose();
    let weather =
        weather.map_err(|error| Error::Internal(format!("a weather cannot be kept: {error}")))?;
    Ok(daily_report::ActiveModel {
        project_id: Set(*project_id),
        day: Set(*day),
        weather: Set(weather),
        summary: Set(summary.clone()),
        search_key: Set(summary.as_deref().map(lower).unwrap_or_default()),
        ..Default::default()
    })
}

/// The rows of the crew of a report.
pub(super) fn crew_rows(
    organization_id: Uuid,
    id: Uuid,
    crew: &[Crew],
) -> Vec<daily_report_crew::ActiveModel> {
    let rows = crew.iter().zip(0_i64..).map(|(line, position)| {
        let Crew { member_id, trade, count, seconds } = line;
        daily_report_crew::ActiveModel {
            organization_id: Set(organization_id),
            daily_report_id: Set(id),
            position: Set(position),
            member_id: Set(*member_id),
            trade: Set(trade.clone()),
            count: Set(*count),
            seconds: Set(*seconds),
        }
    });
    rows.collect()
}

/// The rows of the items of a report.
pub(super) fn item_rows(
    organization_id: Uuid,
    id: Uuid,
    items: &[Item],
) -> Vec<daily_report_item::ActiveModel> {
    let rows = items.iter().zip(0_i64..).map(|(item, position)| {
        let Item { kind, text, quantity_milli, unit, minutes } = item;
        daily_report_item::ActiveModel {
            organization_id: Set(organization_id),
            daily_report_id: Set(id),
            position: Set(position),
            kind: Set(kind.as_str().to_owned()),
            text: Set(text.clone()),
            search_key: Set(lower(text)),
            quantity_milli: Set(*quantity_milli),
            unit: Set(unit.clone()),
            minutes: Set(*minutes),
        }
    });
    rows.collect()
}

/// How long each member worked on a project on a day, as they recorded it.
pub(super) async fn recorded(
    tx: &Tx,
    organization_id: Uuid,
    project_id: Uuid,
    day: NaiveDate,
) -> Result<BTreeMap<Uuid, i64>> {
    // PostgreSQL gives the sum of bigints a type of its own. Nobody has 2^63 seconds in a day.
    let seconds = Func::sum(time_entry_day::Column::Seconds.into_simple_expr());
    let rows: Vec<(Uuid, i64)> = time_entry_day::Entity::find()
        .select_only()
        .column(time_entry_day::Column::MemberId)
        .column_as(Expr::from(seconds).cast_as("bigint"), "recorded_seconds")
        .filter(time_entry_day::COLUMN.organization_id.eq(organization_id))
        .filter(time_entry_day::COLUMN.project_id.eq(project_id))
        .filter(time_entry_day::COLUMN.day.eq(day))
        .group_by(time_entry_day::Column::MemberId)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(rows.into_iter().collect())
}

/// After the database has refused a reference of an input: which one it is.
pub(super) async fn unknown_references(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    input: &DailyReportInput,
) -> Result<Error> {
    let crew = input.crew.iter().enumerate();
    let members = crew
        .filter_map(|(index, line)| Some((format!("/crew/{index}/member_id"), line.member_id?)))
        .collect();
    let mut references = References::new(connection, actor.organization_id);
    references.check::<project::Entity>(vec![("/project_id".into(), input.project_id)]).await?;
    references.check::<member::Entity>(members).await?;
    Ok(references.explain())
}

use entity::attachment::{Column, Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{Parent, ParentKind};
use crate::{
    error::{Error, Result},
    store::{
        page::{Page, PageQuery, Sort, page},
        rows,
        versioned::find_in_organization,
    },
};

/// The column that refers to what an attachment belongs to.
pub(super) fn column(kind: ParentKind) -> Column {
    match kind {
        ParentKind::DailyReport => Column::DailyReportId,
        ParentKind::Expense => Column::ExpenseId,
        ParentKind::Incident => Column::IncidentId,
        ParentKind::JournalEntry => Column::JournalEntryId,
        ParentKind::Member => Column::MemberId,
        ParentKind::Project => Column::ProjectId,
        ParentKind::Task => Column::TaskId,
    }
}

/// What a row says that it belongs to.
///
/// # Errors
/// [`Error::Internal`] where that is nothing which this version knows.
pub(super) fn parent(row: &Model) -> Result<Parent> {
    let Model { daily_report_id, expense_id, incident_id, journal_entry_id, member_id, .. } = row;
    let set = [
        (ParentKind::DailyReport, daily_report_id),
        (ParentKind::Expense, expense_id),
        (ParentKind::Incident, incident_id),
        (ParentKind::JournalEntry, journal_entry_id),
        (ParentKind::Member, member_id),
        (ParentKind::Project, &row.project_id),
        (ParentKind::Task, &row.task_id),
    ];
    let mut set = set.into_iter().filter_map(|(kind, id)| Some(Parent { kind, id: (*id)? }));
    let none = || Error::Internal(format!("attachment {} belongs to nothing known", row.id));
    set.next().ok_or_else(none)
}

/// A page of the attachments of a resource, the oldest first.
pub(super) async fn list(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    parent: Parent,
    query: &PageQuery,
) -> Result<Page<Model>> {
    let rows =
        find_in_organization::<Entity>(organization_id).filter(column(parent.kind).eq(parent.id));
    let sort = Sort { name: "created_at", column: Column::CreatedAt, descending: false };
    page(connection, rows, sort, query).await
}

/// All attachments of a resource, which has few.
pub(super) async fn of_parent(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    parent: Parent,
) -> Result<Vec<Model>> {
    let rows = find_in_organization::<Entity>(organization_id)
        .filter(column(parent.kind).eq(parent.id))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id);
    rows::all(connection, rows).await
}

/// How many attachments a resource has, counted up to a limit.
pub(super) async fn count(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    parent: Parent,
    limit: u64,
) -> Result<u64> {
    let ids: Vec<Uuid> = find_in_organization::<Entity>(organization_id)
        .select_only()
        .column(Column::Id)
        .filter(column(parent.kind).eq(parent.id))
        .limit(limit)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(ids.len() as u64)
}

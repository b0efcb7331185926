use std::collections::HashSet;

use chrono::NaiveDate;
use entity::{member, project, task, task_tag, task_turn};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait,
    IntoSimpleExpr, JoinType, Order, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    RelationTrait, Select, Statement, sea_query::Expr,
};
use uuid::Uuid;

use super::{Task, TaskQuery, TaskSort, Turn, rules};
use crate::{
    actor::Actor,
    error::{Error, Result},
    input::{AnyOf, AnyOrNone},
    store::{
        Tx, dialect,
        page::{Page, PageQuery, Paged, Sort, SortKey, page, page_statement},
        parts::Rows,
        references::References,
        rows, versioned,
    },
    text::{fold, lower},
    work::task::TaskInput,
};

pub(crate) async fn get(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<task::Model> {
    versioned::get::<task::Entity>(connection, organization_id, id).await
}

pub(super) async fn list(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    query: &TaskQuery,
) -> Result<Page<task::Model>> {
    let rows = filtered(connection.get_database_backend(), organization_id, query);
    page(connection, rows, sort(query), &query.page()).await
}

/// What the database is asked for a list of tasks, so that it can be asked how it would find them.
///
/// # Errors
/// [`Error::Invalid`] for a cursor that is none.
pub fn statement(
    backend: DbBackend,
    organization_id: Uuid,
    query: &TaskQuery,
) -> Result<Statement> {
    let rows = filtered(backend, organization_id, query);
    page_statement(backend, rows, sort(query), &query.page())
}

fn sort(query: &TaskQuery) -> Sort<task::Column> {
    let (name, descending) = match query.sort {
        TaskSort::Due => ("due", false),
        TaskSort::DueDescending => ("-due", true),
    };
    Sort { name, column: task::Column::DueKey, descending }
}

/// The rows that a query asks for: those with a tag are found in the order in which the tag's own table has them.
fn filtered(backend: DbBackend, organization_id: Uuid, query: &TaskQuery) -> Rows<task::Entity> {
    use task::{COLUMN, Column};
    let TaskQuery {
        assignee_member_id,
        project_id,
        status,
        open,
        priority,
        pressing,
        tag,
        due_from,
        due_to,
        q,
        sort: _,
        limit: _,
        cursor: _,
    } = query;
    let sort_key = match tag {
        None => SortKey::of::<task::Entity>(Column::DueKey),
        Some(_) => SortKey::new(task_tag::Column::DueKey, task_tag::Column::TaskId),
    };
    let due = query.page().bounded(backend, sort_key.column.clone());
    let rows = versioned::find_in_organization::<task::Entity>(organization_id)
        .apply_if(*open, |rows, open| rows.filter(COLUMN.open.eq(open)))
        .apply_if(*pressing, |rows, pressing| rows.filter(COLUMN.pressing.eq(pressing)))
        .apply_if(due_within(due, *due_from, *due_to), |rows, within| rows.filter(within))
        .apply_if(q.as_deref(), |rows, text| {
            let key = Column::SearchKey.into_simple_expr();
            rows.filter(dialect::contains(backend, key, &lower(text)))
        });
    let rows = match tag {
        None => Rows::from(rows),
        Some(tags) => Rows::at(tagged(rows, organization_id), sort_key)
            .any_of(backend, task_tag::Column::TagKey, Some(tags.keys()))
            .deduplicated(),
    };
    let due = Column::DueKey;
    rows.any_or_none(
        backend,
        [Column::AssigneeMemberId, due],
        assignee_member_id.as_ref().map(AnyOrNone::ids),
    )
    .any_or_none(backend, [Column::ProjectId, due], project_id.as_ref().map(AnyOrNone::ids))
    .any_of(backend, Column::Status, status.as_ref().map(AnyOf::words))
    .any_of(backend, Column::Priority, priority.as_ref().map(AnyOf::words))
}

/// Within days: what is never due is in none.
fn due_within(due: Expr, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Option<Condition> {
    from.or(to)?;
    let first = from.map(|day| due.clone().gte(rules::first_key(day)));
    let last = match to {
        Some(day) => due.lte(rules::last_key(day)),
        None => due.lt(rules::NEVER),
    };
    Some(Condition::all().add_option(first).add(last))
}

/// Each row once for each of its tags.
fn tagged(rows: Select<task::Entity>, organization_id: Uuid) -> Select<task::Entity> {
    rows.join(JoinType::InnerJoin, task_tag::Relation::Task.def().rev())
        .filter(task_tag::COLUMN.organization_id.eq(organization_id))
}

/// The rows of the tags of a task that is due then.
pub(super) fn tag_rows(
    organization_id: Uuid,
    task: &Task,
    due_key: &str,
) -> Vec<task_tag::ActiveModel> {
    let tag = |tag: &String| task_tag::ActiveModel {
        organization_id: Set(organization_id),
        task_id: Set(task.id),
        tag_key: Set(fold(tag)),
        due_key: Set(due_key.to_owned()),
    };
    task.tags.iter().map(tag).collect()
}

/// The rows of those who take turns at a task.
pub(super) fn turn_rows(organization_id: Uuid, task: &Task) -> Vec<task_turn::ActiveModel> {
    let turn = |turn: &Turn| task_turn::ActiveModel {
        organization_id: Set(organization_id),
        task_id: Set(task.id),
        member_id: Set(turn.member_id),
    };
    task.turns.iter().map(turn).collect()
}

/// Which of those who take turns are not there any more; no statement for none.
///
/// # Errors
/// [`Error::Reference`] for one who is no member.
pub(super) async fn inactive_members(
    tx: &Tx,
    organization_id: Uuid,
    turns: &[Turn],
) -> Result<HashSet<Uuid>> {
    if turns.is_empty() {
        return Ok(HashSet::new());
    }
    let known: Vec<(Uuid, bool)> =
        versioned::find_in_organization::<member::Entity>(organization_id)
            .select_only()
            .column(member::Column::Id)
            .column(member::Column::Active)
            .filter(member::Column::Id.is_in(turns.iter().map(|turn| turn.member_id)))
            .into_tuple()
            .all(tx)
            .await?;
    if known.len() < turns.len() {
        return Err(Error::Reference);
    }
    Ok(known.into_iter().filter(|(_, active)| !active).map(|(id, _)| id).collect())
}

/// Some open tasks that are a member's, or at which they take turns, in the order of their ids.
pub(super) async fn open_of(
    tx: &Tx,
    organization_id: Uuid,
    member_id: Uuid,
    limit: u64,
) -> Result<Vec<task::Model>> {
    let turns = task_turn::Entity::find()
        .select_only()
        .column(task_turn::Column::TaskId)
        .filter(task_turn::COLUMN.organization_id.eq(organization_id))
        .filter(task_turn::COLUMN.member_id.eq(member_id))
        .into_query();
    let theirs = task::COLUMN.assignee_member_id.eq(member_id);
    let rows = versioned::find_in_organization::<task::Entity>(organization_id)
        .filter(task::COLUMN.open.eq(true))
        .filter(theirs.or(task::Column::Id.in_subquery(turns)))
        .order_by(task::Column::Id, Order::Asc)
        .limit(limit);
    rows::all(tx, rows).await
}

/// The open tasks in the order in which they are due.
pub(super) async fn open_by_due(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    query: &PageQuery,
) -> Result<Page<task::Model>> {
    let open = versioned::find_in_organization::<task::Entity>(organization_id)
        .filter(task::COLUMN.open.eq(true));
    let sort = Sort { name: "due", column: task::Column::DueKey, descending: false };
    page(connection, open, sort, query).await
}

/// Some open tasks that are due at an instant, in the order of their ids.
pub(super) async fn open_due_at(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    (after, limit): (Option<Uuid>, u64),
) -> Result<Vec<task::Model>> {
    let tasks = versioned::find_in_organization::<task::Entity>(organization_id)
        .filter(task::COLUMN.open.eq(true))
        .filter(task::COLUMN.due_at.is_not_null())
        .apply_if(after, |rows, id| rows.filter(task::COLUMN.id.gt(id)))
        .order_by(task::Column::Id, Order::Asc)
        .limit(limit);
    rows::all(connection, tasks).await
}

/// Writes the key by which a task is ordered among those that are due. That is no new version of
/// it.
pub(super) async fn update_due_key(
    tx: &Tx,
    organization_id: Uuid,
    id: Uuid,
    key: &str,
) -> Result<()> {
    task::Entity::update_many()
        .col_expr(task::Column::DueKey, Expr::val(key))
        .filter(task::COLUMN.organization_id.eq(organization_id))
        .filter(task::COLUMN.id.eq(id))
        .exec(tx)
        .await?;
    task_tag::Entity::update_many()
        .col_expr(task_tag::Column::DueKey, Expr::val(key))
        .filter(task_tag::COLUMN.organization_id.eq(organization_id))
        .filter(task_tag::COLUMN.task_id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// After the database has refused a reference: which ones they are.
pub(super) async fn unknown_references(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    input: &TaskInput,
) -> Result<Error> {
    let rotation = input.rotation.iter().enumerate();
    let rotation = rotation.map(|(index, id)| (format!("/rotation/{index}"), *id));
    let assignee = input.assignee_member_id.map(|id| ("/assignee_member_id".to_owned(), id));
    let project = input.project_id.map(|id| ("/project_id".to_owned(), id));
    let mut references = References::new(connection, actor.organization_id);
    references.check::<member::Entity>(rotation.chain(assignee).collect()).await?;
    references.check::<project::Entity>(Vec::from_iter(project)).await?;
    Ok(references.explain())
}

//! The lists of expenses, and what they are asked for.

use entity::{expense, expense_item, expense_project, expense_tag};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, IntoSimpleExpr, QueryFilter,
    QuerySelect, QueryTrait, Select, Statement, sea_query::Expr,
};
use uuid::Uuid;

use super::{items_of, view};
use crate::{
    error::Result,
    money::{
        category,
        expense::{Expense, ExpenseQuery, ExpenseSort},
    },
    store::{
        Tx, dialect,
        page::{
            Page, Paged, Sort, SortKey, page, page_of_either, page_of_either_statement,
            page_statement,
        },
        stored::StoredWord,
        versioned,
    },
    text::{fold, lower},
};

/// A page of expenses, if none of them has lines ([`super::get_plain`]).
pub(in crate::money::expense) async fn list_plain(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    query: &ExpenseQuery,
) -> Result<Option<Page<Expense>>> {
    let page = rows(connection, organization_id, query).await?;
    let plain = page.items.iter().all(|row| row.item_count == 0);
    plain.then(|| page.try_map(|row| view(row, Vec::new()))).transpose()
}

/// A page of expenses with their lines, within a transaction.
pub(in crate::money::expense) async fn list(
    tx: &Tx,
    organization_id: Uuid,
    query: &ExpenseQuery,
) -> Result<Page<Expense>> {
    let page = rows(tx, organization_id, query).await?;
    let with_items = page.items.iter().filter(|row| row.item_count > 0).map(|row| row.id);
    let mut items = items_of(tx, organization_id, with_items.collect::<Vec<_>>()).await?;
    page.try_map(|row| {
        let items = items.remove(&row.id).unwrap_or_default();
        view(row, items)
    })
}

async fn rows(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    query: &ExpenseQuery,
) -> Result<Page<expense::Model>> {
    let (sort, page_query) = (sort(query.sort), query.page());
    match selected(connection.get_database_backend(), organization_id, query) {
        (rows, None) => page(connection, rows, sort, &page_query).await,
        (rows, Some(others)) => page_of_either(connection, (rows, others), sort, &page_query).await,
    }
}

/// What the database is asked for a list of expenses, so that it can be asked how it would find them.
///
/// # Errors
/// [`crate::Error::Invalid`] for a cursor that is none.
pub fn statement(
    backend: DbBackend,
    organization_id: Uuid,
    query: &ExpenseQuery,
) -> Result<Statement> {
    let (sort, page_query) = (sort(query.sort), query.page());
    match selected(backend, organization_id, query) {
        (rows, None) => {
            let sort_key = SortKey::of::<expense::Entity>(sort.column);
            page_statement(backend, rows, sort, &page_query, sort_key)
        }
        (rows, Some(others)) => {
            page_of_either_statement(backend, (rows, others), sort, &page_query)
        }
    }
}

/// The rows that a query asks for: those that are for a project as a whole, and apart from these those of which a
/// line is.
fn selected(
    backend: DbBackend,
    organization_id: Uuid,
    query: &ExpenseQuery,
) -> (Select<expense::Entity>, Option<Select<expense::Entity>>) {
    let rows = filtered(backend, organization_id, query);
    let Some(project_id) = query.project_id else { return (rows, None) };
    let whole = expense::Column::ProjectId;
    let others = rows
        .clone()
        .filter(whole.is_null().or(whole.ne(project_id)))
        .filter(has_line_of_project(organization_id, project_id));
    (rows.filter(whole.eq(project_id)), Some(others))
}

/// All that a query asks for but the project.
fn filtered(
    backend: DbBackend,
    organization_id: Uuid,
    query: &ExpenseQuery,
) -> Select<expense::Entity> {
    use expense::COLUMN;
    let ExpenseQuery {
        category_id,
        project_id: _,
        member_id,
        status,
        kind,
        currency,
        spent_from,
        spent_to,
        amount_from,
        amount_to,
        tag,
        q,
        sort: _,
        limit: _,
        cursor: _,
    } = query;
    let (spent_on, amount) = (
        query.page().bounded(backend, expense::Column::SpentOn),
        query.page().bounded(backend, expense::Column::AmountMinor),
    );
    versioned::find_in_organization::<expense::Entity>(organization_id)
        .apply_if(*category_id, |rows, root| rows.filter(in_category(organization_id, root)))
        .apply_if(*member_id, |rows, id| rows.filter(COLUMN.member_id.eq(id)))
        .apply_if(*status, |rows, status| rows.filter(COLUMN.status.eq(status.as_str())))
        .apply_if(*kind, |rows, kind| rows.filter(COLUMN.kind.eq(kind.as_str())))
        .apply_if(currency.as_deref(), |rows, code| rows.filter(COLUMN.currency.eq(code)))
        .apply_if(*spent_from, |rows, day| rows.filter(spent_on.clone().gte(day)))
        .apply_if(*spent_to, |rows, day| rows.filter(spent_on.lte(day)))
        .apply_if(*amount_from, |rows, least| rows.filter(amount.clone().gte(least)))
        .apply_if(*amount_to, |rows, most| rows.filter(amount.lte(most)))
        .apply_if(tag.as_deref(), |rows, tag| rows.filter(tagged(organization_id, tag)))
        .apply_if(q.as_deref(), |rows, text| {
            let key = expense::Column::SearchKey.into_simple_expr();
            rows.filter(dialect::contains(backend, key, &lower(text)))
        })
}

/// Of a category or one below, as a whole or in one of its lines.
fn in_category(organization_id: Uuid, root: Uuid) -> Expr {
    let lines = versioned::find_in_organization::<expense_item::Entity>(organization_id)
        .select_only()
        .column(expense_item::Column::ExpenseId)
        .filter(
            expense_item::Column::CategoryId
                .in_subquery(category::repository::subtree(organization_id, root)),
        )
        .into_query();
    expense::Column::CategoryId
        .in_subquery(category::repository::subtree(organization_id, root))
        .or(expense::Column::Id.in_subquery(lines))
}

/// For a project, as a whole or in one of its lines.
pub(crate) fn names_project(organization_id: Uuid, project_id: Uuid) -> Expr {
    let named = expense_project::Entity::find()
        .select_only()
        .column(expense_project::Column::ExpenseId)
        .filter(expense_project::COLUMN.organization_id.eq(organization_id))
        .filter(expense_project::COLUMN.project_id.eq(project_id))
        .into_query();
    expense::Column::Id.in_subquery(named)
}

/// Of which a line names a project.
fn has_line_of_project(organization_id: Uuid, project_id: Uuid) -> Expr {
    let lines = versioned::find_in_organization::<expense_item::Entity>(organization_id)
        .select_only()
        .column(expense_item::Column::ExpenseId)
        .filter(expense_item::COLUMN.project_id.eq(project_id))
        .into_query();
    expense::Column::Id.in_subquery(lines)
}

fn tagged(organization_id: Uuid, tag: &str) -> Expr {
    let tagged = expense_tag::Entity::find()
        .select_only()
        .column(expense_tag::Column::ExpenseId)
        .filter(expense_tag::COLUMN.organization_id.eq(organization_id))
        .filter(expense_tag::COLUMN.tag_key.eq(fold(tag)))
        .into_query();
    expense::Column::Id.in_subquery(tagged)
}

fn sort(sort: ExpenseSort) -> Sort<expense::Column> {
    use expense::Column;
    let (name, column, descending) = match sort {
        ExpenseSort::SpentOn => ("spent_on", Column::SpentOn, false),
        ExpenseSort::SpentOnDescending => ("-spent_on", Column::SpentOn, true),
        ExpenseSort::Amount => ("amount_minor", Column::AmountMinor, false),
        ExpenseSort::AmountDescending => ("-amount_minor", Column::AmountMinor, true),
        ExpenseSort::Merchant => ("merchant", Column::MerchantKey, false),
        ExpenseSort::MerchantDescending => ("-merchant", Column::MerchantKey, true),
        ExpenseSort::CreatedAt => ("created_at", Column::CreatedAt, false),
        ExpenseSort::CreatedAtDescending => ("-created_at", Column::CreatedAt, true),
    };
    Sort { name, column, descending }
}

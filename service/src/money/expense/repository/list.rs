//! The lists of expenses, and what they are asked for.

use entity::{expense, expense_item, expense_project, expense_tag};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, IntoSimpleExpr,
    QueryFilter, QuerySelect, QueryTrait, Select, Statement, sea_query::Expr,
};
use uuid::Uuid;

use super::{items_of, view};
use crate::{
    error::Result,
    geo::Circle,
    input::{AnyOf, AnyOrNone},
    money::{
        category,
        expense::{Expense, ExpenseQuery, ExpenseSort},
    },
    store::{
        Tx, dialect,
        page::{Page, Paged, Sort, page, page_statement},
        parts::{Choice, Rows},
        versioned,
    },
    text::lower,
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
    let rows = selected(connection.get_database_backend(), organization_id, query);
    page(connection, rows, sort(query.sort), &query.page()).await
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
    let rows = selected(backend, organization_id, query);
    page_statement(backend, rows, sort(query.sort), &query.page())
}

/// The rows that a query asks for.
fn selected(
    backend: DbBackend,
    organization_id: Uuid,
    query: &ExpenseQuery,
) -> Rows<expense::Entity> {
    use expense::Column;
    let rows = filtered(backend, organization_id, query);
    let rows = match &query.project_id {
        None => Rows::from(rows),
        Some(projects) => of_projects(backend, organization_id, rows, &projects.ids()),
    };
    let categories = query.category_id.as_ref().map(AnyOrNone::ids);
    // An index has those of none, and of others only those that are of a category as a whole.
    let of_none = categories.filter(|choice| choice.values.is_empty());
    rows.any_of(backend, Column::MemberId, query.member_id.as_ref().map(AnyOf::ids))
        .any_of(backend, Column::Status, query.status.as_ref().map(AnyOf::words))
        .any_or_none(backend, [Column::CategoryId, Column::SpentOn], of_none)
}

/// Those that are for one of some projects as a whole, and apart from these those of which a line is. For none are
/// those of which a part is for none.
fn of_projects(
    backend: DbBackend,
    organization_id: Uuid,
    rows: Select<expense::Entity>,
    projects: &Choice,
) -> Rows<expense::Entity> {
    use expense::Column;
    let whole = Column::ProjectId;
    let partly_for_none = has_part_without(organization_id, expense_item::Column::ProjectId);
    let (in_order, not_found) = match projects.or_null {
        false => (rows.clone(), whole.is_null()),
        true => (
            rows.clone().filter(whole.is_not_null().or(partly_for_none.clone())),
            whole.is_null().and(partly_for_none.not()),
        ),
    };
    let in_order =
        Rows::from(in_order).any_or_none(backend, [whole, Column::SpentOn], Some(projects.clone()));
    let named = Choice { or_null: false, ..projects.clone() };
    if named.values.is_empty() {
        return in_order;
    }
    let others = rows
        .filter(not_found.or(named.on(whole).not()))
        .filter(has_line(organization_id, named.on(expense_item::Column::ProjectId)));
    in_order.or_few(others)
}

/// All that a query asks for but the project, the member and the status.
fn filtered(
    backend: DbBackend,
    organization_id: Uuid,
    query: &ExpenseQuery,
) -> Select<expense::Entity> {
    let ExpenseQuery {
        category_id,
        project_id: _,
        member_id: _,
        status: _,
        kind,
        currency,
        spent_from,
        spent_to,
        amount_from,
        amount_to,
        tag,
        near,
        within,
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
        .apply_if(category_id.as_ref().map(AnyOrNone::ids), |rows, categories| {
            rows.filter(in_category(organization_id, categories))
        })
        .apply_if(kind.as_ref().map(AnyOf::words), |rows, kinds| {
            rows.filter(kinds.on(expense::Column::Kind))
        })
        .apply_if(currency.as_ref().map(AnyOf::texts), |rows, codes| {
            rows.filter(codes.on(expense::Column::Currency))
        })
        .apply_if(*spent_from, |rows, day| rows.filter(spent_on.clone().gte(day)))
        .apply_if(*spent_to, |rows, day| rows.filter(spent_on.lte(day)))
        .apply_if(*amount_from, |rows, least| rows.filter(amount.clone().gte(least)))
        .apply_if(*amount_to, |rows, most| rows.filter(amount.lte(most)))
        .apply_if(tag.as_ref().map(AnyOf::keys), |rows, tags| {
            rows.filter(tagged(organization_id, &tags))
        })
        .apply_if(Circle::of_query(*near, *within), |rows, circle| {
            rows.filter(circle.contains(point()))
        })
        .apply_if(q.as_deref(), |rows, text| {
            let key = expense::Column::SearchKey.into_simple_expr();
            rows.filter(dialect::contains(backend, key, &lower(text)))
        })
}

/// The columns of where an expense was made.
pub(crate) fn point() -> [Expr; 3] {
    use expense::Column;
    [Column::XCm, Column::YCm, Column::ZCm].map(|column| column.into_simple_expr())
}

/// Of one of some categories or one below, as a whole or in one of its lines. Of none are those of which a part is of
/// none.
fn in_category(organization_id: Uuid, categories: Choice) -> Condition {
    let own = expense::Column::CategoryId;
    let line = expense_item::Column::CategoryId;
    let mut any = Condition::any();
    if categories.or_null {
        any = any.add(own.is_null().and(has_part_without(organization_id, line)));
    }
    let named = Choice { or_null: false, ..categories };
    if !named.values.is_empty() {
        let subtree = || category::repository::subtree(organization_id, &named);
        any = any.add(own.in_subquery(subtree()));
        any = any.add(has_line(organization_id, line.in_subquery(subtree())));
    }
    any
}

/// Without lines, or with a line that has nothing of its own there.
fn has_part_without(organization_id: Uuid, of_line: expense_item::Column) -> Expr {
    let of_expense = expense_item::Column::ExpenseId
        .into_simple_expr()
        .eq(expense::Column::Id.into_simple_expr());
    // One by one: there may be many of which none is in question.
    let lines = versioned::find_in_organization::<expense_item::Entity>(organization_id)
        .select_only()
        .expr(Expr::val(1))
        .filter(of_expense)
        .filter(of_line.is_null())
        .into_query();
    expense::Column::ItemCount.eq(0).or(Expr::exists(lines))
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

/// With a line for which a condition holds.
fn has_line(organization_id: Uuid, condition: Expr) -> Expr {
    let lines = versioned::find_in_organization::<expense_item::Entity>(organization_id)
        .select_only()
        .column(expense_item::Column::ExpenseId)
        .filter(condition)
        .into_query();
    expense::Column::Id.in_subquery(lines)
}

fn tagged(organization_id: Uuid, tags: &Choice) -> Expr {
    let tagged = expense_tag::Entity::find()
        .select_only()
        .column(expense_tag::Column::ExpenseId)
        .filter(expense_tag::COLUMN.organization_id.eq(organization_id))
        .filter(tags.on(expense_tag::Column::TagKey))
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

use std::collections::{HashMap, HashSet};

use entity::{expense, expense_item, expense_project, expense_tag};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, IntoSimpleExpr, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select, Statement,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{
    Expense, ExpenseInput, ExpenseItem, ExpenseQuery, ExpenseSort, rules,
    spending::{self, Deltas},
};
use crate::{
    actor::Actor,
    details,
    error::{Error, Result},
    event::Verb,
    money::category,
    store::{
        Tx, children, dialect,
        page::{
            Page, Sort, SortKey, page, page_of_either, page_of_either_statement, page_statement,
        },
        references::References,
        stored::{self, StoredWord},
        versioned,
    },
    text::{fold, lower},
};

/// An expense without lines, in one statement. None if it has lines: those take a second statement,
/// and both must see the same state of the database.
pub(super) async fn get_plain(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Option<Expense>> {
    let row = versioned::get::<expense::Entity>(connection, organization_id, id).await?;
    (row.item_count == 0).then(|| view(row, Vec::new())).transpose()
}

/// An expense with its lines, within a transaction.
pub(super) async fn get(
    tx: &Tx,
    organization_id: Uuid,
    id: Uuid,
) -> Result<(expense::Model, Expense)> {
    let row = versioned::get::<expense::Entity>(tx, organization_id, id).await?;
    let items = if row.item_count == 0 {
        Vec::new()
    } else {
        items_of(tx, organization_id, [id]).await?.remove(&id).unwrap_or_default()
    };
    Ok((row.clone(), view(row, items)?))
}

/// The lines of some expenses, in their order.
pub(super) async fn items_of(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Vec<ExpenseItem>>> {
    let rows = versioned::find_in_organization::<expense_item::Entity>(organization_id)
        .filter(expense_item::Column::ExpenseId.is_in(ids))
        .order_by_asc(expense_item::Column::ExpenseId)
        .order_by_asc(expense_item::Column::Position)
        .all(connection)
        .await?;
    let mut items: HashMap<Uuid, Vec<ExpenseItem>> = HashMap::new();
    for row in rows {
        let expense_item::Model {
            organization_id: _,
            id: _,
            expense_id,
            position: _,
            name,
            quantity_milli,
            unit,
            amount_minor,
            category_id,
            project_id,
        } = row;
        let item =
            ExpenseItem { name, quantity_milli, unit, amount_minor, category_id, project_id };
        items.entry(expense_id).or_default().push(item);
    }
    Ok(items)
}

pub(super) fn view(row: expense::Model, items: Vec<ExpenseItem>) -> Result<Expense> {
    use expense::Column;
    let expense::Model {
        organization_id: _,
        id,
        version,
        created_at,
        updated_at,
        member_id,
        category_id,
        kind,
        status,
        spent_on,
        amount_minor,
        currency,
        merchant,
        merchant_key: _,
        payment_method,
        note,
        place,
        details,
        search_key: _,
        item_count: _,
        submitted_at,
        decided_at,
        decided_by_member_id,
        decision_note,
        reimbursed_at,
        import_key: _,
        tags,
        payout_saga_id,
        payout_error,
        project_id,
        created_by_member_id,
        changed_by_member_id,
        submitted_by_member_id,
    } = row;
    let details = details.map(|details| stored::json(Column::Details, id, details));
    let tags = tags.map(|tags| stored::json(Column::Tags, id, tags));
    Ok(Expense {
        id,
        version,
        kind: stored::word(Column::Kind, id, &kind)?,
        status: stored::word(Column::Status, id, &status)?,
        member_id,
        category_id,
        project_id,
        spent_on,
        amount_minor,
        currency,
        merchant,
        payment_method,
        note,
        place,
        details: details.transpose()?,
        items,
        tags: tags.transpose()?.unwrap_or_default(),
        created_by_member_id,
        changed_by_member_id,
        submitted_at: submitted_at.map(|at| at.to_utc()),
        submitted_by_member_id,
        decided_at: decided_at.map(|at| at.to_utc()),
        decided_by_member_id,
        decision_note,
        reimbursed_at: reimbursed_at.map(|at| at.to_utc()),
        payout_saga_id,
        payout_error,
        created_at: created_at.to_utc(),
        updated_at: updated_at.to_utc(),
    })
}

/// A page of expenses, if none of them has lines ([`get_plain`]).
pub(super) async fn list_plain(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    query: &ExpenseQuery,
) -> Result<Option<Page<Expense>>> {
    let page = rows(connection, organization_id, query).await?;
    let plain = page.items.iter().all(|row| row.item_count == 0);
    plain.then(|| page.try_map(|row| view(row, Vec::new()))).transpose()
}

/// A page of expenses with their lines, within a transaction.
pub(super) async fn list(
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
/// [`Error::Invalid`] for a cursor that is none.
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

/// The columns of what a client may write. `currency` and `member_id` are settled before.
pub(super) fn columns(
    input: &ExpenseInput,
    member_id: Uuid,
    currency: &str,
) -> expense::ActiveModel {
    let ExpenseInput {
        kind,
        member_id: _,
        category_id,
        project_id,
        spent_on,
        amount_minor,
        currency: _,
        merchant,
        payment_method,
        note,
        place,
        details,
        items,
        tags,
    } = input;
    let merchant_key = merchant.as_deref().map(fold).unwrap_or_default();
    let note_key = note.as_deref().map(lower).unwrap_or_default();
    expense::ActiveModel {
        kind: Set(kind.as_str().to_owned()),
        member_id: Set(member_id),
        category_id: Set(*category_id),
        project_id: Set(*project_id),
        spent_on: Set(*spent_on),
        amount_minor: Set(*amount_minor),
        currency: Set(currency.to_owned()),
        merchant: Set(merchant.clone()),
        search_key: Set(format!("{merchant_key}\n{note_key}")),
        merchant_key: Set(merchant_key),
        payment_method: Set(payment_method.clone()),
        note: Set(note.clone()),
        place: Set(place.clone()),
        details: Set(details.clone().map(details::kept)),
        tags: Set((!tags.is_empty()).then(|| tags.clone().into())),
        item_count: Set(i64::try_from(items.len()).unwrap_or(i64::MAX)),
        ..Default::default()
    }
}

/// The rows of the lines of expenses.
pub(super) fn item_rows<'a>(
    tx: &Tx,
    organization_id: Uuid,
    expenses: impl IntoIterator<Item = (Uuid, &'a [ExpenseItem])>,
) -> Vec<expense_item::ActiveModel> {
    expenses
        .into_iter()
        .flat_map(|(expense_id, items)| {
            items.iter().zip(0_i64..).map(move |(item, position)| {
                let ExpenseItem {
                    name,
                    quantity_milli,
                    unit,
                    amount_minor,
                    category_id,
                    project_id,
                } = item;
                expense_item::ActiveModel {
                    organization_id: Set(organization_id),
                    id: Set(tx.new_id()),
                    expense_id: Set(expense_id),
                    position: Set(position),
                    name: Set(name.clone()),
                    quantity_milli: Set(*quantity_milli),
                    unit: Set(unit.clone()),
                    amount_minor: Set(*amount_minor),
                    category_id: Set(*category_id),
                    project_id: Set(*project_id),
                }
            })
        })
        .collect()
}

/// Writes what new expenses are found by besides their rows.
pub(super) async fn insert_names(
    tx: &Tx,
    organization_id: Uuid,
    expenses: &[Expense],
) -> Result<()> {
    children::insert(tx, tag_rows(organization_id, expenses)).await?;
    children::insert(tx, project_rows(organization_id, expenses)).await
}

/// The rows of the tags that expenses are found by.
pub(super) fn tag_rows(
    organization_id: Uuid,
    expenses: &[Expense],
) -> Vec<expense_tag::ActiveModel> {
    let named = expenses.iter().flat_map(|expense| {
        expense.tags.iter().map(|tag| expense_tag::ActiveModel {
            organization_id: Set(organization_id),
            expense_id: Set(expense.id),
            tag_key: Set(fold(tag)),
        })
    });
    named.collect()
}

/// The rows of the projects that expenses name, which the database checks.
pub(super) fn project_rows(
    organization_id: Uuid,
    expenses: &[Expense],
) -> Vec<expense_project::ActiveModel> {
    let named = expenses.iter().flat_map(|expense| {
        let projects = rules::projects(expense.project_id, &expense.items).into_iter();
        projects.map(|project_id| expense_project::ActiveModel {
            organization_id: Set(organization_id),
            expense_id: Set(expense.id),
            project_id: Set(project_id),
        })
    });
    named.collect()
}

/// Writes the row of a new expense, and what it adds to the sums.
pub(super) async fn insert(
    tx: &Tx,
    actor: &Actor,
    row: expense::ActiveModel,
    items: Vec<ExpenseItem>,
) -> Result<Expense> {
    let made = versioned::insert(tx, actor, row, |row| view(row, items)).await?;
    let deltas = Deltas::of(None, Some(&made));
    spending::append(tx, actor.organization_id, deltas).await?;
    Ok(made)
}

/// Writes the rows of new expenses, and what they add to the sums. Rows that are there already are left out if `unless`
/// says by what to know them.
pub(super) async fn insert_many(
    tx: &Tx,
    actor: &Actor,
    rows: Vec<expense::ActiveModel>,
    unless: Option<OnConflict>,
    view: impl FnMut(expense::Model) -> Result<Expense>,
) -> Result<Vec<Expense>> {
    let made = versioned::insert_many(tx, actor, rows, unless, view).await?;
    spending::append(tx, actor.organization_id, Deltas::of_new(&made)).await?;
    Ok(made)
}

/// Writes the next version of an expense's row, and by how much that changes the sums.
pub(super) async fn update(
    tx: &Tx,
    actor: &Actor,
    verb: Verb,
    (row, current): (&expense::Model, &Expense),
    change: expense::ActiveModel,
    items: Vec<ExpenseItem>,
) -> Result<Expense> {
    let view = |row| view(row, items);
    let changed = versioned::update(tx, actor, verb, row, change, view).await?;
    let deltas = Deltas::of(Some(current), Some(&changed));
    spending::append(tx, actor.organization_id, deltas).await?;
    Ok(changed)
}

/// Removes an expense, and what it adds to the sums.
pub(super) async fn delete(
    tx: &Tx,
    actor: &Actor,
    row: &expense::Model,
    current: &Expense,
) -> Result<()> {
    versioned::delete(tx, actor, row, current).await?;
    spending::append(tx, actor.organization_id, Deltas::of(Some(current), None)).await
}

/// Writes imported expenses that are not there yet, and gives the ids of those that were not.
pub(super) async fn insert_unknown(
    tx: &Tx,
    actor: &Actor,
    rows: Vec<expense::ActiveModel>,
) -> Result<Vec<Uuid>> {
    let known = OnConflict::columns([expense::Column::OrganizationId, expense::Column::ImportKey])
        .do_nothing()
        .to_owned();
    let view = |row| view(row, Vec::new());
    let made = insert_many(tx, actor, rows, Some(known), view).await?;
    insert_names(tx, actor.organization_id, &made).await?;
    Ok(made.iter().map(|expense| expense.id).collect())
}

/// Which of these keys of imported expenses are there.
pub(super) async fn known_keys(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    keys: Vec<&str>,
) -> Result<HashSet<String>> {
    let column = expense::Column::ImportKey;
    versioned::find_existing::<expense::Entity>(connection, organization_id, column, keys).await
}

/// After the database has refused a reference: which ones they are. Each input comes with the
/// pointer to it.
pub(super) async fn unknown_references<'a>(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    inputs: impl IntoIterator<Item = (String, &'a ExpenseInput)>,
) -> Result<Error> {
    let (mut categories, mut members, mut projects) = (Vec::new(), Vec::new(), Vec::new());
    for (at, input) in inputs {
        categories.extend(input.category_id.map(|id| (format!("{at}/category_id"), id)));
        members.extend(input.member_id.map(|id| (format!("{at}/member_id"), id)));
        projects.extend(input.project_id.map(|id| (format!("{at}/project_id"), id)));
        for (index, item) in input.items.iter().enumerate() {
            let at = format!("{at}/items/{index}");
            categories.extend(item.category_id.map(|id| (format!("{at}/category_id"), id)));
            projects.extend(item.project_id.map(|id| (format!("{at}/project_id"), id)));
        }
    }
    let mut references = References::new(connection, actor.organization_id);
    references.check::<entity::category::Entity>(categories).await?;
    references.check::<entity::member::Entity>(members).await?;
    references.check::<entity::project::Entity>(projects).await?;
    Ok(references.explain())
}

//! The rows that are parts of an expense: its lines, and the tags and projects that it is found by.

use std::collections::HashMap;

use entity::{expense_item, expense_project, expense_tag};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    error::Result,
    money::expense::{Expense, ExpenseItem, rules},
    store::{Tx, children, versioned},
    text::fold,
};

/// The lines of some expenses, in their order.
pub(in crate::money::expense) async fn items_of(
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

/// The rows of the lines of expenses.
pub(in crate::money::expense) fn item_rows<'a>(
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
pub(in crate::money::expense) async fn insert_names(
    tx: &Tx,
    organization_id: Uuid,
    expenses: &[Expense],
) -> Result<()> {
    children::insert(tx, tag_rows(organization_id, expenses)).await?;
    children::insert(tx, project_rows(organization_id, expenses)).await
}

/// The rows of the tags that expenses are found by.
pub(in crate::money::expense) fn tag_rows(
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
pub(in crate::money::expense) fn project_rows(
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

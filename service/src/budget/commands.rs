use entity::budget;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{Budget, BudgetInput, Period, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    input::{Change, Create},
    store::{
        Store,
        page::{Page, PageQuery},
        versioned,
        versioned::Expected,
    },
    text::fold,
};

/// Makes a budget.
pub async fn create(store: &Store, actor: &Actor, new: Create<BudgetInput>) -> Result<Budget> {
    let row = store
        .write((actor.clone(), new), |tx, (actor, new)| {
            Box::pin(async move {
                let now = tx.now().fixed_offset();
                let mut input = new.input.clone();
                input.currency.get_or_insert_with(|| actor.settings.currency.clone());
                let row = budget::ActiveModel {
                    organization_id: Set(actor.organization_id),
                    id: Set(new.id.unwrap_or_else(|| tx.new_id())),
                    created_at: Set(now),
                    updated_at: Set(now),
                    ..columns(input)?
                };
                versioned::insert::<budget::Entity, _>(tx, row).await
            })
        })
        .await
        .map_err(unknown_category)?;
    Ok(row.into())
}

fn columns(input: BudgetInput) -> Result<budget::ActiveModel> {
    let BudgetInput { name, category_id, period, amount_minor, currency, starts_on, ends_on } =
        input;
    if ends_on.is_some_and(|end| end < starts_on) {
        return Err(Error::invalid("/ends_on", "order", "must not be before starts_on"));
    }
    let currency =
        currency.ok_or_else(|| Error::invalid("/currency", "required", "is required"))?;
    Ok(budget::ActiveModel {
        name_key: Set(fold(&name)),
        name: Set(name),
        category_id: Set(category_id),
        period: Set(period.as_str().to_owned()),
        amount_minor: Set(amount_minor),
        currency: Set(currency),
        starts_on: Set(starts_on),
        ends_on: Set(ends_on),
        ..Default::default()
    })
}

/// The only reference of a budget is its category.
fn unknown_category(error: Error) -> Error {
    match error {
        Error::Reference => Error::invalid("/category_id", "unknown", "is not a category here"),
        other => other,
    }
}

/// The budget.
pub async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Budget> {
    let row = repository::get(store.read(), actor.organization_id, id).await?;
    Ok(row.into())
}

/// The budgets by name.
pub async fn list(store: &Store, actor: &Actor, page: &PageQuery) -> Result<Page<Budget>> {
    let page = repository::list(store.read(), actor.organization_id, page).await?;
    Ok(page.map(Budget::from))
}

/// Changes a budget.
pub async fn change(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    change: Change<BudgetInput>,
) -> Result<Budget> {
    let row = store
        .write(
            (actor.organization_id, id, expected, change),
            |tx, (organization_id, id, expected, change)| {
                Box::pin(async move {
                    let row = repository::get(tx, *organization_id, *id).await?;
                    expected.check(row.version, &Budget::from(row.clone()))?;
                    let input = change.apply(&BudgetInput {
                        name: row.name.clone(),
                        category_id: row.category_id,
                        period: Period::of(&row.period),
                        amount_minor: row.amount_minor,
                        currency: Some(row.currency.clone()),
                        starts_on: row.starts_on,
                        ends_on: row.ends_on,
                    })?;
                    versioned::update::<budget::Entity, _>(tx, &row, columns(input)?).await
                })
            },
        )
        .await
        .map_err(unknown_category)?;
    Ok(row.into())
}

/// Removes a budget.
pub async fn delete(store: &Store, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
    store
        .write((actor.organization_id, id, expected), |tx, (organization_id, id, expected)| {
            Box::pin(async move {
                let row = repository::get(tx, *organization_id, *id).await?;
                expected.check(row.version, &Budget::from(row.clone()))?;
                versioned::delete::<budget::Entity>(tx, &row).await
            })
        })
        .await
}

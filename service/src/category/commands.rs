use entity::category;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{Category, CategoryInput, Kind, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    input::{Change, Create},
    organization,
    store::{
        Store, Tx,
        page::{Page, PageQuery},
        versioned,
        versioned::Expected,
    },
    text::fold,
};

/// Makes a category.
pub async fn create(store: &Store, actor: &Actor, new: Create<CategoryInput>) -> Result<Category> {
    let row = store
        .write((actor.organization_id, new), |tx, (organization_id, new)| {
            Box::pin(async move { insert(tx, *organization_id, new.clone()).await })
        })
        .await
        .map_err(unknown_parent)?;
    Ok(row.into())
}

/// Makes a category in a transaction that is under way.
pub(crate) async fn insert(
    tx: &Tx,
    organization_id: Uuid,
    new: Create<CategoryInput>,
) -> Result<category::Model> {
    let now = tx.now().fixed_offset();
    let row = category::ActiveModel {
        organization_id: Set(organization_id),
        id: Set(new.id.unwrap_or_else(|| tx.new_id())),
        created_at: Set(now),
        updated_at: Set(now),
        ..columns(new.input)
    };
    versioned::insert::<category::Entity, _>(tx, row).await
}

fn columns(input: CategoryInput) -> category::ActiveModel {
    let CategoryInput { name, kind, parent_id } = input;
    let name_key = fold(&name);
    let parent = parent_id.map(|id| id.simple().to_string()).unwrap_or_default();
    category::ActiveModel {
        name: Set(name),
        sibling_key: Set(format!("{parent}:{name_key}")),
        name_key: Set(name_key),
        kind: Set(kind.as_str().to_owned()),
        parent_id: Set(parent_id),
        ..Default::default()
    }
}

/// The only reference of a category is its parent.
fn unknown_parent(error: Error) -> Error {
    match error {
        Error::Reference => Error::invalid("/parent_id", "unknown", "is not a category here"),
        other => other,
    }
}

/// The category.
pub async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Category> {
    let row = repository::get(store.read(), actor.organization_id, id).await?;
    Ok(row.into())
}

/// The categories by name.
pub async fn list(store: &Store, actor: &Actor, page: &PageQuery) -> Result<Page<Category>> {
    let page = repository::list(store.read(), actor.organization_id, page).await?;
    Ok(page.map(Category::from))
}

/// Changes a category, or moves it; never below itself.
pub async fn change(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    change: Change<CategoryInput>,
) -> Result<Category> {
    let row = store
        .write(
            (actor.organization_id, id, expected, change),
            |tx, (organization_id, id, expected, change)| {
                Box::pin(async move {
                    let row = repository::get(tx, *organization_id, *id).await?;
                    expected.check(row.version, &Category::from(row.clone()))?;
                    let input = change.apply(&CategoryInput {
                        name: row.name.clone(),
                        kind: Kind::of(&row.kind),
                        parent_id: row.parent_id,
                    })?;
                    if input.parent_id != row.parent_id
                        && let Some(parent_id) = input.parent_id
                    {
                        refuse_cycle(tx, &row, parent_id).await?;
                    }
                    versioned::update::<category::Entity, _>(tx, &row, columns(input)).await
                })
            },
        )
        .await
        .map_err(unknown_parent)?;
    Ok(row.into())
}

/// Two moves at once could make a cycle that neither makes alone: one organization's moves happen
/// one after the other.
async fn refuse_cycle(tx: &Tx, row: &category::Model, parent_id: Uuid) -> Result<()> {
    organization::repository::lock(tx, row.organization_id).await?;
    if repository::is_within(tx, row.organization_id, parent_id, row.id).await? {
        return Err(Error::invalid("/parent_id", "cycle", "lies below this category"));
    }
    Ok(())
}

/// Removes a category that nothing refers to.
pub async fn delete(store: &Store, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
    store
        .write((actor.organization_id, id, expected), |tx, (organization_id, id, expected)| {
            Box::pin(async move {
                let row = repository::get(tx, *organization_id, *id).await?;
                expected.check(row.version, &Category::from(row.clone()))?;
                versioned::delete::<category::Entity>(tx, &row).await
            })
        })
        .await
        .map_err(|error| {
            error.reference_means_in_use("categories, budgets or expenses refer to this category")
        })
}

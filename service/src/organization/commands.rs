use entity::organization;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{Kind, Organization, OrganizationInput, repository};
use crate::{
    actor::Actor,
    error::Result,
    input::{Change, Create},
    member,
    role::Role,
    store::{
        Store,
        page::{Page, PageQuery},
        versioned,
        versioned::Expected,
    },
    user,
};

/// Makes an organization, of which the user is the first member and owner.
pub async fn create(
    store: &Store,
    user_id: Uuid,
    new: Create<OrganizationInput>,
) -> Result<Organization> {
    let row = store
        .write((user_id, new), |tx, (user_id, new)| {
            Box::pin(async move {
                let owner = user::repository::get(tx, *user_id).await?;
                let now = tx.now().fixed_offset();
                let row = organization::ActiveModel {
                    id: Set(new.id.unwrap_or_else(|| tx.new_id())),
                    created_at: Set(now),
                    updated_at: Set(now),
                    ..columns(new.input.clone())
                };
                let row = versioned::insert::<organization::Entity, _>(tx, row).await?;
                member::repository::insert_user(tx, row.id, &owner, Role::Owner).await?;
                Ok(row)
            })
        })
        .await?;
    Ok(row.into())
}

/// The organizations that the user belongs to, the oldest first.
pub async fn list(store: &Store, user_id: Uuid, page: &PageQuery) -> Result<Page<Organization>> {
    let page = repository::of_user(store.read(), user_id, page).await?;
    Ok(page.map(Organization::from))
}

/// The organization.
pub async fn get(store: &Store, actor: &Actor) -> Result<Organization> {
    Ok(repository::get(store.read(), actor.organization_id).await?.into())
}

/// Changes its settings.
pub async fn change(
    store: &Store,
    actor: &Actor,
    expected: Expected,
    change: Change<OrganizationInput>,
) -> Result<Organization> {
    let row = store
        .write((actor.clone(), expected, change), |tx, (actor, expected, change)| {
            Box::pin(async move {
                let row = repository::get(tx, actor.organization_id).await?;
                expected.check(row.version, &Organization::from(row.clone()))?;
                let input = change.apply(&OrganizationInput {
                    kind: Kind::of(&row.kind),
                    name: row.name.clone(),
                    currency: row.currency.clone(),
                    time_zone: row.time_zone.clone(),
                    approval_required: Some(row.approval_required),
                    large_expense_minor: row.large_expense_minor,
                })?;
                versioned::update::<organization::Entity, _>(tx, &row, columns(input)).await
            })
        })
        .await?;
    store.revoked();
    Ok(row.into())
}

fn columns(input: OrganizationInput) -> organization::ActiveModel {
    let OrganizationInput {
        kind,
        name,
        currency,
        time_zone,
        approval_required,
        large_expense_minor,
    } = input;
    organization::ActiveModel {
        kind: Set(kind.as_str().to_owned()),
        name: Set(name),
        currency: Set(currency),
        time_zone: Set(time_zone),
        approval_required: Set(approval_required.unwrap_or(kind == Kind::Company)),
        large_expense_minor: Set(large_expense_minor),
        ..Default::default()
    }
}

/// Ends the organization, with all that it holds.
pub async fn delete(store: &Store, actor: &Actor, expected: Expected) -> Result<()> {
    store
        .write((actor.clone(), expected), |tx, (actor, expected)| {
            Box::pin(async move {
                let row = repository::get(tx, actor.organization_id).await?;
                expected.check(row.version, &Organization::from(row.clone()))?;
                versioned::delete::<organization::Entity>(tx, &row).await
            })
        })
        .await?;
    store.revoked();
    Ok(())
}

use entity::member;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{Member, MemberInput, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    input::{Change, Create},
    organization,
    role::{Permission, Role},
    store::{
        Store, Tx,
        page::{Page, PageQuery},
        versioned,
        versioned::Expected,
    },
    text::fold,
};

/// Adds a member without a login; an invitation gives them one.
pub async fn create(store: &Store, actor: &Actor, new: Create<MemberInput>) -> Result<Member> {
    let row = store
        .write((actor.clone(), new), |tx, (actor, new)| {
            Box::pin(async move {
                may_give(actor, new.input.role)?;
                let now = tx.now().fixed_offset();
                let row = member::ActiveModel {
                    organization_id: Set(actor.organization_id),
                    id: Set(new.id.unwrap_or_else(|| tx.new_id())),
                    user_id: Set(None),
                    created_at: Set(now),
                    updated_at: Set(now),
                    ..columns(new.input.clone())
                };
                versioned::insert::<member::Entity, _>(tx, row).await
            })
        })
        .await?;
    Ok(Member::seen_by(actor, row))
}

fn columns(input: MemberInput) -> member::ActiveModel {
    let MemberInput { name, role, active, hourly_rate_minor, external_ref } = input;
    member::ActiveModel {
        name_key: Set(fold(&name)),
        name: Set(name),
        role: Set(role.as_str().to_owned()),
        active: Set(active),
        hourly_rate_minor: Set(hourly_rate_minor),
        external_ref: Set(external_ref),
        ..Default::default()
    }
}

/// The member.
pub async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Member> {
    let row = repository::get(store.read(), actor.organization_id, id).await?;
    Ok(Member::seen_by(actor, row))
}

/// The members by name.
pub async fn list(store: &Store, actor: &Actor, page: &PageQuery) -> Result<Page<Member>> {
    let page = repository::list(store.read(), actor.organization_id, page).await?;
    Ok(page.map(|row| Member::seen_by(actor, row)))
}

/// Changes a member. Without the permission to manage members, one may rename oneself, and leave.
pub async fn change(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    change: Change<MemberInput>,
) -> Result<Member> {
    let row = store
        .write((actor.clone(), id, expected, change), |tx, (actor, id, expected, change)| {
            Box::pin(async move {
                let row = repository::get(tx, actor.organization_id, *id).await?;
                may_touch(actor, &row)?;
                expected.check(row.version, &Member::seen_by(actor, row.clone()))?;
                let before = MemberInput {
                    name: row.name.clone(),
                    role: Role::of(&row.role),
                    active: row.active,
                    hourly_rate_minor: row.hourly_rate_minor,
                    external_ref: row.external_ref.clone(),
                };
                let after = change.apply(&before)?;
                may_change(actor, &before, &after)?;
                let stays_owner = after.role == Role::Owner && after.active;
                if before.role == Role::Owner && before.active && !stays_owner {
                    keep_an_owner(tx, &row).await?;
                }
                versioned::update::<member::Entity, _>(tx, &row, columns(after)).await
            })
        })
        .await?;
    store.revoked();
    Ok(Member::seen_by(actor, row))
}

/// Removes a member whom nothing refers to.
pub async fn delete(store: &Store, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
    store
        .write((actor.clone(), id, expected), |tx, (actor, id, expected)| {
            Box::pin(async move {
                let row = repository::get(tx, actor.organization_id, *id).await?;
                may_touch(actor, &row)?;
                expected.check(row.version, &Member::seen_by(actor, row.clone()))?;
                if Role::of(&row.role) == Role::Owner {
                    keep_an_owner(tx, &row).await?;
                }
                versioned::delete::<member::Entity>(tx, &row).await
            })
        })
        .await
        .map_err(|error| {
            error.reference_means_in_use("expenses name this member; make it inactive")
        })?;
    store.revoked();
    Ok(())
}

/// Nobody gives a role above their own.
pub(crate) fn may_give(actor: &Actor, role: Role) -> Result<()> {
    if role <= actor.role {
        return Ok(());
    }
    Err(Error::forbidden("role_above_own", "nobody can give a role above their own"))
}

/// One manages those whose role is not above one's own, and oneself.
fn may_touch(actor: &Actor, row: &member::Model) -> Result<()> {
    if actor.member_id == Some(row.id) {
        return Ok(());
    }
    actor.require(Permission::ManageMembers)?;
    may_give(actor, Role::of(&row.role))
}

fn may_change(actor: &Actor, before: &MemberInput, after: &MemberInput) -> Result<()> {
    if actor.may(Permission::ManageMembers) {
        return if before.role == after.role { Ok(()) } else { may_give(actor, after.role) };
    }
    let managed = before.role != after.role
        || before.hourly_rate_minor != after.hourly_rate_minor
        || before.external_ref != after.external_ref
        || (!before.active && after.active);
    if managed { actor.require(Permission::ManageMembers) } else { Ok(()) }
}

/// Refuses to let the last owner who can log in go.
async fn keep_an_owner(tx: &Tx, leaving: &member::Model) -> Result<()> {
    organization::repository::lock(tx, leaving.organization_id).await?;
    if repository::other_owners(tx, leaving).await? {
        return Ok(());
    }
    Err(Error::state("last_owner", "an organization keeps at least one owner who can log in"))
}

use entity::{member, user};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Select,
};
use uuid::Uuid;

use super::Member;
use crate::{
    error::Result,
    event::Verb,
    role::{Permission, Role},
    store::{
        Tx,
        log::EventContext,
        page::{Page, PageQuery, Sort, page},
        stored::StoredWord,
        versioned,
    },
    text::fold,
};

pub(crate) async fn get(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<member::Model> {
    versioned::get::<member::Entity>(connection, organization_id, id).await
}

pub(super) async fn list(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    query: &PageQuery,
) -> Result<Page<member::Model>> {
    let rows = versioned::find_in_organization::<member::Entity>(organization_id);
    let sort = Sort { name: "name", column: member::Column::NameKey, descending: false };
    page(connection, rows, sort, query).await
}

pub(crate) async fn of_user(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    user_id: Uuid,
) -> Result<Option<member::Model>> {
    let rows = versioned::find_in_organization::<member::Entity>(organization_id)
        .filter(member::COLUMN.user_id.eq(user_id))
        .all(connection)
        .await?;
    Ok(rows.into_iter().next())
}

/// Makes a user a member.
pub(crate) async fn insert_user(
    tx: &Tx,
    context: EventContext,
    id: Uuid,
    user: &user::Model,
    role: Role,
) -> Result<Member> {
    let now = tx.now().fixed_offset();
    let row = member::ActiveModel {
        organization_id: Set(context.organization_id),
        id: Set(id),
        user_id: Set(Some(user.id)),
        name: Set(user.display_name.clone()),
        name_key: Set(fold(&user.display_name)),
        role: Set(role.as_str().to_owned()),
        active: Set(true),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    versioned::insert(tx, context, row, Member::try_from).await
}

/// Gives a member without a login the user's.
pub(crate) async fn link_user(
    tx: &Tx,
    context: EventContext,
    row: &member::Model,
    user_id: Uuid,
    role: Role,
) -> Result<Member> {
    let next = member::ActiveModel {
        user_id: Set(Some(user_id)),
        role: Set(role.as_str().to_owned()),
        active: Set(true),
        ..Default::default()
    };
    versioned::update(tx, context, Verb::Joined, row, next, Member::try_from).await
}

/// Whether a member is an owner who can log in. [`owners_with_login`] says the same to the database.
pub(super) fn is_owner_with_login(row: &member::Model) -> bool {
    row.active && row.user_id.is_some() && row.role == Role::Owner.as_str()
}

/// The owners of an organization who can log in.
fn owners_with_login(organization_id: Uuid) -> Select<member::Entity> {
    with_login(organization_id).filter(member::COLUMN.role.eq(Role::Owner.as_str()))
}

/// The members of an organization who can log in: their users are there and not disabled.
fn with_login(organization_id: Uuid) -> Select<member::Entity> {
    versioned::find_in_organization::<member::Entity>(organization_id)
        .filter(member::COLUMN.active.eq(true))
        .inner_join(user::Entity)
        .filter(user::COLUMN.disabled_at.is_null())
}

/// Whether somebody with this permission can log in who is none of these.
pub(crate) async fn any_other_who_may(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    permission: Permission,
    others_than: impl IntoIterator<Item = Uuid>,
) -> Result<bool> {
    let roles = Role::ALL.iter().filter(|role| role.may(permission)).map(|role| role.as_str());
    let other = with_login(organization_id)
        .filter(member::Column::Role.is_in(roles))
        .filter(member::Column::Id.is_not_in(others_than))
        .limit(1)
        .one(connection)
        .await?;
    Ok(other.is_some())
}

/// Whether somebody else is an owner who can log in.
pub(crate) async fn other_owner_with_login(
    connection: &impl ConnectionTrait,
    leaving: &member::Model,
) -> Result<bool> {
    let other = owners_with_login(leaving.organization_id)
        .filter(member::COLUMN.id.ne(leaving.id))
        .limit(1)
        .one(connection)
        .await?;
    Ok(other.is_some())
}

/// The active memberships in which a user is an owner.
pub(crate) async fn owned_by(
    connection: &impl ConnectionTrait,
    user_id: Uuid,
) -> Result<Vec<member::Model>> {
    Ok(member::Entity::find()
        .filter(member::COLUMN.user_id.eq(user_id))
        .filter(member::COLUMN.role.eq(Role::Owner.as_str()))
        .filter(member::COLUMN.active.eq(true))
        .all(connection)
        .await?)
}

/// Which of these are no members of the organization.
pub(crate) async fn find_missing_ids(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ids: Vec<Uuid>,
) -> Result<Vec<Uuid>> {
    versioned::find_missing_ids::<member::Entity>(connection, organization_id, ids).await
}

/// All members: few, and read whole where many are looked up.
pub(crate) async fn all(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<Vec<member::Model>> {
    Ok(versioned::find_in_organization::<member::Entity>(organization_id).all(connection).await?)
}

/// Whether a user belongs to another organization, too.
pub(crate) async fn is_elsewhere(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    user_id: Uuid,
) -> Result<bool> {
    let other = member::Entity::find()
        .filter(member::COLUMN.user_id.eq(user_id))
        .filter(member::COLUMN.active.eq(true))
        .filter(member::COLUMN.organization_id.ne(organization_id))
        .limit(1)
        .one(connection)
        .await?;
    Ok(other.is_some())
}

/// The emails of those members who have a user, as they are compared.
pub(crate) async fn emails(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<Vec<(String, Uuid)>> {
    Ok(versioned::find_in_organization::<member::Entity>(organization_id)
        .select_only()
        .column(user::Column::EmailKey)
        .column(member::Column::Id)
        .inner_join(user::Entity)
        .into_tuple()
        .all(connection)
        .await?)
}

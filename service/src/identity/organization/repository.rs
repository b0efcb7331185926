use std::collections::HashSet;

use entity::{api_key, invitation, member, organization, saga, webhook};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, EntityTrait, IntoSimpleExpr, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};
use uuid::Uuid;

pub(crate) use crate::tenant::{get, is_deleted};
use crate::{
    error::{Error, Result},
    store::{
        Tx,
        page::{Page, PageQuery, Sort, page},
        versioned,
    },
    tenant::not_deleted,
};

/// Which of these are told of large expenses.
pub(crate) async fn with_large_expense_limit(
    connection: &impl ConnectionTrait,
    ids: &[Uuid],
) -> Result<HashSet<Uuid>> {
    let rows = not_deleted()
        .select_only()
        .column(organization::Column::Id)
        .filter(organization::COLUMN.id.is_in(ids.iter().copied()))
        .filter(organization::COLUMN.large_expense_minor.is_not_null());
    let telling: Vec<Uuid> = rows.into_tuple().all(connection).await?;
    Ok(telling.into_iter().collect())
}

/// One that is deleted and not yet removed.
pub(crate) async fn deleted(connection: &impl ConnectionTrait) -> Result<Option<Uuid>> {
    let first = organization::Entity::find()
        .select_only()
        .column(organization::Column::Id)
        .filter(organization::COLUMN.deleted_at.is_not_null())
        .order_by_asc(organization::Column::DeletedAt)
        .limit(1);
    Ok(first.into_tuple().one(connection).await?)
}

/// Ends all memberships of an organization that is deleted, with what lets somebody in, and what steward would go
/// on with by itself. Its log goes with it, so that nothing of this is told in there.
pub(super) async fn shut_down(tx: &Tx, id: Uuid) -> Result<()> {
    invitation::Entity::delete_many()
        .filter(invitation::COLUMN.organization_id.eq(id))
        .exec(tx)
        .await?;
    api_key::Entity::delete_many().filter(api_key::COLUMN.organization_id.eq(id)).exec(tx).await?;
    member::Entity::update_many()
        .set(member::ActiveModel { user_id: Set(None), active: Set(false), ..Default::default() })
        .filter(member::COLUMN.organization_id.eq(id))
        .exec(tx)
        .await?;
    webhook::Entity::update_many()
        .set(webhook::ActiveModel { enabled: Set(false), ..Default::default() })
        .filter(webhook::COLUMN.organization_id.eq(id))
        .exec(tx)
        .await?;
    saga::Entity::update_many()
        .set(saga::ActiveModel { due_at: Set(None), ..Default::default() })
        .filter(saga::COLUMN.organization_id.eq(id))
        .filter(saga::COLUMN.due_at.is_not_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Some organizations in the order of their ids.
pub(crate) async fn ids_after(
    connection: &impl ConnectionTrait,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Uuid>> {
    let ids = not_deleted()
        .select_only()
        .column(organization::Column::Id)
        .apply_if(after, |rows, id| rows.filter(organization::COLUMN.id.gt(id)))
        .order_by_asc(organization::Column::Id)
        .limit(limit);
    Ok(ids.into_tuple().all(connection).await?)
}

/// Holds the organization's row until the transaction ends: for rules over several of its rows.
pub(crate) async fn lock(tx: &Tx, id: Uuid) -> Result<()> {
    let row = get(tx, id).await?;
    versioned::lock::<organization::Entity>(tx, &row).await
}

/// [`lock`], and the currency that the organization has until then.
pub(crate) async fn lock_currency(tx: &Tx, id: Uuid) -> Result<String> {
    let held = organization::Entity::update_many()
        .col_expr(organization::Column::Version, organization::Column::Version.into_simple_expr())
        .filter(organization::COLUMN.id.eq(id))
        .exec_with_returning(tx)
        .await?;
    let held = held.into_iter().next().ok_or(Error::NotFound("organization"))?;
    Ok(held.currency)
}

pub(super) async fn of_user(
    connection: &impl ConnectionTrait,
    user_id: Uuid,
    query: &PageQuery,
) -> Result<Page<organization::Model>> {
    let memberships = member::Entity::find()
        .select_only()
        .column(member::Column::OrganizationId)
        .filter(member::COLUMN.user_id.eq(user_id))
        .filter(member::COLUMN.active.eq(true))
        .into_query();
    let rows = not_deleted().filter(organization::COLUMN.id.in_subquery(memberships));
    let sort =
        Sort { name: "created_at", column: organization::Column::CreatedAt, descending: false };
    page(connection, rows, sort, query).await
}

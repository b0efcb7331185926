use std::collections::HashMap;

use entity::{account, account_balance};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter,
    QueryTrait, sea_query::Expr,
};
use uuid::Uuid;

use super::{Account, Purpose};
use crate::{
    error::{Error, Result},
    resource::Mapped,
    store::{
        Tx,
        page::{PageQuery, Sort},
        rows,
        stored::StoredWord,
        versioned,
    },
};

/// By name.
impl Mapped for Account {
    type Entity = account::Entity;
    type Query = PageQuery;

    fn sort(_: &PageQuery) -> Sort<account::Column> {
        Sort { name: "name", column: account::Column::NameKey, descending: false }
    }
}

/// Some accounts, by id.
pub(crate) async fn some(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, account::Model>> {
    let accounts = versioned::find_in_organization::<account::Entity>(organization_id)
        .filter(account::Column::Id.is_in(ids));
    let accounts = rows::all(connection, accounts).await?;
    Ok(accounts.into_iter().map(|account| (account.id, account)).collect())
}

/// The account that steward uses for something in a currency.
pub(super) async fn of_purpose(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    purpose: Purpose,
    currency: &str,
) -> Result<Option<account::Model>> {
    let accounts = versioned::find_in_organization::<account::Entity>(organization_id)
        .filter(account::COLUMN.purpose.eq(purpose.as_str()))
        .filter(account::COLUMN.currency.eq(currency));
    Ok(rows::all(connection, accounts).await?.into_iter().next())
}

/// The running sums of some accounts, by the account's id.
pub(super) async fn sums(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, account_balance::Model>> {
    let sums = versioned::find_in_organization::<account_balance::Entity>(organization_id)
        .filter(account_balance::Column::Id.is_in(ids));
    let sums = rows::all(connection, sums).await?;
    Ok(sums.into_iter().map(|sums| (sums.id, sums)).collect())
}

/// Begins the running sums of a new account.
pub(super) async fn insert_sums(tx: &Tx, organization_id: Uuid, id: Uuid) -> Result<()> {
    let sums = account_balance::ActiveModel {
        organization_id: Set(organization_id),
        id: Set(id),
        debits_minor: Set(0),
        credits_minor: Set(0),
    };
    account_balance::Entity::insert(sums).exec_without_returning(tx).await?;
    Ok(())
}

/// Removes the running sums of an account.
pub(super) async fn delete_sums(tx: &Tx, organization_id: Uuid, id: Uuid) -> Result<()> {
    account_balance::Entity::delete_by_id((organization_id, id)).exec(tx).await?;
    Ok(())
}

/// Adds to the running sums of an account, and gives them. Nobody else moves them until this
/// transaction ends. None if they would not be numbers of 64 bits any longer, or are not there.
pub(crate) async fn add_to_sums(
    tx: &Tx,
    (organization_id, id): (Uuid, Uuid),
    debits_minor: i64,
    credits_minor: i64,
) -> Result<Option<account_balance::Model>> {
    use account_balance::{COLUMN, Column};
    let statement = account_balance::Entity::update_many()
        .col_expr(Column::DebitsMinor, Expr::col(Column::DebitsMinor).add(debits_minor))
        .col_expr(Column::CreditsMinor, Expr::col(Column::CreditsMinor).add(credits_minor))
        .filter(COLUMN.organization_id.eq(organization_id))
        .filter(COLUMN.id.eq(id))
        .filter(COLUMN.debits_minor.lte(i64::MAX - debits_minor))
        .filter(COLUMN.credits_minor.lte(i64::MAX - credits_minor))
        .into_query()
        .returning(rows::returning::<account_balance::Entity>())
        .to_owned();
    rows::written::<account_balance::Entity>(tx, &statement).await
}

/// Makes postings to an account wait until this transaction ends, and gives its sums: what an account
/// allows does not change while something is posted to it.
pub(super) async fn lock_sums(
    tx: &Tx,
    organization_id: Uuid,
    id: Uuid,
) -> Result<account_balance::Model> {
    add_to_sums(tx, (organization_id, id), 0, 0)
        .await?
        .ok_or_else(|| Error::Internal("an account has no running sums".into()))
}

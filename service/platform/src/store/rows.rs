//! Rows, as every list and every lookup reads them: by position ([`entity::OrderedColumns`]), and
//! the row of a key with a statement that is put together once.

use std::{
    any::TypeId,
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use entity::{OrderedColumns, TenantEntity};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, Iterable,
    PrimaryKeyToColumn, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, Statement,
    StatementBuilder,
    sea_query::{Expr, Query, ReturningClause, SelectStatement},
};
use uuid::Uuid;

use super::Tx;
use crate::error::Result;

/// The rows of a query.
pub async fn all<E: OrderedColumns>(
    connection: &impl ConnectionTrait,
    rows: Select<E>,
) -> Result<Vec<E::Model>> {
    all_selected::<E>(connection, &select(rows)).await
}

/// The rows of a statement that gives the columns of [`select`].
pub(super) async fn all_selected<E: OrderedColumns>(
    connection: &impl ConnectionTrait,
    statement: &SelectStatement,
) -> Result<Vec<E::Model>> {
    let rows = connection.query_all(statement).await?;
    rows.iter().map(|row| Ok(E::read(row)?)).collect()
}

/// The statement of [`all`].
pub(super) fn select<E: OrderedColumns>(rows: Select<E>) -> SelectStatement {
    rows.select_only().columns(E::columns()).into_query()
}

/// What a statement that writes a row gives back, for [`written`].
pub fn returning<E: OrderedColumns>() -> ReturningClause {
    Query::returning().columns(E::columns())
}

/// The row that a statement has written, if it has.
pub async fn written<E: OrderedColumns>(
    tx: &Tx,
    statement: &impl StatementBuilder,
) -> Result<Option<E::Model>> {
    let row = tx.query_one(statement).await?;
    Ok(row.as_ref().map(E::read).transpose()?)
}

/// The rows that a statement has written.
pub(super) async fn all_written<E: OrderedColumns>(
    tx: &Tx,
    statement: &impl StatementBuilder,
) -> Result<Vec<E::Model>> {
    let rows = tx.query_all(statement).await?;
    rows.iter().map(|row| Ok(E::read(row)?)).collect()
}

/// The columns of the primary key.
pub fn key<E: EntityTrait>() -> Vec<E::Column> {
    E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect()
}

/// Some columns of the first rows of a condition in an order.
fn first<E: EntityTrait>(
    (condition, order, limit): (&Condition, &[E::Column], u64),
    columns: Vec<E::Column>,
) -> SelectStatement {
    let rows = E::find().select_only().columns(columns).filter(condition.clone()).limit(limit);
    order.iter().fold(rows, |rows, column| rows.order_by_asc(*column)).into_query()
}

/// Deletes the first rows of a condition in an order, at most so many, and says how many.
pub async fn delete_first<E: EntityTrait>(
    tx: &Tx,
    condition: &Condition,
    order: &[E::Column],
    limit: u64,
) -> Result<u64> {
    let keys = first::<E>((condition, order, limit), key::<E>());
    let key = key::<E>().into_iter().map(|column| Expr::col((E::default(), column)));
    let deleted = E::delete_many().filter(Expr::tuple(key).in_subquery(keys)).exec(tx).await?;
    Ok(deleted.rows_affected)
}

/// Sets a column to null wherever it refers to one of the first rows of the same table, in the order of its key.
pub async fn unlink_first<E: TenantEntity>(
    tx: &Tx,
    condition: &Condition,
    link: E::Column,
    limit: u64,
) -> Result<()> {
    let ids = first::<E>((condition, &key::<E>(), limit), vec![E::ID]);
    E::update_many()
        .col_expr(link, Expr::val(None::<Uuid>))
        .filter(condition.clone())
        .filter(link.in_subquery(ids))
        .exec(tx)
        .await?;
    Ok(())
}

/// One row of an organization, if it is there. Binds no LIMIT: the key is enough.
pub async fn by_key<E: TenantEntity + OrderedColumns>(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Option<E::Model>> {
    let backend = connection.get_database_backend();
    let sql = select_by_key::<E>(backend);
    let key = [organization_id.into(), id.into()];
    let statement = Statement::from_sql_and_values(backend, &*sql, key);
    let row = connection.query_one_raw(statement).await?;
    Ok(row.as_ref().map(E::read).transpose()?)
}

/// Putting this statement together takes longer than SQLite takes to answer it.
fn select_by_key<E: TenantEntity>(backend: DbBackend) -> Arc<str> {
    /// By the entity and the database's name.
    type Known = HashMap<(TypeId, &'static str), Arc<str>>;
    static KNOWN: LazyLock<RwLock<Known>> = LazyLock::new(RwLock::default);
    let name = (TypeId::of::<E>(), backend.as_str());
    // A thread that panics in here leaves no half of a text behind.
    if let Some(sql) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(&name) {
        return sql.clone();
    }
    let any = Uuid::nil();
    let rows = E::find().select_only().columns(E::columns());
    let rows = rows.filter(E::ORGANIZATION_ID.eq(any)).filter(E::ID.eq(any));
    let sql: Arc<str> = rows.build(backend).sql.into();
    KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(name, sql.clone());
    sql
}

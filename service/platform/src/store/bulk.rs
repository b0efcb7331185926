//! Many small rows at once: statements that are put together without a model of each row.

use sea_orm::{
    ConnectionTrait, EntityTrait, IdenStatic, Value,
    sea_query::{Alias, Expr, OnConflict, Query},
};

use super::{Tx, rows};
use crate::error::Result;

/// How many rows one statement writes at most.
const MAX_ROWS: usize = 1 << 10;

/// How many of so many rows the next statement writes: a power of two. A connection keeps the statement of each number.
fn rows_per_statement(waiting: usize) -> usize {
    1 << waiting.clamp(1, MAX_ROWS).ilog2()
}

/// What becomes of a row whose key is there.
#[derive(Debug, Clone, Copy)]
pub enum Existing<'a, C> {
    /// It stays as it is.
    Kept,
    /// It gets the new values of these columns.
    Replaced(&'a [C]),
}

/// Writes rows of these columns, and says how many were written.
pub async fn insert<E: EntityTrait, const N: usize>(
    tx: &Tx,
    columns: [E::Column; N],
    rows: Vec<[Value; N]>,
    existing: Existing<'_, E::Column>,
) -> Result<u64> {
    let name = |column: &E::Column| Alias::new(IdenStatic::as_str(column));
    let on_conflict = match existing {
        Existing::Kept => OnConflict::new().do_nothing().to_owned(),
        Existing::Replaced(replaced) => {
            let key: Vec<_> = rows::key::<E>().iter().map(name).collect();
            OnConflict::columns(key).update_columns(replaced.iter().map(name)).to_owned()
        }
    };
    let (mut rows, mut written) = (rows.into_iter(), 0);
    while rows.len() > 0 {
        let count = rows_per_statement(rows.len());
        let mut statement = Query::insert();
        statement.into_table(E::default()).columns(columns.iter().map(name));
        statement.on_conflict(on_conflict.clone());
        for row in rows.by_ref().take(count) {
            statement.values_panic(row.map(Expr::val));
        }
        written += tx.execute(&statement).await?.rows_affected();
    }
    Ok(written)
}

//! Functions that stand for those of Citus, which is in no package of Debian: they write down how they were called, and
//! refuse what Citus refuses.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use service::Store;

use crate::{Database, database::execute};

/// Puts them into a database of PostgreSQL.
///
/// # Panics
/// If the server refuses.
pub async fn install(database: &Database) {
    execute(&database.url, include_str!("citus.sql")).await;
}

/// How they were called, in order.
///
/// # Panics
/// If the database does not answer.
pub async fn calls(store: &Store) -> Vec<String> {
    let statement =
        Statement::from_string(DbBackend::Postgres, "SELECT call FROM citus_call ORDER BY number");
    let rows = store.read().query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

//! How a database would find what a statement asks for.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use service::Store;

/// Tells the database what is in its tables.
///
/// # Panics
/// If the database refuses.
pub async fn analyze(store: &Store) {
    let analyzed = store.write(async move |tx| {
        tx.execute_unprepared("ANALYZE").await?;
        Ok(())
    });
    analyzed.await.unwrap();
}

/// The database's plan for a statement, a step a line.
///
/// # Panics
/// If it has none.
pub async fn plan(store: &Store, statement: Statement) -> String {
    let connection = store.read();
    let (explain, column) = match connection.get_database_backend() {
        DbBackend::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
        _ => ("EXPLAIN", "QUERY PLAN"),
    };
    let explain = Statement { sql: format!("{explain} {}", statement.sql), ..statement };
    let lines = connection.query_all_raw(explain).await.unwrap();
    let line = |row: &sea_orm::QueryResult| row.try_get::<String>("", column).unwrap();
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

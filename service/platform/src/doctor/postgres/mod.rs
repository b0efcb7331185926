//! PostgreSQL: its sessions and their locks, its tables and indexes, its statements.

mod server;
mod sessions;
mod statements;
mod tables;

use sea_orm::{DbErr, QueryResult, TryGetable};

use super::{Examination, report::Notes};
use crate::{
    error::{Error, Result},
    store::Store,
};

const VERSION: &str = "SELECT current_setting('server_version')";

/// Examines the database, and gives its version.
pub(super) async fn examine(
    store: &Store,
    examination: Examination,
    notes: &mut Notes,
) -> Result<String> {
    let version = one(store, VERSION).await?.text(0)?;
    sessions::say_what_is_hidden(store, notes).await;
    notes.keep("connections", server::connections(store).await);
    notes.keep("size", server::size_of_all(store).await);
    notes.keep("cache", server::cache(store).await);
    notes.keep("replication_slots", server::replication_slots(store).await);
    notes.keep("lock_waits", sessions::lock_waits(store).await);
    notes.keep("transactions", sessions::transactions(store, examination).await);
    notes.keep("running_statements", sessions::statements(store, examination).await);
    notes.keep("vacuum", tables::vacuum(store).await);
    notes.keep("transaction_ids", tables::transaction_ids(store).await);
    notes.keep("bloat", tables::bloat(store).await);
    notes.keep("sequential_scans", tables::sequential_scans(store).await);
    notes.keep("indexes", tables::indexes(store).await);
    statements::examine(store, notes).await;
    Ok(version)
}

/// A row of an answer.
struct Row(QueryResult);

impl Row {
    fn get<T: TryGetable>(&self, column: usize) -> Result<T, DbErr> {
        self.0.try_get_by_index(column)
    }

    fn int(&self, column: usize) -> Result<i64, DbErr> {
        self.get(column)
    }

    fn float(&self, column: usize) -> Result<f64, DbErr> {
        self.get(column)
    }

    fn text(&self, column: usize) -> Result<String, DbErr> {
        self.get(column)
    }
}

async fn ask(store: &Store, sql: impl Into<String>) -> Result<Vec<Row>> {
    let sql = sql.into();
    let rows = store.inspect(move |it| Box::pin(async move { it.rows(&sql).await })).await?;
    Ok(rows.into_iter().map(Row).collect())
}

async fn one(store: &Store, sql: &str) -> Result<Row> {
    let row = ask(store, sql).await?.pop();
    row.ok_or_else(|| Error::Internal("PostgreSQL says nothing of itself".into()))
}

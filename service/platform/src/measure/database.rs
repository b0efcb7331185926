//! The database's size, its connections, its tables and indexes.

use std::time::Duration;

use futures_util::future::BoxFuture;
use sea_orm::{DbErr, QueryResult};

use super::{Measure, OFTEN};
use crate::{
    error::Result,
    store::{Engine, Inspection, Store},
};

/// How often the tables of PostgreSQL are measured: it knows what each takes.
const TABLES_ON_POSTGRES: Duration = Duration::from_secs(60);
/// How often those of SQLite are, which reads all of its file for that.
const TABLES_ON_SQLITE: Duration = Duration::from_secs(3600);
/// Up to which size it does, in bytes.
const MAX_SIZE_ON_SQLITE: i64 = 1 << 30;

/// What is measured of a database.
pub fn measures(engine: Engine) -> Vec<Measure> {
    let interval = match engine {
        Engine::Sqlite => TABLES_ON_SQLITE,
        Engine::Postgres => TABLES_ON_POSTGRES,
    };
    vec![
        Measure {
            name: "database",
            interval: OFTEN,
            take: Box::new(|store| Box::pin(measure_database(store))),
        },
        Measure {
            name: "tables",
            interval,
            take: Box::new(|store| Box::pin(measure_tables(store))),
        },
    ]
}

async fn measure_database(store: &Store) -> Result<()> {
    match store.engine() {
        Engine::Sqlite => measure_sqlite(store).await,
        Engine::Postgres => measure_postgres(store).await,
    }
}

const SQLITE: &str = "SELECT page_count * page_size, freelist_count * page_size \
     FROM pragma_page_count(), pragma_page_size(), pragma_freelist_count()";

async fn measure_sqlite(store: &Store) -> Result<()> {
    let row = store.inspect(|it| Box::pin(one(it, SQLITE))).await?;
    metrics::gauge!("steward_database_size_bytes").set(int(&row, 0)? as f64);
    metrics::gauge!("steward_database_free_bytes").set(int(&row, 1)? as f64);
    let wal = store.inspect(|it| Box::pin(wal_size(it))).await?;
    metrics::gauge!("steward_database_wal_bytes").set(wal as f64);
    let oldest = store.oldest_transaction().as_secs_f64();
    metrics::gauge!("steward_database_oldest_transaction_seconds").set(oldest);
    Ok(())
}

/// The size of the write-ahead log, in bytes: zero if there is none.
pub(crate) async fn wal_size(inspection: &Inspection) -> Result<u64, DbErr> {
    let rows = inspection.rows("SELECT file FROM pragma_database_list WHERE name = 'main'").await?;
    let file: Option<String> = rows.first().map(|row| row.try_get_by_index(0)).transpose()?;
    let wal = file.filter(|file| !file.is_empty()).map(|file| format!("{file}-wal"));
    Ok(wal.and_then(|wal| std::fs::metadata(wal).ok()).map_or(0, |metadata| metadata.len()))
}

const POSTGRES: &str = "\
    SELECT pg_database_size(current_database()), \
      (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), \
      CAST(current_setting('max_connections') AS bigint), \
      (SELECT count(*) FROM pg_locks WHERE NOT granted), \
      CAST(coalesce((SELECT extract(epoch FROM max(clock_timestamp() - xact_start)) \
        FROM pg_stat_activity WHERE datname = current_database() \
        AND backend_type = 'client backend' AND pid <> pg_backend_pid()), 0) AS float8)";

async fn measure_postgres(store: &Store) -> Result<()> {
    let row = store.inspect(|it| Box::pin(one(it, POSTGRES))).await?;
    for (column, name) in [
        "steward_database_size_bytes",
        "steward_database_connections",
        "steward_database_connections_max",
        "steward_database_locks_waiting",
    ]
    .into_iter()
    .enumerate()
    {
        metrics::gauge!(name).set(int(&row, column)? as f64);
    }
    let oldest: f64 = row.try_get_by_index(4)?;
    metrics::gauge!("steward_database_oldest_transaction_seconds").set(oldest.max(0.0));
    Ok(())
}

async fn measure_tables(store: &Store) -> Result<()> {
    match store.engine() {
        Engine::Sqlite => measure_sqlite_tables(store).await,
        Engine::Postgres => measure_postgres_tables(store).await,
    }
}

/// Tables and indexes, and what each takes.
pub(crate) const SQLITE_SIZES: &str = "\
    SELECT schema.type, schema.tbl_name, schema.name, CAST(sizes.pgsize AS INTEGER) \
    FROM dbstat AS sizes JOIN sqlite_schema AS schema ON schema.name = sizes.name \
    WHERE sizes.aggregate = TRUE AND schema.tbl_name NOT LIKE 'sqlite_%'";

async fn measure_sqlite_tables(store: &Store) -> Result<()> {
    let rows = store.inspect(|it| {
        let sizes: BoxFuture<'_, _> = Box::pin(async move {
            let row = one(it, SQLITE).await?;
            match int(&row, 0)? {
                ..=MAX_SIZE_ON_SQLITE => it.rows(SQLITE_SIZES).await,
                _ => Ok(Vec::new()),
            }
        });
        sizes
    });
    for row in rows.await? {
        let kind: String = row.try_get_by_index(0)?;
        let (table, name, size) = (text(&row, 1)?, text(&row, 2)?, int(&row, 3)?);
        if kind == "table" {
            show_table(table, size);
        } else {
            show_index(table, name, size);
        }
    }
    Ok(())
}

/// Without TOAST's own: a table has what it keeps there.
const POSTGRES_TABLES: &str = "\
    SELECT CAST(relname AS text), pg_table_size(relid) FROM pg_stat_user_tables \
    WHERE schemaname = current_schema()";
/// With how often each was used, and whether it could be removed: it does not keep rows apart.
const POSTGRES_INDEXES: &str = "\
    SELECT CAST(s.relname AS text), CAST(s.indexrelname AS text), pg_relation_size(s.indexrelid), \
      s.idx_scan, NOT i.indisunique \
    FROM pg_stat_user_indexes s JOIN pg_index i ON i.indexrelid = s.indexrelid \
    WHERE s.schemaname = current_schema()";

async fn measure_postgres_tables(store: &Store) -> Result<()> {
    for row in store.inspect(|it| Box::pin(it.rows(POSTGRES_TABLES))).await? {
        show_table(text(&row, 0)?, int(&row, 1)?);
    }
    let mut unused = 0;
    for row in store.inspect(|it| Box::pin(it.rows(POSTGRES_INDEXES))).await? {
        let (table, index, scans) = (text(&row, 0)?, text(&row, 1)?, int(&row, 3)?);
        unused += u32::from(scans == 0 && row.try_get_by_index::<bool>(4)?);
        let scans = u64::try_from(scans).unwrap_or_default();
        metrics::counter!(
            "steward_index_scans_total", "table" => table.clone(), "index" => index.clone(),
        )
        .absolute(scans);
        show_index(table, index, int(&row, 2)?);
    }
    metrics::gauge!("steward_unused_indexes").set(unused);
    Ok(())
}

fn show_table(table: String, size: i64) {
    metrics::gauge!("steward_table_size_bytes", "table" => table).set(size as f64);
}

fn show_index(table: String, index: String, size: i64) {
    metrics::gauge!("steward_index_size_bytes", "table" => table, "index" => index)
        .set(size as f64);
}

async fn one(inspection: &Inspection, sql: &str) -> Result<QueryResult, DbErr> {
    let row = inspection.rows(sql).await?.pop();
    row.ok_or_else(|| DbErr::RecordNotFound("the database says nothing of itself".into()))
}

fn int(row: &QueryResult, column: usize) -> Result<i64, DbErr> {
    row.try_get_by_index(column)
}

fn text(row: &QueryResult, column: usize) -> Result<String, DbErr> {
    row.try_get_by_index(column)
}

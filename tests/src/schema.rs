//! The schema as a database has it.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use service::{Store, store::Engine};

/// What SeaORM keeps its migrations in: not steward's.
const MIGRATIONS: &str = "seaql_migrations";

/// Everything that a schema is made of, as the database describes it.
const ON_SQLITE: &str = "SELECT type || ' ' || name AS name, COALESCE(sql, '') AS description
    FROM sqlite_master WHERE tbl_name NOT LIKE 'sqlite_%'";

// A column's place is counted among those that are there: PostgreSQL never gives a number again.
const ON_POSTGRES: &str = "
    SELECT 'column ' || table_name || '.' || column_name AS name,
           concat_ws(' ', row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position),
                     data_type, character_maximum_length, is_nullable,
                     column_default, collation_name) AS description
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT 'constraint ' || conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
    UNION ALL
    SELECT 'sequence ' || sequence_name, data_type
      FROM information_schema.sequences WHERE sequence_schema = 'public'
    UNION ALL
    SELECT 'type ' || typname, typtype::text FROM pg_type
     WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')";

async fn pairs(store: &Store, sql: &str) -> Vec<(String, String)> {
    let backend = match store.engine() {
        Engine::Sqlite => DbBackend::Sqlite,
        Engine::Postgres => DbBackend::Postgres,
    };
    let rows = store.read().query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
    let pair = |row: &sea_orm::QueryResult| row.try_get_many_by_index().unwrap();
    rows.iter().map(pair).collect()
}

/// Every part of the schema by name, with what it is. The table of migrations is left out.
///
/// # Panics
/// If the database does not answer.
pub async fn parts(store: &Store) -> BTreeMap<String, String> {
    let sql = match store.engine() {
        Engine::Sqlite => ON_SQLITE,
        Engine::Postgres => ON_POSTGRES,
    };
    let parts = pairs(store, sql).await;
    parts.into_iter().filter(|(name, _)| !name.contains(MIGRATIONS)).collect()
}

/// The columns of each table.
///
/// # Panics
/// If the database does not answer.
pub async fn columns(store: &Store) -> BTreeMap<String, BTreeSet<String>> {
    let sql = match store.engine() {
        Engine::Sqlite => {
            "SELECT tables.name, columns.name FROM sqlite_master AS tables
             JOIN pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'"
        }
        Engine::Postgres => {
            "SELECT table_name::text, column_name::text FROM information_schema.columns
             WHERE table_schema = 'public'"
        }
    };
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (table, column) in pairs(store, sql).await {
        if table != MIGRATIONS && !table.starts_with("sqlite_") {
            tables.entry(table).or_default().insert(column);
        }
    }
    tables
}

/// Which table refers to which by foreign keys.
///
/// # Panics
/// If the database does not answer.
pub async fn references(store: &Store) -> BTreeSet<(String, String)> {
    let sql = match store.engine() {
        Engine::Sqlite => {
            "SELECT tables.name, keys.\"table\" FROM sqlite_master AS tables
             JOIN pragma_foreign_key_list(tables.name) AS keys WHERE tables.type = 'table'"
        }
        Engine::Postgres => {
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
             WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        }
    };
    let unquoted = |name: String| name.trim_matches('"').to_owned();
    let pairs = pairs(store, sql).await.into_iter();
    pairs.map(|(from, to)| (unquoted(from), unquoted(to))).collect()
}

/// The unique indexes besides primary keys: each by its name, with its columns in their order.
///
/// # Panics
/// If the database does not answer.
pub async fn unique_indexes(store: &Store) -> BTreeMap<String, Vec<String>> {
    let sql = match store.engine() {
        Engine::Sqlite => {
            "SELECT indexes.name, columns.name FROM sqlite_master AS tables
             JOIN pragma_index_list(tables.name) AS indexes
             JOIN pragma_index_info(indexes.name) AS columns
             WHERE tables.type = 'table' AND indexes.\"unique\" AND indexes.origin <> 'pk'
             ORDER BY indexes.name, columns.seqno"
        }
        Engine::Postgres => {
            "SELECT indexes.relname::text, columns.attname::text FROM pg_index AS known
             JOIN pg_class AS indexes ON indexes.oid = known.indexrelid
             CROSS JOIN unnest(known.indkey) WITH ORDINALITY AS keys(number, place)
             JOIN pg_attribute AS columns
               ON columns.attrelid = known.indrelid AND columns.attnum = keys.number
             WHERE known.indisunique AND NOT known.indisprimary
               AND indexes.relnamespace = 'public'::regnamespace
             ORDER BY indexes.relname, keys.place"
        }
    };
    let mut indexes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (index, column) in pairs(store, sql).await {
        indexes.entry(index).or_default().push(column);
    }
    indexes
}

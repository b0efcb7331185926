//! Citus, the extension of PostgreSQL that keeps the rows of a table on several nodes.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};

use super::Store;

/// How long a table is waited for that others use.
const LOCK_TIMEOUT: &str = "10s";

/// What a session that distributes tables sets: otherwise, tables that refer to a reference table become tables of
/// Citus themselves, and can then no longer be distributed.
pub const SETTING: &str = "citus.enable_local_reference_table_foreign_keys = off";

/// What Citus has made of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distribution {
    /// The tables that it knows, by their names.
    pub tables: BTreeMap<String, Distributed>,
    /// The tables of which the coordinator itself has rows. Where Citus has the table, these are copies that were left
    /// when it was distributed, and nobody reads them.
    pub with_local_rows: BTreeSet<String>,
}

/// What Citus has made of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distributed {
    /// `distributed`, `reference`, `local` or `schema`.
    pub kind: String,
    /// The column by whose value a row has its shard.
    pub column: String,
    /// What tables have in common whose rows of one value are on one node.
    pub colocation: i64,
}

const IS_THERE: &str = "SELECT to_regclass('citus_tables') IS NOT NULL \
     AND EXISTS (SELECT FROM pg_proc WHERE proname = 'create_distributed_table')";

const TABLES: &str = "\
    SELECT CAST(c.relname AS text), CAST(t.citus_table_type AS text), \
      CAST(t.distribution_column AS text), CAST(t.colocation_id AS bigint) \
    FROM citus_tables t JOIN pg_class c ON c.oid = t.table_name \
    WHERE c.relnamespace = CAST(current_schema() AS regnamespace)";

const WITH_LOCAL_ROWS: &str = "\
    SELECT CAST(relname AS text) FROM pg_class \
    WHERE relkind = 'r' AND relnamespace = CAST(current_schema() AS regnamespace) \
      AND pg_relation_size(oid) > 0";

impl Store {
    /// What Citus has made of this database: nothing where it is not in it.
    ///
    /// # Errors
    /// Where the database does not answer, or is not PostgreSQL.
    pub async fn distribution(&self) -> Result<Option<Distribution>, DbErr> {
        let is_there = self.rows(IS_THERE).await?;
        let is_there = is_there.first().map(|row| row.try_get_by_index::<bool>(0)).transpose()?;
        if is_there != Some(true) {
            return Ok(None);
        }
        let mut distribution = Distribution::default();
        for row in self.rows(TABLES).await? {
            let (kind, column) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            let table = Distributed { kind, column, colocation: row.try_get_by_index(3)? };
            distribution.tables.insert(row.try_get_by_index(0)?, table);
        }
        for row in self.rows(WITH_LOCAL_ROWS).await? {
            distribution.with_local_rows.insert(row.try_get_by_index(0)?);
        }
        Ok(Some(distribution))
    }

    /// Runs a statement that distributes a table, in a transaction of its own and under the lock of the schema. It
    /// waits 10 s for others that use the table.
    ///
    /// # Errors
    /// Where the table is in use for longer, or the database refuses.
    pub async fn distribute(&self, sql: &str) -> Result<(), DbErr> {
        let schema = self.lock_schema().await?;
        let transaction = &schema.transaction;
        transaction
            .execute_unprepared(&format!("SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
            .await?;
        transaction.execute_unprepared(&format!("SET LOCAL {SETTING}")).await?;
        transaction.execute_unprepared(sql).await?;
        schema.transaction.commit().await
    }

    async fn rows(&self, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        self.schema_connection().query_all_raw(statement).await
    }
}

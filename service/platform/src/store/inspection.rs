//! A look at the database itself: what it says of its sessions, its tables and its plans. It reads, has a short time
//! for each statement, and counts nowhere: whoever looks is no part of what is seen.

use std::time::Duration;

use futures_util::future::BoxFuture;
use sea_orm::{DbErr, QueryResult};

use super::{
    Engine, Store,
    fingerprint::without_literals,
    slow::{SlowStatement, SlowStatements},
    transaction::{Begin, Transaction},
};
use crate::error::{Error, Result};

/// How long a statement may take on PostgreSQL, and wait for a lock.
const LIMITS: &str = "SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '1s'";
/// The name of the statement whose plan is asked for, while it is.
const PREPARED: &str = "slow_statement";

/// A look at the database.
#[derive(Debug)]
pub(crate) struct Inspection {
    transaction: Transaction,
}

impl Inspection {
    /// The rows of a question.
    pub(crate) async fn rows(&self, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
        self.transaction.query_unprepared(sql).await
    }

    /// The plan of a statement, whatever its values, as PostgreSQL makes it.
    async fn postgres_plan(&self, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
        // One for all values: that of particular ones would show them.
        self.rows("SET LOCAL plan_cache_mode = force_generic_plan").await?;
        self.rows(&format!("PREPARE {PREPARED} AS {sql}")).await?;
        self.transaction.savepoint(1).await?;
        let plan = self.explain_prepared().await;
        if plan.is_err() {
            self.transaction.rollback_to(1).await?;
        }
        // It outlives the transaction.
        self.rows(&format!("DEALLOCATE {PREPARED}")).await?;
        plan
    }

    async fn explain_prepared(&self) -> Result<Vec<QueryResult>, DbErr> {
        let count = format!(
            "SELECT CAST(cardinality(parameter_types) AS bigint) FROM pg_prepared_statements \
             WHERE name = '{PREPARED}'"
        );
        let row = self.rows(&count).await?.pop();
        let count: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
        let nulls = vec!["NULL"; usize::try_from(count).unwrap_or_default()].join(", ");
        let arguments = if nulls.is_empty() { nulls } else { format!("({nulls})") };
        self.rows(&format!("EXPLAIN EXECUTE {PREPARED}{arguments}")).await
    }
}

impl Store {
    /// Looks at the database, in a task of its own: a request that goes away must not cancel a BEGIN.
    ///
    /// # Errors
    /// What the database refuses.
    pub(crate) async fn inspect<T, F>(&self, look: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a Inspection) -> BoxFuture<'a, Result<T, DbErr>> + Send + 'static,
    {
        let (reader, engine) = (self.reader.clone(), self.engine);
        let looked = tokio::spawn(async move {
            let begin = match engine {
                Engine::Sqlite => Begin::Deferred,
                Engine::Postgres => Begin::ReadOnly,
            };
            let inspection = Inspection { transaction: Transaction::begin(&reader, begin).await? };
            if engine == Engine::Postgres {
                inspection.rows(LIMITS).await?;
            }
            let seen = look(&inspection).await;
            inspection.transaction.rollback().await;
            seen
        });
        let seen = looked.await.map_err(|_| Error::Internal("a look ended early".into()))?;
        Ok(seen?)
    }

    /// How the database finds what a statement asks for, whatever its values: a step a line.
    ///
    /// # Errors
    /// What the database refuses.
    pub(super) async fn plan(&self, sql: &str) -> Result<String> {
        let (sql, engine) = (sql.to_owned(), self.engine);
        let lines = self.inspect(move |inspection| {
            Box::pin(async move {
                let (rows, column) = match engine {
                    Engine::Sqlite => {
                        (inspection.rows(&format!("EXPLAIN QUERY PLAN {sql}")).await?, "detail")
                    }
                    Engine::Postgres => (inspection.postgres_plan(&sql).await?, "QUERY PLAN"),
                };
                let line = |row: &QueryResult| row.try_get::<String>("", column);
                rows.iter().map(line).collect::<Result<Vec<_>, _>>()
            })
        });
        Ok(without_literals(&lines.await?.join("\n")))
    }

    /// The statements of this process that took long, those that took longest in all first.
    pub fn slowest_statements(&self) -> Vec<SlowStatement> {
        self.slow().slowest()
    }

    pub(super) fn slow(&self) -> &SlowStatements {
        self.reader.telemetry().slow()
    }

    /// How long the oldest transaction of this process has been open.
    pub(crate) fn oldest_transaction(&self) -> Duration {
        self.reader.telemetry().transactions().oldest()
    }
}

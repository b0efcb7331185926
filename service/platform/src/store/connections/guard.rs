//! A connection that is in use: its statements, and whether the next one may have it.

use std::sync::Arc;

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement,
    sqlx::{self, AssertSqlSafe, Postgres, Sqlite},
};
use sea_query_sqlx::SqlxValues;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    Connections,
    open::{Connection, OpenConnection, within},
};
use crate::store::{
    failure::is_loss_of_server,
    telemetry::{Running, Telemetry},
};

/// A connection that is in use.
#[derive(Debug)]
pub(in crate::store) struct ConnectionGuard {
    /// There until it is dropped.
    open: Option<OpenConnection>,
    /// Whether its last statement has ended, and left it in order.
    is_clean: bool,
    /// Whether the server was lost with it: nothing is sent on it any more.
    is_lost: bool,
    pool: Connections,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionGuard {
    /// A connection that was just taken out of the pool, and is in order.
    pub(super) fn new(
        open: OpenConnection,
        pool: Connections,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self { open: Some(open), is_clean: true, is_lost: false, pool, _permit: permit }
    }

    pub(in crate::store) async fn execute(
        &mut self,
        statement: &Statement,
    ) -> Result<ExecResult, DbErr> {
        let running = self.run(&statement.sql);
        let patience = self.pool.patience();
        let result = match self.begin()? {
            Connection::Sqlite(connection) => {
                sqlite_query(statement).execute(&mut **connection).await.map(ExecResult::from)
            }
            Connection::Postgres(connection) => {
                let answer = postgres_query(statement).execute(&mut **connection);
                within(patience, answer).await.map(ExecResult::from)
            }
        };
        self.end(statement, running, result).map_err(exec_error)
    }

    pub(in crate::store) async fn query_one(
        &mut self,
        statement: &Statement,
    ) -> Result<Option<QueryResult>, DbErr> {
        let running = self.run(&statement.sql);
        let result = self.fetch_one(statement).await?;
        self.end(statement, running, result).map_err(query_error)
    }

    /// As [`Self::query_one`], for what several requests ask together: timed, and none of their statements.
    pub(in crate::store) async fn query_shared(
        &mut self,
        statement: &Statement,
    ) -> Result<Option<QueryResult>, DbErr> {
        let running = self.run(&statement.sql);
        let result = self.fetch_one(statement).await?;
        self.pool.0.telemetry.time(statement, running.elapsed(), result.is_err());
        running.end(&result);
        self.record_result(&result);
        result.map_err(query_error)
    }

    async fn fetch_one(
        &mut self,
        statement: &Statement,
    ) -> Result<Result<Option<QueryResult>, sqlx::Error>, DbErr> {
        let patience = self.pool.patience();
        Ok(match self.begin()? {
            Connection::Sqlite(connection) => {
                let row = sqlite_query(statement).fetch_optional(&mut **connection).await;
                row.map(|row| row.map(QueryResult::from))
            }
            Connection::Postgres(connection) => {
                let row = postgres_query(statement).fetch_optional(&mut **connection);
                within(patience, row).await.map(|row| row.map(QueryResult::from))
            }
        })
    }

    pub(in crate::store) async fn query_all(
        &mut self,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let running = self.run(&statement.sql);
        let patience = self.pool.patience();
        let result = match self.begin()? {
            Connection::Sqlite(connection) => {
                let rows = sqlite_query(statement).fetch_all(&mut **connection).await;
                rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
            }
            Connection::Postgres(connection) => {
                let rows = postgres_query(statement).fetch_all(&mut **connection);
                within(patience, rows)
                    .await
                    .map(|rows| rows.into_iter().map(QueryResult::from).collect())
            }
        };
        self.end(statement, running, result).map_err(query_error)
    }

    /// Runs what is no query: not counted among the statements.
    pub(in crate::store) async fn execute_unprepared(
        &mut self,
        sql: &str,
    ) -> Result<ExecResult, DbErr> {
        let running = self.run(sql);
        // PostgreSQL has no limit for a COMMIT that waits for a standby: what becomes of it is then looked for.
        let patience = self.pool.patience();
        let raw = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let result = match self.begin()? {
            Connection::Sqlite(connection) => {
                raw.execute(&mut **connection).await.map(ExecResult::from)
            }
            Connection::Postgres(connection) => {
                within(patience, raw.execute(&mut **connection)).await.map(ExecResult::from)
            }
        };
        running.end(&result);
        self.record_result(&result);
        result.map_err(exec_error)
    }

    /// Asks what is no query of steward's own: not counted among the statements, either.
    pub(in crate::store) async fn query_unprepared(
        &mut self,
        sql: &str,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let raw = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let result = match self.begin()? {
            Connection::Sqlite(connection) => {
                let rows = raw.fetch_all(&mut **connection).await;
                rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
            }
            Connection::Postgres(connection) => {
                let rows = raw.fetch_all(&mut **connection).await;
                rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
            }
        };
        self.record_result(&result);
        result.map_err(query_error)
    }

    pub(in crate::store) fn telemetry(&self) -> &Telemetry {
        &self.pool.0.telemetry
    }

    /// Closes the connection when it is dropped: nobody is to use it again.
    pub(in crate::store) fn close_on_drop(&mut self) {
        self.is_clean = false;
        if let Some(open) = &mut self.open {
            open.close_on_drop();
        }
    }

    fn run(&self, sql: &str) -> Running {
        Running::begin(|| self.pool.get_database_backend(), sql)
    }

    /// Until the statement has ended, the connection is not in order.
    fn begin(&mut self) -> Result<&mut Connection, DbErr> {
        self.is_clean = false;
        let open = self.open.as_mut().filter(|_| !self.is_lost);
        open.map(|open| &mut open.connection)
            .ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
    }

    fn end<T>(
        &mut self,
        statement: &Statement,
        running: Running,
        result: Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        self.pool.0.telemetry.record(statement, running.elapsed(), result.is_err());
        running.end(&result);
        self.record_result(&result);
        result
    }

    /// What the database itself has answered leaves the connection in order, unless the server is lost with it.
    fn record_result<T>(&mut self, result: &Result<T, sqlx::Error>) {
        let Err(error) = result else {
            self.is_clean = true;
            return;
        };
        self.is_clean = matches!(error, sqlx::Error::Database(_));
        let is_postgres = self.pool.get_database_backend() == DbBackend::Postgres;
        if is_postgres && is_loss_of_server(error) {
            // A ROLLBACK, say, would be waited for as long again.
            self.is_lost = true;
            self.close_on_drop();
            self.pool.lose();
        }
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        // What is closed closes them all.
        if self.pool.0.permits.is_closed() {
            return;
        }
        let mut idle = self.pool.idle();
        if open.losses() < self.pool.losses() {
            open.close_on_drop();
        } else if self.is_clean && open.reuse() {
            idle.push(open);
        } else {
            open.ask_and_return(self.pool.0.answer_timeout.get().copied());
        }
    }
}

fn values(statement: &Statement) -> SqlxValues {
    SqlxValues(statement.values.clone().unwrap_or_else(|| sea_orm::Values(Vec::new())))
}

fn sqlite_query(statement: &Statement) -> sqlx::query::Query<'_, Sqlite, SqlxValues> {
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), values(statement))
}

fn postgres_query(statement: &Statement) -> sqlx::query::Query<'_, Postgres, SqlxValues> {
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), values(statement))
}

fn exec_error(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

fn query_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

//! A connection, and the transaction that is open on it.
//!
//! steward says BEGIN, COMMIT, ROLLBACK and SAVEPOINT itself, because what a driver believes of its
//! transaction can be wrong: SQLite takes a transaction back by itself when the disk is full
//! (<https://www.sqlite.org/lang_transaction.html>, section 3), and sqlx, which counts BEGINs and
//! COMMITs, would then make a savepoint of the next BEGIN and take its RELEASE for a commit. So a
//! transaction is begun here and nowhere else, never within another one; and a connection on which
//! BEGIN, COMMIT or ROLLBACK failed, or whose transaction was dropped, is closed and never used again.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use sea_orm::{
    ConnAcquireErr, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement,
    sqlx::{self, AssertSqlSafe, Postgres, Sqlite, pool::PoolConnection},
};
use sea_query_sqlx::SqlxValues;
use tokio::sync::Mutex;

use super::telemetry::Telemetry;

/// How a transaction is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// SQLite: the write lock at once, so that nobody can be in the way later.
    Immediate,
    /// SQLite: one state of the database, from the first read on.
    Deferred,
    /// PostgreSQL. The level is part of BEGIN: a pooler drops what the session's settings say.
    RepeatableRead,
    /// PostgreSQL: each statement sees what was committed before it.
    ReadCommitted,
    /// PostgreSQL: one state of the database, and no writes.
    ReadOnly,
}

impl Begin {
    fn sql(self) -> &'static str {
        match self {
            Self::Immediate => "BEGIN IMMEDIATE",
            Self::Deferred => "BEGIN",
            Self::RepeatableRead => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            Self::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Self::ReadOnly => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        }
    }
}

/// A transaction. One that is dropped before its end takes its connection with it.
pub(super) struct Transaction {
    connection: Mutex<Connection>,
    backend: DbBackend,
    telemetry: Telemetry,
    /// Whether the connection may be in a transaction.
    open: AtomicBool,
}

enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Transaction {
    /// Begins a transaction on a connection of the pool.
    pub(super) async fn begin(
        pool: &DatabaseConnection,
        begin: Begin,
        telemetry: &Telemetry,
    ) -> Result<Self, DbErr> {
        let backend = pool.get_database_backend();
        let connection = match backend {
            DbBackend::Sqlite => {
                let connection = pool.get_sqlite_connection_pool().acquire().await;
                Connection::Sqlite(connection.map_err(acquire_error)?)
            }
            _ => {
                let connection = pool.get_postgres_connection_pool().acquire().await;
                Connection::Postgres(connection.map_err(acquire_error)?)
            }
        };
        // Before BEGIN is sent: whoever cancels this must not leave a transaction behind.
        let transaction = Self {
            connection: Mutex::new(connection),
            backend,
            telemetry: telemetry.clone(),
            open: AtomicBool::new(true),
        };
        transaction.control(begin.sql()).await?;
        Ok(transaction)
    }

    /// Makes what was done last. An error does not say that it does not: [`super::outcome`].
    pub(super) async fn commit(&self) -> Result<(), DbErr> {
        self.control("COMMIT").await?;
        self.open.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Takes everything back. Where the database has done so already, or does not answer, the
    /// connection goes.
    pub(super) async fn rollback(&self) {
        match self.control("ROLLBACK").await {
            Ok(()) => self.open.store(false, Ordering::Relaxed),
            Err(error) => tracing::debug!(%error, "a connection is closed: its ROLLBACK failed"),
        }
    }

    /// Begins the savepoint of this depth, from 1.
    pub(super) async fn savepoint(&self, depth: u32) -> Result<(), DbErr> {
        self.control(&format!("SAVEPOINT s{depth}")).await
    }

    /// Ends a savepoint and keeps what was done since.
    pub(super) async fn release(&self, depth: u32) -> Result<(), DbErr> {
        self.control(&format!("RELEASE SAVEPOINT s{depth}")).await
    }

    /// Ends a savepoint and takes back what was done since.
    pub(super) async fn rollback_to(&self, depth: u32) -> Result<(), DbErr> {
        self.control(&format!("ROLLBACK TO SAVEPOINT s{depth}; RELEASE SAVEPOINT s{depth}")).await
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Runs what begins and ends transactions: not counted among the statements.
    async fn control(&self, sql: &str) -> Result<(), DbErr> {
        self.connection.lock().await.execute_unprepared(sql).await.map(drop)
    }

    pub(super) async fn execute(&self, statement: &Statement) -> Result<ExecResult, DbErr> {
        let begun = Instant::now();
        let result = match &mut *self.connection.lock().await {
            Connection::Sqlite(connection) => {
                sqlite_query(statement).execute(&mut **connection).await.map(ExecResult::from)
            }
            Connection::Postgres(connection) => {
                postgres_query(statement).execute(&mut **connection).await.map(ExecResult::from)
            }
        };
        self.telemetry.record(&statement.sql, begun.elapsed(), result.is_err());
        result.map_err(exec_error)
    }

    pub(super) async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.connection.lock().await.execute_unprepared(sql).await
    }

    pub(super) async fn query_one(
        &self,
        statement: &Statement,
    ) -> Result<Option<QueryResult>, DbErr> {
        let begun = Instant::now();
        let result = match &mut *self.connection.lock().await {
            Connection::Sqlite(connection) => {
                let row = sqlite_query(statement).fetch_optional(&mut **connection).await;
                row.map(|row| row.map(QueryResult::from))
            }
            Connection::Postgres(connection) => {
                let row = postgres_query(statement).fetch_optional(&mut **connection).await;
                row.map(|row| row.map(QueryResult::from))
            }
        };
        self.telemetry.record(&statement.sql, begun.elapsed(), result.is_err());
        result.map_err(query_error)
    }

    pub(super) async fn query_all(&self, statement: &Statement) -> Result<Vec<QueryResult>, DbErr> {
        let begun = Instant::now();
        let result = match &mut *self.connection.lock().await {
            Connection::Sqlite(connection) => {
                let rows = sqlite_query(statement).fetch_all(&mut **connection).await;
                rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
            }
            Connection::Postgres(connection) => {
                let rows = postgres_query(statement).fetch_all(&mut **connection).await;
                rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
            }
        };
        self.telemetry.record(&statement.sql, begun.elapsed(), result.is_err());
        result.map_err(query_error)
    }
}

impl Connection {
    async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Sqlite(connection) => sql.execute(&mut **connection).await.map(ExecResult::from),
            Self::Postgres(connection) => {
                sql.execute(&mut **connection).await.map(ExecResult::from)
            }
        }
        .map_err(exec_error)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if *self.open.get_mut() {
            match self.connection.get_mut() {
                Connection::Sqlite(connection) => connection.close_on_drop(),
                Connection::Postgres(connection) => connection.close_on_drop(),
            }
        }
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("open", &self.open).finish_non_exhaustive()
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

fn acquire_error(error: sqlx::Error) -> DbErr {
    match error {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        other => DbErr::Conn(RuntimeErr::SqlxError(Arc::new(other))),
    }
}

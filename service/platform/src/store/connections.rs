//! Connections, kept from one statement to the next.
//!
//! sqlx asks a connection that is given back to its pool whether it is still there, which makes two trips to the
//! database of every read. So a connection is taken out of the pool once and kept here. One that was idle for
//! long is asked before it is used; one on which something went wrong, or whose statement nobody has waited for, goes
//! back to the pool, which asks it. The pool opens and closes connections, and knows how many there are.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult,
    RuntimeErr, Statement,
    sqlx::{
        self, AssertSqlSafe, Connection as _, Postgres, Sqlite, pool::PoolConnection,
        postgres::PgConnectOptions,
    },
};
use sea_query_sqlx::SqlxValues;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::telemetry::Telemetry;

/// How long an idle session of PostgreSQL's is trusted without asking it. SQLite's do not go away.
const PING_AFTER_IDLE: Duration = Duration::from_secs(10);
/// For how long a session of PostgreSQL's is kept: it grows with what it has done.
const MAX_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// The connections to a database, for one kind of use. Cheap to clone; statements that run at the same time have a
/// connection each.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: DatabaseConnection,
    telemetry: Telemetry,
    /// As many permits as the pool has connections.
    permits: Arc<Semaphore>,
    acquire_timeout: Duration,
    /// Those that nobody uses, the one that was used last at the end.
    idle: Mutex<Vec<OpenConnection>>,
}

/// A connection that is out of the pool.
#[derive(Debug)]
struct OpenConnection {
    connection: Connection,
    opened_at: Instant,
    last_used_at: Instant,
}

#[derive(Debug)]
enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Connections {
    /// The connections of a pool, of which nobody else takes any.
    pub(super) fn of(
        mut pool: DatabaseConnection,
        size: u32,
        acquire_timeout: Duration,
        telemetry: &Telemetry,
    ) -> Self {
        telemetry.watch(&mut pool);
        Self(Arc::new(Inner {
            pool,
            telemetry: telemetry.clone(),
            permits: Arc::new(Semaphore::new(size as usize)),
            acquire_timeout,
            idle: Mutex::default(),
        }))
    }

    /// A connection for as long as it is held.
    ///
    /// # Errors
    /// Where none was free in time, or none can be opened.
    pub(super) async fn acquire(&self) -> Result<ConnectionGuard, DbErr> {
        let permit = self.permit().await?;
        let open = loop {
            let Some(mut open) = self.pop() else { break self.open().await? };
            if open.is_alive().await {
                break open;
            }
        };
        Ok(ConnectionGuard {
            open: Some(open),
            is_clean: true,
            pool: self.clone(),
            _permit: permit,
        })
    }

    /// The pool, with room in it for one more connection: for what knows no other way.
    pub(super) async fn reserve(&self) -> Result<PoolPermit, DbErr> {
        let permit = self.permit().await?;
        drop(self.pop());
        Ok(PoolPermit { pool: self.0.pool.clone(), _permit: permit })
    }

    /// Waits for what is held, and closes all.
    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.0.permits.close();
        self.idle().clear();
        self.0.pool.clone().close().await
    }

    /// How PostgreSQL is connected to.
    pub(super) fn postgres_options(&self) -> PgConnectOptions {
        (*self.0.pool.get_postgres_connection_pool().connect_options()).clone()
    }

    pub(super) fn telemetry(&self) -> &Telemetry {
        &self.0.telemetry
    }

    /// How many connections are open, and how many of them nobody uses.
    pub(super) fn count(&self) -> (u32, usize) {
        let idle = self.idle().len();
        match self.get_database_backend() {
            DbBackend::Sqlite => {
                let pool = self.0.pool.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle() + idle)
            }
            _ => {
                let pool = self.0.pool.get_postgres_connection_pool();
                (pool.size(), pool.num_idle() + idle)
            }
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, DbErr> {
        let permit = self.0.permits.clone().acquire_owned();
        match tokio::time::timeout(self.0.acquire_timeout, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)),
            Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }

    async fn open(&self) -> Result<OpenConnection, DbErr> {
        let connection = match self.get_database_backend() {
            DbBackend::Sqlite => {
                let connection = self.0.pool.get_sqlite_connection_pool().acquire().await;
                Connection::Sqlite(connection.map_err(acquire_error)?)
            }
            _ => {
                let connection = self.0.pool.get_postgres_connection_pool().acquire().await;
                Connection::Postgres(connection.map_err(acquire_error)?)
            }
        };
        let now = Instant::now();
        Ok(OpenConnection { connection, opened_at: now, last_used_at: now })
    }

    fn pop(&self) -> Option<OpenConnection> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<OpenConnection>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenConnection {
    async fn is_alive(&mut self) -> bool {
        match &mut self.connection {
            Connection::Postgres(connection) if self.last_used_at.elapsed() >= PING_AFTER_IDLE => {
                connection.ping().await.is_ok()
            }
            _ => true,
        }
    }

    fn is_reusable(&self) -> bool {
        matches!(self.connection, Connection::Sqlite(_)) || self.opened_at.elapsed() < MAX_LIFETIME
    }
}

/// The pool while a connection may be taken from it.
pub(super) struct PoolPermit {
    pub(super) pool: DatabaseConnection,
    _permit: OwnedSemaphorePermit,
}

/// A connection that is in use.
#[derive(Debug)]
pub(super) struct ConnectionGuard {
    /// There until it is dropped.
    open: Option<OpenConnection>,
    /// Whether its last statement has ended, and left it in order.
    is_clean: bool,
    pool: Connections,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionGuard {
    pub(super) async fn execute(&mut self, statement: &Statement) -> Result<ExecResult, DbErr> {
        let begun = Instant::now();
        let result = match self.begin()? {
            Connection::Sqlite(connection) => {
                sqlite_query(statement).execute(&mut **connection).await.map(ExecResult::from)
            }
            Connection::Postgres(connection) => {
                postgres_query(statement).execute(&mut **connection).await.map(ExecResult::from)
            }
        };
        self.end(statement, begun, result).map_err(exec_error)
    }

    pub(super) async fn query_one(
        &mut self,
        statement: &Statement,
    ) -> Result<Option<QueryResult>, DbErr> {
        let begun = Instant::now();
        let result = match self.begin()? {
            Connection::Sqlite(connection) => {
                let row = sqlite_query(statement).fetch_optional(&mut **connection).await;
                row.map(|row| row.map(QueryResult::from))
            }
            Connection::Postgres(connection) => {
                let row = postgres_query(statement).fetch_optional(&mut **connection).await;
                row.map(|row| row.map(QueryResult::from))
            }
        };
        self.end(statement, begun, result).map_err(query_error)
    }

    pub(super) async fn query_all(
        &mut self,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let begun = Instant::now();
        let result = match self.begin()? {
            Connection::Sqlite(connection) => {
                let rows = sqlite_query(statement).fetch_all(&mut **connection).await;
                rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
            }
            Connection::Postgres(connection) => {
                let rows = postgres_query(statement).fetch_all(&mut **connection).await;
                rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
            }
        };
        self.end(statement, begun, result).map_err(query_error)
    }

    /// Runs what is no query: not counted among the statements.
    pub(super) async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        let raw = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let result = match self.begin()? {
            Connection::Sqlite(connection) => {
                raw.execute(&mut **connection).await.map(ExecResult::from)
            }
            Connection::Postgres(connection) => {
                raw.execute(&mut **connection).await.map(ExecResult::from)
            }
        };
        self.record_result(&result);
        result.map_err(exec_error)
    }

    /// Closes the connection when it is dropped: nobody is to use it again.
    pub(super) fn close_on_drop(&mut self) {
        self.is_clean = false;
        match self.open.as_mut().map(|open| &mut open.connection) {
            Some(Connection::Sqlite(connection)) => connection.close_on_drop(),
            Some(Connection::Postgres(connection)) => connection.close_on_drop(),
            None => {}
        }
    }

    /// Until the statement has ended, the connection is not in order.
    fn begin(&mut self) -> Result<&mut Connection, DbErr> {
        self.is_clean = false;
        let open = self.open.as_mut();
        open.map(|open| &mut open.connection)
            .ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
    }

    fn end<T>(
        &mut self,
        statement: &Statement,
        begun: Instant,
        result: Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        self.pool.0.telemetry.record(statement, begun.elapsed(), result.is_err());
        self.record_result(&result);
        result
    }

    /// What the database itself has answered leaves the connection in order, unless it ends the session.
    fn record_result<T>(&mut self, result: &Result<T, sqlx::Error>) {
        self.is_clean = match result {
            Ok(_) => true,
            Err(sqlx::Error::Database(error)) => {
                !error.code().is_some_and(|code| code.starts_with("57P"))
            }
            Err(_) => false,
        };
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        let is_open = !self.pool.0.permits.is_closed();
        if self.is_clean && is_open && open.is_reusable() {
            open.last_used_at = Instant::now();
            self.pool.idle().push(open);
        }
    }
}

type BoxedResult<'a, T> = Pin<Box<dyn Future<Output = Result<T, DbErr>> + Send + 'a>>;

// Written out rather than with #[async_trait], which would box every future a second time.
impl ConnectionTrait for Connections {
    fn get_database_backend(&self) -> DbBackend {
        self.0.pool.get_database_backend()
    }

    fn execute_raw<'s, 'a>(&'s self, statement: Statement) -> BoxedResult<'a, ExecResult>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(async move { self.acquire().await?.execute(&statement).await })
    }

    fn execute_unprepared<'s, 'q, 'a>(&'s self, sql: &'q str) -> BoxedResult<'a, ExecResult>
    where
        's: 'a,
        'q: 'a,
        Self: 'a,
    {
        Box::pin(async move { self.acquire().await?.execute_unprepared(sql).await })
    }

    fn query_one_raw<'s, 'a>(&'s self, statement: Statement) -> BoxedResult<'a, Option<QueryResult>>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(async move { self.acquire().await?.query_one(&statement).await })
    }

    fn query_all_raw<'s, 'a>(&'s self, statement: Statement) -> BoxedResult<'a, Vec<QueryResult>>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(async move { self.acquire().await?.query_all(&statement).await })
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

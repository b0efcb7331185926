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
const TRUSTED_IDLE: Duration = Duration::from_secs(10);
/// For how long a session of PostgreSQL's is kept: it grows with what it has done.
const KEPT: Duration = Duration::from_secs(30 * 60);

/// The connections to a database, for one kind of use. Cheap to clone; statements that run at the same time have a
/// connection each.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: DatabaseConnection,
    telemetry: Telemetry,
    /// As many permits as the pool has connections.
    free: Arc<Semaphore>,
    acquire_timeout: Duration,
    /// Those that nobody uses, the one that was used last at the end.
    idle: Mutex<Vec<Kept>>,
}

/// A connection that is out of the pool.
#[derive(Debug)]
struct Kept {
    connection: Connection,
    /// Since when.
    since: Instant,
    used: Instant,
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
            free: Arc::new(Semaphore::new(size as usize)),
            acquire_timeout,
            idle: Mutex::default(),
        }))
    }

    /// A connection for as long as it is held.
    ///
    /// # Errors
    /// Where none was free in time, or none can be opened.
    pub(super) async fn acquire(&self) -> Result<Held, DbErr> {
        let permit = self.permit().await?;
        let kept = loop {
            let Some(mut kept) = self.pop() else { break self.open().await? };
            if kept.is_there().await {
                break kept;
            }
        };
        Ok(Held { kept: Some(kept), is_settled: true, home: self.clone(), _permit: permit })
    }

    /// The pool, with room in it for one more connection: for what knows no other way.
    pub(super) async fn lend(&self) -> Result<Lent, DbErr> {
        let permit = self.permit().await?;
        drop(self.pop());
        Ok(Lent { pool: self.0.pool.clone(), _permit: permit })
    }

    /// Waits for what is held, and closes all.
    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.0.free.close();
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
        let free = self.0.free.clone().acquire_owned();
        match tokio::time::timeout(self.0.acquire_timeout, free).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)),
            Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }

    async fn open(&self) -> Result<Kept, DbErr> {
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
        Ok(Kept { connection, since: now, used: now })
    }

    fn pop(&self) -> Option<Kept> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    async fn is_there(&mut self) -> bool {
        match &mut self.connection {
            Connection::Postgres(connection) if self.used.elapsed() >= TRUSTED_IDLE => {
                connection.ping().await.is_ok()
            }
            _ => true,
        }
    }

    fn is_to_be_kept(&self) -> bool {
        matches!(self.connection, Connection::Sqlite(_)) || self.since.elapsed() < KEPT
    }
}

/// The pool while a connection may be taken from it.
pub(super) struct Lent {
    pub(super) pool: DatabaseConnection,
    _permit: OwnedSemaphorePermit,
}

/// A connection that is in use.
#[derive(Debug)]
pub(super) struct Held {
    /// There until it is dropped.
    kept: Option<Kept>,
    /// Whether its last statement has ended, and left it in order.
    is_settled: bool,
    home: Connections,
    _permit: OwnedSemaphorePermit,
}

impl Held {
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
        self.settle(&result);
        result.map_err(exec_error)
    }

    /// Closes the connection when it is dropped: nobody is to use it again.
    pub(super) fn close_on_drop(&mut self) {
        self.is_settled = false;
        match self.kept.as_mut().map(|kept| &mut kept.connection) {
            Some(Connection::Sqlite(connection)) => connection.close_on_drop(),
            Some(Connection::Postgres(connection)) => connection.close_on_drop(),
            None => {}
        }
    }

    /// Until the statement has ended, the connection is not in order.
    fn begin(&mut self) -> Result<&mut Connection, DbErr> {
        self.is_settled = false;
        let kept = self.kept.as_mut();
        kept.map(|kept| &mut kept.connection)
            .ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
    }

    fn end<T>(
        &mut self,
        statement: &Statement,
        begun: Instant,
        result: Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        self.home.0.telemetry.record(statement, begun.elapsed(), result.is_err());
        self.settle(&result);
        result
    }

    /// What the database itself has answered leaves the connection in order, unless it ends the session.
    fn settle<T>(&mut self, result: &Result<T, sqlx::Error>) {
        self.is_settled = match result {
            Ok(_) => true,
            Err(sqlx::Error::Database(error)) => {
                !error.code().is_some_and(|code| code.starts_with("57P"))
            }
            Err(_) => false,
        };
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(mut kept) = self.kept.take() else { return };
        let is_open = !self.home.0.free.is_closed();
        if self.is_settled && is_open && kept.is_to_be_kept() {
            kept.used = Instant::now();
            self.home.idle().push(kept);
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

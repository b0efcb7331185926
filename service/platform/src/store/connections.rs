//! Connections, kept from one statement to the next.
//!
//! sqlx asks a connection that is given back to its pool whether it is still there, which makes two trips to the
//! database of every read. So a connection is taken out of the pool once and kept here. One that was idle for
//! long is asked before it is used; one on which something went wrong, or whose statement nobody has waited for, goes
//! back to the pool, which asks it. The pool opens and closes connections, and knows how many there are.
//!
//! PostgreSQL goes away and comes back, perhaps as another server at the same address. What a lost session was told
//! holds for all that were opened before: none of them is used again. And one that is opened at a standby while the
//! primary is expected is refused, since it would read what is over, and write nothing.

mod guard;
mod open;

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult,
    RuntimeErr, Statement,
    sqlx::{self, postgres::PgConnectOptions},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

pub(super) use self::guard::ConnectionGuard;
use self::open::{Connection, OpenConnection, Patience, refuse_standby};
use super::telemetry::Telemetry;

/// How much longer a statement is waited for than PostgreSQL lets it run.
const ANSWER_GRACE: Duration = Duration::from_secs(5);

/// The connections to a database, for one kind of use. Cheap to clone; statements that run at the same time have a
/// connection each.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// What metrics call it.
    name: &'static str,
    pool: DatabaseConnection,
    telemetry: Telemetry,
    /// How many connections the pool has at most.
    size: u32,
    /// As many permits as the pool has connections.
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    acquire_timeout: Duration,
    refuses_standbys: bool,
    /// How long a statement is waited for: longer than PostgreSQL lets it run.
    answer_timeout: OnceLock<Duration>,
    /// Told when a statement was waited for in vain.
    silence: watch::Sender<()>,
    /// How often the server was lost.
    losses: AtomicU64,
    /// Those that nobody uses, the one that was used last at the end.
    idle: Mutex<Vec<OpenConnection>>,
}

impl Connections {
    /// The connections of a pool, of which nobody else takes any.
    pub(super) fn of(
        name: &'static str,
        mut pool: DatabaseConnection,
        size: u32,
        acquire_timeout: Duration,
        telemetry: &Telemetry,
    ) -> Self {
        telemetry.watch(&mut pool);
        Self(Arc::new(Inner {
            name,
            pool,
            telemetry: telemetry.clone(),
            size,
            permits: Arc::new(Semaphore::new(size as usize)),
            waiting: AtomicUsize::new(0),
            acquire_timeout,
            refuses_standbys: false,
            answer_timeout: OnceLock::new(),
            silence: watch::Sender::new(()),
            losses: AtomicU64::new(0),
            idle: Mutex::default(),
        }))
    }

    /// The same, of which none is a session of a standby. For connections that nobody has cloned yet.
    pub(super) fn refusing_standbys(mut self) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.refuses_standbys = true;
        }
        self
    }

    /// Says how long PostgreSQL lets a statement run. A server from which nothing comes for longer is gone, though no
    /// connection to it has ended: its machine is, or the way there.
    pub(super) fn set_statement_timeout(&self, timeout: Duration) {
        let _ = self.0.answer_timeout.set(timeout + ANSWER_GRACE);
    }

    /// A connection for as long as it is held.
    ///
    /// # Errors
    /// Where none was free in time, or none can be opened.
    pub(super) async fn acquire(&self) -> Result<ConnectionGuard, DbErr> {
        let begun = Instant::now();
        let permit = self.permit().await?;
        let open = loop {
            let Some(mut open) = self.pop() else { break self.open().await? };
            if open.is_alive().await {
                break open;
            }
        };
        metrics::histogram!("steward_pool_acquire_seconds", "pool" => self.0.name)
            .record(begun.elapsed().as_secs_f64());
        Ok(ConnectionGuard::new(open, self.clone(), permit))
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

    pub(super) fn name(&self) -> &'static str {
        self.0.name
    }

    /// How many connections there are at most.
    pub(super) fn size(&self) -> u32 {
        self.0.size
    }

    /// How many wait for a connection.
    pub(super) fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed)
    }

    /// Whether both are the same pool.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, DbErr> {
        let _waiter = Waiter::new(&self.0.waiting);
        let permit = self.0.permits.clone().acquire_owned();
        match tokio::time::timeout(self.0.acquire_timeout, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)),
            Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }

    async fn open(&self) -> Result<OpenConnection, DbErr> {
        let losses = self.losses();
        let connection = match self.get_database_backend() {
            DbBackend::Sqlite => {
                let connection = self.0.pool.get_sqlite_connection_pool().acquire().await;
                Connection::Sqlite(connection.map_err(acquire_error)?)
            }
            _ => {
                let connection = self.0.pool.get_postgres_connection_pool().acquire().await;
                let mut connection = connection.map_err(acquire_error)?;
                if self.0.refuses_standbys {
                    refuse_standby(&mut connection).await?;
                }
                Connection::Postgres(connection)
            }
        };
        Ok(OpenConnection::new(connection, losses))
    }

    fn pop(&self) -> Option<OpenConnection> {
        self.idle().pop()
    }

    /// How long an answer is waited for, once that is known.
    fn patience(&self) -> Option<Patience> {
        let timeout = *self.0.answer_timeout.get()?;
        Some(Patience { timeout, silence: self.0.silence.clone() })
    }

    fn losses(&self) -> u64 {
        self.0.losses.load(Ordering::SeqCst)
    }

    /// The server was lost: closes all that nobody uses. What is in use is closed by whoever uses it.
    fn lose(&self) {
        self.0.losses.fetch_add(1, Ordering::SeqCst);
        std::mem::take(&mut *self.idle()).iter_mut().for_each(OpenConnection::close_on_drop);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<OpenConnection>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits, until it is dropped.
struct Waiter<'a>(&'a AtomicUsize);

impl<'a> Waiter<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The pool while a connection may be taken from it.
pub(super) struct PoolPermit {
    pub(super) pool: DatabaseConnection,
    _permit: OwnedSemaphorePermit,
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

fn acquire_error(error: sqlx::Error) -> DbErr {
    match error {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        other => DbErr::Conn(RuntimeErr::SqlxError(Arc::new(other))),
    }
}

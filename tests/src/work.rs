//! How much a database does for a statement, in numbers that are the same on each run: the instructions of SQLite's
//! machine, and the rows that PostgreSQL's plan touches.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, SqlxSqliteConnector, Statement,
    sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use serde_json::Value;
use service::store::{Engine, Observer};

use crate::Database;

/// The statements that a store has run, with their values.
#[derive(Debug, Clone, Default)]
pub struct Statements(Arc<Mutex<Vec<Statement>>>);

impl Statements {
    /// What a store is to be connected with.
    pub fn observer(&self) -> Observer {
        let heard = self.0.clone();
        Observer::new(move |statement| heard.lock().unwrap().push(statement.clone()))
    }

    /// Those since the last call.
    ///
    /// # Panics
    /// Never.
    pub fn take(&self) -> Vec<Statement> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A connection of its own to a database, that counts.
#[derive(Debug)]
pub struct Counter {
    connection: DatabaseConnection,
    instructions: Arc<AtomicU64>,
}

impl Counter {
    /// Connects.
    ///
    /// # Panics
    /// If the database does not answer.
    pub async fn connect(database: &Database) -> Self {
        let instructions = Arc::new(AtomicU64::new(0));
        let connection = match database.engine {
            Engine::Sqlite => counting(&database.url, instructions.clone()).await,
            Engine::Postgres => one_connection(&database.url).await,
        };
        // A table of few pages is read whole gladly; what counts is whether there is another way. And SQLite reads the
        // schema with its first statement.
        let first = match database.engine {
            Engine::Sqlite => "SELECT 1 FROM organization LIMIT 1",
            Engine::Postgres => "SET enable_seqscan = off",
        };
        connection.execute_unprepared(first).await.unwrap();
        Self { connection, instructions }
    }

    /// What statements cost that read: instructions on SQLite, rows on PostgreSQL.
    ///
    /// # Panics
    /// If the database refuses one.
    pub async fn reads(&self, statements: impl IntoIterator<Item = Statement>) -> u64 {
        let mut count = 0;
        for statement in statements {
            count += match self.connection.get_database_backend() {
                DbBackend::Sqlite => self.instructions(statement).await,
                _ => self.rows(statement).await,
            };
        }
        count
    }

    async fn instructions(&self, statement: Statement) -> u64 {
        let before = self.instructions.load(Ordering::Relaxed);
        self.connection.query_all_raw(statement).await.unwrap();
        self.instructions.load(Ordering::Relaxed) - before
    }

    async fn rows(&self, statement: Statement) -> u64 {
        let sql = format!("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {}", statement.sql);
        let plan = self.connection.query_one_raw(Statement { sql, ..statement }).await.unwrap();
        let plan: Value = plan.unwrap().try_get("", "QUERY PLAN").unwrap();
        touched(&plan[0]["Plan"])
    }
}

async fn one_connection(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1);
    sea_orm::Database::connect(options).await.unwrap()
}

async fn counting(url: &str, instructions: Arc<AtomicU64>) -> DatabaseConnection {
    let options: SqliteConnectOptions = url.parse().unwrap();
    let count = move || {
        instructions.fetch_add(1, Ordering::Relaxed);
        true
    };
    let pool = SqlitePoolOptions::new().max_connections(1).after_connect(move |connection, _| {
        let count = count.clone();
        Box::pin(async move {
            connection.lock_handle().await?.set_progress_handler(1, count);
            Ok(())
        })
    });
    SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.connect_with(options).await.unwrap())
}

/// The rows that the leaves of a plan have looked at, whether they were wanted or not.
fn touched(node: &Value) -> u64 {
    let below: u64 = node["Plans"].as_array().into_iter().flatten().map(touched).sum();
    let is_scan = node["Node Type"]
        .as_str()
        .is_some_and(|kind| kind.contains("Scan") && kind != "Bitmap Index Scan");
    // What a bitmap's index finds is counted where its rows are read, what a subquery gives where it is made.
    let is_leaf =
        is_scan && node["Node Type"] != "Subquery Scan" && node["Node Type"] != "CTE Scan";
    let number = |name: &str| node[name].as_f64().unwrap_or_default();
    let removed = ["Rows Removed by Filter", "Rows Removed by Index Recheck"].map(number);
    let rows = (number("Actual Rows") + removed.iter().sum::<f64>()) * number("Actual Loops");
    below + if is_leaf { rows.round() as u64 } else { 0 }
}

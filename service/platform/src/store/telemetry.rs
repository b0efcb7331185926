//! What can be seen of the store from outside: statements and pools. Their values are for an [`Observer`] alone, which
//! nothing but a test sets.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::{DatabaseConnection, DbBackend, Statement, metric::Info, sqlx};
use tracing::{Span, field::Empty};

use super::{connections::Connections, slow::SlowStatements};
use crate::trace::{self, TARGET};

/// How much of a statement's text a span has: of an insert of many rows, most is placeholders.
const MAX_TEXT: usize = 2048;

/// What is told of every statement that has run, with its values: for what asks the database how it finds them.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Statement) + Send + Sync>);

impl Observer {
    /// Calls a function after each statement.
    pub fn new(observe: impl Fn(&Statement) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// Counts and times every statement, and knows the transactions that are open.
#[derive(Debug, Clone)]
pub(super) struct Telemetry {
    statements: Arc<AtomicU64>,
    slow: SlowStatements,
    transactions: OpenTransactions,
    observer: Option<Observer>,
}

impl Telemetry {
    /// One to which statements that take so long are slow.
    pub(super) fn new(slow: Duration, observer: Option<Observer>) -> Self {
        Self {
            statements: Arc::default(),
            slow: SlowStatements::new(slow),
            transactions: OpenTransactions::default(),
            observer,
        }
    }

    pub(super) fn watch(&self, connection: &mut DatabaseConnection) {
        let telemetry = self.clone();
        connection.set_metric_callback(move |info: &Info<'_>| {
            telemetry.record(info.statement, info.elapsed, info.failed);
        });
    }

    /// Counts and times a statement.
    pub(super) fn record(&self, statement: &Statement, elapsed: Duration, failed: bool) {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.time(statement, elapsed, failed);
        if let Some(Observer(observe)) = &self.observer {
            observe(statement);
        }
    }

    /// Times a statement.
    pub(super) fn time(&self, statement: &Statement, elapsed: Duration, failed: bool) {
        metrics::histogram!(
            "steward_statement_seconds",
            "operation" => operation(&statement.sql),
            "result" => if failed { "error" } else { "ok" },
        )
        .record(elapsed.as_secs_f64());
        self.slow.record(&statement.sql, elapsed);
    }

    pub(super) fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    pub(super) fn slow(&self) -> &SlowStatements {
        &self.slow
    }

    pub(super) fn transactions(&self) -> &OpenTransactions {
        &self.transactions
    }
}

/// The transactions of a process that are open, by when they were begun.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenTransactions(Arc<Mutex<(u64, BTreeMap<u64, Instant>)>>);

impl OpenTransactions {
    /// Counts a transaction as open for as long as what this gives is held.
    pub(super) fn begin(&self) -> OpenTransaction {
        let mut open = self.lock();
        open.0 += 1;
        let number = open.0;
        open.1.insert(number, Instant::now());
        OpenTransaction { number, all: self.clone() }
    }

    /// How long the oldest has been open; zero if there is none.
    pub(super) fn oldest(&self) -> Duration {
        self.lock().1.first_key_value().map_or(Duration::ZERO, |(_, begun)| begun.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Instant>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transaction that is open.
#[derive(Debug)]
pub(super) struct OpenTransaction {
    number: u64,
    all: OpenTransactions,
}

impl Drop for OpenTransaction {
    fn drop(&mut self) {
        self.all.lock().1.remove(&self.number);
    }
}

/// A statement that runs.
pub(super) struct Running {
    begun: Instant,
    span: Span,
}

impl Running {
    /// It begins now. Its span has its text, and never its values; no span, if it runs within none.
    pub(super) fn begin(backend: impl FnOnce() -> DbBackend, sql: &str) -> Self {
        let span = if trace::is_active() { span(backend(), sql) } else { Span::none() };
        Self { begun: Instant::now(), span }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// It has ended. What a database says of an error may hold values: only its code is told.
    pub(super) fn end<T>(self, result: &Result<T, sqlx::Error>) {
        let Err(error) = result else { return };
        let code = error.as_database_error().and_then(|error| error.code());
        self.span.record("otel.status_code", "ERROR");
        self.span.record("error.type", code.as_deref().unwrap_or("connection"));
    }
}

fn span(backend: DbBackend, sql: &str) -> Span {
    let system = if backend == DbBackend::Sqlite { "sqlite" } else { "postgresql" };
    let operation = first_word(sql);
    let summary = match table(sql) {
        Some(table) => format!("{operation} {table}"),
        None => operation.to_owned(),
    };
    tracing::debug_span!(
        target: TARGET,
        "statement",
        otel.name = summary,
        otel.kind = "client",
        db.system.name = system,
        db.operation.name = operation,
        db.query.text = &sql[..sql.floor_char_boundary(MAX_TEXT)],
        otel.status_code = Empty,
        "error.type" = Empty,
    )
}

/// The table that a statement is about: the first that is named after one of these words.
fn table(sql: &str) -> Option<&str> {
    let after = |word: &str| Some(sql.find(word)? + word.len());
    let begins = [" FROM \"", " INTO \"", "UPDATE \""].into_iter().filter_map(after).min()?;
    sql[begins..].split_once('"').map(|(table, _)| table)
}

/// The first word of a statement, of those that are worth a label.
fn operation(sql: &str) -> &'static str {
    let first = first_word(sql);
    ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"]
        .into_iter()
        .find(|word| word.eq_ignore_ascii_case(first))
        .unwrap_or("other")
}

fn first_word(sql: &str) -> &str {
    sql.split_ascii_whitespace().next().unwrap_or_default()
}

/// How a connection pool is used at this moment.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// `read`, `write`, `direct` or `replica`.
    pub name: &'static str,
    /// Connections that it has at most.
    pub max: u32,
    /// Connections that are open.
    pub open: u32,
    /// Open connections that nobody uses.
    pub idle: usize,
    /// Those who wait for a connection.
    pub waiting: usize,
}

impl Pool {
    pub(super) fn of(connections: &Connections) -> Self {
        let (open, idle) = connections.count();
        let (name, max) = (connections.name(), connections.size());
        Self { name, max, open, idle, waiting: connections.waiting() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_transaction_is_the_one_that_is_open() {
        let transactions = OpenTransactions::default();
        assert_eq!(transactions.oldest(), Duration::ZERO);
        let first = transactions.begin();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(2) {
            std::thread::yield_now();
        }
        let second = transactions.begin();
        assert!(transactions.oldest() >= Duration::from_millis(2));
        drop(first);
        assert!(transactions.oldest() < begun.elapsed());
        drop(second);
        assert_eq!(transactions.oldest(), Duration::ZERO);
    }

    #[test]
    fn a_statement_is_about_a_table() {
        for (sql, expected) in [
            (r#"SELECT "id" FROM "expense" WHERE "id" = ?"#, Some("expense")),
            (r#"INSERT INTO "event" ("id") SELECT ? FROM "task""#, Some("event")),
            (r#"UPDATE "task" SET "note" = ? RETURNING "id""#, Some("task")),
            (r#"DELETE FROM "lease""#, Some("lease")),
            ("SELECT 1", None),
            ("COMMIT", None),
            ("", None),
        ] {
            assert_eq!(table(sql), expected, "{sql}");
        }
    }
}

//! What can be seen of the store from outside: statements and pools. Their values are for an [`Observer`] alone, which
//! nothing but a test sets.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sea_orm::{DatabaseConnection, Statement, metric::Info};

use super::connections::Connections;

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

/// Counts and times every statement.
#[derive(Debug, Clone, Default)]
pub(super) struct Telemetry {
    statements: Arc<AtomicU64>,
    observer: Option<Observer>,
}

impl Telemetry {
    pub(super) fn of(observer: Option<Observer>) -> Self {
        Self { observer, ..Self::default() }
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
    }

    pub(super) fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }
}

/// The first word of a statement, of those that are worth a label.
fn operation(sql: &str) -> &'static str {
    let first = sql.split_ascii_whitespace().next().unwrap_or_default();
    ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"]
        .into_iter()
        .find(|word| word.eq_ignore_ascii_case(first))
        .unwrap_or("other")
}

/// How a connection pool is used at this moment.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// `read`, `write` or `replica`.
    pub name: &'static str,
    /// Connections that are open.
    pub open: u32,
    /// Open connections that nobody uses.
    pub idle: usize,
}

impl Pool {
    pub(super) fn of(name: &'static str, connections: &Connections) -> Self {
        let (open, idle) = connections.count();
        Self { name, open, idle }
    }
}

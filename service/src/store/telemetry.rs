//! What can be seen of the store from outside: statements and pools. Never their values.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sea_orm::{DatabaseConnection, metric::Info};

use super::connections::Connections;

/// Counts and times every statement.
#[derive(Debug, Clone, Default)]
pub(super) struct Telemetry {
    statements: Arc<AtomicU64>,
}

impl Telemetry {
    pub(super) fn watch(&self, connection: &mut DatabaseConnection) {
        let telemetry = self.clone();
        connection.set_metric_callback(move |info: &Info<'_>| {
            telemetry.record(&info.statement.sql, info.elapsed, info.failed);
        });
    }

    /// Counts a statement.
    pub(super) fn record(&self, sql: &str, elapsed: Duration, failed: bool) {
        self.statements.fetch_add(1, Ordering::Relaxed);
        metrics::histogram!(
            "steward_statement_seconds",
            "operation" => operation(sql),
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
    /// `read` or `write`.
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

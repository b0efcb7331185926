//! The statements that took long: how often, how long, and how the database finds what they ask for.
//!
//! A request only counts its statement here. What asks the database for a plan and writes to the log is a worker
//! ([`Explainer`]).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;

use super::{Store, fingerprint::Fingerprint};
use crate::{
    background::{Concurrency, Work},
    error::Result,
};

/// How many statements are kept, those that took longest in all.
const MAX_KEPT: usize = 100;
/// How many statements have a metric of their own, for as long as the process runs. The others share one.
const MAX_LABELLED: usize = 50;
/// How often one statement is logged at most.
const LOG_INTERVAL: Duration = Duration::from_secs(60);
/// How long a statement may be for which a plan is asked, in bytes: an insert of many rows is longer.
const MAX_EXPLAINED: usize = 32 * 1024;

/// A statement that took long, as an operator sees it.
#[derive(Debug, Clone)]
pub struct SlowStatement {
    /// What it is.
    pub fingerprint: Fingerprint,
    /// How often it took long.
    pub calls: u64,
    /// How long those took together.
    pub total: Duration,
    /// How long the longest took.
    pub max: Duration,
    /// The plan of the database, or why there is none; none as long as nobody has asked.
    pub plan: Option<Result<String, String>>,
}

/// Those of a process.
#[derive(Debug, Clone)]
pub(super) struct SlowStatements(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    threshold: Duration,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    statements: HashMap<String, Entry>,
    labelled: usize,
}

#[derive(Debug)]
struct Entry {
    shown: SlowStatement,
    /// Without values: what a plan is asked for.
    sql: String,
    has_label: bool,
    logged_at: Option<Instant>,
    /// Those since it was logged.
    unlogged: u64,
}

impl SlowStatements {
    /// Those that take at least so long.
    pub(super) fn new(threshold: Duration) -> Self {
        Self(Arc::new(Inner { threshold, kept: Mutex::default() }))
    }

    /// Counts a statement, if it took long.
    pub(super) fn record(&self, sql: &str, elapsed: Duration) {
        if elapsed < self.0.threshold || is_definition(sql) {
            return;
        }
        let fingerprint = Fingerprint::of(sql);
        let mut kept = self.kept();
        if !kept.statements.contains_key(&fingerprint.id) {
            kept.insert(fingerprint.clone(), sql);
        }
        let Some(entry) = kept.statements.get_mut(&fingerprint.id) else { return };
        entry.shown.calls += 1;
        entry.shown.total += elapsed;
        entry.shown.max = entry.shown.max.max(elapsed);
        entry.unlogged += 1;
        let (id, summary) = match entry.has_label {
            true => (fingerprint.id, fingerprint.summary),
            false => ("other".to_owned(), "other".to_owned()),
        };
        metrics::counter!("steward_slow_statements_total", "fingerprint" => id, "statement" => summary)
            .increment(1);
    }

    /// Those that took longest in all.
    pub(super) fn slowest(&self) -> Vec<SlowStatement> {
        let kept = self.kept();
        let mut slowest: Vec<_> = kept.statements.values().map(|it| it.shown.clone()).collect();
        slowest.sort_by_key(|statement| std::cmp::Reverse(statement.total));
        slowest
    }

    /// Those that are to be logged now, with how many there were since the last time.
    fn due(&self) -> Vec<(SlowStatement, String, u64)> {
        let mut kept = self.kept();
        let is_due = |entry: &&mut Entry| {
            let rests = entry.logged_at.is_some_and(|at| at.elapsed() < LOG_INTERVAL);
            entry.unlogged > 0 && !rests
        };
        let due = kept.statements.values_mut().filter(is_due).map(|entry| {
            entry.logged_at = Some(Instant::now());
            (entry.shown.clone(), entry.sql.clone(), std::mem::take(&mut entry.unlogged))
        });
        due.collect()
    }

    fn keep_plan(&self, id: &str, plan: &Result<String, String>) {
        if let Some(entry) = self.kept().statements.get_mut(id) {
            entry.shown.plan = Some(plan.clone());
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it changes the schema: that takes as long as there are rows, and has no plan.
fn is_definition(sql: &str) -> bool {
    ["ALTER ", "CREATE ", "DROP "].iter().any(|begin| sql.starts_with(begin))
}

impl Kept {
    fn insert(&mut self, fingerprint: Fingerprint, sql: &str) {
        if self.statements.len() >= MAX_KEPT {
            let least = self.statements.iter().min_by_key(|(_, entry)| entry.shown.total);
            let least = least.map(|(id, _)| id.clone()).unwrap_or_default();
            self.statements.remove(&least);
        }
        let has_label = self.labelled < MAX_LABELLED;
        self.labelled += usize::from(has_label);
        let id = fingerprint.id.clone();
        let shown = SlowStatement {
            fingerprint,
            calls: 0,
            total: Duration::ZERO,
            max: Duration::ZERO,
            plan: None,
        };
        let sql = sql.to_owned();
        let entry = Entry { shown, sql, has_label, logged_at: None, unlogged: 0 };
        self.statements.insert(id, entry);
    }
}

/// Logs statements that took long, each with its plan and at most once a minute.
#[derive(Debug)]
pub struct Explainer {
    store: Store,
}

impl Explainer {
    /// For the statements of a store.
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    async fn explain(&self) {
        let slow = self.store.slow();
        for (statement, sql, calls) in slow.due() {
            let plan = match sql.len() {
                ..=MAX_EXPLAINED => match self.store.plan(&sql).await {
                    Ok(plan) if plan.is_empty() => Err("nothing is looked up for it".to_owned()),
                    // Its words may repeat what the statement says.
                    other => other.map_err(|_| "the database refuses to plan it".to_owned()),
                },
                _ => Err(format!("the statement has more than {MAX_EXPLAINED} bytes")),
            };
            slow.keep_plan(&statement.fingerprint.id, &plan);
            let (plan, no_plan) = (plan.as_ref().ok(), plan.as_ref().err());
            let Fingerprint { id, text, .. } = &statement.fingerprint;
            tracing::warn!(
                fingerprint = id,
                statement = text,
                calls,
                max_ms = u64::try_from(statement.max.as_millis()).unwrap_or(u64::MAX),
                plan,
                no_plan,
                "a statement was slow"
            );
        }
    }
}

impl Work for Explainer {
    /// No reason to look again at once: what it asks is none of what it logs.
    fn turn(&self, _: Concurrency) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async {
            self.explain().await;
            Ok(0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_took_longest_are_kept() {
        let slow = SlowStatements::new(Duration::from_millis(10));
        slow.record("SELECT fast", Duration::from_millis(9));
        assert_eq!(slow.slowest().len(), 0);
        for number in 0..MAX_KEPT + 20 {
            let sql = format!("SELECT column_{number} FROM t WHERE a = 'secret'");
            slow.record(&sql, Duration::from_millis(10 + number as u64));
        }
        let kept = slow.slowest();
        assert_eq!(kept.len(), MAX_KEPT);
        assert_eq!(kept[0].fingerprint.text, "SELECT column_119 FROM t WHERE a = ?");
        assert_eq!(kept[0].max, Duration::from_millis(129));
        assert!(!format!("{kept:?}").contains("secret"));
        assert_eq!(slow.kept().labelled, MAX_LABELLED, "the others share a metric");
    }

    #[test]
    fn one_is_logged_once_a_minute() {
        let slow = SlowStatements::new(Duration::ZERO);
        for _ in 0..3 {
            slow.record("SELECT 1", Duration::from_millis(1));
        }
        let due = slow.due();
        assert_eq!((due.len(), due[0].2), (1, 3));
        slow.record("SELECT 2", Duration::from_millis(1));
        assert!(slow.due().is_empty(), "the same statement, a moment later");
    }
}

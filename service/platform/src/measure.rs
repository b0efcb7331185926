//! What `/metrics` shows of the database: measured in the background, so that whoever asks for metrics waits for no
//! database, and costs it nothing.

pub mod database;

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use sea_orm::{
    ConnectionTrait, ExprTrait,
    sea_query::{Expr, Func, Query, SelectStatement},
};

use crate::{
    background::{Concurrency, Work},
    error::Result,
    store::{Connections, Store},
};

/// How often what changes from moment to moment is measured.
pub const OFTEN: Duration = Duration::from_secs(15);
/// How many rows are counted at most: more would cost more, and say no more.
const MAX_COUNTED: u64 = 10_000;

/// A function that measures something, and sets its metrics.
pub type Take = Box<dyn for<'a> Fn(&'a Store) -> BoxFuture<'a, Result<()>> + Send + Sync>;

/// Something that is measured.
pub struct Measure {
    /// What `steward_measurement_timestamp_seconds` calls it.
    pub name: &'static str,
    /// How often.
    pub interval: Duration,
    /// How.
    pub take: Take,
}

impl fmt::Debug for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measure").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Measures for as long as a process serves.
#[derive(Debug)]
pub struct Measurements {
    store: Store,
    measures: Vec<Measure>,
    /// When each is due, by how long the process has run.
    due: Mutex<Vec<Duration>>,
}

impl Measurements {
    /// These, each for the first time at once.
    pub fn new(store: &Store, measures: Vec<Measure>) -> Self {
        let due = Mutex::new(vec![Duration::ZERO; measures.len()]);
        Self { store: store.clone(), measures, due }
    }

    async fn take_due(&self) -> Result<()> {
        let mut failed = None;
        for (number, measure) in self.measures.iter().enumerate() {
            if !self.is_due(number, measure.interval) {
                continue;
            }
            match (measure.take)(&self.store).await {
                Ok(()) => metrics::gauge!(
                    "steward_measurement_timestamp_seconds", "measurement" => measure.name,
                )
                .set(self.store.now().timestamp() as f64),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Whether one is due; then it is again after its interval, however this one ends.
    fn is_due(&self, number: usize, interval: Duration) -> bool {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let uptime = self.store.uptime();
        let is_due = due[number] <= uptime;
        if is_due {
            due[number] = uptime + interval;
        }
        is_due
    }
}

impl Work for Measurements {
    /// Nothing for a command: nobody asks it for metrics. No reason to look again at once.
    fn turn(&self, concurrency: Concurrency) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            if concurrency == Concurrency::Concurrent {
                self.take_due().await?;
            }
            Ok(0)
        })
    }
}

/// How many rows wait, up to 10,000, and since when the first of these does: what `waiting` selects as `since`.
///
/// # Errors
/// Where the database does not answer.
pub async fn count_waiting(
    connection: &Connections,
    mut waiting: SelectStatement,
) -> Result<(i64, Option<DateTime<Utc>>)> {
    waiting.limit(MAX_COUNTED);
    let counted = Query::select()
        .expr(Expr::col("since").count())
        .expr(Func::min(Expr::col("since")))
        .from_subquery(waiting, "waiting")
        .to_owned();
    match connection.query_one(&counted).await? {
        Some(row) => Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)),
        None => Ok((0, None)),
    }
}

/// How many seconds have passed since an instant; none if it has not come, or there is none.
pub fn seconds_since(store: &Store, since: Option<DateTime<Utc>>) -> f64 {
    let passed = since.and_then(|since| (store.now() - since).to_std().ok());
    passed.unwrap_or_default().as_secs_f64()
}

//! The time, handed in so that a test can fix it: what the clock on the wall shows, which may be put back, and
//! how long this process has run, which only grows.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use crate::fault;

/// Tells the time, in UTC, cut to microseconds: what both databases keep.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    uptime: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl Clock {
    /// The system's clock.
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
    pub fn system() -> Self {
        let ahead = fault::clock_ahead();
        Self::of(move || Utc::now() + ahead)
    }

    fn of(wall: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        let started = Instant::now();
        Self { wall: Arc::new(wall), uptime: Arc::new(move || started.elapsed()) }
    }

    /// A clock that stands at `start` and advances by `step` each time it is read.
    pub fn stepping(start: DateTime<Utc>, step: TimeDelta) -> Self {
        let readings = AtomicI64::new(0);
        let step = step.num_microseconds().unwrap_or(0);
        Self::of(move || {
            let passed = readings.fetch_add(1, Ordering::SeqCst).saturating_mul(step);
            start + TimeDelta::microseconds(passed)
        })
    }

    /// A clock that shows as many microseconds after `start` as `passed` says.
    pub fn by_hand(start: DateTime<Utc>, passed: Arc<AtomicI64>) -> Self {
        Self::of(move || start + TimeDelta::microseconds(passed.load(Ordering::SeqCst)))
    }

    /// The same with a stopwatch that shows as many microseconds as `passed` says.
    #[must_use]
    pub fn timed_by_hand(self, passed: Arc<AtomicU64>) -> Self {
        let uptime = move || Duration::from_micros(passed.load(Ordering::SeqCst));
        Self { uptime: Arc::new(uptime), ..self }
    }

    /// The instant.
    pub fn now(&self) -> DateTime<Utc> {
        let now = (self.wall)();
        now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
    }

    /// How long this process has run: never less than before, however the clock is put.
    pub fn uptime(&self) -> Duration {
        (self.uptime)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

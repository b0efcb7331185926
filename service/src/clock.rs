//! The time, handed in so that a test can fix it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// Tells the time, in UTC, cut to microseconds: what both databases keep.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    /// The system's clock.
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
    pub fn system() -> Self {
        Self(Arc::new(Utc::now))
    }

    /// A clock that stands at `start` and advances by `step` each time it is read.
    pub fn stepping(start: DateTime<Utc>, step: TimeDelta) -> Self {
        let readings = AtomicI64::new(0);
        let step = step.num_microseconds().unwrap_or(0);
        Self(Arc::new(move || {
            let passed = readings.fetch_add(1, Ordering::SeqCst).saturating_mul(step);
            start + TimeDelta::microseconds(passed)
        }))
    }

    /// A clock that shows as many microseconds after `start` as `passed` says.
    pub fn by_hand(start: DateTime<Utc>, passed: Arc<AtomicI64>) -> Self {
        Self(Arc::new(move || start + TimeDelta::microseconds(passed.load(Ordering::SeqCst))))
    }

    /// The instant.
    pub fn now(&self) -> DateTime<Utc> {
        let now = (self.0)();
        now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

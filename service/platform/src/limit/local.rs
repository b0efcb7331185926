//! What is counted in this process.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use moka::sync::Cache;

use super::{
    Subject,
    quota::{Quota, Taken},
};

/// By subject, when all of its quota will have come back. Times are microseconds of a clock that only goes forward.
#[derive(Debug, Clone)]
pub(super) struct Local(Cache<Subject, Arc<AtomicU64>>);

impl Local {
    /// Of so many subjects at most: those least asked for go first. A subject of which nobody asks for a window has
    /// all of its quota again, and goes.
    pub(super) fn new(capacity: u64, window: Duration) -> Self {
        Self(Cache::builder().max_capacity(capacity).time_to_idle(window).build())
    }

    /// [`Quota::take`].
    pub(super) fn take(
        &self,
        subject: Subject,
        quota: Quota,
        (wanted, reserve): (u32, u32),
        now: u64,
    ) -> Taken {
        let mut taken = Taken::default();
        self.change(subject, |whole_at| {
            taken = quota.take(whole_at.saturating_sub(now), wanted, reserve);
            (taken.granted > 0).then(|| now + taken.after)
        });
        taken
    }

    /// Takes one that was granted elsewhere, whether or not it is left here.
    pub(super) fn charge(&self, subject: Subject, quota: Quota, now: u64) {
        self.change(subject, |whole_at| {
            let debt = whole_at.saturating_sub(now) + quota.interval();
            Some(now + debt.min(quota.full()))
        });
    }

    /// Takes one back that counts no more.
    pub(super) fn give_back(&self, subject: Subject, quota: Quota) {
        self.change(subject, |whole_at| Some(whole_at.saturating_sub(quota.interval())));
    }

    pub(super) fn forget(&self, subject: Subject) {
        self.0.invalidate(&subject);
    }

    fn change(&self, subject: Subject, change: impl FnMut(u64) -> Option<u64>) {
        let whole_at = self.0.get_with(subject, Arc::default);
        // What is refused changes nothing.
        let _ = whole_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
    }
}

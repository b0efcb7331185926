//! How long something has not changed, as this process has seen it.
//!
//! What another process holds (a lease, a call that is under way) is given up for dead once nothing has
//! changed about it for long enough. No two clocks are compared for that: whoever waits looks again
//! and again, and measures with a stopwatch of its own ([`crate::store::Store::uptime`]).

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The state in which each thing was last seen, by a key, and since when.
#[derive(Debug)]
pub struct LivenessTracker<K, S>(Arc<Mutex<HashMap<K, (S, Duration)>>>);

impl<K, S> Default for LivenessTracker<K, S> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, S> Clone for LivenessTracker<K, S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Eq + Hash, S: PartialEq> LivenessTracker<K, S> {
    /// For how long something has been seen in this state: not at all, if this is the first look.
    pub fn unchanged_for(&self, key: K, state: S, uptime: Duration) -> Duration {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.entry(key) {
            Entry::Occupied(known) if known.get().0 == state => {
                uptime.saturating_sub(known.get().1)
            }
            changed => {
                changed.insert_entry((state, uptime));
                Duration::ZERO
            }
        }
    }

    /// Forgets all but what is still there.
    pub fn retain(&self, mut is_there: impl FnMut(&K) -> bool) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|key, _| is_there(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_alive() {
        let tracker = LivenessTracker::default();
        let seen = |state, at| tracker.unchanged_for("a", state, Duration::from_secs(at)).as_secs();
        assert_eq!(
            [seen(1, 10), seen(1, 14), seen(2, 15), seen(2, 19), seen(1, 20)],
            [0, 4, 0, 4, 0]
        );
        assert_eq!(tracker.unchanged_for("b", 1, Duration::from_secs(21)).as_secs(), 0);
        tracker.retain(|key| *key == "b");
        assert_eq!(seen(1, 30), 0, "it was forgotten");
        assert_eq!(tracker.unchanged_for("b", 1, Duration::from_secs(31)).as_secs(), 10);
    }
}

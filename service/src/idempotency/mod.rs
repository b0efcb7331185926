//! Retries: what is sent with a key is done once, and its answer is given again to who sends the
//! same again (docs/api.md, "Retries").
//!
//! The first statement of the transaction of the effect claims the key, and the last one keeps the
//! answer: there is never an effect without its answer, nor an answer without its effect. Whoever
//! comes with the same key meanwhile waits at the claim, and then finds the answer.

mod claim;
mod commands;
mod key;
mod repository;

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::TimeDelta;
use uuid::Uuid;

pub(crate) use claim::Claim;
pub(crate) use commands::sweep;
pub use commands::{Done, once};
pub use key::Key;

/// How long an answer is kept.
pub const KEPT: TimeDelta = TimeDelta::hours(24);

/// An answer as it is given, again and again. What is in it is its maker's business; it does not
/// show itself, since it may hold a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer(pub Vec<u8>);

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({} bytes)", self.0.len())
    }
}

/// The keys that are at work in this process.
#[derive(Debug, Clone, Default)]
pub struct Running(Arc<Mutex<HashSet<(Uuid, Uuid)>>>);

/// A key is at work until this goes.
#[derive(Debug)]
struct AtWork<'a> {
    running: &'a Running,
    key: (Uuid, Uuid),
}

impl Running {
    /// None if the key is at work already.
    fn begin(&self, key: &Key) -> Option<AtWork<'_>> {
        let key = key.row();
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key).then(|| AtWork { running: self, key })
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        let mut keys = self.running.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_at_work_once() {
        let running = Running::default();
        let [one, other] = ["one", "other"].map(|text| Key::new(None, text, &[]));
        let at_work = running.begin(&one).expect("nobody is at it");
        assert!(running.begin(&one).is_none());
        assert!(running.begin(&one).is_none(), "who is refused ends nothing");
        assert!(running.begin(&other).is_some());
        drop(at_work);
        assert!(running.begin(&one).is_some());
    }
}

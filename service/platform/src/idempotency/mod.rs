//! Retries: what is sent with a key is done once, and its response is given again to who sends the
//! same again (docs/api.md, "Retries").
//!
//! The first statement of the transaction of the effect claims the key, and the last one keeps the
//! response: there is never an effect without its response, nor a response without its effect.
//! Whoever comes with the same key meanwhile waits at the claim, and then finds the response.

mod claim;
mod commands;
mod key;
mod repository;
mod write_once;

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::TimeDelta;
use uuid::Uuid;

pub use commands::{Outcome, Sweep, run_once};
pub use key::Key;
pub use write_once::WriteOnce;

/// How long a response is kept.
pub const RETENTION: TimeDelta = TimeDelta::hours(24);

/// A response as it is given, again and again. What is in it is its maker's business; it does not
/// show itself, since it may hold a token.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordedResponse(pub Vec<u8>);

impl fmt::Debug for RecordedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordedResponse({} bytes)", self.0.len())
    }
}

/// The keys that are at work in this process.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<Mutex<HashSet<(Uuid, Uuid)>>>);

/// A key is at work until this goes.
#[derive(Debug)]
struct InFlightGuard<'a> {
    in_flight: &'a InFlight,
    key: (Uuid, Uuid),
}

impl InFlight {
    /// None if the key is at work already.
    fn begin(&self, key: &Key) -> Option<InFlightGuard<'_>> {
        let key = key.row();
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key).then(|| InFlightGuard { in_flight: self, key })
    }
}

impl Drop for InFlightGuard<'_> {
    fn drop(&mut self) {
        let mut keys = self.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_at_work_once() {
        let in_flight = InFlight::default();
        let [one, other] = ["one", "other"].map(|text| Key::new(None, text, &[]));
        let guard = in_flight.begin(&one).expect("nobody is at it");
        assert!(in_flight.begin(&one).is_none());
        assert!(in_flight.begin(&one).is_none(), "who is refused ends nothing");
        assert!(in_flight.begin(&other).is_some());
        drop(guard);
        assert!(in_flight.begin(&one).is_some());
    }
}

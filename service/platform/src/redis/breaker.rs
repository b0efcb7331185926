//! A circuit breaker: what has failed several times in a row is left alone for a while.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How many failures in a row open the circuit.
const FAILURES: u32 = 5;
/// For how long nothing is tried while the circuit is open, and for how long at most one trial is waited for.
const PAUSE: Duration = Duration::from_secs(1);

/// Decides whether something is tried. The time is handed in.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Clone, Copy)]
enum State {
    /// All is tried. So many have failed in a row.
    Closed { failures: u32 },
    /// Nothing is tried until then.
    Open { until: Instant },
    /// One is being tried. Until then, nothing else is: it may never end.
    HalfOpen { until: Instant },
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

/// What an outcome has changed, as those outside see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// From now on, little is tried.
    Opened,
    /// From now on, all is tried.
    Closed,
}

impl Breaker {
    /// Whether something may be tried now. Who tries tells how it ended.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let mut state = self.state();
        match *state {
            State::Closed { .. } => true,
            State::Open { until } | State::HalfOpen { until } if now < until => false,
            State::Open { .. } | State::HalfOpen { .. } => {
                *state = State::HalfOpen { until: now + PAUSE };
                true
            }
        }
    }

    /// It went well.
    pub(super) fn succeeded(&self) -> Option<Change> {
        let mut state = self.state();
        match *state {
            // It was tried before the circuit was opened, and says nothing of what is tried next.
            State::Open { .. } => None,
            State::Closed { .. } => {
                *state = State::default();
                None
            }
            State::HalfOpen { .. } => {
                *state = State::default();
                Some(Change::Closed)
            }
        }
    }

    /// It failed.
    pub(super) fn failed(&self, now: Instant) -> Option<Change> {
        let mut state = self.state();
        let open = State::Open { until: now + PAUSE };
        match *state {
            State::Closed { failures } if failures + 1 < FAILURES => {
                *state = State::Closed { failures: failures + 1 };
                None
            }
            State::Closed { .. } => {
                *state = open;
                Some(Change::Opened)
            }
            State::HalfOpen { .. } => {
                *state = open;
                None
            }
            State::Open { .. } => None,
        }
    }

    /// Whether little is tried.
    pub(super) fn is_open(&self) -> bool {
        !matches!(*self.state(), State::Closed { .. })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A breaker that has just opened, and when.
    fn opened() -> (Breaker, Instant) {
        let (breaker, now) = (Breaker::default(), Instant::now());
        for _ in 1..FAILURES {
            assert!(breaker.admits(now));
            assert_eq!(breaker.failed(now), None);
        }
        assert!(breaker.admits(now));
        assert_eq!(breaker.failed(now), Some(Change::Opened));
        (breaker, now)
    }

    #[test]
    fn failures_in_a_row_open_it() {
        let (breaker, now) = opened();
        assert!(!breaker.admits(now));
        assert!(!breaker.admits(now + PAUSE - Duration::from_millis(1)));
    }

    #[test]
    fn a_success_between_failures_keeps_it_closed() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..10 * FAILURES {
            assert_eq!(breaker.failed(now), None);
            assert_eq!(breaker.succeeded(), None);
            assert!(breaker.admits(now));
        }
    }

    #[test]
    fn one_is_tried_after_the_pause_and_its_success_closes_it() {
        let (breaker, now) = opened();
        let later = now + PAUSE;
        assert!(breaker.admits(later));
        assert!(!breaker.admits(later), "one at a time");
        assert!(breaker.is_open());
        assert_eq!(breaker.succeeded(), Some(Change::Closed));
        assert!(!breaker.is_open());
        assert!(breaker.admits(later));
        assert_eq!(breaker.failed(later), None, "it counts from the start");
    }

    #[test]
    fn a_failure_of_the_one_that_is_tried_keeps_it_open() {
        let (breaker, now) = opened();
        let later = now + PAUSE;
        assert!(breaker.admits(later));
        assert_eq!(breaker.failed(later), None);
        assert!(!breaker.admits(later));
        assert!(breaker.admits(later + PAUSE));
    }

    #[test]
    fn one_that_never_ends_is_not_the_last() {
        let (breaker, now) = opened();
        assert!(breaker.admits(now + PAUSE));
        assert!(breaker.admits(now + 2 * PAUSE));
    }

    #[test]
    fn what_was_tried_before_it_opened_does_not_close_it() {
        let (breaker, now) = opened();
        assert_eq!(breaker.succeeded(), None);
        assert!(!breaker.admits(now));
    }
}

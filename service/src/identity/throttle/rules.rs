//! How long who has failed has to wait. Pure.

use std::time::{Duration, Instant};

/// How failures are counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    /// How many have no consequence.
    pub(super) free: u32,
    /// How long one has to wait at most.
    pub(super) max_wait: Duration,
    /// How long it takes until one failure is forgiven.
    pub(super) forgive_interval: Duration,
}

/// The first wait; each is twice the one before.
const INITIAL_WAIT: Duration = Duration::from_secs(1);

/// Failures, and the wait that follows from them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    failures: u32,
    /// Since when failures are forgiven.
    since: Option<Instant>,
    blocked_until: Option<Instant>,
}

impl Count {
    /// Whether another attempt may begin.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn check(&mut self, policy: &Policy, now: Instant) -> Result<(), Duration> {
        self.forgive(policy, now);
        match self.blocked_until.and_then(|until| until.checked_duration_since(now)) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => Ok(()),
        }
    }

    /// Whether there is a failure that is not forgiven.
    pub(super) fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// Counts a failure.
    pub(super) fn charge(&mut self, policy: &Policy, now: Instant) {
        if self.failures == 0 {
            self.since = Some(now);
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures >= policy.free {
            self.blocked_until = Some(now + wait(self.failures - policy.free, policy.max_wait));
        }
    }

    /// Takes a failure back that was none.
    pub(super) fn refund(&mut self, policy: &Policy) {
        self.failures = self.failures.saturating_sub(1);
        if self.failures < policy.free {
            self.blocked_until = None;
        }
    }

    fn forgive(&mut self, policy: &Policy, now: Instant) {
        let Some(since) = self.since else { return };
        let passed = now.saturating_duration_since(since);
        let forgiven = passed.as_nanos() / policy.forgive_interval.as_nanos().max(1);
        let forgiven = u32::try_from(forgiven).unwrap_or(u32::MAX);
        if forgiven >= self.failures {
            *self = Self { blocked_until: self.blocked_until, ..Self::default() };
        } else {
            self.failures -= forgiven;
            self.since = since.checked_add(policy.forgive_interval.saturating_mul(forgiven));
        }
    }
}

fn wait(doublings: u32, max_wait: Duration) -> Duration {
    2_u32.checked_pow(doublings).map_or(max_wait, |times| {
        INITIAL_WAIT.checked_mul(times).map_or(max_wait, |wait| wait.min(max_wait))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        free: 3,
        max_wait: Duration::from_secs(60),
        forgive_interval: Duration::from_secs(600),
    };

    #[test]
    fn each_wait_is_twice_the_one_before_up_to_the_longest() {
        let (mut count, mut now) = (Count::default(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..12 {
            while let Err(wait) = count.check(&POLICY, now) {
                waits.push(wait.as_secs());
                now += wait;
            }
            count.charge(&POLICY, now);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn failures_are_forgiven_one_after_the_other() {
        let (mut count, start) = (Count::default(), Instant::now());
        for _ in 0..5 {
            count.charge(&POLICY, start);
        }
        let after = |count: &mut Count, times: u32| {
            let _ = count.check(&POLICY, start + POLICY.forgive_interval * times);
            count.failures
        };
        assert_eq!([0, 1, 1, 3].map(|times| after(&mut count, times)), [5, 4, 4, 2]);
        assert_eq!(after(&mut count, 100), 0);
        assert_eq!(count.check(&POLICY, start + POLICY.forgive_interval * 100), Ok(()));
    }

    #[test]
    fn what_is_taken_back_blocks_no_more() {
        let (mut count, now) = (Count::default(), Instant::now());
        for _ in 0..3 {
            count.check(&POLICY, now).expect("free");
            count.charge(&POLICY, now);
        }
        count.check(&POLICY, now).expect_err("blocked");
        count.refund(&POLICY);
        assert_eq!(count.check(&POLICY, now), Ok(()));
    }
}

//! How long to wait before something is tried again that has failed.

use chrono::TimeDelta;

use crate::random::Random;

/// Exponential backoff: the longest delay doubles with each failure, up to a bound.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The longest delay after the first failure.
    pub initial: TimeDelta,
    /// The longest delay of all.
    pub max: TimeDelta,
}

/// What of a delay is left to chance, so that what failed together is not tried together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jitter {
    /// A delay is from half of the longest to all of it.
    Half,
    /// A delay is from a millisecond to all of the longest.
    Full,
}

impl Backoff {
    /// The longest delay after so many failures, one or more. It is the delay itself where there is no jitter.
    pub fn longest(&self, failures: i64) -> TimeDelta {
        let doublings = (failures - 1).clamp(0, 20);
        self.max.min(self.initial * (1_i32 << doublings))
    }

    /// A delay after so many failures, to the millisecond.
    pub fn delay(&self, failures: i64, jitter: Jitter, random: &Random) -> TimeDelta {
        let longest = self.longest(failures).num_milliseconds();
        let certain = match jitter {
            Jitter::Half => longest / 2,
            Jitter::Full => 1,
        };
        let chance = random.below(u64::try_from(longest - certain).unwrap_or_default() + 1);
        TimeDelta::milliseconds(certain + i64::try_from(chance).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff =
        Backoff { initial: TimeDelta::seconds(1), max: TimeDelta::seconds(300) };

    #[test]
    fn the_longest_delay_doubles_up_to_the_bound() {
        let longest: Vec<_> =
            (1..=10).map(|failures| BACKOFF.longest(failures).num_seconds()).collect();
        assert_eq!(longest, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert_eq!(BACKOFF.longest(i64::MAX), BACKOFF.max);
    }

    #[test]
    fn a_delay_is_within_the_bounds_of_its_jitter() {
        let random = Random::seeded(1);
        for failures in 1..=10 {
            let longest = BACKOFF.longest(failures);
            for _ in 0..100 {
                let half = BACKOFF.delay(failures, Jitter::Half, &random);
                assert!(longest / 2 <= half && half <= longest, "{failures}: {half}");
                let full = BACKOFF.delay(failures, Jitter::Full, &random);
                assert!(TimeDelta::zero() < full && full <= longest, "{failures}: {full}");
            }
        }
    }
}

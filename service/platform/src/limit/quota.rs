//! Quotas, and the generic cell rate algorithm (GCRA): what is taken of a quota comes back evenly. Pure.

use std::{fmt, str::FromStr, time::Duration};

/// So many in a window. All of them may be taken at once; from then on, one comes back after the other, all within
/// the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    count: u32,
    seconds: u32,
}

/// How long a window is at most.
const MAX_SECONDS: u32 = 30 * 24 * 60 * 60;

/// What was taken of a quota. Times are in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many were granted: none, where there were none left.
    pub granted: u32,
    /// After how long all would have come back before.
    pub before: u64,
    /// After how long all will have come back now.
    pub after: u64,
}

impl Quota {
    /// So many in so many seconds, or none where that is no quota: both are at least 1, the window has 30 days at
    /// most, and one comes back in a microsecond at most.
    pub const fn new(count: u32, seconds: u32) -> Option<Self> {
        if count == 0 || seconds == 0 || seconds > MAX_SECONDS {
            return None;
        }
        if count as u64 > seconds as u64 * MICROSECONDS {
            return None;
        }
        Some(Self { count, seconds })
    }

    /// How many there are in all.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Within how many seconds all of them come back.
    pub fn seconds(self) -> u32 {
        self.seconds
    }

    /// How long one takes to come back, in microseconds: the fraction of one is left out.
    pub(super) fn interval(self) -> u64 {
        u64::from(self.seconds) * MICROSECONDS / u64::from(self.count)
    }

    /// How long all of them take to come back, in microseconds.
    pub fn full(self) -> u64 {
        self.interval() * u64::from(self.count)
    }

    /// Takes up to so many, of a quota of which all will have come back after `debt` microseconds. `reserve` of them
    /// stay. More than all is never owed: whoever sets a clock back locks nobody out.
    pub fn take(self, debt: u64, wanted: u32, reserve: u32) -> Taken {
        let (interval, before) = (self.interval(), debt.min(self.full()));
        let left = (self.full() - before) / interval;
        let granted = left.saturating_sub(u64::from(reserve)).min(u64::from(wanted));
        let after = before + granted * interval;
        Taken { granted: u32::try_from(granted).unwrap_or(wanted), before, after }
    }

    /// How many are left, of a quota of which all will have come back after `debt` microseconds.
    pub(super) fn left(self, debt: u64) -> u32 {
        let left = self.full().saturating_sub(debt) / self.interval();
        u32::try_from(left).unwrap_or(self.count)
    }

    /// After how long one is left besides the `reserve`, where all will have come back after `debt` microseconds.
    pub(super) fn wait(self, debt: u64, reserve: u32) -> Duration {
        let needed = self.interval() * (u64::from(reserve) + 1);
        Duration::from_micros((debt + needed).saturating_sub(self.full()))
    }
}

const MICROSECONDS: u64 = 1_000_000;

/// As `600/1m`: a count, and a window in seconds, minutes, hours or days.
impl FromStr for Quota {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "{text:?} is no limit as in 600/1m: a count and a window of 1s to 30d (s, m, h, d), or off"
            )
        };
        let (count, window) = text.split_once('/').ok_or_else(refused)?;
        let unit = window.chars().next_back().ok_or_else(refused)?;
        let seconds: u32 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            _ => return Err(refused()),
        };
        let digits = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => text.parse::<u32>().ok(),
            false => None,
        };
        let number = digits(&window[..window.len() - 1]);
        let seconds = number.and_then(|number| number.checked_mul(seconds));
        let quota =
            digits(count).zip(seconds).and_then(|(count, seconds)| Self::new(count, seconds));
        quota.ok_or_else(refused)
    }
}

/// As people read it: `600 in 60 s`.
impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} s", self.count, self.seconds)
    }
}

/// A quota, or none: what a setting says, as `600/1m` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub Option<Quota>);

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self(None)),
            quota => quota.parse().map(|quota| Self(Some(quota))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(text: &str) -> Quota {
        text.parse().expect("a quota")
    }

    #[test]
    fn a_limit_is_a_count_and_a_window_or_off() {
        for (text, count, seconds) in
            [("5/20s", 5, 20), ("600/1m", 600, 60), ("12/3h", 12, 10_800), ("1/30d", 1, 2_592_000)]
        {
            assert_eq!(text.parse(), Ok(Limit(Quota::new(count, seconds))), "{text}");
        }
        assert_eq!("off".parse(), Ok(Limit(None)));
        for text in [
            "",
            "600",
            "600/",
            "600/m",
            "/1m",
            "0/1m",
            "600/0s",
            "-1/1m",
            "+1/1m",
            "1/+1m",
            "600/1w",
            "600/1.5m",
            "1/31d",
            "1000001/1s",
            "1/99999999999s",
            "1/50000d",
            "600/1m ",
            "600/1µ",
            "OFF",
        ] {
            assert!(text.parse::<Limit>().is_err(), "{text}");
        }
    }

    #[test]
    fn all_may_come_at_once_and_come_back_evenly() {
        let quota = quota("6/1m");
        let taken = quota.take(0, 6, 0);
        assert_eq!(taken, Taken { granted: 6, before: 0, after: 60_000_000 });
        assert_eq!(quota.left(taken.after), 0);
        assert_eq!(quota.take(taken.after, 1, 0).granted, 0);
        assert_eq!(quota.wait(taken.after, 0), Duration::from_secs(10));
        assert_eq!(quota.take(50_000_001, 1, 0).granted, 0);
        assert_eq!(quota.take(50_000_000, 1, 0).granted, 1);
        assert_eq!(quota.take(30_000_000, 5, 0).granted, 3, "as many as there are");
    }

    #[test]
    fn what_is_reserved_stays() {
        let quota = quota("6/1m");
        assert_eq!(quota.take(0, 6, 2).granted, 4);
        assert_eq!(quota.take(40_000_000, 1, 2).granted, 0);
        assert_eq!(quota.wait(40_000_000, 2), Duration::from_secs(10));
        assert_eq!(quota.take(30_000_000, 1, 2).granted, 1);
    }

    #[test]
    fn nobody_owes_more_than_all() {
        let quota = quota("6/1m");
        let taken = quota.take(u64::MAX, 1, 0);
        assert_eq!((taken.granted, taken.before), (0, quota.full()));
        assert_eq!(quota.wait(taken.before, 0), Duration::from_secs(10));
    }

    proptest::proptest! {
        /// Whatever is asked for and when, no more passes than the quota and what has come back, and whoever waits
        /// as long as they are told to passes, and not a microsecond before.
        #[test]
        fn no_more_passes_than_the_quota_allows(
            count in 1_u32..50, seconds in 1_u32..100,
            steps in proptest::collection::vec((0_u64..3_000_000, 1_u32..4), 1..100),
        ) {
            let quota = Quota::new(count, seconds).expect("a quota");
            let (mut whole_at, mut now, mut passed) = (0_u64, 0_u64, 0_u64);
            for (step, wanted) in steps {
                now += step;
                let taken = quota.take(whole_at.saturating_sub(now), wanted, 0);
                if taken.granted > 0 {
                    whole_at = now + taken.after;
                } else {
                    let wait = u64::try_from(quota.wait(taken.before, 0).as_micros()).expect("short");
                    let later = |wait: u64| quota.take(taken.before.saturating_sub(wait), 1, 0).granted;
                    proptest::prop_assert_eq!((later(wait), later(wait - 1)), (1, 0));
                }
                passed += u64::from(taken.granted);
                proptest::prop_assert!(passed <= u64::from(count) + now / quota.interval());
            }
        }
    }
}

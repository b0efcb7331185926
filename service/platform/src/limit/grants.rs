//! What this node has taken from Redis beforehand: of a large quota a part at a time, so that few requests ask Redis.
//! No more passes on all nodes together than the quota; what a node takes and does not use is lost.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use moka::sync::Cache;

use super::{
    Refused, Standing, Subject,
    quota::{Quota, Taken},
};

/// What part of a quota is taken at once.
const PARTS: u32 = 100;
/// How many are taken at once at most.
const MAX_BATCH: u32 = 1_000;
/// How long what was taken may be used, in microseconds.
const LIFETIME: u64 = 1_000_000;

/// How many of a quota are taken at once: of a small one, one.
pub(super) fn batch(quota: Quota) -> u32 {
    (quota.count() / PARTS).clamp(1, MAX_BATCH)
}

/// By subject. Times are microseconds of a clock that only goes forward.
#[derive(Debug, Clone)]
pub(super) struct Grants(Cache<Subject, Arc<Mutex<Grant>>>);

#[derive(Debug, Default)]
struct Grant {
    /// How many are left here, and until when they may be used.
    left: u32,
    ends_at: u64,
    /// How many are left in Redis, and after how long all will have come back there.
    remaining: u32,
    reset: Duration,
    /// Until when none is left: nobody can have taken one back before.
    refused_until: u64,
}

impl Grants {
    pub(super) fn new(capacity: u64, window: Duration) -> Self {
        Self(Cache::builder().max_capacity(capacity).time_to_idle(window).build())
    }

    /// What is known without Redis.
    pub(super) fn take(
        &self,
        policy: &'static str,
        subject: Subject,
        quota: Quota,
        now: u64,
    ) -> Option<Result<Standing, Refused>> {
        let grant = self.0.get(&subject)?;
        let mut grant = grant.lock().unwrap_or_else(PoisonError::into_inner);
        if now < grant.refused_until {
            let wait = Duration::from_micros(grant.refused_until - now);
            return Some(Err(Refused { policy, quota, wait }));
        }
        if grant.left == 0 || now >= grant.ends_at {
            return None;
        }
        grant.left -= 1;
        let remaining = grant.remaining + grant.left;
        Some(Ok(Standing { policy, quota, remaining, reset: grant.reset, was_whole: false }))
    }

    /// What Redis has granted, of which one is used at once.
    pub(super) fn put(
        &self,
        policy: &'static str,
        subject: Subject,
        (quota, taken): (Quota, Taken),
        now: u64,
    ) -> Result<Standing, Refused> {
        let grant = self.0.get_with(subject, Arc::default);
        let mut grant = grant.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = Standing::of(policy, quota, taken, 0);
        match outcome {
            Ok(standing) => {
                let unused = if now < grant.ends_at { grant.left } else { 0 };
                grant.left = unused + taken.granted - 1;
                grant.ends_at = now + LIFETIME;
                (grant.remaining, grant.reset) = (standing.remaining, standing.reset);
                Ok(Standing { remaining: grant.remaining + grant.left, ..standing })
            }
            Err(refused) => {
                let wait = u64::try_from(refused.wait.as_micros()).unwrap_or(u64::MAX);
                grant.refused_until = now.saturating_add(wait);
                Err(refused)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(count: u32) -> Quota {
        Quota::new(count, 60).expect("a quota")
    }

    #[test]
    fn a_large_quota_is_taken_in_parts_and_a_small_one_one_by_one() {
        let sizes = [1, 150, 200, 60_000, 3_000_000].map(|count| batch(quota(count)));
        assert_eq!(sizes, [1, 1, 2, 600, 1_000]);
    }

    #[test]
    fn what_was_taken_is_used_in_its_time_and_no_more_than_that() {
        let (grants, subject) = (Grants::new(10, Duration::from_secs(60)), Subject::new(1));
        let quota = quota(600);
        assert!(grants.take("reads", subject, quota, 5).is_none());
        let taken = quota.take(0, batch(quota), 0);
        let first = grants.put("reads", subject, (quota, taken), 5).expect("six were granted");
        assert_eq!(first.remaining, 599);
        for remaining in (594..599).rev() {
            let next = grants.take("reads", subject, quota, 6).expect("it is known");
            assert_eq!(next.expect("it is granted").remaining, remaining);
        }
        assert!(grants.take("reads", subject, quota, 6).is_none(), "all are used");
        let taken = quota.take(taken.after, batch(quota), 0);
        grants.put("reads", subject, (quota, taken), 10).expect("six more");
        assert!(grants.take("reads", subject, quota, 10 + LIFETIME - 1).is_some());
        assert!(
            grants.take("reads", subject, quota, 10 + LIFETIME).is_none(),
            "their time is over"
        );
    }

    #[test]
    fn who_is_refused_is_so_until_the_wait_ends_and_redis_is_not_asked() {
        let (grants, subject) = (Grants::new(10, Duration::from_secs(60)), Subject::new(1));
        let quota = quota(6);
        let taken = quota.take(quota.full(), 1, 0);
        let refused =
            grants.put("reads", subject, (quota, taken), 1_000_000).expect_err("none is left");
        assert_eq!(refused.wait, Duration::from_secs(10));
        let known = grants.take("reads", subject, quota, 10_000_000).expect("it is known");
        assert_eq!(known.expect_err("none is left").wait, Duration::from_secs(1));
        assert!(grants.take("reads", subject, quota, 11_000_000).is_none());
    }
}

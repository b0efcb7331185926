//! Limits of how often something is done: each policy counts by subject, and a quota says how many of them there are
//! in a window.
//!
//! Without a Redis, each node counts for itself. With one, all nodes count together. While Redis does not answer, each
//! counts for itself again: requests with the whole quota, so that nothing is refused for the sake of Redis, and
//! attempts to guess something with half of it, so that a guesser wins little by its absence. What attempts a node
//! has seen, it remembers in either case (docs/decisions/0029).
//!
//! Time is that of a clock that only goes forward: nobody who sets a clock lets anybody pass, or locks anybody out.

mod grants;
mod local;
mod policy;
mod quota;
mod shared;

use std::{fmt, time::Duration};

use uuid::Uuid;

pub use policy::{Counts, Policy};
pub use quota::{Limit, Quota, Taken};
pub use shared::take_in_redis;

use crate::{clock::Clock, redis::Redis};
use policy::Inner;

/// Whom a policy counts for: a user, a network, a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject {
    id: u128,
    part: u8,
}

impl Subject {
    /// The one of this number. It shows: of what is secret, it is a hash.
    pub fn new(id: u128) -> Self {
        Self { id, part: 0 }
    }

    /// The same in one of its parts, which are counted apart.
    #[must_use]
    pub fn in_part(self, part: u8) -> Self {
        Self { part, ..self }
    }
}

impl From<Uuid> for Subject {
    fn from(id: Uuid) -> Self {
        Self::new(id.as_u128())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}:{}", self.id, self.part)
    }
}

/// Where somebody stands who has been let pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The name of the policy.
    pub policy: &'static str,
    /// The quota.
    pub quota: Quota,
    /// How many are left.
    pub remaining: u32,
    /// After how long all are left again; where none is left, after how long one is.
    pub reset: Duration,
    /// Whether all were left before.
    pub was_whole: bool,
}

/// Why somebody has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The name of the policy.
    pub policy: &'static str,
    /// The quota.
    pub quota: Quota,
    /// How long: never nothing.
    pub wait: Duration,
}

impl Refused {
    /// How many seconds to wait: after so many, one is left.
    pub fn seconds(&self) -> u64 {
        whole_seconds(self.wait).max(1)
    }
}

impl Standing {
    fn of(policy: &'static str, quota: Quota, taken: Taken, reserve: u32) -> Result<Self, Refused> {
        if taken.granted == 0 {
            return Err(Refused { policy, quota, wait: quota.wait(taken.before, reserve) });
        }
        let remaining = quota.left(taken.after).saturating_sub(reserve);
        let reset = match remaining {
            0 => quota.wait(taken.after, reserve),
            _ => Duration::from_micros(taken.after),
        };
        Ok(Self { policy, quota, remaining, reset, was_whole: taken.before == 0 })
    }

    /// [`Standing::reset`] in seconds.
    pub fn seconds(&self) -> u64 {
        whole_seconds(self.reset)
    }
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// Who counts, for all policies. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Limiter {
    clock: Clock,
    redis: Option<Redis>,
}

impl Limiter {
    /// Counts by the uptime of this clock; with a Redis, together with all who count there.
    pub fn new(clock: Clock, redis: Option<Redis>) -> Self {
        Self { clock, redis }
    }

    /// Counts one of a subject's. Takes well below a microsecond, unless Redis is asked.
    ///
    /// # Errors
    /// [`Refused`] where the quota has none left: that counts nothing.
    pub async fn take(
        &self,
        policy: &Policy,
        subject: Subject,
        quota: Quota,
    ) -> Result<Standing, Refused> {
        let outcome = match (&self.redis, policy.0.counts) {
            (None, _) => policy.take_here(subject, quota, 0, self.now()),
            (Some(redis), Counts::Requests) => {
                self.take_request(redis, policy, subject, quota).await
            }
            (Some(redis), Counts::Attempts) => {
                self.take_attempt(redis, policy, subject, quota).await
            }
        };
        match outcome {
            Ok(_) => policy.counters().allowed.increment(1),
            Err(_) => policy.counters().refused.increment(1),
        }
        outcome
    }

    async fn take_request(
        &self,
        redis: &Redis,
        policy: &Policy,
        subject: Subject,
        quota: Quota,
    ) -> Result<Standing, Refused> {
        let Inner { name, grants, .. } = &*policy.0;
        if let Some(known) = grants.take(name, subject, quota, self.now()) {
            return known;
        }
        let key = policy.key(subject);
        match take_in_redis(redis, &key, quota, grants::batch(quota), None).await {
            Ok(taken) => grants.put(name, subject, (quota, taken), self.now()),
            Err(_) => {
                policy.counters().alone.increment(1);
                policy.take_here(subject, quota, 0, self.now())
            }
        }
    }

    async fn take_attempt(
        &self,
        redis: &Redis,
        policy: &Policy,
        subject: Subject,
        quota: Quota,
    ) -> Result<Standing, Refused> {
        match take_in_redis(redis, &policy.key(subject), quota, 1, None).await {
            Ok(taken) => {
                if taken.granted > 0 {
                    policy.0.local.charge(subject, quota, self.now());
                }
                Standing::of(policy.name(), quota, taken, 0)
            }
            Err(_) => {
                policy.counters().alone.increment(1);
                policy.take_here(subject, quota, quota.count() / 2, self.now())
            }
        }
    }

    /// Counts an attempt no more that was counted before. Where Redis does not answer, it counts on.
    pub async fn give_back(&self, policy: &Policy, subject: Subject, quota: Quota) {
        policy.0.local.give_back(subject, quota);
        if let Some(redis) = &self.redis {
            let _ = shared::give_back(redis, &policy.key(subject), quota).await;
        }
    }

    /// Counts nothing more of what a subject has attempted. Where Redis does not answer, it counts on there.
    pub async fn forget(&self, policy: &Policy, subject: Subject) {
        policy.0.local.forget(subject);
        if let Some(redis) = &self.redis {
            let _ = shared::forget(redis, &policy.key(subject)).await;
        }
    }

    /// The Redis, if there is one.
    pub fn redis(&self) -> Option<&Redis> {
        self.redis.as_ref()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.uptime().as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    /// A limiter, and what sets its clock, in microseconds.
    fn limiter(redis: Option<Redis>) -> (Limiter, Arc<AtomicU64>) {
        let passed = Arc::new(AtomicU64::new(0));
        (Limiter::new(Clock::system().timed_by_hand(passed.clone()), redis), passed)
    }

    fn quota() -> Quota {
        Quota::new(6, 60).expect("a quota")
    }

    /// How many of ten pass at one moment.
    async fn passed(limiter: &Limiter, policy: &Policy, subject: Subject) -> usize {
        let mut passed = 0;
        for _ in 0..10 {
            passed += usize::from(limiter.take(policy, subject, quota()).await.is_ok());
        }
        passed
    }

    #[tokio::test]
    async fn each_subject_has_its_quota_and_a_wait_that_is_true() {
        let (limiter, clock) = limiter(None);
        let policy = Policy::new("reads", Counts::Requests, 100, WINDOW);
        let (ada, bob) = (Subject::new(1), Subject::new(2));
        let first = limiter.take(&policy, ada, quota()).await.expect("the first");
        assert_eq!((first.remaining, first.seconds(), first.was_whole), (5, 10, true));
        assert_eq!(passed(&limiter, &policy, ada).await, 5);
        for subject in [bob, ada.in_part(1)] {
            assert_eq!(passed(&limiter, &policy, subject).await, 6);
        }
        clock.store(500_000, Ordering::SeqCst);
        let refused = limiter.take(&policy, ada, quota()).await.expect_err("none is left");
        assert_eq!((refused.seconds(), refused.policy), (10, "reads"));
        clock.store(9_999_999, Ordering::SeqCst);
        assert_eq!(passed(&limiter, &policy, ada).await, 0);
        clock.store(10_000_000, Ordering::SeqCst);
        assert_eq!(passed(&limiter, &policy, ada).await, 1);
    }

    #[tokio::test]
    async fn what_is_given_back_or_forgotten_counts_no_more() {
        let (limiter, _) = limiter(None);
        let policy = Policy::new("attempts", Counts::Attempts, 100, WINDOW);
        let ada = Subject::new(1);
        assert_eq!(passed(&limiter, &policy, ada).await, 6);
        for _ in 0..2 {
            limiter.give_back(&policy, ada, quota()).await;
        }
        assert_eq!(passed(&limiter, &policy, ada).await, 2);
        limiter.forget(&policy, ada).await;
        assert_eq!(passed(&limiter, &policy, ada).await, 6);
        limiter.give_back(&policy, Subject::new(2), quota()).await;
        assert_eq!(passed(&limiter, &policy, Subject::new(2)).await, 6, "never more than all");
    }

    /// Requests pass as if there were none; attempts pass half as often.
    #[tokio::test]
    async fn without_an_answer_of_redis_a_node_counts_for_itself() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("redis://{}", listener.local_addr().expect("an address"));
        drop(listener);
        let (limiter, clock) = limiter(Some(Redis::new(&url).expect("a URL")));
        let ada = Subject::new(1);
        for (counts, expected) in [(Counts::Requests, 6), (Counts::Attempts, 3)] {
            let policy = Policy::new("alone", counts, 100, WINDOW);
            clock.store(0, Ordering::SeqCst);
            assert_eq!(passed(&limiter, &policy, ada).await, expected);
            let refused = limiter.take(&policy, ada, quota()).await.expect_err("none is left");
            assert_eq!(refused.seconds(), 10);
            clock.store(10_000_000, Ordering::SeqCst);
            assert_eq!(passed(&limiter, &policy, ada).await, 1);
        }
    }
}

//! Quotas that nodes share in Redis are those of one process.

use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use service::{
    limit::{Quota, take_in_redis},
    redis::Redis,
};
use tests::{RedisServer, for_all, log::wait_until};

/// After so many thousandths of the time that all take to come back, and microseconds: up to so many are wanted.
type Step = (u64, u64, u32);

/// Windows are long beside what the test takes: a key of Redis ends by the clock of Redis.
fn quotas() -> impl Strategy<Value = Quota> {
    let few = (1_u32..=7, 60_u32..=86_400);
    let many = (1_000_u32..=3_000_000, 60_u32..=3_600);
    prop_oneof![few, many].prop_map(|(count, seconds)| Quota::new(count, seconds).unwrap())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wanted = prop_oneof![1_u32..4, 1_u32..3_000_000];
    proptest::collection::vec((0_u64..400, 0_u64..3, wanted), 1..30)
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_counts_as_this_process_does() {
    let Some(server) = RedisServer::start().await else { return };
    let redis = Redis::new(&server.url()).unwrap();
    let cases = AtomicU32::new(0);
    for_all(100, &(quotas(), steps()), async |(quota, steps)| {
        let key = format!("case {}", cases.fetch_add(1, Ordering::Relaxed));
        // Of any day since, in microseconds.
        let (mut now, mut whole_at) = (1_700_000_000_000_000, 0);
        for (thousandths, microseconds, wanted) in steps {
            now += quota.full() / 1000 * thousandths + microseconds;
            let here = quota.take(u64::saturating_sub(whole_at, now), wanted, 0);
            if here.granted > 0 {
                whole_at = now + here.after;
            }
            let there = take_in_redis(&redis, &key, quota, wanted, Some(now)).await.unwrap();
            assert_eq!(here, there, "{wanted} of {quota:?}");
        }
    });
}

/// Who asks no more is forgotten once all has come back.
#[tokio::test]
async fn redis_keeps_nothing_for_longer_than_the_window() {
    let Some(server) = RedisServer::start().await else { return };
    let redis = Redis::new(&server.url()).unwrap();
    let quota = Quota::new(1, 1).unwrap();
    let granted = async || take_in_redis(&redis, "key", quota, 1, None).await.unwrap().granted;
    assert_eq!([granted().await, granted().await], [1, 0]);
    wait_until("the key has ended", async || server.keys("*").await == 0).await;
    assert_eq!(granted().await, 1);
}

//! What nodes count together, in Redis: the algorithm of [`Quota::take`] as a script, by the clock of Redis.

use std::sync::LazyLock;

use super::quota::{Quota, Taken};
use crate::redis::{Connection, Redis, Script, Unavailable, cmd};

/// Takes up to `ARGV[3]` of a quota of `ARGV[2]`, of which one comes back in `ARGV[1]` microseconds. The time is that
/// of Redis, unless a test gives another. Numbers are whole and far below 2^53, and so exact.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local interval, count, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local full = interval * count
local whole_at = tonumber(redis.call('GET', KEYS[1])) or now
local before = math.min(math.max(whole_at - now, 0), full)
local granted = math.min(wanted, math.floor((full - before) / interval))
local after = before + granted * interval
if granted > 0 then
  local value = string.format('%.0f', now + after)
  redis.call('SET', KEYS[1], value, 'PX', string.format('%.0f', math.ceil(full / 1000)))
end
return {granted, before, after}
",
    )
});

/// Takes back what counts no more.
static GIVE_BACK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local whole_at = tonumber(redis.call('GET', KEYS[1]))
if whole_at then
  local value = string.format('%.0f', whole_at - tonumber(ARGV[1]))
  redis.call('SET', KEYS[1], value, 'KEEPTTL')
end
return 0
",
    )
});

/// [`Quota::take`] of what is counted in Redis under a key, by the clock of Redis. A test may say what that shows, in
/// microseconds, for as long as the window of the quota.
///
/// # Errors
/// [`Unavailable`], soon ([`crate::redis`]).
pub async fn take_in_redis(
    redis: &Redis,
    key: &str,
    quota: Quota,
    wanted: u32,
    now: Option<u64>,
) -> Result<Taken, Unavailable> {
    let mut arguments = vec![quota.interval(), u64::from(quota.count()), u64::from(wanted)];
    arguments.extend(now);
    let (granted, before, after) = redis.script(&TAKE, key, arguments).await?;
    Ok(Taken { granted, before, after })
}

pub(super) async fn give_back(redis: &Redis, key: &str, quota: Quota) -> Result<(), Unavailable> {
    let _: u64 = redis.script(&GIVE_BACK, key, quota.interval()).await?;
    Ok(())
}

pub(super) async fn forget(redis: &Redis, key: &str) -> Result<(), Unavailable> {
    let forget = |mut connection: Connection| async move {
        cmd("DEL").arg(key).query_async::<u64>(&mut connection).await
    };
    redis.run(forget).await.map(|_| ())
}

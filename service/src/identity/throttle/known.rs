//! Who has proved a name from a network before.

use std::time::Duration;

use moka::sync::Cache;

use super::MAX_COUNTS;
use crate::{
    limit::Subject,
    redis::{Connection, Redis, cmd},
};

/// How long that is remembered.
const TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What this process remembers, and what all nodes do where they share a Redis. Without an answer of Redis, somebody
/// is as if they had never been there.
#[derive(Debug, Clone)]
pub(super) struct Known {
    local: Cache<Subject, ()>,
    redis: Option<Redis>,
}

impl Known {
    pub(super) fn new(redis: Option<Redis>) -> Self {
        let local = Cache::builder().max_capacity(MAX_COUNTS).time_to_idle(TTL).build();
        Self { local, redis }
    }

    pub(super) async fn contains(&self, pair: Subject) -> bool {
        if self.local.get(&pair).is_some() {
            return true;
        }
        let Some(redis) = &self.redis else { return false };
        let exists = |mut connection: Connection| async move {
            cmd("EXISTS").arg(key(pair)).query_async::<u64>(&mut connection).await
        };
        let known = redis.run(exists).await.is_ok_and(|count| count > 0);
        if known {
            self.local.insert(pair, ());
        }
        known
    }

    pub(super) async fn insert(&self, pair: Subject) {
        self.local.insert(pair, ());
        let Some(redis) = &self.redis else { return };
        let set = |mut connection: Connection| async move {
            let mut set = cmd("SET");
            set.arg(key(pair)).arg(1).arg("EX").arg(TTL.as_secs());
            set.query_async::<()>(&mut connection).await
        };
        // Until the next success, nobody else knows.
        let _ = redis.run(set).await;
    }
}

fn key(pair: Subject) -> String {
    format!("steward:limit:known:{pair}")
}

//! A cache of what was computed: in this process, and in Redis where there is one, which nodes share.
//!
//! What is kept is never wrong, however old: its key names the state that it was computed from
//! ([`crate::event::LogState`]), so that nobody finds it who asks of another state. Nothing has to be forgotten when
//! something is written, on any node, and anything can be forgotten at any time. A layer that fails, hangs or is
//! full keeps nothing: whoever asks computes.

mod memory;
mod shared;

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::redis::Redis;
use memory::Memory;
use shared::Shared;

/// How long something is kept at most.
pub const TTL: Duration = Duration::from_secs(600);
/// How large something may be that is kept, in bytes.
const MAX_ENTRY_BYTES: usize = 1024 * 1024;
/// What all keys have at their end. Another version may compute something else from the same state, or show it in
/// another way, and both may run at the same time.
const SCHEMA_VERSION: &str = env!("CARGO_PKG_VERSION");

/// A place where things are kept, each under a key.
trait Layer: fmt::Debug + Send + Sync {
    /// Its name in metrics.
    fn name(&self) -> &'static str;

    /// What is kept under a key, if it can be had at once.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Entry>>;

    /// Keeps something, if it can. Nobody waits for it.
    fn put(&self, key: &str, entry: &Entry);
}

/// The layers, from the nearest. Cheap to clone; every clone is the same cache.
#[derive(Debug, Clone)]
pub struct Cache(Arc<[Box<dyn Layer>]>);

/// What an entry is found by. Two entries of one key are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// What is kept, in lower case: `spending_report`.
    pub entity: &'static str,
    /// Whose it is.
    pub organization_id: Uuid,
    /// Which it is, and of which state.
    pub id: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entity, organization_id, id } = self;
        write!(f, "steward:{entity}:{organization_id}:{id}:{SCHEMA_VERSION}")
    }
}

/// Something that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was computed.
    pub made_at: DateTime<Utc>,
    /// What it is.
    pub body: Arc<[u8]>,
}

impl Entry {
    /// How long ago it was computed: nothing, where a clock says that it will be.
    pub fn age(&self, now: DateTime<Utc>) -> TimeDelta {
        (now - self.made_at).max(TimeDelta::zero())
    }

    fn is_current(&self, now: DateTime<Utc>) -> bool {
        self.age(now).to_std().is_ok_and(|age| age < TTL)
    }
}

impl Cache {
    /// A cache that takes so many bytes of this process, with 0 none of it, and what Redis has, if there is one.
    pub fn new(memory_bytes: u64, redis: Option<&Redis>) -> Self {
        let mut layers: Vec<Box<dyn Layer>> = Vec::new();
        if memory_bytes > 0 {
            layers.push(Box::new(Memory::new(memory_bytes)));
        }
        if let Some(redis) = redis {
            layers.push(Box::new(Shared::new(redis)));
        }
        Self(layers.into())
    }

    /// Whether anything is kept anywhere.
    pub fn is_enabled(&self) -> bool {
        !self.0.is_empty()
    }

    /// What is kept under a key.
    pub async fn get(&self, key: &Key, now: DateTime<Utc>) -> Option<Entry> {
        let text = key.to_string();
        for (index, layer) in self.0.iter().enumerate() {
            let found = layer.get(&text).await.filter(|entry| entry.is_current(now));
            count(layer.name(), key.entity, found.is_some());
            if let Some(entry) = found {
                self.0[..index].iter().for_each(|nearer| nearer.put(&text, &entry));
                return Some(entry);
            }
        }
        None
    }

    /// Keeps something under a key.
    pub fn put(&self, key: &Key, entry: &Entry) {
        if entry.body.len() <= MAX_ENTRY_BYTES {
            let text = key.to_string();
            self.0.iter().for_each(|layer| layer.put(&text, entry));
        }
    }
}

/// Counts that something was looked for in a layer.
pub fn count(layer: &'static str, entity: &'static str, found: bool) {
    let result = if found { "hit" } else { "miss" };
    metrics::counter!(
        "steward_cache_requests_total",
        "layer" => layer, "entity" => entity, "result" => result,
    )
    .increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> Key {
        Key { entity: "report", organization_id: Uuid::from_u128(7), id: id.to_owned() }
    }

    fn entry(body: &[u8]) -> Entry {
        Entry { made_at: DateTime::UNIX_EPOCH, body: body.into() }
    }

    #[test]
    fn a_key_names_the_entity_the_organization_and_the_version() {
        assert_eq!(
            key("9f").to_string(),
            format!("steward:report:00000000-0000-0000-0000-000000000007:9f:{SCHEMA_VERSION}")
        );
    }

    #[tokio::test]
    async fn what_was_put_is_found_until_it_is_too_old() {
        let (cache, kept, now) = (Cache::new(1 << 20, None), entry(b"{}"), DateTime::UNIX_EPOCH);
        assert_eq!(cache.get(&key("a"), now).await, None);
        cache.put(&key("a"), &kept);
        assert_eq!(cache.get(&key("a"), now).await.as_ref(), Some(&kept));
        assert_eq!(cache.get(&key("b"), now).await, None);
        let later = |seconds: u64| now + TimeDelta::seconds(i64::try_from(seconds).expect("few"));
        assert!(cache.get(&key("a"), later(TTL.as_secs() - 1)).await.is_some());
        assert_eq!(cache.get(&key("a"), later(TTL.as_secs())).await, None);
        assert!(
            cache.get(&key("a"), now - TimeDelta::hours(1)).await.is_some(),
            "a clock set back"
        );
    }

    #[tokio::test]
    async fn what_is_too_large_is_not_kept() {
        let (cache, now) = (Cache::new(1 << 30, None), DateTime::UNIX_EPOCH);
        cache.put(&key("a"), &entry(&vec![0; MAX_ENTRY_BYTES + 1]));
        assert_eq!(cache.get(&key("a"), now).await, None);
        cache.put(&key("a"), &entry(&vec![0; MAX_ENTRY_BYTES]));
        assert!(cache.get(&key("a"), now).await.is_some());
    }

    #[tokio::test]
    async fn what_a_farther_layer_has_is_near_from_then_on() {
        let layers: [Box<dyn Layer>; 2] =
            [Box::new(Memory::new(1 << 20)), Box::new(Memory::new(1 << 20))];
        let (cache, now) = (Cache(layers.into_iter().collect()), DateTime::UNIX_EPOCH);
        cache.0[1].put(&key("a").to_string(), &entry(b"{}"));
        assert!(cache.0[0].get(&key("a").to_string()).await.is_none());
        assert_eq!(cache.get(&key("a"), now).await, Some(entry(b"{}")));
        assert!(cache.0[0].get(&key("a").to_string()).await.is_some());
    }

    #[tokio::test]
    async fn without_memory_and_redis_nothing_is_kept() {
        let cache = Cache::new(0, None);
        assert!(!cache.is_enabled());
        cache.put(&key("a"), &entry(b"{}"));
        assert_eq!(cache.get(&key("a"), DateTime::UNIX_EPOCH).await, None);
    }
}

//! What is kept in Redis.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use super::{Entry, Layer, TTL};
use crate::redis::{Connection, Redis, cmd};

/// Redis, which all nodes ask.
#[derive(Debug)]
pub(super) struct Shared(Redis);

impl Shared {
    pub(super) fn new(redis: &Redis) -> Self {
        Self(redis.clone())
    }
}

impl Layer for Shared {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Entry>> {
        Box::pin(async move {
            let get = |mut connection: Connection| async move {
                cmd("GET").arg(key).query_async::<Option<Vec<u8>>>(&mut connection).await
            };
            decode(&self.0.run(get).await.ok()??)
        })
    }

    fn put(&self, key: &str, entry: &Entry) {
        let (redis, key, value) = (self.0.clone(), key.to_owned(), encode(entry));
        tokio::spawn(async move {
            let set = |mut connection: Connection| async move {
                let mut set = cmd("SET");
                set.arg(key).arg(value).arg("EX").arg(TTL.as_secs());
                set.query_async::<()>(&mut connection).await
            };
            // What could not be kept is computed again.
            let _ = redis.run(set).await;
        });
    }
}

/// When it was computed, in microseconds since 1970 as a big-endian integer of 64 bits, and its body.
fn encode(Entry { made_at, body }: &Entry) -> Vec<u8> {
    [&made_at.timestamp_micros().to_be_bytes(), &**body].concat()
}

/// Nothing where it is something else.
fn decode(value: &[u8]) -> Option<Entry> {
    let (made_at, body) = value.split_first_chunk()?;
    let made_at = DateTime::<Utc>::from_timestamp_micros(i64::from_be_bytes(*made_at))?;
    Some(Entry { made_at, body: body.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let made_at = DateTime::from_timestamp_micros(1_764_441_234_567_890).expect("an instant");
        for body in ["", "{\"rows\":[]}", "é"] {
            let entry = Entry { made_at, body: body.as_bytes().into() };
            assert_eq!(decode(&encode(&entry)), Some(entry));
        }
    }

    #[test]
    fn what_is_something_else_is_not_read() {
        for value in [b"".as_slice(), b"1234567", &[0x7f; 20]] {
            assert_eq!(decode(value), None, "{value:?}");
        }
    }
}

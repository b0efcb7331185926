//! What is kept in this process.

use futures_util::future::{BoxFuture, ready};
use moka::sync::Cache;

use super::{Entry, Layer, TTL};

/// What an entry takes besides its key and its body: pointers, times, and its place in the lists of moka.
const OVERHEAD_BYTES: usize = 256;

/// The memory of this process, up to a number of bytes: what is asked for least goes first.
#[derive(Debug)]
pub(super) struct Memory(Cache<String, Entry>);

impl Memory {
    pub(super) fn new(bytes: u64) -> Self {
        let weigher = |key: &String, entry: &Entry| {
            u32::try_from(key.len() + entry.body.len() + OVERHEAD_BYTES).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(bytes).weigher(weigher).time_to_live(TTL).build())
    }
}

impl Layer for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Entry>> {
        Box::pin(ready(self.0.get(key)))
    }

    fn put(&self, key: &str, entry: &Entry) {
        self.0.insert(key.to_owned(), entry.clone());
    }
}

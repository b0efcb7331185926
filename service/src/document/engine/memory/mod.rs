//! Documents in the memory of this process: for tests, and for what may be lost.

mod collection;

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use futures_util::future::{self, BoxFuture};

use self::collection::Collection;
use super::{
    Changes, CollectionId, Delete, Engine, Outcome, Page, Put, Query, Step, Stored, Write,
    not_a_cursor,
};
use crate::error::Result;

/// What keeps documents in memory. They end with it.
#[derive(Default)]
pub struct Memory(Mutex<HashMap<CollectionId, Collection>>);

impl Memory {
    /// One without documents.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a collection says, or an empty one.
    fn read<T>(&self, id: CollectionId, read: impl FnOnce(&Collection) -> T) -> T {
        let collections = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match collections.get(&id) {
            Some(collection) => read(collection),
            None => read(&Collection::default()),
        }
    }

    fn write(&self, id: CollectionId, key: &str, write: Write<'_>) -> Outcome {
        let mut collections = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let collection = collections.entry(id).or_default();
        match write.step(key, collection.get(key)) {
            Step::Done(outcome) => outcome,
            Step::Store(stored) => {
                collection.store(stored.clone(), write.entries());
                Outcome::Written(stored)
            }
        }
    }
}

impl fmt::Debug for Memory {
    /// Without the documents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

/// What is known at once.
fn ready<'a, T: Send + 'a>(result: Result<T>) -> BoxFuture<'a, Result<T>> {
    Box::pin(future::ready(result))
}

impl Engine for Memory {
    fn get<'a>(
        &'a self,
        collection: CollectionId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Stored>>> {
        ready(Ok(self.read(collection, |collection| collection.get(key).cloned())))
    }

    fn put<'a>(
        &'a self,
        collection: CollectionId,
        key: &'a str,
        put: &'a Put,
    ) -> BoxFuture<'a, Result<Outcome>> {
        ready(Ok(self.write(collection, key, Write::Put(put))))
    }

    fn delete<'a>(
        &'a self,
        collection: CollectionId,
        key: &'a str,
        delete: &'a Delete,
    ) -> BoxFuture<'a, Result<Outcome>> {
        ready(Ok(self.write(collection, key, Write::Delete(delete))))
    }

    fn restore<'a>(
        &'a self,
        collection: CollectionId,
        stored: &'a Stored,
    ) -> BoxFuture<'a, Result<Outcome>> {
        ready(Ok(self.write(collection, &stored.key, Write::Restore(stored))))
    }

    fn scan<'a>(
        &'a self,
        collection: CollectionId,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Page>> {
        ready(Ok(self.read(collection, |collection| collection.scan(after, limit))))
    }

    fn query<'a>(
        &'a self,
        collection: CollectionId,
        query: &'a Query,
    ) -> BoxFuture<'a, Result<Page>> {
        ready(Ok(self.read(collection, |collection| collection.query(query))))
    }

    fn changes<'a>(
        &'a self,
        collection: CollectionId,
        since: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Changes>> {
        let since = since.map_or(Ok(0), |since| since.parse().map_err(|_| not_a_cursor()));
        ready(since.and_then(|since| self.read(collection, |it| it.changes(since, limit))))
    }
}

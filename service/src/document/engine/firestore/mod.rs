//! Documents in Firestore, over its REST interface.
//!
//! A write reads the document and the head of its collection, which counts the changes, and commits both together on
//! the condition that neither has changed (`updateTime`, or `exists`). So writes of one collection take effect one
//! after another, and their positions have no gaps. All reads are strongly consistent.
//!
//! | name | what |
//! |---|---|
//! | `PREFIX/ORGANIZATION-COLLECTION` | the last position |
//! | `…/documents/dKEY` | a document; the key in hexadecimal |
//! | `…/bodies/WRITE-NUMBER` | a part of a body of more than 800 KiB |

mod address;
mod client;
mod commit;
mod document;
mod failure;
mod find;
mod token;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, fmt, time::Duration};

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::time::sleep;

use self::{
    address::{Address, Names},
    client::Client,
    commit::Change,
    document::Kept,
    failure::Failure,
};
use super::{
    Changes, CollectionId, Delete, Engine, Outcome, Page, Put, Query, Step, Stored, Write,
    not_a_cursor,
};
use crate::{
    clock::Clock,
    error::{Error, Result},
};

pub use self::address::NotAFirestoreUrl;

/// How long a request waits for its whole answer, if nobody says.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// How often a write begins again because others were faster.
const MAX_ATTEMPTS: u32 = 20;
/// How often a document is read that is written meanwhile.
const MAX_READS: usize = 10;
/// How many documents a page has at most.
const MAX_PAGE: usize = 100;

/// A database of Firestore.
pub struct Firestore(Client);

impl Firestore {
    /// The database of a URL, as `firestore://PROJECT/PREFIX?credentials=FILE`. It is connected to when it is first
    /// used. Requests wait for [`TIMEOUT`], or as long as is said.
    ///
    /// # Errors
    /// If the URL is none of Firestore: [`NotAFirestoreUrl`] as [`Error::NotConfigured`]; and if the file is no key of
    /// a service account.
    pub fn new(url: &str, timeout: Duration) -> Result<Self> {
        let address = Address::parse(url).map_err(|error| Error::NotConfigured {
            code: "documents_url_invalid",
            detail: error.to_string().into(),
        })?;
        Ok(Self(Client::new(address, timeout, Clock::system())?))
    }

    /// Those of some names that are there.
    async fn found(&self, names: &[String]) -> Result<HashMap<String, Value>, Failure> {
        let rows = self.0.get(names).await?;
        let found = rows.into_iter().filter_map(|row| client::member(row, "found"));
        let named =
            found.filter_map(|document| Some((document["name"].as_str()?.to_owned(), document)));
        Ok(named.collect())
    }

    /// A document, whole, and the head of its collection, of one time.
    async fn current(
        &self,
        names: &Names,
        key: &str,
    ) -> Result<(Option<Kept>, Option<(u64, String)>), Failure> {
        for _ in 0..MAX_READS {
            let (document, head) = (names.document(key), names.head().to_owned());
            let found = self.found(&[document.clone(), head.clone()]).await?;
            let head = found.get(&head).map(document::read_head).transpose()?;
            let Some(document) = found.get(&document) else { return Ok((None, head)) };
            if let Some(kept) = self.with_body(names, Kept::of(document)?).await? {
                return Ok((Some(kept), head));
            }
        }
        Err(Failure::Lost("a body of Firestore is not whole"))
    }

    /// A document with its body; none if its parts are no longer there.
    async fn with_body(&self, names: &Names, mut kept: Kept) -> Result<Option<Kept>, Failure> {
        if kept.parts == 0 {
            return Ok(Some(kept));
        }
        let parts = (0..kept.parts).map(|number| names.part(kept.stored.write_id, number));
        let parts: Vec<_> = parts.collect();
        let found = self.found(&parts).await?;
        let mut body = String::new();
        for part in &parts {
            let Some(part) = found.get(part) else { return Ok(None) };
            body.push_str(document::read_text(&part["fields"], "text")?);
        }
        kept.stored.body = Some(body);
        Ok(Some(kept))
    }

    /// Documents that a query has found, whole. One that was written meanwhile is read again.
    async fn whole(&self, names: &Names, documents: &[Value]) -> Result<Vec<Found>, Failure> {
        let mut whole = Vec::with_capacity(documents.len());
        for document in documents {
            let kept = Kept::of(document)?;
            let (key, position) = (kept.stored.key.clone(), kept.position);
            let kept = match self.with_body(names, kept).await? {
                Some(kept) => Some(kept),
                None => self.current(names, &key).await?.0,
            };
            whole.extend(kept.map(|kept| Found { kept, position }));
        }
        Ok(whole)
    }

    async fn write(&self, id: CollectionId, key: &str, write: Write<'_>) -> Result<Outcome> {
        let names = self.0.names(id);
        for attempt in 0..MAX_ATTEMPTS {
            let (current, head) = self.current(&names, key).await.map_err(Failure::of_read)?;
            let stored = match write.step(key, current.as_ref().map(|current| &current.stored)) {
                Step::Done(outcome) => return Ok(outcome),
                Step::Store(stored) => stored,
            };
            let change = Change {
                stored: &stored,
                entries: write.entries(),
                current: current.as_ref(),
                head: head.as_ref(),
            };
            match self.0.commit(&commit::request(&names, &change)).await {
                Ok(()) => return Ok(Outcome::Written(stored)),
                Err(Failure::Raced) => sleep(pause(&stored, attempt)).await,
                Err(failure) => return Err(failure.of_write()),
            }
        }
        Err(Failure::Raced.of_write())
    }

    /// A page of what a query finds, which is made for a number of documents; a shorter one where they are large.
    async fn page(
        &self,
        names: &Names,
        limit: usize,
        query: impl Fn(usize) -> Value,
    ) -> Result<(Vec<Found>, bool)> {
        let mut size = limit.min(MAX_PAGE);
        loop {
            let mut found = match self.0.query(names, &query(size + 1)).await {
                Err(Failure::AnswerTooLarge) if size > 1 => {
                    size /= 2;
                    continue;
                }
                found => found.map_err(Failure::of_read)?,
            };
            let more = found.len() > size;
            found.truncate(size);
            let whole = self.whole(names, &found).await.map_err(Failure::of_read)?;
            return Ok((whole, more));
        }
    }
}

/// A document that a query has found.
struct Found {
    kept: Kept,
    /// Where it was when it was found. It may have been written since.
    position: u64,
}

impl Found {
    fn is_as_it_was(&self) -> bool {
        self.kept.position == self.position
    }
}

/// The documents that are not deleted.
fn present(found: impl Iterator<Item = Found>, more: bool) -> Page {
    let documents = found.map(|found| found.kept.stored);
    Page { documents: documents.filter(|stored| !stored.is_deleted()).collect(), more }
}

/// How long a writer waits that was not the fastest: each for another time, and longer from one time to the next.
fn pause(stored: &Stored, attempt: u32) -> Duration {
    let random = stored.write_id.as_u128() >> (attempt % 24 * 5) & 31;
    Duration::from_millis(1 + u64::try_from(random).unwrap_or_default() * u64::from(attempt + 1))
}

impl fmt::Debug for Firestore {
    /// Without what opens it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Firestore")
    }
}

impl Engine for Firestore {
    fn get<'a>(
        &'a self,
        collection: CollectionId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Stored>>> {
        Box::pin(async move {
            let current = self.current(&self.0.names(collection), key).await;
            Ok(current.map_err(Failure::of_read)?.0.map(|kept| kept.stored))
        })
    }

    fn put<'a>(
        &'a self,
        collection: CollectionId,
        key: &'a str,
        put: &'a Put,
    ) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(self.write(collection, key, Write::Put(put)))
    }

    fn delete<'a>(
        &'a self,
        collection: CollectionId,
        key: &'a str,
        delete: &'a Delete,
    ) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(self.write(collection, key, Write::Delete(delete)))
    }

    fn restore<'a>(
        &'a self,
        collection: CollectionId,
        stored: &'a Stored,
    ) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(self.write(collection, &stored.key, Write::Restore(stored)))
    }

    fn scan<'a>(
        &'a self,
        collection: CollectionId,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            let names = self.0.names(collection);
            let query = |limit| find::scan(&names, after, limit);
            let (found, more) = self.page(&names, limit, query).await?;
            Ok(present(found.into_iter(), more))
        })
    }

    fn query<'a>(
        &'a self,
        collection: CollectionId,
        query: &'a Query,
    ) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            let names = self.0.names(collection);
            let asked = |limit| find::range(&names, query, limit);
            let (found, more) = self.page(&names, query.limit, asked).await?;
            // What has another value by now would stand at a wrong place.
            Ok(present(found.into_iter().filter(Found::is_as_it_was), more))
        })
    }

    fn changes<'a>(
        &'a self,
        collection: CollectionId,
        since: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Changes>> {
        Box::pin(async move {
            let since = since.map_or(Ok(0), |since| since.parse().map_err(|_| not_a_cursor()))?;
            // Positions are signed there.
            if i64::try_from(since).is_err() {
                return Err(not_a_cursor());
            }
            let names = self.0.names(collection);
            let query = |limit| find::changes(since, limit);
            let (found, more) = self.page(&names, limit, query).await?;
            let cursor = found.last().map_or(since, |last| last.position);
            let documents = found.into_iter().map(|found| found.kept.stored).collect();
            Ok(Changes { documents, cursor: cursor.to_string(), more })
        })
    }
}

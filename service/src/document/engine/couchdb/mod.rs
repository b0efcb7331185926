//! Documents in CouchDB: a database for each collection.
//!
//! So a page of a collection, its changes and its indexes hold nothing of another one. A write reads the document and
//! then writes it in the place of that revision (`_rev`), which CouchDB compares and sets; steward's version stands in
//! the document. A deletion is CouchDB's, and keeps the version.

mod client;
mod document;
mod find;
mod url;
mod wire;

use std::{fmt, time::Duration};

use futures_util::future::BoxFuture;
use reqwest::StatusCode;
use serde_json::{Value, value::RawValue};

use self::{
    client::{Client, Failure},
    document::{BEYOND_ALL_IDS, Document},
    url::Address,
    wire::{BulkDocs, Feed, Found, Keys, Leaf, Rows, Saved},
};
use super::{
    Changes, CollectionId, Delete, Engine, Outcome, Page, Put, Query, Step, Stored, Write,
    not_a_cursor,
};
use crate::error::{Error, Result};

pub use self::url::NotACouchDbUrl;

/// How long a request waits for its whole answer, if nobody says.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// How often a write begins again because others were faster.
const MAX_ATTEMPTS: usize = 8;

/// How many documents one request reads by their keys: of a mebibyte each, and as much as that is in JSON.
const KEYS_AT_ONCE: usize = 25;

/// How CouchDB calls its refusals of who asks.
const REFUSALS: &[&str] = &["forbidden", "unauthorized"];

/// A CouchDB.
pub struct CouchDb(Client);

impl CouchDb {
    /// The server of a URL, as `couchdb://USER:PASSWORD@HOST:5984/PREFIX`. It is connected to when it is first used.
    /// Requests wait for [`TIMEOUT`], or as long as is said.
    ///
    /// # Errors
    /// If the URL is none of CouchDB: [`NotACouchDbUrl`] as [`Error::NotConfigured`].
    pub fn new(url: &str, timeout: Duration) -> Result<Self> {
        let address = Address::parse(url).map_err(|error| Error::NotConfigured {
            code: "documents_url_invalid",
            detail: error.to_string().into(),
        })?;
        Ok(Self(Client::new(address, timeout)?))
    }

    fn database(&self, id: CollectionId) -> String {
        let (organization, collection) = (id.organization_id.simple(), id.collection_id.simple());
        format!("{}-{organization}-{collection}", self.0.prefix())
    }

    /// A document with its revision, which may be deleted. Without `open_revs`, CouchDB shows none that is.
    async fn leaf(&self, database: &str, key: &str) -> Result<Option<Document>, Failure> {
        let answer = self.0.get(&[database, &document::id(key)], &[("open_revs", "all")]).await?;
        let leaves = answer.found::<Vec<Leaf>>()?.unwrap_or_default();
        let documents = leaves.into_iter().filter_map(|leaf| leaf.ok);
        Ok(documents.max_by(|one, other| one.rank().cmp(&other.rank())))
    }

    /// Writes a document in the place of its revision, and says whether that was still there.
    async fn save(&self, database: &str, document: &Document) -> Result<bool, Failure> {
        let (path, docs) = ([database, "_bulk_docs"], BulkDocs { docs: [document] });
        let mut answer = self.0.post(&path, &docs).await?;
        if answer.status == StatusCode::NOT_FOUND {
            self.create(database).await?;
            answer = self.0.post(&path, &docs).await?;
        }
        if answer.status == StatusCode::ACCEPTED {
            return Err(Failure::Lost(
                "too few of CouchDB's nodes have taken the write".to_owned(),
            ));
        }
        let saved: Vec<Saved> = answer.json()?;
        match saved.first().map(|saved| &saved.error) {
            Some(Value::Null) => Ok(true),
            Some(Value::String(error)) if error == "conflict" => Ok(false),
            Some(Value::String(error)) if REFUSALS.contains(&&**error) => Err(Failure::Refused),
            _ => Err(Failure::Lost("CouchDB did not take the write".to_owned())),
        }
    }

    /// Creates a database, unless another has done it.
    async fn create(&self, database: &str) -> Result<(), Failure> {
        let status = self.0.put(&[database]).await?.status;
        match status {
            _ if status.is_success() => Ok(()),
            StatusCode::PRECONDITION_FAILED => Ok(()),
            _ => Err(Failure::Unavailable("CouchDB did not create a database")),
        }
    }

    async fn write(&self, id: CollectionId, key: &str, write: Write<'_>) -> Result<Outcome> {
        let database = self.database(id);
        for _ in 0..MAX_ATTEMPTS {
            let leaf = self.leaf(&database, key).await.map_err(Failure::of_read)?;
            let rev = leaf.as_ref().and_then(|leaf| leaf.rev.clone());
            let stored = match write.step(key, leaf.map(Stored::from).as_ref()) {
                Step::Done(outcome) => return Ok(outcome),
                Step::Store(stored) => stored,
            };
            let document = Document::new(&stored, write.entries(), rev);
            if self.save(&database, &document).await.map_err(Failure::of_write)? {
                return Ok(Outcome::Written(stored));
            }
        }
        Err(Error::Unavailable("CouchDB refuses a write, and does not show why".to_owned()))
    }

    async fn all_docs(
        &self,
        database: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Document>, Failure> {
        let first = after.map_or_else(|| document::id(""), document::id_after);
        // As JSON. They hold nothing that is escaped there.
        let (first, end) = (format!("\"{first}\""), format!("\"{BEYOND_ALL_IDS}\""));
        let limit = limit.to_string();
        let range = [("startkey", &*first), ("endkey", &*end), ("inclusive_end", "false")];
        let query = [&range[..], &[("include_docs", "true"), ("limit", &limit)]].concat();
        let answer = self.0.get(&[database, "_all_docs"], &query).await?;
        let rows = answer.found::<Rows>()?.map(|found| found.rows).unwrap_or_default();
        Ok(rows.into_iter().filter_map(|row| row.doc).collect())
    }

    /// Documents that are there, of some keys.
    async fn some(&self, database: &str, keys: &[&str]) -> Result<Vec<Document>, Failure> {
        let keys: Vec<String> = keys.iter().map(|key| document::id(key)).collect();
        let (path, query) = ([database, "_all_docs"], [("include_docs", "true")]);
        let answer = self.0.post_with(&path, &query, &Keys { keys }).await?;
        let rows = answer.found::<Rows>()?.map(|found| found.rows).unwrap_or_default();
        Ok(rows.into_iter().filter_map(|row| row.doc).collect())
    }

    /// What a query finds. Its index is made when it is asked for the first time.
    async fn find(
        &self,
        database: &str,
        query: &Query,
        limit: usize,
    ) -> Result<Vec<Document>, Failure> {
        let (path, request) = ([database, "_find"], find::request(query, limit));
        let mut answer = self.0.post(&path, &request).await?;
        if answer.status == StatusCode::BAD_REQUEST {
            let index = find::index(&query.path);
            self.0.post(&[database, "_index"], &index).await?.json::<Value>()?;
            answer = self.0.post(&path, &request).await?;
        }
        let docs = answer.found::<Found>()?.map(|found| found.docs).unwrap_or_default();
        Ok(docs.into_iter().flatten().collect())
    }

    async fn feed(
        &self,
        database: &str,
        since: &str,
        limit: usize,
    ) -> Result<Option<Feed>, Failure> {
        let limit = limit.to_string();
        let query = [("include_docs", "true"), ("since", since), ("limit", &*limit)];
        self.0.get(&[database, "_changes"], &query).await?.found()
    }

    /// Changes of documents. A page in which there are only CouchDB's own is followed by the next one.
    async fn changed(&self, id: CollectionId, since: &str, limit: usize) -> Result<Changes> {
        let (database, mut size, mut cursor) = (self.database(id), limit, since.to_owned());
        loop {
            let feed = match self.feed(&database, &cursor, size).await {
                Err(Failure::AnswerTooLarge) if size > 1 => {
                    size /= 2;
                    continue;
                }
                feed => feed.map_err(Failure::of_read)?,
            };
            let Some(Feed { results, last_seq }) = feed else {
                return Ok(Changes { documents: Vec::new(), cursor, more: false });
            };
            let more = results.len() >= size;
            cursor = last_seq.as_str().map_or_else(|| last_seq.to_string(), str::to_owned);
            let own = results.into_iter().filter(|change| !change.id.starts_with('_'));
            let documents = own.filter_map(|change| change.doc).map(|doc| stored(&doc));
            let documents = documents.collect::<Result<Vec<_>, _>>().map_err(Failure::of_read)?;
            if !documents.is_empty() || !more {
                return Ok(Changes { documents, cursor, more });
            }
        }
    }
}

fn stored(doc: &RawValue) -> Result<Stored, Failure> {
    let document = serde_json::from_str::<Document>(doc.get());
    let document = document.map_err(|_| Failure::Lost("a document was not understood".to_owned()));
    document.map(Stored::from)
}

/// Of one document more than there was to be, the page.
fn page(mut found: Vec<Document>, limit: usize) -> Page {
    let more = found.len() > limit;
    found.truncate(limit);
    Page { documents: found.into_iter().map(Stored::from).collect(), more }
}

/// Whether CouchDB could have given it: a number, and text that belongs to it.
fn is_cursor(text: &str) -> bool {
    let (number, rest) = text.split_once('-').unwrap_or((text, ""));
    let may = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=');
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && rest.bytes().all(may)
}

impl fmt::Debug for CouchDb {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CouchDb")
    }
}

impl Engine for CouchDb {
    fn get<'a>(
        &'a self,
        collection: CollectionId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Stored>>> {
        Box::pin(async move {
            let leaf = self.leaf(&self.database(collection), key).await;
            Ok(leaf.map_err(Failure::of_read)?.map(Stored::from))
        })
    }

    fn get_some<'a>(
        &'a self,
        collection: CollectionId,
        keys: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Vec<Stored>>> {
        Box::pin(async move {
            let (database, mut found) = (self.database(collection), Vec::with_capacity(keys.len()));
            for some in keys.chunks(KEYS_AT_ONCE) {
                let documents = self.some(&database, some).await.map_err(Failure::of_read)?;
                found.extend(documents.into_iter().map(Stored::from));
            }
            Ok(found)
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
            let (database, mut size) = (self.database(collection), limit);
            loop {
                match self.all_docs(&database, after, size + 1).await {
                    Err(Failure::AnswerTooLarge) if size > 1 => size /= 2,
                    found => return Ok(page(found.map_err(Failure::of_read)?, size)),
                }
            }
        })
    }

    fn query<'a>(
        &'a self,
        collection: CollectionId,
        query: &'a Query,
    ) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            let (database, mut size) = (self.database(collection), query.limit);
            loop {
                match self.find(&database, query, size + 1).await {
                    Err(Failure::AnswerTooLarge) if size > 1 => size /= 2,
                    found => return Ok(page(found.map_err(Failure::of_read)?, size)),
                }
            }
        })
    }

    fn changes<'a>(
        &'a self,
        collection: CollectionId,
        since: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Changes>> {
        Box::pin(async move {
            let since = since.unwrap_or("0");
            if !is_cursor(since) {
                return Err(not_a_cursor());
            }
            self.changed(collection, since, limit).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_number_and_what_belongs_to_it() {
        for cursor in ["0", "12", "3-g1AAAACheJzLYWBg_-x="] {
            assert!(is_cursor(cursor), "{cursor}");
        }
        for other in ["", "-", "x", "now", "1&include_docs=false", "1-a b", "-1"] {
            assert!(!is_cursor(other), "{other}");
        }
    }
}

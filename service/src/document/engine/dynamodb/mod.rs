//! Documents in one table of DynamoDB ([`keys`] has its items).
//!
//! A write is a transaction: the document, if nobody has written it since it was read; what it is found by; and its
//! place among the changes of the collection, which the head of the collection counts. All reads are consistent ones.
//! An index of DynamoDB's own (GSI) is never consistent, and so none is used.

mod address;
mod failure;
mod item;
mod keys;
mod table;
mod write;

use std::{collections::HashMap, fmt, time::Duration};

use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream};

use self::{
    address::Address,
    failure::Failure,
    item::{EntryItem, Item, Kept, number_of, text_of, unreadable},
    table::Table,
};
use super::{
    Changes, CollectionId, Delete, Engine, Outcome, Page, Put, Query, Stored, Write, not_a_cursor,
};
use crate::error::{Error, Result};

pub use self::address::NotADynamoDbUrl;

/// How long a request waits for its whole answer, if nobody says.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// How many documents of a page are read at once.
const READS_AT_ONCE: usize = 16;
/// How many documents a page has at most.
const MAX_PAGE: usize = 100;
/// How often a document is read that is written meanwhile.
const MAX_READS: usize = 10;

/// A table of DynamoDB. The first write creates it.
pub struct DynamoDb(Table);

impl DynamoDb {
    /// The table of a URL, as `dynamodb://ACCESS_KEY:SECRET_KEY@REGION/TABLE`. It is connected to when it is first
    /// used. Requests wait for [`TIMEOUT`], or as long as is said.
    ///
    /// # Errors
    /// If the URL is none of DynamoDB: [`NotADynamoDbUrl`] as [`Error::NotConfigured`].
    pub fn new(url: &str, timeout: Duration) -> Result<Self> {
        let address = Address::parse(url).map_err(|error| Error::NotConfigured {
            code: "documents_url_invalid",
            detail: error.to_string().into(),
        })?;
        Ok(Self(Table::new(address, timeout)))
    }

    /// A document, whole.
    async fn kept(&self, id: CollectionId, key: &str) -> Result<Option<Kept>, Failure> {
        for _ in 0..MAX_READS {
            let Some(item) = self.0.get(&keys::documents(id), key).await? else { return Ok(None) };
            if let Some(kept) = self.with_body(id, Kept::of(&item)?).await? {
                return Ok(Some(kept));
            }
        }
        Err(Failure::Lost("a body of DynamoDB is not whole".to_owned()))
    }

    /// A document with its body; none if the parts are those of another write already.
    async fn with_body(&self, id: CollectionId, mut kept: Kept) -> Result<Option<Kept>, Failure> {
        if kept.parts == 0 {
            return Ok(Some(kept));
        }
        let prefix = keys::parts(kept.stored.write_id);
        let range = (prefix.clone(), format!("{prefix}9999"));
        let (parts, _) = self.0.range(&keys::bodies(id), range, None, usize::MAX).await?;
        let texts =
            parts.iter().map(|part| text_of(part, "part")).collect::<Result<Vec<_>, _>>()?;
        kept.stored.body = Some(texts.concat());
        Ok((texts.len() == kept.parts).then_some(kept))
    }

    /// A document of which the item was read, whole.
    async fn whole(&self, id: CollectionId, item: &Item) -> Result<Option<Kept>, Failure> {
        let kept = Kept::of(item)?;
        let key = kept.stored.key.clone();
        match self.with_body(id, kept).await? {
            Some(kept) => Ok(Some(kept)),
            None => self.kept(id, &key).await,
        }
    }

    /// The documents of keys, in their order, as they are now.
    async fn all(&self, id: CollectionId, names: Vec<String>) -> Result<Vec<Kept>, Failure> {
        let reads = names.into_iter().map(|name| async move { self.kept(id, &name).await });
        let kept: Vec<_> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
        Ok(kept.into_iter().flatten().collect())
    }

    async fn page(
        &self,
        id: CollectionId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, Failure> {
        // Keys hold no control characters.
        let first = after.map_or_else(|| "\u{1}".to_owned(), |after| format!("{after}\u{1}"));
        let range = (first, "\u{10ffff}\u{10ffff}".to_owned());
        let filter = Some("attribute_not_exists(is_deleted)");
        let limit = limit.min(MAX_PAGE);
        let (items, more) = self.0.range(&keys::documents(id), range, filter, limit).await?;
        let reads: Vec<_> = items.iter().map(|item| self.whole(id, item)).collect();
        let kept: Vec<_> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
        let documents = kept.into_iter().flatten().map(|kept| kept.stored);
        Ok(Page { documents: documents.filter(|stored| !stored.is_deleted()).collect(), more })
    }

    /// What a query finds. Values beside its range, which are cut, and documents that have changed meanwhile are left
    /// out; of a page in which nothing is left, the next one stands.
    async fn found(&self, id: CollectionId, query: &Query) -> Result<Page, Failure> {
        let (partition, path) = (keys::index(id, &query.path), super::path_name(&query.path));
        let mut query = Query { limit: query.limit.min(MAX_PAGE), ..query.clone() };
        while let Some(range) = keys::range(&query) {
            let (items, more) = self.0.range(&partition, range, None, query.limit).await?;
            let entries = items.iter().map(EntryItem::of).collect::<Result<Vec<_>, _>>()?;
            let within = entries.iter().filter(|entry| entry.is_within(&query));
            let terms: HashMap<_, _> =
                within.clone().map(|it| (&*it.document, &*it.term)).collect();
            let kept = self.all(id, within.map(|entry| entry.document.clone()).collect()).await?;
            let is_same = |kept: &Kept| {
                kept.terms.get(&path).map(String::as_str) == terms.get(&*kept.stored.key).copied()
            };
            let documents = kept.into_iter().filter(is_same).map(|kept| kept.stored);
            let documents: Vec<_> = documents.collect();
            match entries.into_iter().next_back() {
                Some(last) if documents.is_empty() && more => {
                    query.after = Some((last.value, last.document));
                }
                _ => return Ok(Page { documents, more }),
            }
        }
        Ok(Page::default())
    }

    async fn changed(
        &self,
        id: CollectionId,
        since: u64,
        limit: usize,
    ) -> Result<Changes, Failure> {
        let range = (keys::position(since + 1), keys::position(u64::MAX));
        let (items, more) = self.0.range(&keys::changes(id), range, None, limit).await?;
        let last = items.last().map(|item| text_of(item, "SK")).transpose()?;
        let cursor = match last {
            Some(position) => position.parse().map_err(|_| unreadable())?,
            None => since,
        };
        let names = items.iter().map(|item| text_of(item, "document")).collect::<Result<_, _>>()?;
        let documents = self.all(id, names).await?.into_iter().map(|kept| kept.stored).collect();
        Ok(Changes { documents, cursor: cursor.to_string(), more })
    }

    /// The last position of a collection.
    async fn head(&self, id: CollectionId) -> Result<u64, Failure> {
        let item = self.0.get(&keys::changes(id), keys::HEAD).await?;
        item.map_or(Ok(0), |item| number_of(&item, "change_position"))
    }
}

impl fmt::Debug for DynamoDb {
    /// Without the URL, which holds a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynamoDb")
    }
}

impl Engine for DynamoDb {
    fn get<'a>(
        &'a self,
        collection: CollectionId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Stored>>> {
        Box::pin(async move {
            let kept = self.kept(collection, key).await.map_err(Failure::of_read)?;
            Ok(kept.map(|kept| kept.stored))
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
        Box::pin(async move { self.page(collection, after, limit).await.map_err(Failure::of_read) })
    }

    fn query<'a>(
        &'a self,
        collection: CollectionId,
        query: &'a Query,
    ) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move { self.found(collection, query).await.map_err(Failure::of_read) })
    }

    fn changes<'a>(
        &'a self,
        collection: CollectionId,
        since: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Changes>> {
        Box::pin(async move {
            let since = since.map_or(Ok(0), |since| since.parse().map_err(|_| not_a_cursor()))?;
            if since == u64::MAX {
                return Err(not_a_cursor());
            }
            self.changed(collection, since, limit).await.map_err(Failure::of_read)
        })
    }
}

//! Documents in MongoDB: a collection there for each collection here ([`commands`] has what is sent).
//!
//! Reads and writes are acknowledged by a majority of the nodes. No transaction is needed, and so no replica set.

mod address;
mod commands;
mod failure;

use std::{collections::HashSet, fmt, future::IntoFuture, time::Duration};

use futures_util::future::BoxFuture;
use mongodb::{
    Client, Collection, IndexModel,
    bson::Document,
    options::{ClientOptions, ConnectionString, ReadConcern, WriteConcern},
};
use tokio::{
    sync::{Mutex, OnceCell},
    time::{sleep, timeout},
};

use self::{
    commands::{Place, Search},
    failure::Failure,
};
use super::{
    Changes, CollectionId, Delete, Engine, Outcome, Page, Put, Query, Step, Stored, Write,
    not_a_cursor,
};
use crate::error::{Error, Result};

pub use self::address::NotAMongoDbUrl;

/// How long a request waits for its whole answer, if nobody says.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// How often a write begins again because others were faster.
const MAX_ATTEMPTS: u32 = 20;
/// How many documents a page has at most.
const MAX_PAGE: usize = 500;
/// After how many bytes of bodies a page ends.
const MAX_PAGE_BYTES: usize = 32 * 1024 * 1024;

/// A database of MongoDB.
pub struct MongoDb {
    address: ConnectionString,
    database: String,
    timeout: Duration,
    client: OnceCell<Client>,
    /// The indexes that this process has seen to: names of collections, and paths in them.
    indexed: Mutex<HashSet<(String, String)>>,
}

impl MongoDb {
    /// The database of a URL, as `mongodb://USER:PASSWORD@HOST:27017/DATABASE`. It is connected to when it is first
    /// used. Requests wait for [`TIMEOUT`], or as long as is said.
    ///
    /// # Errors
    /// If the URL is none of a database of MongoDB: [`NotAMongoDbUrl`] as [`Error::NotConfigured`].
    pub fn new(url: &str, timeout: Duration) -> Result<Self> {
        let (address, database) = address::parse(url).map_err(|error| Error::NotConfigured {
            code: "documents_url_invalid",
            detail: error.to_string().into(),
        })?;
        let (client, indexed) = (OnceCell::new(), Mutex::default());
        Ok(Self { address, database, timeout, client, indexed })
    }

    async fn connect(&self) -> Result<Client, Failure> {
        let mut options = ClientOptions::parse(self.address.clone()).await?;
        options.app_name = Some("steward".to_owned());
        options.connect_timeout = Some(self.timeout);
        options.server_selection_timeout = Some(self.timeout);
        options.read_concern = Some(ReadConcern::majority());
        options.write_concern = Some(WriteConcern::majority());
        // A read from another node would not see what was written.
        options.selection_criteria = None;
        Ok(Client::with_options(options)?)
    }

    async fn collection(&self, id: CollectionId) -> Result<Collection<Document>, Failure> {
        let client = self.client.get_or_try_init(|| self.connect()).await?;
        let (organization, collection) = (id.organization_id.simple(), id.collection_id.simple());
        let name = format!("{organization}-{collection}");
        Ok(client.database(&self.database).collection(&name))
    }

    /// What a request is answered with, in time.
    async fn wait<T>(
        &self,
        request: impl IntoFuture<Output = mongodb::error::Result<T>>,
    ) -> Result<T, Failure> {
        match timeout(self.timeout, request.into_future()).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Failure::Lost("MongoDB did not answer in time")),
        }
    }

    /// Sees once to the indexes of a collection, or of a path in it.
    async fn index(
        &self,
        collection: &Collection<Document>,
        path: &str,
        keys: Vec<Document>,
    ) -> Result<(), Failure> {
        let name = (collection.name().to_owned(), path.to_owned());
        if self.indexed.lock().await.contains(&name) {
            return Ok(());
        }
        let models = keys.into_iter().map(|keys| IndexModel::builder().keys(keys).build());
        self.wait(collection.create_indexes(models)).await?;
        self.indexed.lock().await.insert(name);
        Ok(())
    }

    /// Puts a document in its place, and says whether that was there.
    async fn place(
        &self,
        collection: &Collection<Document>,
        place: &Place,
    ) -> Result<bool, Failure> {
        match place {
            Place::Insert(document) => match self.wait(collection.insert_one(document)).await {
                Err(Failure::Duplicate) => Ok(false),
                inserted => inserted.map(|_| true),
            },
            Place::Replace(filter, document) => {
                let replace = collection.find_one_and_replace(filter.clone(), document);
                Ok(self.wait(replace).await?.is_some())
            }
        }
    }

    /// The head of a collection, once the write that it has is done.
    async fn settled(
        &self,
        collection: &Collection<Document>,
    ) -> Result<Option<Document>, Failure> {
        let head = self.wait(collection.find_one(commands::head())).await?;
        if let Some(head) = &head {
            // If the place is no longer there, somebody else has done it.
            self.place(collection, &commands::settle(head)?).await?;
        }
        Ok(head)
    }

    async fn document(
        &self,
        collection: &Collection<Document>,
        key: &str,
    ) -> Result<Option<Stored>, Failure> {
        let filter = mongodb::bson::doc! { "_id": commands::id(key) };
        let found = self.wait(collection.find_one(filter)).await?;
        found.as_ref().map(commands::stored).transpose()
    }

    async fn write(&self, id: CollectionId, key: &str, write: Write<'_>) -> Result<Outcome> {
        let collection = self.collection(id).await.map_err(Failure::of_read)?;
        let indexes = commands::indexes();
        self.index(&collection, "", indexes).await.map_err(Failure::of_read)?;
        for attempt in 0..MAX_ATTEMPTS {
            let head = self.settled(&collection).await.map_err(Failure::of_read)?;
            let current = self.document(&collection, key).await.map_err(Failure::of_read)?;
            let stored = match write.step(key, current.as_ref()) {
                Step::Done(outcome) => return Ok(outcome),
                Step::Store(stored) => stored,
            };
            let next =
                commands::next_head(head.as_ref(), &stored, write.entries(), current.as_ref());
            let next = next.map_err(Failure::of_read)?;
            if self.place(&collection, &next).await.map_err(Failure::of_write)? {
                let (Place::Insert(head) | Place::Replace(_, head)) = &next;
                let document = commands::settle(head).map_err(Failure::of_write)?;
                self.place(&collection, &document).await.map_err(Failure::of_write)?;
                return Ok(Outcome::Written(stored));
            }
            sleep(pause(&stored, attempt)).await;
        }
        Err(Failure::Duplicate.of_write())
    }

    /// What a search finds, and whether there is more; less where documents are large.
    async fn found(
        &self,
        collection: &Collection<Document>,
        (filter, sort): Search,
        limit: usize,
    ) -> Result<(Vec<Document>, bool), Failure> {
        let limit = limit.min(MAX_PAGE);
        let asked = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut cursor = self.wait(collection.find(filter).sort(sort).limit(asked)).await?;
        let (mut found, mut bytes) = (Vec::new(), 0);
        while self.wait(cursor.advance()).await? {
            if found.len() == limit || bytes > MAX_PAGE_BYTES {
                return Ok((found, true));
            }
            let document = cursor.deserialize_current()?;
            bytes += document.get_str("body").map_or(0, str::len);
            found.push(document);
        }
        Ok((found, false))
    }

    async fn page(
        &self,
        collection: &Collection<Document>,
        search: Search,
        limit: usize,
    ) -> Result<Page, Failure> {
        let (found, more) = self.found(collection, search, limit).await?;
        let documents = found.iter().map(commands::stored).collect::<Result<_, _>>()?;
        Ok(Page { documents, more })
    }
}

/// How long a writer waits that was not the fastest: each for another time, and longer from one time to the next.
fn pause(stored: &Stored, attempt: u32) -> Duration {
    let random = stored.write_id.as_u128() >> (attempt % 24 * 5) & 31;
    Duration::from_millis(1 + u64::try_from(random).unwrap_or_default() * u64::from(attempt + 1))
}

impl fmt::Debug for MongoDb {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MongoDb")
    }
}

impl Engine for MongoDb {
    fn get<'a>(
        &'a self,
        collection: CollectionId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Stored>>> {
        Box::pin(async move {
            let collection = self.collection(collection).await.map_err(Failure::of_read)?;
            self.document(&collection, key).await.map_err(Failure::of_read)
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
            let collection = self.collection(collection).await.map_err(Failure::of_read)?;
            let page = self.page(&collection, commands::scan(after), limit).await;
            page.map_err(Failure::of_read)
        })
    }

    fn query<'a>(
        &'a self,
        collection: CollectionId,
        query: &'a Query,
    ) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            let collection = self.collection(collection).await.map_err(Failure::of_read)?;
            let keys = vec![commands::index(&query.path)];
            self.index(&collection, &query.path, keys).await.map_err(Failure::of_read)?;
            let page = self.page(&collection, commands::range(query), query.limit).await;
            page.map_err(Failure::of_read)
        })
    }

    fn changes<'a>(
        &'a self,
        collection: CollectionId,
        since: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Changes>> {
        Box::pin(async move {
            let since =
                since.map_or(Ok(0_i64), |since| since.parse().map_err(|_| not_a_cursor()))?;
            if since < 0 {
                return Err(not_a_cursor());
            }
            let collection = self.collection(collection).await.map_err(Failure::of_read)?;
            let found = self.found(&collection, commands::changes(since), limit).await;
            let (found, more) = found.map_err(Failure::of_read)?;
            let last =
                found.last().map(commands::position).transpose().map_err(Failure::of_read)?;
            let documents = found.iter().map(commands::stored).collect::<Result<_, _>>();
            let documents = documents.map_err(Failure::of_read)?;
            Ok(Changes { documents, cursor: last.unwrap_or(since).to_string(), more })
        })
    }
}

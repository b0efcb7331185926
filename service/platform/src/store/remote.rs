//! Parts of rows that are kept in another store, which is asked over the network.
//!
//! No transaction waits for that store. A closure that needs a part that was not read yet ends with
//! [`Error::Remote`]: its transaction is taken back, the part is read, and the closure runs again with it.

use std::{collections::HashMap, fmt, sync::Arc};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{Store, Tx};
use crate::error::{Error, Result};

/// How often a closure runs again for what it needs of another store, or because that was newer.
const MAX_ROUNDS: u32 = 64;
/// Up to how many bytes of parts those that are read at once grow in number.
const GROWING_BYTES: usize = 16 * 1024 * 1024;

/// A part of a row: whose it is, and of which version of the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The organization.
    pub organization_id: Uuid,
    /// With which others it is kept.
    pub collection_id: Uuid,
    /// The row.
    pub id: Uuid,
    /// What the other store calls it.
    pub key: String,
    /// The version of the row.
    pub version: i64,
}

/// What another store has of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The version.
    pub version: i64,
    /// The part itself; none if the row is deleted.
    pub text: Option<String>,
    /// When the row was made, the last time.
    pub created_at: DateTime<Utc>,
    /// When it was written.
    pub updated_at: DateTime<Utc>,
    /// The write that made it so.
    pub write_id: Uuid,
}

/// Another store.
pub trait Remote: fmt::Debug + Send + Sync {
    /// Reads parts, each in the version that is asked for or a later one: all of them, or, where they are large, the
    /// first of them. `store` is the one whose rows they belong to.
    ///
    /// # Errors
    /// [`Error::Unavailable`] and [`Error::NotConfigured`], as nobody can read them now. Nothing that the store said.
    fn read<'a>(
        &'a self,
        store: &'a Store,
        parts: &'a [Part],
    ) -> BoxFuture<'a, Result<Vec<(Uuid, Kept)>>>;

    /// Writes what a row has, unless a later version of it was written. A write that is sent again is done once. True
    /// if it is there.
    ///
    /// # Errors
    /// As of [`Self::read`]; [`Error::OutcomeUnknown`] where it may have been written.
    fn write<'a>(&'a self, part: &'a Part, kept: &'a Kept) -> BoxFuture<'a, Result<bool>>;
}

/// What was read of another store for one closure.
#[derive(Debug, Clone, Default)]
pub(super) struct Fetched {
    parts: Arc<HashMap<(Uuid, Uuid), Arc<Kept>>>,
    bytes: usize,
    rounds: u32,
}

impl Fetched {
    /// Counts one more time that a closure runs again.
    pub(super) fn begin_round(&mut self) -> Result<()> {
        self.rounds += 1;
        if self.rounds <= MAX_ROUNDS {
            return Ok(());
        }
        Err(Error::Unavailable("what another store has does not become what is needed".into()))
    }

    fn get(&self, part: &Part) -> Option<&Arc<Kept>> {
        self.parts.get(&(part.organization_id, part.id)).filter(|kept| kept.version >= part.version)
    }
}

impl Store {
    /// Where parts of rows are kept, if that is another store.
    pub fn remote(&self) -> Option<&Arc<dyn Remote>> {
        self.context.remote.as_ref()
    }

    /// Reads parts of rows, outside of any transaction, and gives them by their rows: each in its version or a later
    /// one.
    ///
    /// # Errors
    /// As of [`Remote::read`]; [`Error::NotConfigured`] where there is no other store.
    pub async fn read_parts(&self, mut wanted: Vec<Part>) -> Result<HashMap<Uuid, Kept>> {
        let mut found = HashMap::with_capacity(wanted.len());
        while !wanted.is_empty() {
            let remote = self.remote().ok_or_else(not_here)?;
            let some = remote.read(self, &wanted).await?;
            if some.is_empty() {
                return Err(Error::Internal("another store has read nothing".into()));
            }
            found.extend(some);
            wanted.retain(|part| !found.contains_key(&part.id));
        }
        Ok(found)
    }

    /// Reads what a closure needs.
    pub(super) async fn fetch(&self, fetched: &mut Fetched, parts: &[Part]) -> Result<()> {
        fetched.begin_round()?;
        let remote = self.remote().ok_or_else(not_here)?;
        let some = remote.read(self, parts).await?;
        let known = Arc::make_mut(&mut fetched.parts);
        for (id, kept) in some {
            let Some(part) = parts.iter().find(|part| part.id == id) else { continue };
            fetched.bytes += kept.text.as_ref().map_or(0, String::len);
            known.insert((part.organization_id, id), Arc::new(kept));
        }
        Ok(())
    }

    /// As [`Self::snapshot`], for what needs parts of rows: `work` may run several times, each on a state of its own.
    pub async fn snapshot_with_parts<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFn(&Tx) -> Result<T> + Send + Sync + 'static,
    {
        let (work, mut fetched) = (Arc::new(work), Fetched::default());
        loop {
            let (again, known) = (Arc::clone(&work), fetched.clone());
            let result = self.snapshot(async move |tx| {
                tx.set_fetched(known);
                (*again)(tx).await
            });
            match result.await {
                Err(Error::Remote(parts)) => self.fetch(&mut fetched, &parts).await?,
                // What was read is newer than the state.
                Err(Error::Retry(_)) => fetched.begin_round()?,
                result => return result,
            }
        }
    }
}

/// What is answered where rows have parts elsewhere, and nobody says where.
fn not_here() -> Error {
    Error::NotConfigured {
        code: "documents_elsewhere",
        detail: "the documents of this installation are kept in another store than the one that is configured".into(),
    }
}

impl Tx {
    /// Whether parts of rows are kept in another store.
    pub fn has_remote(&self) -> bool {
        self.remote().is_some()
    }

    /// Parts of rows, in the order in which they are asked for.
    ///
    /// # Errors
    /// [`Error::Remote`] where some were not read yet, and [`Error::Retry`] where one is newer than the row: the whole
    /// closure runs again. [`Error::NotConfigured`] where there is no other store.
    pub fn parts(&self, wanted: &[Part]) -> Result<Vec<Arc<Kept>>> {
        if !wanted.is_empty() && !self.has_remote() {
            return Err(not_here());
        }
        let fetched = self.fetched();
        let missing: Vec<Part> =
            wanted.iter().filter(|part| fetched.get(part).is_none()).cloned().collect();
        if !missing.is_empty() {
            return Err(Error::Remote(missing));
        }
        let kept = wanted.iter().filter_map(|part| Some((part, fetched.get(part)?)));
        kept.map(|(part, kept)| match kept.version == part.version {
            true => Ok(Arc::clone(kept)),
            false => Err(Error::lost_race("what another store has is newer")),
        })
        .collect()
    }

    /// How many rows to read at once whose parts may be elsewhere: as many as were read already, so that a closure that
    /// reads many runs a few times only.
    pub fn rows_at_once(&self, usual: u64) -> u64 {
        let fetched = self.fetched();
        let known = u64::try_from(fetched.parts.len()).unwrap_or_default();
        if fetched.bytes > GROWING_BYTES { usual } else { usual.max(known) }
    }
}

//! Where the bytes of files are: a folder, or a bucket of S3, GCS or Azure ([`object_store`]).
//!
//! An object is written under a temporary name while its SHA-256 is computed ([`ObjectWriter`]), and then published
//! under its own: `{organization}/{first two digits}/{sha256}-{id}`, the hash being that of the bytes as they are
//! stored. The id is new each time, so a name is never used again, and to remove an object can only concern the one
//! that was meant (docs/decisions/0053). A published object does not change.
//!
//! Both ways, a few parts of [`PART_BYTES`] are in memory, however large the object is. With a key
//! ([`crate::seal::content`]), an object is sealed in chunks, and any range of it opens by itself.

mod failure;
mod location;
mod read;
mod writer;

use std::{
    fmt,
    ops::Range,
    sync::{Arc, OnceLock},
};

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, path::Path};
use uuid::Uuid;

use crate::error::{Error, Result};

use failure::failed;
pub use location::{NotALocation, ObjectsUrl};
pub use read::Content;
pub use writer::{MAX_HEAD, ObjectWriter, Staged};

/// How much of an object is sent at once; no less than S3 takes for a part.
pub const PART_BYTES: usize = 5 * 1024 * 1024;
/// Where what is not published yet is.
const TEMPORARY: &str = "tmp";

/// The objects of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Objects {
    url: ObjectsUrl,
    /// A folder is made when it is first asked for: who never keeps a file has none.
    store: Arc<OnceLock<Arc<dyn ObjectStore>>>,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The name of a published object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName(String);

impl ObjectName {
    /// That of the object of an organization with this id, whose bytes have this hash as they are stored.
    pub fn of(organization_id: Uuid, sha256: &str, id: Uuid) -> Self {
        let shard = sha256.get(..2).unwrap_or("00");
        Self(format!("{organization_id}/{shard}/{sha256}-{}", id.simple()))
    }

    /// As it is kept in the database, and given again by [`Self::from_stored`].
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One that was kept, or listed.
    pub fn from_stored(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The id that it ends with, if it is that of a published object.
    pub fn id(&self) -> Option<Uuid> {
        let (_, id) = self.0.rsplit_once('-')?;
        Uuid::try_parse(id).ok()
    }

    fn path(&self) -> Path {
        Path::from(&*self.0)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An object, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name; of one that is not published yet, that of its place.
    pub name: ObjectName,
    /// Its bytes as they are stored.
    pub size: u64,
    /// When it was written, by the clock of where it is.
    pub modified_at: DateTime<Utc>,
}

impl From<ObjectMeta> for Listed {
    fn from(meta: ObjectMeta) -> Self {
        let name = ObjectName(meta.location.to_string());
        Self { name, size: meta.size, modified_at: meta.last_modified }
    }
}

impl Objects {
    /// Those in memory: for tests, and gone with the process.
    pub fn memory() -> Self {
        Self { url: ObjectsUrl::Memory, store: Arc::default() }
    }

    /// Those at a location. A folder is made once something is asked of it.
    ///
    /// # Errors
    /// Where nothing can be in a bucket, or steward was built without what it takes.
    pub fn at(url: &ObjectsUrl) -> Result<Self, NotALocation> {
        let objects = Self { url: url.clone(), store: Arc::default() };
        if let ObjectsUrl::Bucket(_) = url {
            let store = url.open()?;
            objects.store.get_or_init(|| store);
        }
        Ok(objects)
    }

    /// Where they are.
    pub fn url(&self) -> &ObjectsUrl {
        &self.url
    }

    fn store(&self) -> Result<&Arc<dyn ObjectStore>> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let store = self.url.open().map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(self.store.get_or_init(|| store))
    }

    /// Gives a staged object its own name, after which it is there for good: in a folder, both the file and the folder
    /// that has it are on the disk.
    ///
    /// # Errors
    /// [`Error::Unavailable`], or [`Error::StorageFull`].
    pub async fn publish(&self, staged: &mut Staged, organization_id: Uuid) -> Result<ObjectName> {
        let name = ObjectName::of(organization_id, &staged.stored_sha256, staged.id);
        self.store()?.rename(&temporary(staged.id), &name.path()).await.map_err(failed)?;
        staged.published();
        Ok(name)
    }

    /// The bytes of a range, as they are stored, which come as they are read.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such object.
    pub async fn get(
        &self,
        name: &ObjectName,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<bytes::Bytes>>> {
        if range.is_empty() {
            return Ok(futures_util::stream::empty().boxed());
        }
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..Default::default() };
        let found = self.store()?.get_opts(&name.path(), options).await.map_err(failed)?;
        Ok(found.into_stream().map_err(failed).boxed())
    }

    /// How many bytes an object has as it is stored; none if it is not there.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn size(&self, name: &ObjectName) -> Result<Option<u64>> {
        match self.store()?.head(&name.path()).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Removes an object. One that is not there is removed already.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn delete(&self, name: &ObjectName) -> Result<()> {
        match self.store()?.delete(&name.path()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Removes what is below a folder of names, at most so many, and says how many there were.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn delete_below(&self, folder: &str, limit: usize) -> Result<u64> {
        let listed: Vec<Listed> = self.list(folder)?.take(limit).try_collect().await?;
        for object in &listed {
            self.delete(&object.name).await?;
        }
        Ok(listed.len() as u64)
    }

    /// The objects below a folder of names, or all; those that are not published yet too. In no order, as they are
    /// found.
    ///
    /// # Errors
    /// [`Error::Unavailable`], now or while they are read.
    pub fn list(&self, folder: &str) -> Result<BoxStream<'static, Result<Listed>>> {
        let prefix = (!folder.is_empty()).then(|| Path::from(folder));
        let listed = self.store()?.list(prefix.as_ref());
        Ok(listed.map(|meta| Ok(meta.map_err(failed)?.into())).boxed())
    }

    /// In a folder, the files of uploads that were killed, which no list shows, written before an instant: how many,
    /// after they are removed if they are to be. A bucket removes such by a rule of its own (docs/operations.md).
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn abandoned(&self, before: DateTime<Utc>, remove: bool) -> Result<u64> {
        let ObjectsUrl::Folder(folder) = self.url.clone() else { return Ok(0) };
        let look = move || failure::abandoned(&folder.join(TEMPORARY), before, remove);
        let found = tokio::task::spawn_blocking(look).await;
        let found =
            found.map_err(|error| Error::Internal(format!("a look at a folder: {error}")))?;
        found.map_err(|error| Error::Unavailable(format!("the folder of objects: {error}")))
    }
}

/// The place of an object that is not published yet.
fn temporary(id: Uuid) -> Path {
    Path::from(format!("{TEMPORARY}/{}", id.simple()))
}

#[cfg(test)]
mod tests;

//! Writing an object: a part at a time, under a temporary name.

use std::{fmt, future::poll_fn, pin::Pin, sync::Arc};

use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt, buffered::BufWriter};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWrite;
use uuid::Uuid;

use super::{
    Objects, PART_BYTES,
    failure::{failed, of_chain},
    temporary,
};
use crate::{
    error::{Error, Result},
    random::hexadecimal,
    seal::content::{ContentKey, Sealer},
};

/// How many parts of an object are on their way at once.
const PARTS_AT_ONCE: usize = 1;
/// How many of its first bytes are kept, to know by them what it is.
pub const MAX_HEAD: usize = 8 * 1024;

/// An object that is being written.
pub struct ObjectWriter {
    id: Uuid,
    store: Arc<dyn ObjectStore>,
    writer: Upload,
    sealer: Option<Sealer>,
    plain: Hasher,
    /// Of what is sealed; else what is stored is what was written.
    stored: Option<Hasher>,
    head: Vec<u8>,
}

/// An upload under way, of which nothing stays if it is dropped.
struct Upload(Option<BufWriter>);

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(mut writer) = self.0.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Err(error) = writer.abort().await {
                tracing::warn!(%error, "an upload that was given up may have left something");
            }
        });
    }
}

/// What was written, and counts.
#[derive(Default)]
struct Hasher {
    sha256: Sha256,
    size: u64,
}

impl Hasher {
    fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.size += bytes.len() as u64;
    }

    fn finish(self) -> (String, u64) {
        (hexadecimal(&self.sha256.finalize()), self.size)
    }
}

/// An object that is written, and has no name of its own yet. If it gets none, it is removed when this is dropped.
pub struct Staged {
    /// Its id, which is new.
    pub id: Uuid,
    /// The SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
    /// The bytes of its content.
    pub size: u64,
    /// The SHA-256 of what is stored, which is another if that is sealed.
    pub stored_sha256: String,
    /// The bytes of what is stored.
    pub stored_size: u64,
    /// The first bytes of its content: [`MAX_HEAD`] at most.
    pub head: Vec<u8>,
    /// Where it is to be removed, while it is not published.
    store: Option<Arc<dyn ObjectStore>>,
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged")
            .field("id", &self.id)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ObjectWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectWriter").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Objects {
    /// A new object with an id that no other has, sealed if there is a key, which is to be of no other object.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn writer(&self, id: Uuid, key: Option<&ContentKey>) -> Result<ObjectWriter> {
        let store = Arc::clone(self.store()?);
        let writer = BufWriter::with_capacity(Arc::clone(&store), temporary(id), PART_BYTES)
            .with_max_concurrency(PARTS_AT_ONCE);
        let writer = Upload(Some(writer));
        let (sealer, stored) = (key.map(Sealer::new), key.map(|_| Hasher::default()));
        let plain = Hasher::default();
        Ok(ObjectWriter { id, store, writer, sealer, plain, stored, head: Vec::new() })
    }
}

impl ObjectWriter {
    /// How many bytes were written.
    pub fn size(&self) -> u64 {
        self.plain.size
    }

    /// Writes what comes next. It comes back once there is room for more.
    ///
    /// # Errors
    /// [`Error::Unavailable`], or [`Error::StorageFull`].
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.plain.update(&bytes);
        let room = MAX_HEAD - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        match &mut self.sealer {
            None => self.put(bytes).await,
            Some(sealer) => {
                for sealed in sealer.update(&bytes)? {
                    self.put(sealed.into()).await?;
                }
                Ok(())
            }
        }
    }

    async fn put(&mut self, bytes: Bytes) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if let Some(stored) = &mut self.stored {
            stored.update(&bytes);
        }
        match &mut self.writer.0 {
            Some(writer) => writer.put(bytes).await.map_err(failed),
            None => Err(Error::Internal("an upload goes on after its end".into())),
        }
    }

    /// Ends it: all of it is stored under its temporary name.
    ///
    /// # Errors
    /// As of [`Self::write`].
    pub async fn finish(mut self) -> Result<Staged> {
        if let Some(sealer) = self.sealer.take() {
            let last = sealer.finish()?;
            self.put(last.into()).await?;
        }
        if let Some(mut writer) = self.writer.0.take() {
            let ended = poll_fn(|context| Pin::new(&mut writer).poll_shutdown(context)).await;
            ended.map_err(|error| of_chain(&error))?;
        }
        let Self { id, store, plain, stored, head, .. } = self;
        let (sha256, size) = plain.finish();
        let (stored_sha256, stored_size) =
            stored.map_or_else(|| (sha256.clone(), size), Hasher::finish);
        Ok(Staged { id, sha256, size, stored_sha256, stored_size, head, store: Some(store) })
    }
}

impl Staged {
    /// It has its own name.
    pub(super) fn published(&mut self) {
        self.store = None;
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let Some(store) = self.store.take() else { return };
        let path = temporary(self.id);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Err(error) = store.delete(&path).await {
                tracing::warn!(%error, "an upload that was not used cannot be removed");
            }
        });
    }
}

//! Reading an object, or a range of it, opened if it is sealed.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{BoxStream, try_unfold},
};

use super::{ObjectName, Objects};
use crate::{
    error::{Error, Result},
    seal::content::{ContentKey, Opener, SEALED_CHUNK_BYTES, stored_range},
};

/// The content of an object.
#[derive(Debug)]
pub struct Content<'a> {
    /// Its name.
    pub name: &'a ObjectName,
    /// How many bytes the content has.
    pub size: u64,
    /// The key, if it is sealed.
    pub key: Option<&'a ContentKey>,
}

impl Objects {
    /// The bytes of a range of an object's content.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such object; while it is read, [`Error::Internal`] where what is sealed
    /// was changed.
    pub async fn read(
        &self,
        content: &Content<'_>,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        let Some(key) = content.key else { return self.get(content.name, range).await };
        if range.is_empty() {
            return self.get(content.name, 0..0).await;
        }
        let (first, stored) = stored_range(content.size, &range);
        let inner = self.get(content.name, stored).await?;
        let opener = Opener::new(key, content.size, first);
        Ok(open(inner, opener, range))
    }
}

/// A sealed chunk at a time.
struct Opening {
    inner: BoxStream<'static, Result<Bytes>>,
    opener: Opener,
    buffer: BytesMut,
    range: Range<u64>,
}

fn open(
    inner: BoxStream<'static, Result<Bytes>>,
    opener: Opener,
    range: Range<u64>,
) -> BoxStream<'static, Result<Bytes>> {
    let opening = Opening { inner, opener, buffer: BytesMut::new(), range };
    try_unfold(opening, |mut opening| async move {
        let chunk = opening.next().await?;
        Ok::<_, Error>(chunk.map(|chunk| (chunk, opening)))
    })
    .boxed()
}

impl Opening {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let at = self.opener.position();
        if at >= self.range.end {
            return Ok(None);
        }
        let wanted = self.opener.next_sealed_bytes();
        while self.buffer.len() < wanted {
            let Some(bytes) = self.inner.try_next().await? else {
                return Err(Error::Internal("a sealed object ends too early".into()));
            };
            self.buffer.extend_from_slice(&bytes);
        }
        debug_assert!(wanted <= SEALED_CHUNK_BYTES);
        let plain = Bytes::from(self.opener.open(&self.buffer.split_to(wanted))?);
        let from = self.range.start.saturating_sub(at) as usize;
        let to = plain.len().min((self.range.end - at) as usize);
        Ok(Some(plain.slice(from..to)))
    }
}

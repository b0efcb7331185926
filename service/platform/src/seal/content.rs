//! Encryption of what is too long for one value: in chunks, each of which opens by itself.
//!
//! The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its
//! Nonce-Reuse Misuse-Resistance, 2015) over XChaCha20-Poly1305, as the crate `aead` has it as `StreamBE32`: the nonce
//! of a chunk is its number, and whether it is the last. So no chunk can be left out, moved, or taken for the end. A
//! key is for one content: it is kept sealed beside what the content belongs to.

use std::{fmt, ops::Range};

use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce, aead::Aead};

use crate::{
    error::{Error, Result},
    random::Random,
};

/// How many bytes a chunk has; the last one has fewer.
const CHUNK_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
/// How many bytes a chunk has that is sealed.
pub const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;
const KEY_BYTES: usize = 32;
/// Of the nonce, before the number of the chunk and the mark of the last: nothing, since the key is new each time.
const PREFIX_BYTES: usize = 19;

/// The key of one content. It does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ContentKey([u8; KEY_BYTES]);

impl ContentKey {
    /// A new one.
    pub fn new(random: &Random) -> Self {
        Self(random.bytes())
    }

    /// To be sealed, and kept.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }

    /// One that was kept.
    ///
    /// # Errors
    /// [`Error::Internal`] where it is none.
    pub fn from_kept(bytes: &[u8]) -> Result<Self> {
        let key = bytes.try_into();
        key.map(Self).map_err(|_| Error::Internal("the key of a content is none".into()))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(self.0))
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey")
    }
}

fn nonce(number: u32, is_last: bool) -> XNonce {
    let mut nonce = [0; PREFIX_BYTES + 5];
    nonce[PREFIX_BYTES..PREFIX_BYTES + 4].copy_from_slice(&number.to_be_bytes());
    nonce[PREFIX_BYTES + 4] = is_last.into();
    XNonce::from(nonce)
}

fn too_long() -> Error {
    Error::Internal("a content is too long to be sealed".into())
}

/// Seals a content as it comes.
pub struct Sealer {
    cipher: XChaCha20Poly1305,
    number: u32,
    buffer: Vec<u8>,
}

impl Sealer {
    /// From its beginning.
    pub fn new(key: &ContentKey) -> Self {
        Self { cipher: key.cipher(), number: 0, buffer: Vec::new() }
    }

    /// The chunks that are full with what comes next.
    ///
    /// # Errors
    /// [`Error::Internal`] where there are more chunks than numbers: 256 TiB.
    pub fn update(&mut self, mut bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut sealed = Vec::new();
        while !bytes.is_empty() {
            // A full chunk is sealed once there is more: it may be the last.
            if self.buffer.len() == CHUNK_BYTES {
                sealed.push(self.seal(false)?);
                self.number = self.number.checked_add(1).ok_or_else(too_long)?;
                self.buffer.clear();
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
        }
        Ok(sealed)
    }

    /// The last chunk, of an empty content the only one.
    ///
    /// # Errors
    /// None that is known of.
    pub fn finish(self) -> Result<Vec<u8>> {
        self.seal(true)
    }

    fn seal(&self, is_last: bool) -> Result<Vec<u8>> {
        let sealed = self.cipher.encrypt(&nonce(self.number, is_last), &*self.buffer);
        sealed.map_err(|_| Error::Internal("a content cannot be encrypted".into()))
    }
}

/// The number of the first chunk that has a byte of the range, and where those chunks are stored. The range is not
/// empty and lies within the content.
pub fn stored_range(size: u64, range: &Range<u64>) -> (u32, Range<u64>) {
    let (plain, sealed) = (CHUNK_BYTES as u64, SEALED_CHUNK_BYTES as u64);
    let (first, last) = (range.start / plain, (range.end - 1) / plain);
    let end = ((last + 1) * sealed).min(stored_size(size));
    (u32::try_from(first).unwrap_or(u32::MAX), first * sealed..end)
}

/// How many bytes a content has that is sealed.
pub fn stored_size(size: u64) -> u64 {
    size + size.div_ceil(CHUNK_BYTES as u64).max(1) * TAG_BYTES as u64
}

/// Opens the chunks of a content, one after the other.
pub struct Opener {
    cipher: XChaCha20Poly1305,
    size: u64,
    number: u32,
}

impl Opener {
    /// From a chunk on, of a content of so many bytes.
    pub fn new(key: &ContentKey, size: u64, number: u32) -> Self {
        Self { cipher: key.cipher(), size, number }
    }

    /// Where in the content the next chunk begins.
    pub fn position(&self) -> u64 {
        u64::from(self.number) * CHUNK_BYTES as u64
    }

    /// How many bytes the next chunk has that is sealed.
    pub fn next_sealed_bytes(&self) -> usize {
        let left = self.size.saturating_sub(self.position());
        left.min(CHUNK_BYTES as u64) as usize + TAG_BYTES
    }

    /// Opens the next chunk.
    ///
    /// # Errors
    /// [`Error::Internal`] where it was changed, moved, or sealed with another key.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>> {
        let is_last = self.position() + CHUNK_BYTES as u64 >= self.size;
        let opened = self.cipher.decrypt(&nonce(self.number, is_last), sealed);
        let opened = opened.map_err(|_| Error::Internal("a sealed content was changed".into()))?;
        self.number = self.number.saturating_add(1);
        Ok(opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(key: &ContentKey, plain: &[u8], steps: usize) -> Vec<u8> {
        let mut sealer = Sealer::new(key);
        let mut sealed = Vec::new();
        for bytes in plain.chunks(steps) {
            sealed.extend(sealer.update(bytes).expect("sealed").concat());
        }
        sealed.extend(sealer.finish().expect("sealed"));
        sealed
    }

    fn opened(key: &ContentKey, size: usize, sealed: &[u8]) -> Result<Vec<u8>> {
        let mut opener = Opener::new(key, size as u64, 0);
        let (mut plain, mut rest) = (Vec::new(), sealed);
        loop {
            let (now, later) = rest.split_at(rest.len().min(opener.next_sealed_bytes()));
            plain.extend(opener.open(now)?);
            rest = later;
            if opener.position() >= size as u64 {
                return Ok(plain);
            }
        }
    }

    #[test]
    fn what_is_sealed_opens_whatever_the_steps() {
        let key = ContentKey::new(&Random::seeded(7));
        for size in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES] {
            let plain: Vec<u8> = (0..size).map(|index| index as u8).collect();
            let whole = sealed(&key, &plain, usize::MAX);
            assert_eq!(whole, sealed(&key, &plain, 1_000));
            assert_eq!(whole.len() as u64, stored_size(size as u64));
            assert_eq!(opened(&key, size, &whole).expect("opened"), plain);
        }
    }

    #[test]
    fn what_was_changed_moved_or_cut_off_does_not_open() {
        let key = ContentKey::new(&Random::seeded(7));
        let size = 2 * CHUNK_BYTES + 5;
        let whole = sealed(&key, &vec![1; size], usize::MAX);
        let mut changed = whole.clone();
        changed[CHUNK_BYTES * 2] ^= 1;
        assert!(opened(&key, size, &changed).is_err());
        let swapped = [
            &whole[SEALED_CHUNK_BYTES..2 * SEALED_CHUNK_BYTES],
            &whole[..SEALED_CHUNK_BYTES],
            &whole[2 * SEALED_CHUNK_BYTES..],
        ];
        assert!(opened(&key, size, &swapped.concat()).is_err());
        // The end of a whole chunk is not the end.
        assert!(opened(&key, CHUNK_BYTES, &whole[..SEALED_CHUNK_BYTES]).is_err());
        let other = ContentKey::new(&Random::seeded(8));
        assert!(opened(&other, size, &whole).is_err());
    }
}

//! Randomness, and the ids and tokens made of it, handed in so that a test can fix it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

/// A source of random bytes.
#[derive(Clone)]
pub struct Random(Arc<Fill>);

impl Random {
    /// The operating system's.
    pub fn system() -> Self {
        Self(Arc::new(|bytes| {
            // Without randomness there are no secrets: better no process than a guessable one.
            #[expect(clippy::expect_used, reason = "nothing safe can be done without it")]
            getrandom::fill(bytes).expect("the operating system gives random bytes");
        }))
    }

    /// The same sequence for the same seed: for tests that compare answers, never for secrets.
    pub fn seeded(seed: u64) -> Self {
        let counter = AtomicU64::new(0);
        Self(Arc::new(move |bytes| {
            for chunk in bytes.chunks_mut(32) {
                let count = counter.fetch_add(1, Ordering::SeqCst);
                let block = Sha256::new()
                    .chain_update(seed.to_be_bytes())
                    .chain_update(count.to_be_bytes());
                chunk.copy_from_slice(&block.finalize()[..chunk.len()]);
            }
        }))
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0)(&mut bytes);
        bytes
    }

    /// A UUIDv7 (RFC 9562) of that instant.
    pub fn id(&self, at: DateTime<Utc>) -> Uuid {
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }

    /// A number below `bound`, for jitter.
    pub fn below(&self, bound: u64) -> u64 {
        u64::from_be_bytes(self.bytes()) % bound.max(1)
    }

    /// A new secret of 256 random bits.
    pub fn secret(&self) -> Secret {
        Secret(URL_SAFE_NO_PAD.encode(self.bytes::<32>()))
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

/// A token that opens something. It is shown once, to the one who asked for it; the database keeps
/// its hash. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret as a client sent it.
    pub fn of(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// This secret with something readable in front, which says what it opens.
    pub fn prefixed(self, prefix: &str) -> Self {
        Self(format!("{prefix}{}", self.0))
    }

    /// The secret itself, for the one answer that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Its SHA-256, in hexadecimal: what is kept. 256 random bits need no slow hash.
    pub fn hash(&self) -> String {
        hexadecimal(&Sha256::digest(self.0.as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Random::system().secret();
        assert!(!format!("{secret:?}").contains(secret.reveal()));
        assert_eq!(secret.hash().len(), 64);
    }

    #[test]
    fn ids_of_one_seed_are_the_same_and_of_version_7() {
        let at = DateTime::UNIX_EPOCH;
        let (one, other) = (Random::seeded(1), Random::seeded(1));
        let ids = [one.id(at), one.id(at)];
        assert_eq!(ids, [other.id(at), other.id(at)]);
        assert_ne!(ids[0], ids[1]);
        assert_eq!(ids[0].get_version_num(), 7);
    }
}

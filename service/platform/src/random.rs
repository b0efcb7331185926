//! Randomness, and the ids and tokens made of it, handed in so that a test can fix it.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

/// A source of random bytes. Its clones share the order of the ids that they make.
#[derive(Clone)]
pub struct Random {
    fill: Arc<Fill>,
    latest: Arc<Mutex<Latest>>,
}

/// The latest id: its milliseconds, and the 74 bits below them.
#[derive(Debug, Clone, Copy, Default)]
struct Latest {
    millis: u64,
    counter: u128,
}

/// How many bits of a UUIDv7 stand below its milliseconds.
const COUNTER_BITS: u32 = 74;

impl Random {
    /// The operating system's.
    pub fn system() -> Self {
        Self::of(Arc::new(|bytes| {
            // Without randomness there are no secrets: better no process than a guessable one.
            #[expect(clippy::expect_used, reason = "nothing safe can be done without it")]
            getrandom::fill(bytes).expect("the operating system gives random bytes");
        }))
    }

    /// The same sequence for the same seed: for tests that compare answers, never for secrets.
    pub fn seeded(seed: u64) -> Self {
        let counter = AtomicU64::new(0);
        Self::of(Arc::new(move |bytes| {
            for chunk in bytes.chunks_mut(32) {
                let count = counter.fetch_add(1, Ordering::SeqCst);
                let block = Sha256::new()
                    .chain_update(seed.to_be_bytes())
                    .chain_update(count.to_be_bytes());
                chunk.copy_from_slice(&block.finalize()[..chunk.len()]);
            }
        }))
    }

    fn of(fill: Arc<Fill>) -> Self {
        Self { fill, latest: Arc::default() }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.fill)(&mut bytes);
        bytes
    }

    /// A UUIDv7 of that instant, greater than every one before (RFC 9562, section 6.2, method 2): within a
    /// millisecond, and where the clock has been put back, it has the milliseconds of the latest one.
    /// [`uuid::ContextV7`] does the same, but with randomness of its own, which no test can fix.
    pub fn id(&self, at: DateTime<Utc>) -> Uuid {
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        let random = u128::from_be_bytes(self.bytes());
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = latest.next(millis, random);
        latest.id()
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

impl Latest {
    /// The id after this one. A counter begins below the half, which leaves room for as many again.
    fn next(self, millis: u64, random: u128) -> Self {
        let fresh = random & ((1 << (COUNTER_BITS - 1)) - 1);
        if millis > self.millis {
            return Self { millis, counter: fresh };
        }
        let counter = self.counter + 1 + (random & u128::from(u32::MAX));
        if counter >> COUNTER_BITS == 0 {
            Self { counter, ..self }
        } else {
            Self { millis: self.millis + 1, counter: fresh }
        }
    }

    fn id(self) -> Uuid {
        let [high, low] = ((self.counter >> 62) as u16).to_be_bytes();
        let [a, b, c, d, e, f, g, h] = (self.counter as u64).to_be_bytes();
        let bytes = [high, low, a, b, c, d, e, f, g, h];
        uuid::Builder::from_unix_timestamp_millis(self.millis, &bytes).into_uuid()
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
pub fn hexadecimal(bytes: &[u8]) -> String {
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

    #[test]
    fn ids_ascend_within_a_millisecond_and_when_the_clock_is_put_back() {
        let random = Random::system();
        let at = |millis| DateTime::from_timestamp_millis(millis).expect("an instant");
        let instants = (0..2000).map(|n| at(if n < 1000 { 1_000_000 } else { 5 }));
        let ids: Vec<Uuid> = instants.chain([at(2_000_000)]).map(|at| random.id(at)).collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
        let other = random.clone();
        assert!(other.id(at(5)) > *ids.last().expect("ids"), "clones share the order");
        assert_eq!(ids[1999].get_timestamp().map(|at| at.to_unix()), Some((1000, 0)));
    }

    #[test]
    fn a_counter_that_is_full_goes_on_in_the_next_millisecond() {
        let full = Latest { millis: 7, counter: (1 << COUNTER_BITS) - 1 };
        let next = full.next(7, u128::MAX);
        assert_eq!((next.millis, next.counter >> (COUNTER_BITS - 1)), (8, 0));
        assert!(full.id() < next.id());
        assert!(
            Latest { millis: 7, counter: 1 << 62 }.id()
                > Latest { millis: 7, counter: (1 << 62) - 1 }.id()
        );
    }
}

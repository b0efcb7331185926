//! Encryption of what must be read again: authenticated, with the id of the key beside the value,
//! and bound to its place, so that a value that is moved to another row does not open.
//!
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), a fresh random nonce of 192 bits each time.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    random::Random,
};

const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;

/// The keys of this installation: the first one encrypts, all decrypt. It does not show itself.
#[derive(Clone, Default)]
pub struct Keyring(Vec<(String, [u8; KEY_BYTES])>);

/// Where a value is kept.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The organization; nil if there is none.
    pub organization_id: Uuid,
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row.
    pub row: Uuid,
}

impl Place {
    fn associated_data(&self) -> String {
        let Self { organization_id, table, column, row } = self;
        format!("{organization_id}/{table}/{column}/{row}")
    }
}

impl Keyring {
    /// A ring of one key, made of other secret bytes.
    pub(crate) fn of_key(id: &str, key: [u8; KEY_BYTES]) -> Self {
        Self(vec![(id.to_owned(), key)])
    }

    /// A new key with an id, as it is written in the configuration.
    pub fn new_key(id: &str, random: &Random) -> String {
        format!("{id}:{}", URL_SAFE_NO_PAD.encode(random.bytes::<KEY_BYTES>()))
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Encrypts a value for its place.
    ///
    /// # Errors
    /// [`Error::NotConfigured`] where there is no key.
    pub fn seal(&self, random: &Random, place: &Place, plain: &[u8]) -> Result<String> {
        let (id, key) = self.0.first().ok_or_else(not_configured)?;
        let nonce = random.bytes::<NONCE_BYTES>();
        let aad = place.associated_data();
        let payload = Payload { msg: plain, aad: aad.as_bytes() };
        let sealed = cipher(key)
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::Internal("a value cannot be encrypted".into()))?;
        Ok(format!("{id}:{}", URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())))
    }

    /// Decrypts a value of its place.
    ///
    /// # Errors
    /// [`Error::NotConfigured`] where its key is not there, [`Error::Internal`] where the value is
    /// not what was sealed there.
    pub fn open(&self, place: &Place, sealed: &str) -> Result<Vec<u8>> {
        let forged = || Error::Internal(format!("a sealed value does not open: {place:?}"));
        let (id, value) = sealed.split_once(':').ok_or_else(forged)?;
        let key = self.0.iter().find(|(known, _)| known == id);
        let (_, key) = key.ok_or_else(not_configured)?;
        let bytes = URL_SAFE_NO_PAD.decode(value).map_err(|_| forged())?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(forged)?;
        let aad = place.associated_data();
        let payload = Payload { msg: sealed, aad: aad.as_bytes() };
        cipher(key).decrypt(&XNonce::from(*nonce), payload).map_err(|_| forged())
    }
}

fn cipher(key: &[u8; KEY_BYTES]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key))
}

fn not_configured() -> Error {
    Error::NotConfigured {
        code: "encryption_not_configured",
        detail: "this takes an encryption key: the operator sets STEWARD_ENCRYPTION_KEYS",
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.0.iter().map(|(id, _)| id).collect();
        f.debug_tuple("Keyring").field(&ids).finish()
    }
}

/// Why a text is no keyring. Never with the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write keys as ID:KEY,ID:KEY, each KEY 32 bytes in base64 (`steward keys new` makes one)")]
pub struct NotAKeyring;

impl FromStr for Keyring {
    type Err = NotAKeyring;

    fn from_str(text: &str) -> Result<Self, NotAKeyring> {
        let mut keys: Vec<(String, [u8; KEY_BYTES])> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (id, key) = part.split_once(':').ok_or(NotAKeyring)?;
            let sound = (1..=32).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
            let bytes = URL_SAFE_NO_PAD
                .decode(key.trim_end_matches('=').replace('+', "-").replace('/', "_"))
                .map_err(|_| NotAKeyring)?;
            let key = bytes.try_into().map_err(|_| NotAKeyring)?;
            if !sound || keys.iter().any(|(known, _)| known == id) {
                return Err(NotAKeyring);
            }
            keys.push((id.to_owned(), key));
        }
        Ok(Self(keys))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(ids: &[&str]) -> Keyring {
        let random = Random::seeded(7);
        let keys: Vec<_> = ids.iter().map(|id| Keyring::new_key(id, &random)).collect();
        keys.join(",").parse().expect("a keyring")
    }

    fn place() -> Place {
        let organization_id = Uuid::from_u128(1);
        Place { organization_id, table: "webhook", column: "secret", row: Uuid::from_u128(2) }
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_alone() {
        let (ring, random) = (ring(&["a"]), Random::system());
        let sealed = ring.seal(&random, &place(), b"secret").expect("sealed");
        assert!(sealed.starts_with("a:") && !sealed.contains("secret"));
        assert_ne!(ring.seal(&random, &place(), b"secret").expect("sealed"), sealed);
        assert_eq!(ring.open(&place(), &sealed).expect("opened"), b"secret");
        let elsewhere = Place { row: Uuid::from_u128(3), ..place() };
        assert!(matches!(ring.open(&elsewhere, &sealed), Err(Error::Internal(_))));
        let mut forged = sealed.clone();
        forged.push('A');
        assert!(ring.open(&place(), &forged).is_err());
    }

    #[test]
    fn the_first_key_writes_and_all_read() {
        let (old, random) = (ring(&["old"]), Random::system());
        let sealed = old.seal(&random, &place(), b"x").expect("sealed");
        let mut keys = ring(&["new", "spare"]);
        assert!(matches!(keys.open(&place(), &sealed), Err(Error::NotConfigured { .. })));
        keys.0.extend(old.0);
        assert_eq!(keys.open(&place(), &sealed).expect("opened"), b"x");
        assert!(keys.seal(&random, &place(), b"x").expect("sealed").starts_with("new:"));
        let none = Keyring::default();
        assert!(matches!(none.seal(&random, &place(), b"x"), Err(Error::NotConfigured { .. })));
    }

    #[test]
    fn what_is_no_keyring_is_refused_and_none_shows_itself() {
        let key = Keyring::new_key("a", &Random::seeded(1));
        for bad in ["a", "a:short", ":AAAA", &format!("{key},{key}"), &key.replace("a:", "a b:")] {
            assert_eq!(bad.parse::<Keyring>().err(), Some(NotAKeyring), "{bad}");
        }
        assert!("".parse::<Keyring>().expect("none").is_empty());
        assert_eq!(format!("{:?}", key.parse::<Keyring>()), r#"Ok(Keyring(["a"]))"#);
    }
}

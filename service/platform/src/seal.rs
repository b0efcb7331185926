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

pub mod content;

const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;

/// The keys of this installation: the first one encrypts, all decrypt. It does not show itself.
#[derive(Clone, Default)]
pub struct Keyring(Vec<(String, [u8; KEY_BYTES])>);

/// A column whose values are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// The table, whose key is the organization and an id.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
}

macro_rules! sealed {
    ($($name:ident $table:literal $column:literal),* $(,)?) => {
        $(#[doc = concat!("`", $table, ".", $column, "`")]
        pub const $name: Sealed = Sealed { table: $table, column: $column };)*

        /// Every column that is sealed, and so what a rotation goes through
        /// (`key_rotation`). Nothing can be sealed for another place.
        pub const SEALED: &[Sealed] = &[$($name),*];
    };
}

sealed! {
    ATTACHMENT_CONTENT_KEY "attachment" "content_key",
    DOCUMENT_SECRETS "document" "secrets",
    EVENT "event" "sealed",
    IDEMPOTENCY_ANSWER "idempotency_key" "answer",
    INCIDENT_BODY_PART "incident" "body_part",
    INCIDENT_NATURE "incident" "nature",
    INCIDENT_CAUSE "incident" "cause",
    INCIDENT_TREATMENT "incident" "treatment",
    INCIDENT_NARRATIVE "incident" "narrative",
    INCIDENT_WITNESSES "incident" "witnesses",
    WEBHOOK_SECRET "webhook" "secret",
    WEBHOOK_PREVIOUS_SECRET "webhook" "previous_secret",
}

impl Sealed {
    /// The place of its value in a row; the organization is nil if there is none.
    pub fn at(self, organization_id: Uuid, row: Uuid) -> AssociatedData {
        AssociatedData { organization_id, column: self, row }
    }
}

/// Where a value is stored, which is authenticated with it (RFC 5116, section 2.1).
#[derive(Debug, Clone, Copy)]
pub struct AssociatedData {
    organization_id: Uuid,
    column: Sealed,
    row: Uuid,
}

impl AssociatedData {
    fn encode(&self) -> String {
        let Self { organization_id, column: Sealed { table, column }, row } = self;
        format!("{organization_id}/{table}/{column}/{row}")
    }
}

/// The id of the key that has sealed a value.
pub fn key_of(sealed: &str) -> Option<&str> {
    sealed.split_once(':').map(|(id, _)| id).filter(|id| is_id(id))
}

/// Whether a text can be the id of a key in the configuration.
fn is_id(id: &str) -> bool {
    (1..=32).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
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

    /// The id of the key that encrypts.
    pub fn first(&self) -> Option<&str> {
        self.0.first().map(|(id, _)| &**id)
    }

    /// The ids of all keys, the one that encrypts first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(id, _)| &**id)
    }

    /// Refuses where there is no key.
    ///
    /// # Errors
    /// [`Error::NotConfigured`].
    pub fn require(&self) -> Result<()> {
        if self.is_empty() { Err(not_configured()) } else { Ok(()) }
    }

    /// Encrypts a value for its place.
    ///
    /// # Errors
    /// [`Error::NotConfigured`] where there is no key.
    pub fn seal(
        &self,
        random: &Random,
        associated_data: &AssociatedData,
        plain: &[u8],
    ) -> Result<String> {
        let (id, key) = self.0.first().ok_or_else(not_configured)?;
        let nonce = random.bytes::<NONCE_BYTES>();
        let aad = associated_data.encode();
        let payload = Payload { msg: plain, aad: aad.as_bytes() };
        let sealed = cipher(key)
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::Internal("a value cannot be encrypted".into()))?;
        Ok(format!("{id}:{}", URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())))
    }

    /// Decrypts a value of its place.
    ///
    /// # Errors
    /// [`Error::NotConfigured`] where its key is not there or is another one than then, which looks
    /// no other than a value that was changed or moved; [`Error::Internal`] where it is no sealed value.
    pub fn open(&self, associated_data: &AssociatedData, sealed: &str) -> Result<Vec<u8>> {
        let nothing = || Error::Internal(format!("this is no sealed value: {associated_data:?}"));
        let (id, value) = sealed.split_once(':').ok_or_else(nothing)?;
        let Some((_, key)) = self.0.iter().find(|(known, _)| known == id) else {
            self.require()?;
            return Err(key_of(sealed).map_or_else(nothing, missing));
        };
        let bytes = URL_SAFE_NO_PAD.decode(value).map_err(|_| nothing())?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(nothing)?;
        let aad = associated_data.encode();
        let payload = Payload { msg: sealed, aad: aad.as_bytes() };
        cipher(key).decrypt(&XNonce::from(*nonce), payload).map_err(|_| wrong(id, associated_data))
    }
}

fn cipher(key: &[u8; KEY_BYTES]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key))
}

fn not_configured() -> Error {
    Error::NotConfigured {
        code: "encryption_not_configured",
        detail: "the operation requires an encryption key in STEWARD_ENCRYPTION_KEYS".into(),
    }
}

fn missing(id: &str) -> Error {
    let detail = format!(
        "the value is encrypted with the key {id}, which STEWARD_ENCRYPTION_KEYS does not contain"
    );
    Error::NotConfigured { code: "encryption_key_missing", detail: detail.into() }
}

fn wrong(id: &str, associated_data: &AssociatedData) -> Error {
    let AssociatedData { organization_id, column: Sealed { table, column }, row } = associated_data;
    let detail = format!(
        "{table}.{column} of {row} in {organization_id} does not open with the key {id}: either \
         STEWARD_ENCRYPTION_KEYS has another key under that id, or what is stored was changed"
    );
    Error::NotConfigured { code: "encryption_key_wrong", detail: detail.into() }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.ids().collect();
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
            let bytes = URL_SAFE_NO_PAD
                .decode(key.trim_end_matches('=').replace('+', "-").replace('/', "_"))
                .map_err(|_| NotAKeyring)?;
            let key = bytes.try_into().map_err(|_| NotAKeyring)?;
            if !is_id(id) || keys.iter().any(|(known, _)| known == id) {
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

    fn associated_data() -> AssociatedData {
        WEBHOOK_SECRET.at(Uuid::from_u128(1), Uuid::from_u128(2))
    }

    #[track_caller]
    fn code<T: fmt::Debug>(refused: Result<T>) -> &'static str {
        match refused {
            Err(error @ Error::NotConfigured { .. }) => error.code(),
            other => panic!("{other:?}"),
        }
    }

    /// Values that were sealed before the places had names open as ever.
    #[test]
    fn associated_data_is_what_it_always_was() {
        let (nil, two) =
            ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002");
        assert_eq!(associated_data().encode(), format!("{nil}/webhook/secret/{two}"));
    }

    /// What is secret is a hash or is sealed, and all that is sealed is known to a rotation.
    #[test]
    fn every_secret_column_that_is_no_hash_is_sealed() {
        let secret = migration::CLASSES
            .iter()
            .flat_map(|it| it.secret.iter().map(move |column| Sealed { table: it.table, column }));
        let mut secret: Vec<_> = secret.filter(|it| !it.column.ends_with("_hash")).collect();
        let mut sealed = SEALED.to_vec();
        for columns in [&mut secret, &mut sealed] {
            columns.sort_by_key(|it| (it.table, it.column));
        }
        assert_eq!(secret, sealed);
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_alone() {
        let (ring, random) = (ring(&["a"]), Random::system());
        let sealed = ring.seal(&random, &associated_data(), b"secret").expect("sealed");
        assert!(sealed.starts_with("a:") && !sealed.contains("secret"));
        assert_ne!(ring.seal(&random, &associated_data(), b"secret").expect("sealed"), sealed);
        assert_eq!(ring.open(&associated_data(), &sealed).expect("opened"), b"secret");
        let elsewhere = AssociatedData { row: Uuid::from_u128(3), ..associated_data() };
        assert_eq!(code(ring.open(&elsewhere, &sealed)), "encryption_key_wrong");
        let other = AssociatedData { column: WEBHOOK_PREVIOUS_SECRET, ..associated_data() };
        assert_eq!(code(ring.open(&other, &sealed)), "encryption_key_wrong");
        let mut forged = sealed.clone();
        forged.push('A');
        assert!(ring.open(&associated_data(), &forged).is_err());
        for nothing in ["", "a", "a:", "a:x", "two words:AAAA"] {
            assert!(
                matches!(ring.open(&associated_data(), nothing), Err(Error::Internal(_))),
                "{nothing}"
            );
        }
    }

    #[test]
    fn the_first_key_writes_and_all_read() {
        let (old, random) = (ring(&["old"]), Random::system());
        let sealed = old.seal(&random, &associated_data(), b"x").expect("sealed");
        let mut keys = ring(&["new", "spare"]);
        let refused = keys.open(&associated_data(), &sealed);
        assert!(refused.as_ref().is_err_and(|it| it.to_string().contains("the key old,")));
        assert_eq!(code(refused), "encryption_key_missing");
        keys.0.extend(old.0);
        assert_eq!(keys.open(&associated_data(), &sealed).expect("opened"), b"x");
        assert!(keys.seal(&random, &associated_data(), b"x").expect("sealed").starts_with("new:"));
        let none = Keyring::default();
        for refused in [
            none.seal(&random, &associated_data(), b"x").err(),
            none.open(&associated_data(), &sealed).err(),
        ] {
            assert_eq!(code(refused.map_or(Ok(()), Err)), "encryption_not_configured");
        }
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

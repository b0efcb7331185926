use std::fmt;

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::RecordedResponse;
use crate::{
    error::{Error, Result},
    random::Random,
    seal::{AssociatedData, IDEMPOTENCY_ANSWER, Keyring},
    store::log::{EventContext, NO_ORGANIZATION},
};

/// The id of a key that is made of what a client sent. No key of a configuration has a space in it.
const OWN: &str = "of the client";
const HASH_BYTES: usize = 32;

/// A client's key, with the request that it stands for. Neither is kept: the id is a hash of the
/// key, and the request's hash is sealed with the response.
#[derive(Clone)]
pub struct Key {
    organization_id: Uuid,
    id: Uuid,
    request: [u8; HASH_BYTES],
    own: Keyring,
}

impl Key {
    /// The key that somebody sent with a request. Nobody meets the key of another, for it is theirs
    /// and their organization's; those whom nobody knows share theirs.
    pub fn new(context: Option<EventContext>, text: &str, request: &[&[u8]]) -> Self {
        let organization_id = context.map_or(NO_ORGANIZATION, |context| context.organization_id);
        let (kind, id) = context
            .map_or(("nobody", None), |context| (context.author.as_str(), context.author.id()));
        let id = id.unwrap_or_default();
        let sent: [&[u8]; 4] =
            [organization_id.as_bytes(), kind.as_bytes(), id.as_bytes(), text.as_bytes()];
        let mut first = [0; 16];
        first.copy_from_slice(&hash("id", &sent)[..16]);
        Self {
            organization_id,
            id: Builder::from_custom_bytes(first).into_uuid(),
            request: hash("request", request),
            own: Keyring::of_key(OWN, hash("seal", &sent)),
        }
    }

    pub(super) fn row(&self) -> (Uuid, Uuid) {
        (self.organization_id, self.id)
    }

    /// Encrypts a response with this installation's key, or with one made of the client's.
    pub(super) fn seal(
        &self,
        keyring: &Keyring,
        random: &Random,
        response: &RecordedResponse,
    ) -> Result<String> {
        let ring = if keyring.is_empty() { &self.own } else { keyring };
        ring.seal(random, &self.associated_data(), &[&self.request[..], &response.0].concat())
    }

    /// The response, if it is one to the same request.
    ///
    /// # Errors
    /// [`Error::KeyReused`] if it is not.
    pub(super) fn open(&self, keyring: &Keyring, sealed: &str) -> Result<RecordedResponse> {
        let own = sealed.split_once(':').is_some_and(|(id, _)| id == OWN);
        let plain = if own {
            // No configuration can mend it.
            let forged = |_| Error::Internal("a kept answer does not open".into());
            self.own.open(&self.associated_data(), sealed).map_err(forged)?
        } else {
            keyring.open(&self.associated_data(), sealed)?
        };
        match plain.split_first_chunk::<HASH_BYTES>() {
            Some((request, response)) if *request == self.request => {
                Ok(RecordedResponse(response.to_vec()))
            }
            Some(_) => Err(Error::KeyReused),
            None => Err(Error::Internal("a kept answer is too short".into())),
        }
    }

    fn associated_data(&self) -> AssociatedData {
        let (organization_id, row) = self.row();
        IDEMPOTENCY_ANSWER.at(organization_id, row)
    }
}

/// The SHA-256 of parts, for one purpose. Each part with its length, or two could be taken for others.
fn hash(purpose: &str, parts: &[&[u8]]) -> [u8; HASH_BYTES] {
    let mut hash = Sha256::new();
    for part in [b"steward idempotency", purpose.as_bytes()].iter().chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.row()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: u128) -> Option<EventContext> {
        Some(EventContext::user(Uuid::from_u128(id), None))
    }

    fn response() -> RecordedResponse {
        RecordedResponse(b"an answer".to_vec())
    }

    #[test]
    fn a_key_is_its_senders_own() {
        let row = |context, text| Key::new(context, text, &[]).row();
        assert_eq!(row(user(1), "a"), row(user(1), "a"));
        let rows = [row(user(1), "a"), row(user(1), "b"), row(user(2), "a"), row(None, "a")];
        for (index, one) in rows.iter().enumerate() {
            assert_eq!(one.1.get_version_num(), 8);
            assert!(!rows[index + 1..].contains(one));
        }
    }

    #[test]
    fn a_response_is_one_to_the_same_request() {
        let (none, random) = (Keyring::default(), Random::seeded(1));
        let key = |request| Key::new(user(1), "a", &[b"POST", request]);
        let sealed = key(b"one").seal(&none, &random, &response()).expect("sealed");
        assert!(!sealed.contains("answer"));
        assert_eq!(key(b"one").open(&none, &sealed).expect("opened"), response());
        assert!(matches!(key(b"two").open(&none, &sealed), Err(Error::KeyReused)));
        let another = Key::new(user(2), "a", &[b"POST", b"one"]);
        assert!(matches!(another.open(&none, &sealed), Err(Error::Internal(_))));
    }

    #[test]
    fn the_installations_key_comes_first_and_both_open() {
        let (none, random) = (Keyring::default(), Random::seeded(1));
        let ring: Keyring = Keyring::new_key("k", &random).parse().expect("a keyring");
        let key = Key::new(None, "a", &[]);
        let before = key.seal(&none, &random, &response()).expect("sealed");
        let after = key.seal(&ring, &random, &response()).expect("sealed");
        assert!(before.starts_with(OWN) && after.starts_with("k:"));
        for sealed in [before, after] {
            assert_eq!(key.open(&ring, &sealed).expect("opened"), response());
        }
    }
}

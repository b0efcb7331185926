//! What is pure: which keys and bodies a document may have, and what identifies it.

use sha2::{Digest, Sha256};
use uuid::Uuid;
use validator::ValidationError;

use crate::{input::ExactObject, store::log::hashed_id, text::refusal};

/// How many bytes a key has at most.
pub const MAX_KEY_SIZE: usize = 512;
/// How many bytes of JSON a body has at most.
pub const MAX_BODY_SIZE: usize = 1024 * 1024;

/// Refuses a key that no path can name, or that nobody sees.
pub fn key(key: &str) -> Result<(), ValidationError> {
    if key.is_empty() || key.len() > MAX_KEY_SIZE {
        return Err(refusal("length", "must have 1 to 512 bytes of UTF-8"));
    }
    if key.contains(char::is_control) {
        return Err(refusal("control", "must not contain control characters"));
    }
    // Clients of HTTP take them for a step in the path, however they are encoded (URL Standard, section 4.1).
    if matches!(key, "." | "..") {
        return Err(refusal("dots", "must not be `.` or `..`"));
    }
    Ok(())
}

/// Refuses a body that is too large, and one that clients of CouchDB's protocol could not be shown: it has names that
/// begin with `_` for itself.
pub fn body(body: &ExactObject) -> Result<(), ValidationError> {
    let size = serde_json::to_string(&body.0).map_or(usize::MAX, |json| json.len());
    if size > MAX_BODY_SIZE {
        return Err(refusal("length", "must be at most 1 MiB of JSON"));
    }
    if body.keys().any(|name| name.starts_with('_')) {
        return Err(refusal("reserved", "must have no members whose names begin with `_`"));
    }
    Ok(())
}

/// What identifies a document in the log, and its row: it follows from its collection and its key, so that one that is
/// created again has the history of the one before.
pub fn uuid(collection_id: Uuid, key: &str) -> Uuid {
    hashed_id(Sha256::new().chain_update(collection_id.as_bytes()).chain_update(key))
}

/// The first text, in the order of bytes, after all that begin with this one, if any is.
pub(super) fn after_prefix(prefix: &str) -> Option<String> {
    let mut kept: Vec<char> = prefix.chars().collect();
    while let Some(last) = kept.pop() {
        // Past the surrogates, which are no characters.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            kept.push(next);
            return Some(kept.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_any_text_that_a_path_can_name() {
        for sound in ["a", " ", "/", "%", "%2F", "a/b?c#d", "...", "👩‍🚀", "ä", &"x".repeat(512)]
        {
            assert!(key(sound).is_ok(), "{sound:?}");
        }
        let (long, wide) = ("x".repeat(513), "ä".repeat(257));
        for unsound in ["", ".", "..", "a\nb", "\u{7f}", "\u{85}", &long, &wide] {
            assert!(key(unsound).is_err(), "{unsound:?}");
        }
    }

    #[test]
    fn a_body_leaves_names_to_couchdb() {
        let body =
            |json: &str| super::body(&ExactObject(serde_json::from_str(json).expect("JSON")));
        assert!(body(r#"{"":1,"a_":{"_id":2}}"#).is_ok());
        assert!(body(r#"{"a":1,"_id":2}"#).is_err());
    }

    #[test]
    fn a_document_is_identified_by_its_collection_and_its_key() {
        let [one, other] = [1, 2].map(Uuid::from_u128);
        assert_eq!(uuid(one, "a"), uuid(one, "a"));
        assert_ne!(uuid(one, "a"), uuid(other, "a"));
        assert_ne!(uuid(one, "a"), uuid(one, "b"));
        assert_eq!(uuid(one, "a").get_version_num(), 8);
    }

    #[test]
    fn what_begins_with_a_prefix_ends_before_the_next() {
        let next = |prefix| after_prefix(prefix);
        assert_eq!(next("a").as_deref(), Some("b"));
        assert_eq!(next("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(next("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!((next("\u{10ffff}"), next("")), (None, None));
    }
}

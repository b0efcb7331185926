//! Revisions, as CouchDB and PouchDB write them: `3-917fa2381192822767f010b95b45325b`.

use std::{fmt, str::FromStr};

use md5::{Digest, Md5};
use serde_json::Value;

/// The last generation that a JavaScript client reads exactly: 2^53 - 1.
const MAX_GENERATION: i64 = 9_007_199_254_740_991;
/// How many characters the hash of a revision has at most. Those of CouchDB and PouchDB have 32.
pub const MAX_HASH_CHARACTERS: usize = 64;

/// A revision of a document. Their order is CouchDB's: by generation, and then by the bytes of the hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision {
    generation: i64,
    hash: String,
}

/// What is no revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidRevision;

impl Revision {
    /// A revision of these parts.
    ///
    /// # Errors
    /// Where the generation is not 1 to 2^53 - 1, or the hash not 1 to 64 visible characters of ASCII.
    pub fn new(generation: i64, hash: impl Into<String>) -> Result<Self, InvalidRevision> {
        let hash = hash.into();
        let fits = (1..=MAX_HASH_CHARACTERS).contains(&hash.len());
        let is_visible = hash.bytes().all(|byte| byte.is_ascii_graphic());
        match (1..=MAX_GENERATION).contains(&generation) && fits && is_visible {
            true => Ok(Self { generation, hash }),
            false => Err(InvalidRevision),
        }
    }

    /// The revision that an edit makes of its parent: the same edit of the same revision is the same revision
    /// wherever it is made. The body is the JSON of an object, without white space; the attachments are as they are
    /// stored.
    pub fn of_edit(
        parent: Option<&Self>,
        id: &str,
        (body, attachments): (&str, Option<&str>),
        deleted: bool,
    ) -> Self {
        let members =
            body.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
        let mut md5 = Md5::new();
        md5.update(format!(r#"{{"_id":{}"#, Value::from(id)));
        if let Some(parent) = parent {
            md5.update(format!(r#","_rev":{}"#, Value::from(parent.to_string())));
        }
        if !members.is_empty() {
            md5.update(",");
            md5.update(members);
        }
        if let Some(attachments) = attachments {
            md5.update(r#","_attachments":"#);
            md5.update(attachments);
        }
        if deleted {
            md5.update(r#","_deleted":true"#);
        }
        md5.update("}");
        let hash = md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { generation: parent.map_or(1, |parent| parent.generation + 1), hash }
    }

    /// How many edits led to it: 1 for the first.
    pub fn generation(&self) -> i64 {
        self.generation
    }

    /// What tells it from others of its generation.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The revision of this hash in the generation before.
    pub(super) fn before(&self, hash: &str) -> Self {
        Self { generation: self.generation - 1, hash: hash.to_owned() }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.generation, self.hash)
    }
}

impl FromStr for Revision {
    type Err = InvalidRevision;

    fn from_str(text: &str) -> Result<Self, InvalidRevision> {
        let (generation, hash) = text.split_once('-').ok_or(InvalidRevision)?;
        if !generation.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidRevision);
        }
        Self::new(generation.parse().map_err(|_| InvalidRevision)?, hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in ["1-a", "3-917fa2381192822767f010b95b45325b", "9007199254740991-x-y"] {
            assert_eq!(text.parse::<Revision>().map(|it| it.to_string()).as_deref(), Ok(text));
        }
        let long = format!("1-{}", "a".repeat(65));
        for text in [
            "",
            "1",
            "1-",
            "-a",
            "0-a",
            "+1-a",
            "-1-a",
            "1-a b",
            "1-é",
            "9007199254740992-a",
            &long,
        ] {
            assert_eq!(text.parse::<Revision>(), Err(InvalidRevision), "{text:?}");
        }
    }

    #[test]
    fn generations_are_compared_before_hashes() {
        let revision = |text: &str| text.parse::<Revision>().expect("a revision");
        assert!(revision("2-a") > revision("1-b"));
        assert!(revision("10-a") > revision("9-a"));
        assert!(revision("2-b") > revision("2-a"));
        assert!(revision("2-a") > revision("2-A"));
    }

    /// The hashes are those of `md5sum`.
    #[test]
    fn an_edit_determines_its_revision() {
        let first = Revision::of_edit(None, "a", (r#"{"n":1}"#, None), false);
        assert_eq!(first.to_string(), "1-1c7f036842a7f58541a3b8f73703be58");
        let empty = Revision::of_edit(None, "a", ("{}", None), false);
        assert_eq!(empty.to_string(), "1-13f945554d76000a9b9966c7f4b2dbb4");
        let parent = "1-0".parse().expect("a revision");
        let removed = Revision::of_edit(Some(&parent), "a", ("{}", None), true);
        assert_eq!(removed.to_string(), "2-43ba012070e1dedd8cee66c5fc22bd53");
    }
}

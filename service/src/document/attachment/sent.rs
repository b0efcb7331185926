//! `_attachments` of a document that a client sends.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::{Attachment, Attachments, Blob, MAX_ATTACHMENTS, MAX_BYTES, of_bytes};

/// How many bytes a name has at most, and a media type.
const MAX_NAME: usize = 255;

/// What a client sends of an attachment.
#[derive(Debug, Clone)]
pub struct SentAttachment {
    /// Its media type.
    pub content_type: Option<String>,
    /// The generation of the revision that it came with.
    pub revpos: Option<i64>,
    /// What it is.
    pub content: Content,
}

/// What an attachment is.
#[derive(Debug, Clone)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// That of this name which the document has, if it is of this digest.
    Stub(Option<String>),
}

/// Why attachments cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvalidAttachment {
    /// What is sent makes no sense.
    Malformed(&'static str),
    /// There is more of it than is kept.
    TooLarge(String),
    /// The document has none of this name and digest.
    Missing(String),
}

/// All that a client sends, by name.
#[derive(Debug, Clone, Default)]
pub struct SentAttachments(pub BTreeMap<String, SentAttachment>);

impl SentAttachments {
    /// Those of a member `_attachments`.
    ///
    /// # Errors
    /// Where they cannot be kept.
    pub fn of(members: Map<String, Value>) -> Result<Self, InvalidAttachment> {
        if members.len() > MAX_ATTACHMENTS {
            let limit = format!("a document has at most {MAX_ATTACHMENTS} attachments");
            return Err(InvalidAttachment::TooLarge(limit));
        }
        let sent = members.into_iter().map(|(name, value)| {
            require_name(&name)?;
            Ok((name, SentAttachment::of(value)?))
        });
        Ok(Self(sent.collect::<Result<_, _>>()?))
    }

    /// What they are in a revision of this generation. Those that are named alone are found in `known`, the first of
    /// them that has one.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub(crate) fn resolve(
        self,
        generation: i64,
        known: &[Attachments],
    ) -> Result<(Attachments, Vec<Blob>), InvalidAttachment> {
        let (mut attachments, mut blobs) = (Attachments::default(), Vec::new());
        for (name, sent) in self.0 {
            let attachment = match sent.content {
                Content::Bytes(bytes) => {
                    let revpos = sent.revpos.unwrap_or(generation).clamp(1, generation);
                    let (attachment, blob) = of_bytes(sent.content_type, revpos, bytes);
                    blobs.push(blob);
                    attachment
                }
                Content::Stub(digest) => {
                    let is_it = |it: &&Attachment| {
                        digest.as_ref().is_none_or(|digest| *digest == it.digest)
                    };
                    let found = known.iter().find_map(|known| known.0.get(&name).filter(is_it));
                    found.cloned().ok_or_else(|| InvalidAttachment::Missing(name.clone()))?
                }
            };
            attachments.0.insert(name, attachment);
        }
        Ok((attachments, blobs))
    }
}

fn require_name(name: &str) -> Result<(), InvalidAttachment> {
    if name.is_empty() || name.len() > MAX_NAME || name.contains(char::is_control) {
        let reason = "the name of an attachment has 1 to 255 bytes and no control characters";
        return Err(InvalidAttachment::Malformed(reason));
    }
    if name.starts_with('_') {
        let reason = "the name of an attachment must not begin with an underscore";
        return Err(InvalidAttachment::Malformed(reason));
    }
    Ok(())
}

/// A media type is sent back in a header field: it has visible ASCII and spaces alone.
fn is_content_type(text: &str) -> bool {
    let is_visible = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(is_visible)
}

impl SentAttachment {
    /// These bytes.
    ///
    /// # Errors
    /// Where they are too many, or their media type is none.
    pub fn of_bytes(
        content_type: Option<String>,
        bytes: Vec<u8>,
    ) -> Result<Self, InvalidAttachment> {
        if bytes.len() > MAX_BYTES {
            let limit = format!("an attachment has at most {MAX_BYTES} bytes");
            return Err(InvalidAttachment::TooLarge(limit));
        }
        if content_type.as_deref().is_some_and(|text| !is_content_type(text)) {
            return Err(InvalidAttachment::Malformed("content_type must be a media type"));
        }
        Ok(Self { content_type, revpos: None, content: Content::Bytes(bytes) })
    }

    fn of(value: Value) -> Result<Self, InvalidAttachment> {
        let Value::Object(mut members) = value else {
            return Err(InvalidAttachment::Malformed("an attachment must be an object"));
        };
        let is_stub = members.get("stub") == Some(&Value::Bool(true));
        let revpos = members.get("revpos").and_then(Value::as_i64);
        let mut text = |name: &str| match members.shift_remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (content_type, digest, data) = (text("content_type"), text("digest"), text("data"));
        match data {
            _ if is_stub => Ok(Self { content_type, revpos, content: Content::Stub(digest) }),
            Some(data) => {
                let bytes = STANDARD.decode(data);
                let malformed = |_| InvalidAttachment::Malformed("data must be base64");
                Ok(Self { revpos, ..Self::of_bytes(content_type, bytes.map_err(malformed)?)? })
            }
            None => {
                let reason = "an attachment has data in base64, or is a stub";
                Err(InvalidAttachment::Malformed(reason))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(value: Value) -> Result<SentAttachments, InvalidAttachment> {
        SentAttachments::of(value.as_object().cloned().expect("an object"))
    }

    #[test]
    fn bytes_are_known_by_their_hashes() {
        let sent = sent(json!({ "a.txt": { "content_type": "text/plain", "data": "aGVsbG8=" } }));
        let (attachments, blobs) = sent.expect("one").resolve(3, &[]).expect("one");
        let attachment = &attachments.0["a.txt"];
        assert_eq!((attachment.revpos, attachment.length), (3, 5));
        // Of `md5sum` and `sha256sum`.
        assert_eq!(attachment.digest, "md5-XUFAKrxLKna5cZ2REBfFkg==");
        let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        assert_eq!((&*attachment.sha256, &*blobs[0].bytes), (sha256, &b"hello"[..]));
        let stored = attachments.text();
        assert_eq!(Attachments::stored(stored.as_deref()).expect("the same"), attachments);
    }

    #[test]
    fn a_stub_is_what_the_document_has_of_that_name_and_digest() {
        let first = sent(json!({ "a": { "data": "aGVsbG8=" } })).expect("one");
        let (known, _) = first.resolve(1, &[]).expect("one");
        let again = |stub: Value| {
            let stub = sent(json!({ "a": stub })).expect("a stub");
            stub.resolve(2, std::slice::from_ref(&known)).map(|(again, _)| again)
        };
        assert_eq!(again(json!({ "stub": true })), Ok(known.clone()));
        let digest = "md5-XUFAKrxLKna5cZ2REBfFkg==";
        assert_eq!(again(json!({ "stub": true, "digest": digest })), Ok(known.clone()));
        let missing = Err(InvalidAttachment::Missing("a".into()));
        assert_eq!(again(json!({ "stub": true, "digest": "md5-x" })), missing);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wrong in [
            json!({ "": { "data": "" } }),
            json!({ "_a": { "data": "" } }),
            json!({ "a\n": { "data": "" } }),
            json!({ "a": 1 }),
            json!({ "a": {} }),
            json!({ "a": { "data": "?" } }),
            json!({ "a": { "data": "", "content_type": "a\r\nb" } }),
        ] {
            let refused = sent(wrong.clone());
            assert!(matches!(refused, Err(InvalidAttachment::Malformed(_))), "{wrong}");
        }
        let large = STANDARD.encode(vec![0; MAX_BYTES + 1]);
        let refused = sent(json!({ "a": { "data": large } }));
        assert!(matches!(refused, Err(InvalidAttachment::TooLarge(_))));
    }
}

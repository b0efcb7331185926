//! Files that clients of CouchDB's protocol attach to documents. What is known of one is part of the document, and of
//! each revision; its bytes are kept once for each content ([`blobs`]), as long as any revision that is kept has them.

pub(crate) mod blobs;
mod sent;
pub mod verify;

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use utoipa::ToSchema;

pub use sent::{Content, InvalidAttachment, SentAttachment, SentAttachments};

use crate::{
    error::{Error, Result},
    random::hexadecimal,
};

/// How many bytes one has at most.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;
/// How many a document has at most.
pub const MAX_ATTACHMENTS: usize = 256;
/// What bytes are of which nothing is said.
const DEFAULT_CONTENT_TYPE: &str = "application/octet-stream";

/// What is known of an attachment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its media type, as the client has named it.
    pub content_type: String,
    /// The generation of the revision that it came with.
    pub revpos: i64,
    /// `md5-` and the hash in base64, as CouchDB has it. It protects nothing.
    pub digest: String,
    /// How many bytes it has.
    pub length: u64,
    /// By which its bytes are found.
    pub sha256: String,
}

/// The attachments of a revision, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attachments(pub BTreeMap<String, Attachment>);

/// Bytes that are to be kept.
#[derive(Debug, Clone)]
pub struct Blob {
    /// Their hash, in hexadecimal.
    pub sha256: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Attachments {
    /// Those that are stored so.
    ///
    /// # Errors
    /// Where the text is none of this form.
    pub(crate) fn stored(text: Option<&str>) -> Result<Self> {
        let read = text.map(serde_json::from_str).transpose();
        let unreadable = |_| Error::Internal("stored attachments cannot be read".into());
        Ok(read.map_err(unreadable)?.unwrap_or_default())
    }

    /// As they are stored: nothing, if there are none.
    pub(crate) fn text(&self) -> Option<String> {
        let text = || serde_json::to_string(self).unwrap_or_default();
        (!self.0.is_empty()).then(text)
    }

    /// The hashes of their bytes.
    pub(crate) fn hashes(&self) -> BTreeSet<String> {
        self.0.values().map(|attachment| attachment.sha256.clone()).collect()
    }

    /// As resources show them: nothing, if there are none.
    pub(crate) fn shown(self) -> Option<Vec<DocumentAttachment>> {
        let shown = self.0.into_iter().map(|(name, attachment)| {
            let Attachment { content_type, revpos: _, digest, length, sha256: _ } = attachment;
            DocumentAttachment { name, content_type, length, digest }
        });
        let shown: Vec<_> = shown.collect();
        (!shown.is_empty()).then_some(shown)
    }
}

/// The attachment that some bytes are, and the bytes by their hash.
fn of_bytes(content_type: Option<String>, revpos: i64, bytes: Vec<u8>) -> (Attachment, Blob) {
    let sha256 = hexadecimal(&Sha256::digest(&bytes));
    let attachment = Attachment {
        content_type: content_type.unwrap_or_else(|| DEFAULT_CONTENT_TYPE.to_owned()),
        revpos,
        digest: format!("md5-{}", STANDARD.encode(Md5::digest(&bytes))),
        length: bytes.len() as u64,
        sha256: sha256.clone(),
    };
    (attachment, Blob { sha256, bytes })
}

/// File of a document, which clients of CouchDB's protocol have attached.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DocumentAttachment {
    /// Name of the file, unique in the document.
    pub name: String,
    /// Media type of the file, as the client has named it.
    pub content_type: String,
    /// Size of the file, in bytes.
    pub length: u64,
    /// `md5-` and the MD5 hash of the file in base64.
    pub digest: String,
}

impl DocumentAttachment {
    /// What the history of a document has of it: its bytes may be gone.
    pub(crate) fn of_version(self, revpos: i64) -> (String, Attachment) {
        let Self { name, content_type, length, digest } = self;
        (name, Attachment { content_type, revpos, digest, length, sha256: String::new() })
    }
}

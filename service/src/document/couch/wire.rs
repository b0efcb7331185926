//! Documents as CouchDB writes them: a body whose members that begin with `_` are about the document.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::Refusal;
use crate::document::{
    attachment::{Attachment, SentAttachments},
    revision::{
        Revision,
        tree::{Path, REVISIONS_KEPT},
    },
};

/// A document that a client sends.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Which document, if it says so.
    pub id: Option<String>,
    /// The revision that it is, or of which it was made.
    pub revision: Option<Revision>,
    /// The revision that it is, and those from which it came.
    pub path: Option<Path>,
    /// Whether it is deleted.
    pub deleted: bool,
    /// What is attached to it.
    pub attachments: SentAttachments,
    /// What is not about it.
    pub body: Map<String, Value>,
}

/// What the ids of design documents begin with, which are documents as others here.
const DESIGN_PREFIX: &str = "_design/";

/// Whether a document of this id is shown to these clients: CouchDB has other ids that begin so for itself.
pub fn is_shown(id: &str) -> bool {
    !is_reserved(id) || id.strip_prefix(DESIGN_PREFIX).is_some_and(|name| !name.is_empty())
}

/// Whether CouchDB has the name of a member for itself.
pub fn is_reserved(name: &str) -> bool {
    name.starts_with('_')
}

impl Sent {
    /// Takes a document apart.
    ///
    /// # Errors
    /// Where it is no object, or one of the members that begin with `_` is unknown or is not what it must be.
    pub fn of(document: Value) -> Result<Self, Refusal> {
        let Value::Object(members) = document else {
            return Err(Refusal::BadRequest("a document must be a JSON object".into()));
        };
        let (about, body): (Map<_, _>, Map<_, _>) =
            members.into_iter().partition(|(name, _)| is_reserved(name));
        let attachments = SentAttachments::default();
        let mut sent =
            Self { id: None, revision: None, path: None, deleted: false, attachments, body };
        let mut revisions = None;
        for (name, value) in about {
            sent.take(&name, value, &mut revisions)?;
        }
        if let Some((start, hashes)) = revisions {
            // As in CouchDB, it is these that count for a revision that was made elsewhere, and not `_rev`: PouchDB
            // sends another one where two revisions of a branch have the same hash.
            let path = Path::new(start, &hashes, sent.deleted).map_err(|_| Refusal::Revision)?;
            sent.path = Some(path);
        }
        Ok(sent)
    }

    fn take(
        &mut self,
        name: &str,
        value: Value,
        revisions: &mut Option<(i64, Vec<String>)>,
    ) -> Result<(), Refusal> {
        match (name, value) {
            ("_id", Value::String(id)) => self.id = Some(id),
            ("_id", _) => return Err(Refusal::BadRequest("_id must be a text".into())),
            ("_rev", Value::String(text)) => {
                self.revision = Some(text.parse().map_err(|_| Refusal::Revision)?);
            }
            ("_rev", Value::Null) => {}
            ("_rev", _) => return Err(Refusal::Revision),
            ("_deleted", Value::Bool(deleted)) => self.deleted = deleted,
            ("_deleted", _) => {
                return Err(Refusal::BadRequest("_deleted must be a boolean".into()));
            }
            ("_revisions", value) => *revisions = Some(revisions_of(&value)?),
            ("_attachments", Value::Object(members)) => {
                self.attachments = SentAttachments::of(members)?;
            }
            ("_attachments", Value::Null) => {}
            ("_attachments", _) => {
                return Err(Refusal::BadRequest("_attachments must be an object".into()));
            }
            ("_conflicts" | "_deleted_conflicts" | "_local_seq" | "_revs_info", _) => {}
            (name, _) => return Err(Refusal::Member(name.to_owned())),
        }
        Ok(())
    }

    /// The revision that a document is which was edited elsewhere, and those from which it came.
    ///
    /// # Errors
    /// Where it has no `_rev`.
    pub fn as_edited(&self) -> Result<Path, Refusal> {
        let mut path = match (&self.path, &self.revision) {
            (Some(path), _) => path.clone(),
            (None, Some(revision)) => Path::of_one(revision.clone(), self.deleted),
            (None, None) => return Err(Refusal::Revision),
        };
        path.stem(usize::try_from(REVISIONS_KEPT).unwrap_or(usize::MAX));
        Ok(path)
    }
}

fn revisions_of(value: &Value) -> Result<(i64, Vec<String>), Refusal> {
    let start = value["start"].as_i64().ok_or(Refusal::Revision)?;
    let ids = value["ids"].as_array().ok_or(Refusal::Revision)?;
    let hashes = ids.iter().map(|id| id.as_str().map(str::to_owned));
    Ok((start, hashes.collect::<Option<_>>().ok_or(Refusal::Revision)?))
}

/// A revision of a document, to be shown.
#[derive(Debug, Clone)]
pub struct Shown<'a> {
    /// The document.
    pub id: &'a str,
    /// The revision.
    pub revision: &'a Revision,
    /// Whether the document is deleted as of it.
    pub deleted: bool,
    /// Its body.
    pub body: Cow<'a, Map<String, Value>>,
}

impl Shown<'_> {
    /// The document, without what has to be asked for.
    pub fn document(self) -> Map<String, Value> {
        let mut document = Map::new();
        document.insert("_id".to_owned(), self.id.into());
        document.insert("_rev".to_owned(), self.revision.to_string().into());
        if self.deleted {
            document.insert("_deleted".to_owned(), true.into());
        }
        document.extend(self.body.into_owned());
        document
    }
}

/// An attachment, with its bytes in base64 or without them.
pub fn attachment(attachment: &Attachment, data: Option<String>) -> Value {
    let Attachment { content_type, revpos, digest, length, sha256: _ } = attachment;
    match data {
        Some(data) => json!({
            "content_type": content_type, "revpos": revpos, "digest": digest, "data": data,
        }),
        None => json!({
            "content_type": content_type, "revpos": revpos, "digest": digest, "length": length, "stub": true,
        }),
    }
}

/// `_revisions` of a path that begins with the youngest.
pub fn revisions(path: &[Revision]) -> Value {
    let hashes: Vec<&str> = path.iter().map(Revision::hash).collect();
    json!({ "start": path.first().map_or(0, Revision::generation), "ids": hashes })
}

/// Revisions as texts.
pub fn texts<'a>(revisions: impl IntoIterator<Item = &'a Revision>) -> Vec<String> {
    revisions.into_iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(document: &str) -> Result<Sent, Refusal> {
        Sent::of(serde_json::from_str(document).expect("JSON"))
    }

    #[test]
    fn what_is_about_the_document_is_no_part_of_its_body() {
        let document = r#"{"_id":"a","b":1.50,"_rev":"2-y","a":{"_x":1},
            "_revisions":{"start":2,"ids":["y","x"]},"_deleted":true,"_attachments":{}}"#;
        let sent = sent(document).expect("a document");
        assert_eq!(sent.id.as_deref(), Some("a"));
        assert_eq!(Value::Object(sent.body.clone()).to_string(), r#"{"b":1.50,"a":{"_x":1}}"#);
        let path = sent.as_edited().expect("a path");
        assert_eq!(texts(path.revisions()), ["2-y", "1-x"]);
        assert!(sent.deleted && path.is_deleted());
    }

    #[test]
    fn the_revisions_from_which_it_came_say_which_it_is() {
        let document = r#"{"_rev":"3-x","_revisions":{"start":2,"ids":["x","y"]}}"#;
        let path = sent(document).and_then(|sent| sent.as_edited()).expect("a path");
        assert_eq!(texts(path.revisions()), ["2-x", "1-y"]);
    }

    #[test]
    fn design_documents_are_shown_and_other_ids_of_couchdb_are_not() {
        for (id, shown) in [("a", true), ("_design/a", true), ("_design/", false), ("_a", false)] {
            assert_eq!(is_shown(id), shown, "{id}");
        }
    }

    #[test]
    fn a_revision_alone_is_a_path_too() {
        let path = sent(r#"{"_rev":"7-x"}"#).and_then(|sent| sent.as_edited()).expect("a path");
        assert_eq!(texts(path.revisions()), ["7-x"]);
        assert!(matches!(sent("{}").expect("a document").as_edited(), Err(Refusal::Revision)));
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        let refused = |document: &str| sent(document).expect_err("refused").error();
        assert_eq!(refused("[]"), "bad_request");
        assert_eq!(refused(r#"{"_id":1}"#), "bad_request");
        assert_eq!(refused(r#"{"_rev":"x"}"#), "bad_request");
        assert_eq!(refused(r#"{"_revisions":{"start":1,"ids":["y","x"]}}"#), "bad_request");
        assert_eq!(refused(r#"{"_revisions":{"start":1,"ids":[1]}}"#), "bad_request");
        assert_eq!(refused(r#"{"_deleted":1}"#), "bad_request");
        assert_eq!(refused(r#"{"_zing":1}"#), "doc_validation");
        assert_eq!(refused(r#"{"_attachments":{"a":{}}}"#), "bad_request");
        assert_eq!(refused(r#"{"_attachments":1}"#), "bad_request");
    }

    #[test]
    fn a_document_is_shown_with_its_body_as_it_is() {
        let body = serde_json::from_str(r#"{"z":1e400,"a":0.10}"#).expect("an object");
        let revision = "1-x".parse().expect("a revision");
        let shown = |deleted| {
            let body = Cow::Borrowed(&body);
            let document = Shown { id: "k", revision: &revision, deleted, body }.document();
            Value::Object(document).to_string()
        };
        assert_eq!(shown(false), r#"{"_id":"k","_rev":"1-x","z":1e+400,"a":0.10}"#);
        assert_eq!(shown(true), r#"{"_id":"k","_rev":"1-x","_deleted":true,"z":1e+400,"a":0.10}"#);
    }
}

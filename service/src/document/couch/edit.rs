//! Which revision an edit makes of a document, and of which.

use serde_json::{Map, Value};

use super::{Refusal, wire::Sent};
use crate::document::{
    attachment::{Attachments, Blob},
    revision::{Leaf, Revision, tree::Path},
};

/// How the documents of a request are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edits {
    /// Each is an edit of the revision that it names, and gets a revision of its own.
    New,
    /// The same of a document that is there, which is to be deleted.
    Removal,
    /// Each is the revision that it names, which was made elsewhere.
    Replicated,
}

fn attached(leaf: &Leaf) -> Result<Attachments, Refusal> {
    Ok(Attachments::stored(leaf.attachments.as_deref())?)
}

/// A body, what is attached to it, and the bytes of what may be new.
pub(super) type Parts = (Map<String, Value>, Attachments, Vec<Blob>);

/// A revision that was made elsewhere. What it has attached may be that of any leaf.
pub(super) fn replicated(leaves: &[Leaf], sent: Sent) -> Result<(Path, Parts), Refusal> {
    let path = sent.as_edited()?;
    let known = leaves.iter().map(attached).collect::<Result<Vec<_>, _>>()?;
    let (attachments, blobs) = sent.attachments.resolve(path.leaf().generation(), &known)?;
    Ok((path, (sent.body, attachments, blobs)))
}

/// The revision that an edit makes of the one that it names.
pub(super) fn edited(
    leaves: &[Leaf],
    id: &str,
    sent: Sent,
    edits: Edits,
) -> Result<(Path, Parts), Refusal> {
    let parent = parent(leaves, &sent, edits)?;
    let known = leaves.iter().find(|leaf| Some(&leaf.revision) == parent.as_ref());
    let known = known.map(attached).transpose()?.unwrap_or_default();
    let generation = parent.as_ref().map_or(1, |parent| parent.generation() + 1);
    let (attachments, blobs) = sent.attachments.resolve(generation, &[known])?;
    let (body, text) = (Value::Object(sent.body.clone()).to_string(), attachments.text());
    let content = (&*body, text.as_deref());
    let revision = Revision::of_edit(parent.as_ref(), id, content, sent.deleted);
    let path = Path::of_edit(parent, revision, sent.deleted);
    Ok((path, (sent.body, attachments, blobs)))
}

/// The revision of which an edit is made. What is deleted is made anew without naming it, and a new document may be one
/// that is deleted.
fn parent(leaves: &[Leaf], sent: &Sent, edits: Edits) -> Result<Option<Revision>, Refusal> {
    let Some(named) = &sent.revision else {
        return match leaves.first() {
            None if edits == Edits::Removal => Err(Refusal::Missing),
            None => Ok(None),
            Some(winner) if winner.deleted && sent.deleted => Err(Refusal::Deleted),
            Some(winner) if winner.deleted => Ok(Some(winner.revision.clone())),
            Some(_) => Err(Refusal::Conflict),
        };
    };
    let leaf = leaves.iter().find(|leaf| leaf.revision == *named);
    match leaf {
        Some(leaf) if !(leaf.deleted && sent.deleted) => Ok(Some(named.clone())),
        None if leaves.is_empty() && sent.deleted => Err(Refusal::Missing),
        _ => Err(Refusal::Conflict),
    }
}

//! What is known of some documents on one state of the database, and how a revision of them is shown.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::atomic::{AtomicU64, Ordering},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Refusal, wire};
use crate::{
    actor::Actor,
    document::{
        attachment::{Attachment, Attachments, DocumentAttachment, blobs},
        collection::Collection,
        document::{self, Document},
        revision::{self, Leaf, Revision, Trees, tree::Tree},
    },
    error::{Error, Result},
    event,
    store::Tx,
};

/// What is to be shown with a document.
#[derive(Debug, Clone, Copy, Default)]
pub struct With {
    /// `_revisions`: the revisions from which it came.
    pub revisions: bool,
    /// `_revs_info`: which of these can be read.
    pub revisions_info: bool,
    /// `_conflicts` and `_deleted_conflicts`.
    pub conflicts: bool,
    /// The bytes of the attachments that came with a later generation than this one.
    pub attachments_after: Option<i64>,
}

/// Which revision of a document is asked for.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// This one, or the winner.
    pub revision: Option<Revision>,
    /// The leaf that came from it, in its place.
    pub latest: bool,
    /// Revisions that the client has, with their attachments.
    pub attachments_since: Vec<Revision>,
}

/// How many bytes of attachments one answer has at most.
const MAX_ATTACHED: u64 = 64 * 1024 * 1024;

/// What a revision is.
pub(super) struct Content<'a> {
    deleted: bool,
    body: Cow<'a, Map<String, Value>>,
    pub(super) attachments: Attachments,
}

/// What is known of some documents, on one state of the database.
pub(super) struct Known<'a> {
    tx: &'a Tx,
    actor: &'a Actor,
    trees: Trees,
    leaves: HashMap<Uuid, Vec<Leaf>>,
    bodies: HashMap<Uuid, Map<String, Value>>,
    /// How many bytes of attachments have been read.
    attached: AtomicU64,
}

impl<'a> Known<'a> {
    /// What is known of documents of a collection. Their bodies are read if they are to be shown.
    pub(super) async fn of(
        tx: &'a Tx,
        actor: &'a Actor,
        collection: &Collection,
        ids: &[Uuid],
        with_bodies: bool,
    ) -> Result<Self> {
        let organization_id = actor.organization_id;
        let trees = collection.trees(actor);
        let leaves = revision::leaves(tx, trees, ids).await?;
        let bodies = match with_bodies {
            true => document::repository::bodies(tx, organization_id, ids).await?,
            false => HashMap::new(),
        };
        Ok(Self { tx, actor, trees, leaves, bodies, attached: AtomicU64::new(0) })
    }

    /// The leaves of a document, the winner first.
    pub(super) fn leaves(&self, id: Uuid) -> &[Leaf] {
        self.leaves.get(&id).map_or(&[], Vec::as_slice)
    }

    pub(super) async fn tree(&self, id: Uuid) -> Result<Tree> {
        self.trees.tree(self.tx, id, self.leaves(id)).await
    }

    /// The body of a leaf.
    fn body_of_leaf(&self, id: Uuid, leaf: &Leaf) -> Result<Cow<'_, Map<String, Value>>> {
        if let Some(text) = &leaf.body {
            let body = serde_json::from_str(text);
            let unreadable = |_| Error::Internal("the body of a revision is no JSON".into());
            return body.map(Cow::Owned).map_err(unreadable);
        }
        let is_winner = self.leaves(id).first() == Some(leaf) && !leaf.deleted;
        let body = self.bodies.get(&id).filter(|_| is_winner);
        Ok(body.map_or_else(|| Cow::Owned(Map::new()), Cow::Borrowed))
    }

    /// What a revision of a document is, if it can be read.
    pub(super) async fn content(
        &self,
        id: Uuid,
        revision: &Revision,
    ) -> Result<Option<Content<'_>>> {
        let leaf = self.leaves(id).iter().find(|leaf| leaf.revision == *revision);
        if let Some(leaf) = leaf {
            let body = self.body_of_leaf(id, leaf)?;
            let attachments = Attachments::stored(leaf.attachments.as_deref())?;
            return Ok(Some(Content { deleted: leaf.deleted, body, attachments }));
        }
        let version = self.trees.version(self.tx, id, revision).await?;
        let Some(version) = version else { return Ok(None) };
        let data = event::of_version::<Document>(self.tx, self.actor, id, version).await?;
        let Some(mut data) = data else { return Ok(None) };
        let Some(Value::Object(body)) = data.shift_remove("body") else { return Ok(None) };
        let attachments = data.shift_remove("attachments").map(serde_json::from_value).transpose();
        let unreadable = |_| Error::Internal("attachments of a version cannot be read".into());
        let attachments: Vec<DocumentAttachment> =
            attachments.map_err(unreadable)?.unwrap_or_default();
        let attachments =
            attachments.into_iter().map(|it| it.of_version(revision.generation())).collect();
        let body = Cow::Owned(body);
        Ok(Some(Content { deleted: false, body, attachments: Attachments(attachments) }))
    }

    /// `_attachments`. The bytes of those of a revision that is no leaf any more are gone.
    async fn attachments(&self, attachments: &Attachments, with: With) -> Result<Value, Refusal> {
        let wanted =
            |it: &Attachment| with.attachments_after.is_some_and(|after| it.revpos > after);
        let wanted: Vec<&Attachment> = attachments.0.values().filter(|it| wanted(it)).collect();
        let size: u64 = wanted.iter().map(|it| it.length).sum();
        if self.attached.fetch_add(size, Ordering::Relaxed) + size > MAX_ATTACHED {
            let reason = "the attachments have more bytes than one answer: read them one by one";
            return Err(Refusal::BadRequest(reason.into()));
        }
        let mut bytes = HashMap::new();
        if !wanted.is_empty() {
            let hashes = wanted.iter().map(|it| &*it.sha256);
            bytes = blobs::read(self.tx, self.actor.organization_id, hashes).await?;
        }
        let is_wanted = |it: &Attachment| wanted.contains(&it);
        let shown = attachments.0.iter().map(|(name, attachment)| {
            let data = bytes.get(&attachment.sha256).filter(|_| is_wanted(attachment));
            let data = data.map(|bytes| STANDARD.encode(bytes));
            (name.clone(), wire::attachment(attachment, data))
        });
        Ok(Value::Object(shown.collect()))
    }

    /// A document, if that revision can be read.
    pub(super) async fn shown(
        &self,
        (id, key): (Uuid, &str),
        revision: &Revision,
        with: With,
    ) -> Result<Option<Map<String, Value>>, Refusal> {
        let Some(content) = self.content(id, revision).await? else { return Ok(None) };
        let Content { deleted, body, attachments } = content;
        let mut document = wire::Shown { id: key, revision, deleted, body }.document();
        if !attachments.0.is_empty() {
            let shown = self.attachments(&attachments, with).await?;
            document.insert("_attachments".into(), shown);
        }
        if with.revisions || with.revisions_info {
            let path = self.tree(id).await?.path(revision);
            if with.revisions {
                document.insert("_revisions".into(), wire::revisions(&path));
            }
            if with.revisions_info {
                document.insert("_revs_info".into(), self.info(id, &path).await?);
            }
        }
        if with.conflicts {
            self.insert_conflicts(id, &mut document);
        }
        Ok(Some(document))
    }

    async fn info(&self, id: Uuid, path: &[Revision]) -> Result<Value> {
        let readable = self.trees.with_version(self.tx, id).await?;
        let readable: HashSet<Revision> = readable.into_iter().collect();
        let status = |revision: &Revision| {
            let leaf = self.leaves(id).iter().find(|leaf| leaf.revision == *revision);
            match leaf {
                Some(leaf) if leaf.deleted => "deleted",
                Some(_) => "available",
                None if readable.contains(revision) => "available",
                None => "missing",
            }
        };
        let all = path.iter().map(|it| json!({ "rev": it.to_string(), "status": status(it) }));
        Ok(all.collect())
    }

    fn insert_conflicts(&self, id: Uuid, document: &mut Map<String, Value>) {
        let losers = self.leaves(id).iter().skip(1);
        for (name, deleted) in [("_conflicts", false), ("_deleted_conflicts", true)] {
            let those = losers.clone().filter(|leaf| leaf.deleted == deleted);
            let those = wire::texts(those.map(|leaf| &leaf.revision));
            if !those.is_empty() {
                document.insert(name.into(), those.into());
            }
        }
    }

    /// The revision that is asked for.
    pub(super) async fn which(
        &self,
        (id, key): (Uuid, &str),
        which: &Which,
    ) -> Result<Vec<Revision>, Refusal> {
        if !wire::is_shown(key) {
            return Err(Refusal::Missing);
        }
        let Some(revision) = &which.revision else {
            let winner = self.leaves(id).first().ok_or(Refusal::Missing)?;
            let is_there = (!winner.deleted).then(|| vec![winner.revision.clone()]);
            return is_there.ok_or(Refusal::Deleted);
        };
        let is_leaf = self.leaves(id).iter().any(|leaf| leaf.revision == *revision);
        if is_leaf || !which.latest {
            return Ok(vec![revision.clone()]);
        }
        let latest: Vec<Revision> =
            self.tree(id).await?.latest(revision).into_iter().cloned().collect();
        if latest.is_empty() { Err(Refusal::Missing) } else { Ok(latest) }
    }
}

/// Each of some ids once.
pub(super) fn unique(ids: &[Uuid]) -> Vec<Uuid> {
    ids.iter().copied().collect::<HashSet<_>>().into_iter().collect()
}

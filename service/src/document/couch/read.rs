//! What clients read of documents: any revision that is kept, with what they ask for besides.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::atomic::{AtomicU64, Ordering},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use sea_orm::ConnectionTrait;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Refusal, settled, wire};
use crate::{
    actor::Actor,
    document::{
        attachment::{Attachment, Attachments, DocumentAttachment, blobs},
        collection::{self, Collection},
        document::{self, Document},
        revision::{self, Leaf, Revision, Trees, tree::Tree},
    },
    error::{Error, Result},
    event,
    store::{Store, Tx},
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
struct Content<'a> {
    deleted: bool,
    body: Cow<'a, Map<String, Value>>,
    attachments: Attachments,
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

    async fn tree(&self, id: Uuid) -> Result<Tree> {
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
    async fn content(&self, id: Uuid, revision: &Revision) -> Result<Option<Content<'_>>> {
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
    async fn which(
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

/// One revision of a document.
///
/// # Errors
/// Where it is not there, or cannot be read any more.
pub async fn get(
    store: &Store,
    actor: &Actor,
    (collection, key): (&str, &str),
    which: Which,
    with: With,
) -> Result<Map<String, Value>, Refusal> {
    let (actor, collection, key) = (actor.clone(), collection.to_owned(), key.to_owned());
    let outcome = store.snapshot_with_parts(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        let id = document::rules::uuid(collection.id, &key);
        let known = Known::of(tx, &actor, &collection, &[id], true).await?;
        let found = async {
            let revision = known.which((id, &key), &which).await?.into_iter().next();
            let revision = revision.ok_or(Refusal::Missing)?;
            let mut with = with;
            if with.attachments_after.is_some() && !which.attachments_since.is_empty() {
                let path = known.tree(id).await?.path(&revision);
                let has = path.iter().find(|it| which.attachments_since.contains(it));
                with.attachments_after = Some(has.map_or(0, Revision::generation));
            }
            known.shown((id, &key), &revision, with).await?.ok_or(Refusal::Missing)
        };
        settled(found.await)
    });
    outcome.await?
}

/// `open_revs`: these revisions of a document, or all leaves.
///
/// # Errors
/// Where there is no such document.
pub async fn open_revisions(
    store: &Store,
    actor: &Actor,
    (collection, key): (&str, &str),
    (revisions, latest): (Option<Vec<Revision>>, bool),
    with: With,
) -> Result<Vec<Value>, Refusal> {
    let (actor, collection, key) = (actor.clone(), collection.to_owned(), key.to_owned());
    let outcome = store.snapshot_with_parts(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        let id = document::rules::uuid(collection.id, &key);
        let known = Known::of(tx, &actor, &collection, &[id], true).await?;
        settled(opened(&known, (id, &key), (revisions.as_deref(), latest), with).await)
    });
    outcome.await?
}

async fn opened(
    known: &Known<'_>,
    (id, key): (Uuid, &str),
    (revisions, latest): (Option<&[Revision]>, bool),
    with: With,
) -> Result<Vec<Value>, Refusal> {
    let leaves = known.leaves(id).iter().filter(|leaf| wire::is_shown(&leaf.key));
    let leaves = leaves.map(|leaf| leaf.revision.clone());
    let Some(asked) = revisions else {
        let mut all = Vec::new();
        for revision in leaves {
            let document = known.shown((id, key), &revision, with).await?;
            all.extend(document.map(|document| json!({ "ok": document })));
        }
        return if all.is_empty() { Err(Refusal::Missing) } else { Ok(all) };
    };
    let mut some = Vec::new();
    for revision in asked {
        let which = Which { revision: Some(revision.clone()), latest, ..Which::default() };
        let found = settled(known.which((id, key), &which).await)?.unwrap_or_default();
        let mut any = false;
        for found in found {
            let document = known.shown((id, key), &found, with).await?;
            any |= document.is_some();
            some.extend(document.map(|document| json!({ "ok": document })));
        }
        if !any {
            some.push(json!({ "missing": revision.to_string() }));
        }
    }
    Ok(some)
}

/// What `_bulk_get` asks for of one document.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The document.
    pub id: String,
    /// The revision, or the winner.
    pub revision: Option<Revision>,
}

/// `_bulk_get`: many revisions at once, each with its own result.
///
/// # Errors
/// Where the actor may not read the collection.
pub async fn bulk_get(
    store: &Store,
    actor: &Actor,
    collection: &str,
    wanted: Vec<Wanted>,
    (latest, with): (bool, With),
) -> Result<Vec<Value>, Refusal> {
    let (actor, collection) = (actor.clone(), collection.to_owned());
    let results = store.snapshot_with_parts(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        let ids = wanted.iter().map(|it| document::rules::uuid(collection.id, &it.id));
        let ids: Vec<Uuid> = ids.collect();
        let known = Known::of(tx, &actor, &collection, &unique(&ids), true).await?;
        let mut results = Vec::with_capacity(wanted.len());
        for (wanted, id) in wanted.iter().zip(ids) {
            match settled(bulk_got(&known, id, wanted, latest, with).await)? {
                Ok(documents) => results.push(json!({ "id": wanted.id, "docs": documents })),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        Ok(Ok(results))
    });
    results.await?
}

async fn bulk_got(
    known: &Known<'_>,
    id: Uuid,
    wanted: &Wanted,
    latest: bool,
    with: With,
) -> Result<Vec<Value>, Refusal> {
    let which = Which { revision: wanted.revision.clone(), latest, ..Which::default() };
    // A document that is deleted is shown as it was deleted: a replica wants to know.
    let winner = known.leaves(id).first().map(|leaf| leaf.revision.clone());
    let found = match settled(known.which((id, &wanted.id), &which).await)? {
        Ok(found) => found,
        Err(Refusal::Deleted) => winner.into_iter().collect(),
        Err(_) => Vec::new(),
    };
    let mut documents = Vec::new();
    for revision in found {
        let document = known.shown((id, &wanted.id), &revision, with).await?;
        documents.extend(document.map(|document| json!({ "ok": document })));
    }
    if documents.is_empty() {
        let revision = wanted.revision.as_ref().map_or("undefined".into(), Revision::to_string);
        let missing = json!({
            "id": wanted.id, "rev": revision, "error": "not_found", "reason": "missing",
        });
        documents.push(json!({ "error": missing }));
    }
    Ok(documents)
}

/// An attachment of a document, as [`get`] finds the document.
///
/// # Errors
/// Where it is not there.
pub async fn get_attachment(
    store: &Store,
    actor: &Actor,
    (collection, key, name): (&str, &str, &str),
    which: Which,
) -> Result<(Attachment, Vec<u8>), Refusal> {
    let (actor, collection) = (actor.clone(), collection.to_owned());
    let (key, name) = (key.to_owned(), name.to_owned());
    let outcome = store.snapshot(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        let id = document::rules::uuid(collection.id, &key);
        let known = Known::of(tx, &actor, &collection, &[id], false).await?;
        let found = async {
            let revision = known.which((id, &key), &which).await?.into_iter().next();
            let revision = revision.ok_or(Refusal::Missing)?;
            let content = known.content(id, &revision).await?.ok_or(Refusal::Missing)?;
            let attachment = content.attachments.0.get(&name).cloned();
            let attachment = attachment.ok_or(Refusal::AttachmentMissing)?;
            let hashes = [&*attachment.sha256];
            let mut bytes = blobs::read(tx, actor.organization_id, hashes).await?;
            let bytes = bytes.remove(&attachment.sha256).ok_or(Refusal::AttachmentMissing)?;
            Ok((attachment, bytes))
        };
        settled(found.await)
    });
    outcome.await?
}

/// Each of some ids once.
pub(super) fn unique(ids: &[Uuid]) -> Vec<Uuid> {
    ids.iter().copied().collect::<HashSet<_>>().into_iter().collect()
}

/// `_revs_diff`: which of these revisions are not known.
///
/// # Errors
/// Where the actor may not read the collection.
pub async fn revisions_diff(
    store: &Store,
    actor: &Actor,
    collection: &str,
    asked: Vec<(String, Vec<Revision>)>,
) -> Result<Map<String, Value>> {
    let (actor, collection) = (actor.clone(), collection.to_owned());
    let diff = store.snapshot(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        let asked: Vec<(Uuid, String, Vec<Revision>)> = asked
            .into_iter()
            .map(|(key, revisions)| (document::rules::uuid(collection.id, &key), key, revisions))
            .collect();
        missing(tx, collection.trees(&actor), asked).await
    });
    diff.await
}

async fn missing(
    connection: &impl ConnectionTrait,
    trees: Trees,
    asked: Vec<(Uuid, String, Vec<Revision>)>,
) -> Result<Map<String, Value>> {
    let wanted = asked.iter().map(|(id, _, revisions)| (*id, revisions.as_slice()));
    let wanted: Vec<(Uuid, &[Revision])> = wanted.collect();
    let known = revision::known(connection, trees, &wanted).await?;
    let mut diff = Map::new();
    for (id, key, revisions) in &asked {
        let known = known.get(id).map_or(&[][..], Vec::as_slice);
        let is_known = |revision: &&Revision| known.contains(revision);
        let missing = revisions.iter().filter(|revision| !is_known(revision));
        let missing = wire::texts(missing);
        if !missing.is_empty() {
            diff.insert(key.clone(), json!({ "missing": missing }));
        }
    }
    Ok(diff)
}

/// What a collection is called, and how many documents it has, counted so far.
#[derive(Debug, Clone)]
pub struct Info {
    /// Its name.
    pub name: String,
    /// How many documents it has, or one more than are counted.
    pub documents: u64,
    /// How far the log has come.
    pub position: i64,
}

/// How many documents are counted.
const MAX_COUNTED: u64 = 10_000;

/// What there is to say of a collection.
///
/// # Errors
/// Where the actor may not read it.
pub async fn info(store: &Store, actor: &Actor, collection: &str) -> Result<Info> {
    let position = super::changes::settled_end(store, actor).await?;
    let Collection { id, name, .. } = collection::readable(store.read(), actor, collection).await?;
    let organization_id = actor.organization_id;
    let documents =
        document::repository::count(store.read(), (organization_id, id), MAX_COUNTED + 1).await?;
    Ok(Info { name, documents, position })
}

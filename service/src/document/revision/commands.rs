use std::collections::{BTreeMap, BTreeSet};

use super::{
    Leaf, Revision, Subject, derived, repository,
    tree::{Node, Path, REVISIONS_KEPT, Tree},
};
use crate::{
    document::attachment::{Attachments, blobs},
    error::{Error, Result},
    store::Tx,
};

/// How many leaves a document has at most that are not deleted.
const MAX_BRANCHES: usize = 1_000;
/// How many generations go by until the tree of a document with conflicts is stemmed again.
const STEM_INTERVAL: i64 = 100;
/// The JSON of a body without members.
const EMPTY: &str = "{}";

/// What somebody makes of a document who knows nothing of revisions.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Edit<'a> {
    /// It has this body now, as JSON without white space.
    Written(&'a str),
    /// It is gone.
    Deleted,
}

/// Adds the revision of an edit that made a version of a document, to the branch that wins. A deletion is of all
/// branches, or a conflict would take the document's place. The collection keeps revisions.
pub(crate) async fn record(
    tx: &Tx,
    subject: Subject<'_>,
    version: i64,
    edit: Edit<'_>,
) -> Result<()> {
    let leaves = leaves_before(tx, subject, Some(version)).await?;
    match edit {
        Edit::Written(body) => {
            let parent = leaves.first().map(|leaf| &leaf.revision);
            // Who knows nothing of attachments leaves them as they are.
            let attachments = leaves.first().and_then(|leaf| leaf.attachments.clone());
            let content = (body, attachments.as_deref());
            let revision = Revision::of_edit(parent, subject.key, content, false);
            let leaf = Leaf { attachments, ..leaf(subject, revision, false) };
            extend(tx, subject, parent, &leaf, Some(version)).await?;
            stem(tx, subject, leaf.revision.generation(), leaves.len().max(1)).await
        }
        Edit::Deleted => {
            let live = leaves.iter().filter(|leaf| !leaf.deleted);
            for (index, parent) in live.map(|leaf| &leaf.revision).enumerate() {
                let revision = Revision::of_edit(Some(parent), subject.key, (EMPTY, None), true);
                let leaf = leaf(subject, revision, true);
                let version = (index == 0).then_some(version);
                extend(tx, subject, Some(parent), &leaf, version).await?;
            }
            let deleted = leaves.iter().filter(|leaf| leaf.deleted);
            blobs::count(tx, subject, &hashes(&leaves)?, &hashes(deleted)?).await
        }
    }
}

fn leaf(subject: Subject<'_>, revision: Revision, deleted: bool) -> Leaf {
    Leaf { revision, key: subject.key.to_owned(), deleted, body: None, attachments: None }
}

/// The hashes of what some leaves have attached.
fn hashes<'a>(leaves: impl IntoIterator<Item = &'a Leaf>) -> Result<BTreeSet<String>> {
    let mut hashes = BTreeSet::new();
    for leaf in leaves {
        hashes.extend(Attachments::stored(leaf.attachments.as_deref())?.hashes());
    }
    Ok(hashes)
}

async fn leaves_of(tx: &Tx, subject: Subject<'_>) -> Result<Vec<Leaf>> {
    let mut found = repository::leaves(tx, subject.organization_id, &[subject.id]).await?;
    Ok(found.remove(&subject.id).unwrap_or_default())
}

/// The leaves of a document, in a collection that keeps revisions: from here on it has a tree that is kept.
pub(crate) async fn kept_leaves(tx: &Tx, subject: Subject<'_>) -> Result<Vec<Leaf>> {
    leaves_before(tx, subject, None).await
}

/// The same before a version that has just been made.
async fn leaves_before(tx: &Tx, subject: Subject<'_>, version: Option<i64>) -> Result<Vec<Leaf>> {
    let leaves = leaves_of(tx, subject).await?;
    if !leaves.is_empty() || version == Some(1) {
        return Ok(leaves);
    }
    let place = (subject.organization_id, subject.id);
    let versions = derived::versions(tx, place, version).await?;
    let Some(last) = versions.first() else { return Ok(Vec::new()) };
    repository::write_versions(tx, subject, &versions).await?;
    let leaf = leaf(subject, last.revision.clone(), last.deleted);
    repository::write_leaf(tx, subject, &leaf).await?;
    Ok(vec![leaf])
}

async fn extend(
    tx: &Tx,
    subject: Subject<'_>,
    parent: Option<&Revision>,
    leaf: &Leaf,
    version: Option<i64>,
) -> Result<()> {
    match parent {
        Some(parent) => repository::replace_leaf(tx, subject, parent, leaf).await?,
        None => repository::write_leaf(tx, subject, leaf).await?,
    }
    repository::write_one(tx, subject, (&leaf.revision, parent), version).await
}

/// Leaves out what is too far from every leaf. A document with conflicts takes its whole tree for that, and so not at
/// every edit.
async fn stem(tx: &Tx, subject: Subject<'_>, generation: i64, leaves: usize) -> Result<()> {
    if generation <= REVISIONS_KEPT {
        return Ok(());
    }
    if leaves == 1 {
        return repository::remove_until(tx, subject, generation - REVISIONS_KEPT).await;
    }
    if generation % STEM_INTERVAL != 0 {
        return Ok(());
    }
    let leaves = leaves_of(tx, subject).await?;
    let known = repository::all(tx, subject.organization_id, subject.id).await?;
    let far = marked(known, &leaves).stem(REVISIONS_KEPT);
    repository::remove(tx, subject, &far).await
}

/// A tree of revisions of which these are leaves.
pub(super) fn marked(revisions: Vec<(Revision, Node)>, leaves: &[Leaf]) -> Tree {
    let alone = leaves.iter().map(|leaf| {
        (leaf.revision.clone(), Node { parent: None, deleted: leaf.deleted, leaf: true })
    });
    let mut nodes: BTreeMap<Revision, Node> = alone.collect();
    for (revision, known) in revisions {
        let node = nodes.entry(revision).or_insert(Node { leaf: false, ..known.clone() });
        node.parent = known.parent;
    }
    nodes.into_iter().collect()
}

/// What it takes to add a revision that somebody has made elsewhere, of whatever other revision.
#[derive(Debug)]
pub(crate) struct Plan {
    path: Path,
    leaf: Leaf,
    before: Vec<Leaf>,
    after: Tree,
    /// The revisions to write, with their parents.
    revisions: Vec<(Revision, Option<String>)>,
}

/// Looks what a revision changes that somebody has made elsewhere; nothing, if it is known. `body` is its JSON, and
/// `attachments` are as they are stored.
///
/// # Errors
/// [`Error::State`] where the document has as many branches as it may have.
pub(crate) async fn plan(
    tx: &Tx,
    subject: Subject<'_>,
    path: Path,
    (body, attachments): (String, Option<String>),
) -> Result<Option<Plan>> {
    let before = kept_leaves(tx, subject).await?;
    let asked = [(subject.id, path.revisions())];
    let known = repository::known(tx, subject.organization_id, &asked).await?;
    let known = known.into_values().next().unwrap_or_default();
    if known.iter().any(|(revision, _)| revision == path.leaf()) {
        return Ok(None);
    }
    if let Some(winner) = before.first() {
        repository::lock(tx, subject, winner).await?;
    }
    let mut after = marked(known.clone(), &before);
    after.merge(Tree::from(&path));
    let known: Tree = known.into_iter().collect();
    let news = path.revisions().iter().filter(|it| parent_in(&known, it) != parent_in(&after, it));
    let revisions = news.map(|it| (it.clone(), parent_in(&after, it).flatten())).collect();
    let live = after.leaves().iter().filter(|(_, node)| !node.deleted).count();
    if live > MAX_BRANCHES {
        let detail = format!("a document has at most {MAX_BRANCHES} conflicting revisions");
        return Err(Error::state("too_many_conflicts", detail));
    }
    let leaf = leaf(subject, path.leaf().clone(), path.is_deleted());
    let leaf = Leaf { body: Some(body), attachments, ..leaf };
    Ok(Some(Plan { path, leaf, before, after, revisions }))
}

/// The parent of a revision that is known, if that is.
fn parent_in(tree: &Tree, revision: &Revision) -> Option<Option<String>> {
    tree.get(revision).map(|node| node.parent.clone())
}

impl Plan {
    /// The leaf that wins once this is done, with its body if that is not the document's already.
    pub(crate) fn winner(&self) -> &Leaf {
        let revision = self.after.winner().map_or(&self.leaf.revision, |(revision, _)| revision);
        let known = self.before.iter().find(|leaf| leaf.revision == *revision);
        known.unwrap_or(&self.leaf)
    }

    /// Whether it is another than the one that has won so far.
    pub(crate) fn changes_winner(&self) -> bool {
        self.before.first().map(|leaf| &leaf.revision) != Some(&self.winner().revision)
    }

    /// Writes the revisions and leaves. `body` is that of the document so far, if there was one, and `version` the
    /// one that the revision that wins now has made, if it has made one.
    pub(crate) async fn write(
        self,
        tx: &Tx,
        subject: Subject<'_>,
        body: Option<String>,
        version: Option<i64>,
    ) -> Result<()> {
        repository::write(tx, subject, &self.revisions).await?;
        let winner = self.winner().clone();
        let is_leaf = |leaf: &Leaf| self.after.get(&leaf.revision).is_some_and(|node| node.leaf);
        for leaf in self.before.iter().filter(|leaf| !is_leaf(leaf)) {
            repository::remove_leaf(tx, subject, &leaf.revision).await?;
        }
        if self.changes_winner() {
            let loser = self.before.first().filter(|leaf| is_leaf(leaf) && !leaf.deleted);
            if let Some(loser) = loser {
                repository::set_body(tx, subject, &loser.revision, body).await?;
            }
            let promoted = winner.revision != self.leaf.revision && !winner.deleted;
            if promoted {
                repository::set_body(tx, subject, &winner.revision, None).await?;
            }
        }
        if let Some(version) = version {
            repository::set_version(tx, subject, &winner.revision, version).await?;
        }
        let kept = self.before.iter().filter(|leaf| is_leaf(leaf));
        let after = hashes(kept.chain([&self.leaf]))?;
        blobs::count(tx, subject, &hashes(&self.before)?, &after).await?;
        let mut leaf = self.leaf;
        let is_the_documents = leaf.revision == winner.revision && !leaf.deleted;
        leaf.body = leaf.body.filter(|body| !is_the_documents && body != EMPTY);
        repository::write_leaf(tx, subject, &leaf).await?;
        let generation = self.path.leaf().generation();
        stem(tx, subject, generation, self.after.leaves().len()).await
    }
}

//! Trees of revisions in the database.

use std::collections::{HashMap, HashSet};

use entity::{document_leaf, document_revision};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect,
    Select,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{Leaf, Revision, Subject, derived::Version, tree::Node};
use crate::{
    error::{Error, Result},
    store::Tx,
};

/// How many revisions one statement looks up or writes.
pub(super) const REVISIONS_PER_STATEMENT: usize = 1_000;

fn revision(generation: i64, hash: String) -> Result<Revision> {
    let unreadable = |_| Error::Internal("a stored revision is none".into());
    Revision::new(generation, hash).map_err(unreadable)
}

/// The leaves of those of some documents whose trees are kept, the winner of each first.
pub(super) async fn leaves(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    documents: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Leaf>>> {
    let mut found: HashMap<Uuid, Vec<Leaf>> = HashMap::new();
    for some in documents.chunks(REVISIONS_PER_STATEMENT) {
        let rows = document_leaf::Entity::find()
            .filter(document_leaf::COLUMN.organization_id.eq(organization_id))
            .filter(document_leaf::Column::DocumentId.is_in(some.iter().copied()))
            .all(connection)
            .await?;
        for row in rows {
            let document_leaf::Model { document_id, generation, digest, .. } = row;
            let document_leaf::Model { key, deleted, body, attachments, .. } = row;
            let revision = revision(generation, digest)?;
            let leaf = Leaf { revision, key, deleted, body, attachments };
            found.entry(document_id).or_default().push(leaf);
        }
    }
    found.values_mut().for_each(|leaves| leaves.sort_by(Leaf::winner_first));
    Ok(found)
}

fn of_document(organization_id: Uuid, id: Uuid) -> Select<document_revision::Entity> {
    document_revision::Entity::find()
        .filter(document_revision::COLUMN.organization_id.eq(organization_id))
        .filter(document_revision::COLUMN.document_id.eq(id))
}

/// All revisions of a document, as if none were a leaf.
pub(super) async fn all(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Vec<(Revision, Node)>> {
    let rows = of_document(organization_id, id).all(connection).await?;
    let node = |row: document_revision::Model| {
        let node = Node { parent: row.parent, deleted: false, leaf: false };
        Ok((revision(row.generation, row.digest)?, node))
    };
    rows.into_iter().map(node).collect()
}

fn one_of(revisions: &[Revision]) -> Condition {
    revisions.iter().fold(Condition::any(), |any, revision| {
        let generation = document_revision::COLUMN.generation.eq(revision.generation());
        any.add(generation.and(document_revision::COLUMN.digest.eq(revision.hash())))
    })
}

/// Those of some revisions of documents that are known, as if none were a leaf.
pub(super) async fn known(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    asked: &[(Uuid, &[Revision])],
) -> Result<HashMap<Uuid, Vec<(Revision, Node)>>> {
    let mut pairs =
        asked.iter().flat_map(|(id, revisions)| revisions.iter().map(move |it| (id, it)));
    let mut found: HashMap<Uuid, Vec<(Revision, Node)>> = HashMap::new();
    loop {
        let some: Vec<_> = pairs.by_ref().take(REVISIONS_PER_STATEMENT).collect();
        if some.is_empty() {
            return Ok(found);
        }
        let wanted: HashSet<(Uuid, &Revision)> = some.iter().map(|(id, it)| (**id, *it)).collect();
        let documents: HashSet<Uuid> = some.iter().map(|(id, _)| **id).collect();
        let rows = document_revision::Entity::find()
            .filter(document_revision::COLUMN.organization_id.eq(organization_id))
            .filter(document_revision::Column::DocumentId.is_in(documents))
            .filter(document_revision::Column::Digest.is_in(some.iter().map(|(_, it)| it.hash())))
            .all(connection)
            .await?;
        for row in rows {
            let (id, node) =
                (row.document_id, Node { parent: row.parent, deleted: false, leaf: false });
            let revision = revision(row.generation, row.digest)?;
            if wanted.contains(&(id, &revision)) {
                found.entry(id).or_default().push((revision, node));
            }
        }
    }
}

/// The revisions of a document that have made versions of it.
pub(super) async fn with_version(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Vec<Revision>> {
    let made: Vec<(i64, String)> = of_document(organization_id, id)
        .select_only()
        .column(document_revision::Column::Generation)
        .column(document_revision::Column::Digest)
        .filter(document_revision::COLUMN.document_version.is_not_null())
        .into_tuple()
        .all(connection)
        .await?;
    made.into_iter().map(|(generation, hash)| revision(generation, hash)).collect()
}

/// Which version of the document a revision was, if it has won.
pub(super) async fn version(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
    revision: &Revision,
) -> Result<Option<i64>> {
    let version: Option<Option<i64>> = of_document(organization_id, id)
        .filter(one_of(std::slice::from_ref(revision)))
        .select_only()
        .column(document_revision::Column::DocumentVersion)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(version.flatten())
}

/// Writes revisions that are new, or whose parent is.
pub(super) async fn write(
    tx: &Tx,
    subject: Subject<'_>,
    revisions: &[(Revision, Option<String>)],
) -> Result<()> {
    for some in revisions.chunks(REVISIONS_PER_STATEMENT) {
        let rows = some.iter().map(|(revision, parent)| document_revision::ActiveModel {
            organization_id: Set(subject.organization_id),
            document_id: Set(subject.id),
            generation: Set(revision.generation()),
            digest: Set(revision.hash().to_owned()),
            collection_id: Set(subject.collection_id),
            parent: Set(parent.clone()),
            document_version: Set(None),
        });
        let key = [
            document_revision::Column::OrganizationId,
            document_revision::Column::DocumentId,
            document_revision::Column::Generation,
            document_revision::Column::Digest,
        ];
        let mut known = OnConflict::columns(key);
        known.update_column(document_revision::Column::Parent);
        document_revision::Entity::insert_many(rows)
            .on_conflict(known)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// Writes what follows from the log of a document of which nothing is kept.
///
/// # Errors
/// Where another transaction has just done it, the whole closure runs again ([`Error::Retry`]).
pub(super) async fn write_versions(
    tx: &Tx,
    subject: Subject<'_>,
    versions: &[Version],
) -> Result<()> {
    let rows: Vec<_> = versions
        .iter()
        .enumerate()
        .map(|(at, version)| {
            let parent = versions.get(at + 1).map(|parent| &parent.revision);
            row(subject, (&version.revision, parent), Some(version.number))
        })
        .collect();
    let written = document_revision::Entity::insert_many(rows).exec_without_returning(tx).await;
    match written.map_err(Error::from) {
        Err(Error::Duplicate { .. }) => Err(Error::lost_race("the revisions are kept by now")),
        written => written.map(drop),
    }
}

/// Writes a revision that is new, and which version of the document it is, if it has made one.
pub(super) async fn write_one(
    tx: &Tx,
    subject: Subject<'_>,
    (revision, parent): (&Revision, Option<&Revision>),
    version: Option<i64>,
) -> Result<()> {
    let row = row(subject, (revision, parent), version);
    document_revision::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

fn row(
    subject: Subject<'_>,
    (revision, parent): (&Revision, Option<&Revision>),
    version: Option<i64>,
) -> document_revision::ActiveModel {
    document_revision::ActiveModel {
        organization_id: Set(subject.organization_id),
        document_id: Set(subject.id),
        generation: Set(revision.generation()),
        digest: Set(revision.hash().to_owned()),
        collection_id: Set(subject.collection_id),
        parent: Set(parent.map(|parent| parent.hash().to_owned())),
        document_version: Set(version),
    }
}

/// Says which version of the document a revision is that is known already.
pub(super) async fn set_version(
    tx: &Tx,
    subject: Subject<'_>,
    revision: &Revision,
    version: i64,
) -> Result<()> {
    document_revision::Entity::update_many()
        .col_expr(document_revision::Column::DocumentVersion, Expr::val(version))
        .filter(document_revision::COLUMN.organization_id.eq(subject.organization_id))
        .filter(document_revision::COLUMN.document_id.eq(subject.id))
        .filter(one_of(std::slice::from_ref(revision)))
        .exec(tx)
        .await?;
    Ok(())
}

/// Writes a new leaf.
pub(super) async fn write_leaf(tx: &Tx, subject: Subject<'_>, leaf: &Leaf) -> Result<()> {
    let row = document_leaf::ActiveModel {
        organization_id: Set(subject.organization_id),
        document_id: Set(subject.id),
        generation: Set(leaf.revision.generation()),
        digest: Set(leaf.revision.hash().to_owned()),
        collection_id: Set(subject.collection_id),
        key: Set(subject.key.to_owned()),
        deleted: Set(leaf.deleted),
        body: Set(leaf.body.clone()),
        attachments: Set(leaf.attachments.clone()),
    };
    document_leaf::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

fn is_leaf(subject: Subject<'_>, revision: &Revision) -> Condition {
    Condition::all()
        .add(document_leaf::COLUMN.organization_id.eq(subject.organization_id))
        .add(document_leaf::COLUMN.document_id.eq(subject.id))
        .add(document_leaf::COLUMN.generation.eq(revision.generation()))
        .add(document_leaf::COLUMN.digest.eq(revision.hash()))
}

/// Puts a leaf in the place of the one from which it came.
pub(super) async fn replace_leaf(
    tx: &Tx,
    subject: Subject<'_>,
    parent: &Revision,
    leaf: &Leaf,
) -> Result<()> {
    let row = document_leaf::ActiveModel {
        generation: Set(leaf.revision.generation()),
        digest: Set(leaf.revision.hash().to_owned()),
        deleted: Set(leaf.deleted),
        body: Set(leaf.body.clone()),
        attachments: Set(leaf.attachments.clone()),
        ..Default::default()
    };
    let replaced = document_leaf::Entity::update_many()
        .set(row)
        .filter(is_leaf(subject, parent))
        .exec(tx)
        .await?;
    if replaced.rows_affected == 1 {
        return Ok(());
    }
    Err(Error::lost_race("the revision is no leaf any more"))
}

/// Makes others wait that add revisions to the same document: which of them wins depends on all.
pub(super) async fn lock(tx: &Tx, subject: Subject<'_>, winner: &Leaf) -> Result<()> {
    let held = document_leaf::Entity::update_many()
        .col_expr(document_leaf::Column::Deleted, Expr::val(winner.deleted))
        .filter(is_leaf(subject, &winner.revision))
        .exec(tx)
        .await?;
    if held.rows_affected == 1 {
        return Ok(());
    }
    Err(Error::lost_race("the revision is no leaf any more"))
}

/// Writes what a leaf keeps as its body.
pub(super) async fn set_body(
    tx: &Tx,
    subject: Subject<'_>,
    leaf: &Revision,
    body: Option<String>,
) -> Result<()> {
    document_leaf::Entity::update_many()
        .col_expr(document_leaf::Column::Body, Expr::val(body))
        .filter(is_leaf(subject, leaf))
        .exec(tx)
        .await?;
    Ok(())
}

/// Takes out a leaf of which another was made.
pub(super) async fn remove_leaf(tx: &Tx, subject: Subject<'_>, leaf: &Revision) -> Result<()> {
    document_leaf::Entity::delete_many().filter(is_leaf(subject, leaf)).exec(tx).await?;
    Ok(())
}

/// Leaves out the revisions of a document up to a generation.
pub(super) async fn remove_until(tx: &Tx, subject: Subject<'_>, generation: i64) -> Result<()> {
    document_revision::Entity::delete_many()
        .filter(document_revision::COLUMN.organization_id.eq(subject.organization_id))
        .filter(document_revision::COLUMN.document_id.eq(subject.id))
        .filter(document_revision::COLUMN.generation.lte(generation))
        .exec(tx)
        .await?;
    Ok(())
}

/// Leaves out revisions of a document.
pub(super) async fn remove(tx: &Tx, subject: Subject<'_>, revisions: &[Revision]) -> Result<()> {
    for some in revisions.chunks(REVISIONS_PER_STATEMENT / 4) {
        document_revision::Entity::delete_many()
            .filter(document_revision::COLUMN.organization_id.eq(subject.organization_id))
            .filter(document_revision::COLUMN.document_id.eq(subject.id))
            .filter(one_of(some))
            .exec(tx)
            .await?;
    }
    Ok(())
}

use std::collections::HashMap;

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{
    Leaf, Revision,
    commands::marked,
    derived,
    derived::Version,
    repository,
    tree::{Node, Tree},
};
use crate::error::Result;

/// Where the trees of a collection's documents are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trees {
    /// The organization.
    pub(crate) organization_id: Uuid,
    /// Whether any are kept, and do not all follow from the log.
    pub(crate) kept: bool,
}

/// The leaves of some documents, the winner of each first.
pub(crate) async fn leaves(
    connection: &impl ConnectionTrait,
    trees: Trees,
    documents: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Leaf>>> {
    let log = trees.organization_id;
    let mut found = match trees.kept {
        true => repository::leaves(connection, log, documents).await?,
        false => HashMap::new(),
    };
    let others: Vec<Uuid> =
        documents.iter().filter(|id| !found.contains_key(id)).copied().collect();
    let derived = derived::leaves(connection, log, &others).await?;
    found.extend(derived.into_iter().map(|(id, leaf)| (id, vec![leaf])));
    Ok(found)
}

/// Those of some revisions of documents that are known.
pub(crate) async fn known(
    connection: &impl ConnectionTrait,
    trees: Trees,
    asked: &[(Uuid, &[Revision])],
) -> Result<HashMap<Uuid, Vec<Revision>>> {
    let log = trees.organization_id;
    let mut known: HashMap<Uuid, Vec<Revision>> = HashMap::new();
    if trees.kept {
        for (id, revisions) in repository::known(connection, log, asked).await? {
            known.insert(id, revisions.into_iter().map(|(revision, _)| revision).collect());
        }
    }
    let mut others: Vec<(Uuid, &Revision)> = Vec::new();
    for (id, revisions) in asked {
        let known = known.get(id).map_or(&[][..], Vec::as_slice);
        others.extend(revisions.iter().filter(|it| !known.contains(it)).map(|it| (*id, it)));
    }
    for (id, revision) in derived::known(connection, log, &others).await? {
        known.entry(id).or_default().push(revision);
    }
    Ok(known)
}

impl Trees {
    /// All that is known of the revisions of a document with these leaves.
    pub(crate) async fn tree(
        self,
        connection: &impl ConnectionTrait,
        id: Uuid,
        leaves: &[Leaf],
    ) -> Result<Tree> {
        let kept = match self.kept {
            true => repository::all(connection, self.organization_id, id).await?,
            false => Vec::new(),
        };
        if !kept.is_empty() {
            return Ok(marked(kept, leaves));
        }
        let versions = derived::versions(connection, (self.organization_id, id), None).await?;
        Ok(marked(line(&versions), leaves))
    }

    /// Which version of a document a revision was, if it was one.
    pub(crate) async fn version(
        self,
        connection: &impl ConnectionTrait,
        id: Uuid,
        revision: &Revision,
    ) -> Result<Option<i64>> {
        let log = self.organization_id;
        if self.kept {
            let version = repository::version(connection, log, id, revision).await?;
            if version.is_some() {
                return Ok(version);
            }
        }
        let known = derived::known(connection, log, &[(id, revision)]).await?;
        Ok(known.first().map(|(_, revision)| revision.generation()))
    }

    /// The revisions of a document that were versions of it.
    pub(crate) async fn with_version(
        self,
        connection: &impl ConnectionTrait,
        id: Uuid,
    ) -> Result<Vec<Revision>> {
        let log = self.organization_id;
        let kept = match self.kept {
            true => repository::with_version(connection, log, id).await?,
            false => Vec::new(),
        };
        if !kept.is_empty() {
            return Ok(kept);
        }
        let versions = derived::versions(connection, (log, id), None).await?;
        Ok(versions.into_iter().map(|version| version.revision).collect())
    }
}

/// Versions, the latest first, as revisions of which each was made of the one before.
fn line(versions: &[Version]) -> Vec<(Revision, Node)> {
    let nodes = versions.iter().enumerate().map(|(at, version)| {
        let parent = versions.get(at + 1).map(|parent| parent.revision.hash().to_owned());
        (version.revision.clone(), Node { parent, deleted: false, leaf: false })
    });
    nodes.collect()
}

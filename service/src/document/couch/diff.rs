//! `_revs_diff`: what a client has, and the server does not.

use sea_orm::ConnectionTrait;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::wire;
use crate::{
    actor::Actor,
    document::{
        collection, document,
        revision::{self, Revision, Trees},
    },
    error::Result,
    store::Store,
};

/// Which of these revisions are not known.
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

//! Indexes of collections: for each declared path the values of all documents, in their order, which queries read
//! (docs/decisions/0041). They are written with the documents. One that is declared later is built in the background,
//! and is not read before.

mod repository;
mod worker;

use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use strum::{EnumString, IntoStaticStr, VariantArray};
use uuid::Uuid;

pub(crate) use repository::{Page, find, keys};
pub(crate) use worker::run_once;

use super::query::{Path, range};
use crate::{
    error::Result,
    store::{Tx, children, log::hashed_id},
};

/// What identifies the index of a collection over a path.
pub(crate) fn id(collection_id: Uuid, pointer: &str) -> Uuid {
    hashed_id(Sha256::new().chain_update(collection_id.as_bytes()).chain_update(pointer))
}

/// A collection that declares indexes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Indexed<'a> {
    /// The organization.
    pub organization_id: Uuid,
    /// The collection.
    pub collection_id: Uuid,
    /// The JSON pointers.
    pub pointers: &'a [String],
}

/// The state of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, EnumString, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(crate) enum State {
    /// Not all documents are in it yet.
    Building,
    /// It may be read.
    Ready,
    /// It is no longer declared; its values go.
    Dropping,
}

/// Declares the indexes of a collection that has no document yet.
pub(crate) async fn declare_first(tx: &Tx, of: Indexed<'_>) -> Result<()> {
    repository::insert(tx, of, State::Ready).await
}

/// Declares indexes in the place of others. The row of the collection is written in the same transaction, for which
/// those wait that write documents.
pub(crate) async fn declare(tx: &Tx, of: Indexed<'_>, before: &[String]) -> Result<()> {
    let without = |some: &[String], others: &[String]| {
        some.iter().filter(|pointer| !others.contains(pointer)).cloned().collect::<Vec<_>>()
    };
    let dropped = without(before, of.pointers);
    if !dropped.is_empty() {
        repository::set_state(tx, Indexed { pointers: &dropped, ..of }, State::Dropping).await?;
    }
    let added = without(of.pointers, before);
    if !added.is_empty() {
        let added = Indexed { pointers: &added, ..of };
        // Some may still be there from before.
        repository::set_state(tx, added, State::Building).await?;
        repository::insert(tx, added, State::Building).await?;
    }
    Ok(())
}

/// A document as indexes have it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// What identifies its row.
    pub id: Uuid,
    /// What clients call it.
    pub key: &'a str,
    /// What it has.
    pub body: &'a Map<String, Value>,
}

/// Writes what the indexes have of a document, in the place of what they had of its body before.
pub(crate) async fn write(
    tx: &Tx,
    of: Indexed<'_>,
    before: Option<&Map<String, Value>>,
    document: Entry<'_>,
) -> Result<()> {
    let values =
        |body| of.pointers.iter().map(|pointer| entries(pointer, body)).collect::<Vec<_>>();
    let now = values(document.body);
    if let Some(before) = before {
        if values(before) == now {
            return Ok(());
        }
        let organization_id = of.organization_id;
        children::delete::<entity::document_value::Entity>(tx, organization_id, document.id)
            .await?;
    }
    let rows = of.pointers.iter().zip(now).flat_map(|(pointer, points)| {
        let index_id = id(of.collection_id, pointer);
        repository::rows((of.organization_id, index_id), document, points)
    });
    children::insert(tx, rows.collect()).await
}

fn entries(pointer: &str, body: &Map<String, Value>) -> Vec<range::Point> {
    Path::from_pointer(pointer).map(|path| range::entries(&path, body)).unwrap_or_default()
}

/// The indexes of a collection that may be read, in the order in which they are declared.
pub(crate) async fn ready(connection: &impl ConnectionTrait, of: Indexed<'_>) -> Result<Vec<Path>> {
    if of.pointers.is_empty() {
        return Ok(Vec::new());
    }
    let ready = repository::ready(connection, of).await?;
    let declared = of.pointers.iter().filter(|pointer| ready.contains(pointer));
    Ok(declared.filter_map(|pointer| Path::from_pointer(pointer)).collect())
}

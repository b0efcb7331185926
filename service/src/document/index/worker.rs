//! Builds indexes that were declared for documents that are there, and removes the values of those that are no longer
//! declared: some in each transaction, so that nobody waits however many they are. Any node may do it.

use entity::document_index;
use sea_orm::EntityTrait;
use uuid::Uuid;

use super::{Entry, State, entries, repository};
use crate::{
    error::Result,
    store::{Store, Tx, children, stored},
};

/// How many documents one transaction indexes, of at most a mebibyte each.
const SLICE: u64 = 100;
/// How many values one transaction removes.
const DROPPED: u64 = 1_000;

/// Does some of it, and says how much; zero if there is nothing to do.
pub(crate) async fn run_once(store: &Store) -> Result<u64> {
    match repository::next(store.read()).await? {
        Some(index) => store.write(async move |tx| slice(tx, index).await).await,
        None => Ok(0),
    }
}

async fn slice(tx: &Tx, index: (Uuid, Uuid)) -> Result<u64> {
    let Some(index) = document_index::Entity::find_by_id(index).one(tx).await? else {
        return Ok(1);
    };
    match stored::word(document_index::Column::State, index.id, &index.state)? {
        State::Building => build(tx, &index).await,
        // Another node was faster.
        State::Ready => Ok(1),
        State::Dropping => {
            let dropped = repository::drop_values(tx, &index, DROPPED).await?;
            if dropped < DROPPED {
                repository::delete_index(tx, &index).await?;
            }
            Ok(dropped + 1)
        }
    }
}

async fn build(tx: &Tx, index: &document_index::Model) -> Result<u64> {
    let documents = repository::next_documents(tx, index, SLICE).await?;
    if !documents.is_empty() {
        // Those that were written meanwhile are in it.
        repository::delete_values(tx, index, &documents).await?;
    }
    let mut rows = Vec::new();
    for document in &documents {
        let body =
            stored::exact_object(entity::document::Column::Body, document.id, &document.body)?;
        let entry = Entry { id: document.id, key: &document.key, body: &body };
        let points = entries(&index.pointer, &body);
        rows.extend(repository::rows((index.organization_id, index.id), entry, points));
    }
    children::insert(tx, rows).await?;
    let count = u64::try_from(documents.len()).unwrap_or(SLICE);
    let last = documents.last().filter(|_| count == SLICE);
    repository::set_built(tx, index, last.map(|document| document.key.as_str())).await?;
    Ok(count + 1)
}

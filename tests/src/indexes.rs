//! What the indexes of documents have.

use entity::{document_index, document_value};
use sea_orm::{EntityTrait, PaginatorTrait};
use service::Store;

/// How many indexes there are, of all collections, and how many values in them.
///
/// # Panics
/// If the database does not answer.
pub async fn indexes_and_values(store: &Store) -> (u64, u64) {
    let indexes = document_index::Entity::find().count(store.read()).await.unwrap();
    (indexes, document_value::Entity::find().count(store.read()).await.unwrap())
}

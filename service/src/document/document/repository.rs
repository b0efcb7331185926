use entity::document;
use sea_orm::{ConnectionTrait, ExprTrait, QueryFilter, QueryTrait};
use uuid::Uuid;

use super::{DocumentQuery, rules};
use crate::{
    error::Result,
    store::{
        page::{Page, Paged, Sort, page},
        versioned,
    },
};

/// The document of this id, if it is there.
pub(super) async fn find(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Option<document::Model>> {
    versioned::find::<document::Entity>(connection, organization_id, id).await
}

/// A page of the documents of a collection, in the order of their keys.
pub(super) async fn list(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    collection_id: Uuid,
    query: &DocumentQuery,
) -> Result<Page<document::Model>> {
    let page_query = Paged::page(query);
    let backend = connection.get_database_backend();
    let key = page_query.bounded(backend, document::Column::Key);
    let prefix = query.prefix.as_deref().filter(|prefix| !prefix.is_empty());
    let end = prefix.and_then(rules::after_prefix);
    let rows = versioned::find_in_organization::<document::Entity>(organization_id)
        .filter(document::COLUMN.collection_id.eq(collection_id))
        .apply_if(prefix, |rows, prefix| rows.filter(key.gte(prefix)))
        .apply_if(end, |rows, end| rows.filter(document::COLUMN.key.lt(end)));
    let sort = Sort { name: "id", column: document::Column::Key, descending: false };
    page(connection, rows, sort, &page_query).await
}

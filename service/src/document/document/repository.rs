use entity::document;
use sea_orm::{ConnectionTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::{DocumentQuery, rules};
use crate::{
    error::Result,
    store::{
        page::{Page, Paged, Sort, page},
        rows, versioned,
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

/// The first documents of a collection whose keys begin with a prefix, and go on after a text.
pub(super) async fn after(
    connection: &impl ConnectionTrait,
    (organization_id, collection_id): (Uuid, Uuid),
    (prefix, after): (&str, &str),
    limit: u64,
) -> Result<Vec<document::Model>> {
    let rows = versioned::find_in_organization::<document::Entity>(organization_id)
        .filter(document::COLUMN.collection_id.eq(collection_id))
        .filter(document::COLUMN.key.gt(format!("{prefix}{after}")))
        .apply_if(rules::after_prefix(prefix), |rows, end| {
            rows.filter(document::COLUMN.key.lt(end))
        })
        .order_by_asc(document::Column::Key)
        .limit(limit);
    rows::all(connection, rows).await
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

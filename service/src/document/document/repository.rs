use std::collections::HashMap;

use entity::document;
use sea_orm::{
    ColumnTrait, ConnectionTrait, ExprTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{DocumentQuery, rules};
use crate::{
    document::outbox,
    error::Result,
    store::{
        Tx,
        page::{Page, Paged, Sort, page},
        rows, stored, versioned,
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

/// The same with its body, in a transaction.
pub(super) async fn find_in(
    tx: &Tx,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Option<document::Model>> {
    let mut row = find(tx, organization_id, id).await?;
    outbox::fill_in(tx, row.as_mut_slice())?;
    Ok(row)
}

/// Reads the bodies of some documents once for all that follows in a transaction: one after the other, each would
/// begin it again.
pub(crate) async fn prepare(tx: &Tx, organization_id: Uuid, ids: &[Uuid]) -> Result<()> {
    if tx.has_remote() {
        whole(tx, organization_id, ids).await?;
    }
    Ok(())
}

/// Some documents with their bodies, of those that are there.
async fn whole(tx: &Tx, organization_id: Uuid, ids: &[Uuid]) -> Result<Vec<document::Model>> {
    let mut found = Vec::with_capacity(ids.len());
    for some in ids.chunks(IDS_PER_STATEMENT) {
        let some = versioned::find_in_organization::<document::Entity>(organization_id)
            .filter(document::Column::Id.is_in(some.iter().copied()));
        found.extend(rows::all(tx, some).await?);
    }
    outbox::fill_in(tx, &mut found)?;
    Ok(found)
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

/// How many documents one statement looks up.
const IDS_PER_STATEMENT: usize = 1_000;

/// The bodies of some documents, of those that are there.
pub(crate) async fn bodies(
    tx: &Tx,
    organization_id: Uuid,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Map<String, Value>>> {
    let found = whole(tx, organization_id, ids).await?.into_iter();
    let body = |row: document::Model| {
        Ok((row.id, stored::exact_object(document::Column::Body, row.id, &row.body)?))
    };
    found.map(body).collect()
}

/// How many documents a collection has, counted up to a limit.
pub(crate) async fn count(
    connection: &impl ConnectionTrait,
    (organization_id, collection_id): (Uuid, Uuid),
    limit: u64,
) -> Result<u64> {
    let some = versioned::find_in_organization::<document::Entity>(organization_id)
        .filter(document::COLUMN.collection_id.eq(collection_id))
        .limit(limit);
    Ok(some.count(connection).await?)
}

/// The first documents of a collection.
pub(super) async fn first(
    tx: &Tx,
    (organization_id, collection_id): (Uuid, Uuid),
    limit: u64,
) -> Result<Vec<document::Model>> {
    let first = versioned::find_in_organization::<document::Entity>(organization_id)
        .filter(document::COLUMN.collection_id.eq(collection_id))
        .order_by_asc(document::Column::Key)
        .limit(limit);
    let mut rows = rows::all(tx, first).await?;
    outbox::fill_in(tx, &mut rows)?;
    Ok(rows)
}

/// Which keys of a collection are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyRange<'a> {
    /// From this one on; to this one back, if `descending`.
    pub(crate) start: Option<&'a str>,
    /// To this one.
    pub(crate) end: Option<&'a str>,
    /// Without `end` itself.
    pub(crate) excludes_end: bool,
    /// The last first.
    pub(crate) descending: bool,
    /// How many are left out before the first.
    pub(crate) skip: u64,
    /// How many, at most.
    pub(crate) limit: u64,
}

/// The keys of documents of a collection in their order, with what identifies each.
pub(crate) async fn keys(
    connection: &impl ConnectionTrait,
    (organization_id, collection_id): (Uuid, Uuid),
    range: KeyRange<'_>,
) -> Result<Vec<(Uuid, String)>> {
    let KeyRange { start, end, excludes_end, descending, skip, limit } = range;
    let key = document::Column::Key;
    let found = versioned::find_in_organization::<document::Entity>(organization_id)
        .select_only()
        .column(document::Column::Id)
        .column(key)
        .filter(document::COLUMN.collection_id.eq(collection_id))
        .apply_if(start, |rows, start| match descending {
            false => rows.filter(key.gte(start)),
            true => rows.filter(key.lte(start)),
        })
        .apply_if(end, |rows, end| match (descending, excludes_end) {
            (false, false) => rows.filter(key.lte(end)),
            (false, true) => rows.filter(key.lt(end)),
            (true, false) => rows.filter(key.gte(end)),
            (true, true) => rows.filter(key.gt(end)),
        })
        .order_by(key, if descending { Order::Desc } else { Order::Asc })
        .offset(skip)
        .limit(limit)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(found)
}

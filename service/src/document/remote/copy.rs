//! Copies documents from one engine to another, and compares both at its end. Who writes meanwhile is not seen.

use std::{future::ready, sync::Arc};

use chrono::{DateTime, Utc};
use entity::{collection, document};
use futures_util::{StreamExt, TryStreamExt, stream};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, sea_query::Expr,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::super::{
    engine::{CollectionId, Engine, Outcome, Page, Stored},
    outbox,
};
use crate::{
    error::{Error, Result},
    random::hexadecimal,
    store::{Store, Tx, log::hashed_id, rows, versioned},
};

/// How many documents are read at once.
const PAGE: usize = 100;
/// How many documents are written at once.
const WRITES_AT_ONCE: usize = 8;

/// Where documents are copied from or to.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there are two of them")]
pub enum Side {
    /// An engine.
    Engine(Arc<dyn Engine>),
    /// The rows of a database of steward's, which have all but the bodies that are elsewhere.
    Rows(Store),
}

/// Why documents were not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Something has already been written to where they go.
    #[error(
        "the target has documents of collection {collection} of organization {organization} \
         already: go on with what was begun by --resume, or name an empty target"
    )]
    NotEmpty {
        /// The organization.
        organization: Uuid,
        /// The collection's name.
        collection: String,
    },
    /// There are writes that the source does not have yet.
    #[error(
        "{0} writes of documents are on their way to their store: start steward until \
         steward_document_pending_writes is 0, and stop it"
    )]
    Pending(i64),
    /// The engine or the database fails.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// What a side has of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How many documents.
    pub count: u64,
    /// SHA-256, in hexadecimal, of their keys, versions, instants and bodies, in the order of the keys.
    pub digest: String,
}

/// What was copied of a collection.
#[derive(Debug, Clone)]
pub struct CollectionReport {
    /// The organization.
    pub organization_id: Uuid,
    /// The collection's name.
    pub name: String,
    /// How many documents steward's own database knows.
    pub known: u64,
    /// What the source has.
    pub from: Report,
    /// What the target has.
    pub to: Report,
}

impl CollectionReport {
    /// Whether both sides have the same, and all of it.
    pub fn is_whole(&self) -> bool {
        self.from == self.to && self.from.count == self.known
    }
}

/// Copies the documents of all collections that a database knows. With `resume`, the target may have some of them
/// already.
///
/// # Errors
/// Where it cannot begin or go on. What the reports say is to be looked at all the same.
pub async fn copy(
    catalogue: &Store,
    (from, to): (&Side, &Side),
    resume: bool,
    mut progress: impl FnMut(&CollectionReport),
) -> Result<Vec<CollectionReport>, CopyError> {
    let waiting = outbox::waiting(catalogue).await?;
    if waiting > 0 {
        return Err(CopyError::Pending(waiting));
    }
    let collections = collections(catalogue).await?;
    if !resume {
        for (id, name) in &collections {
            require_empty(to, *id, name).await?;
        }
    }
    let mut reports = Vec::with_capacity(collections.len());
    for (id, name) in collections {
        copy_one((from, to), id).await?;
        let report = CollectionReport {
            organization_id: id.organization_id,
            name,
            known: known(catalogue, id).await?,
            from: report(from, id).await?,
            to: report(to, id).await?,
        };
        progress(&report);
        reports.push(report);
    }
    Ok(reports)
}

async fn collections(store: &Store) -> Result<Vec<(CollectionId, String)>> {
    let all: Vec<(Uuid, Uuid, String)> = collection::Entity::find()
        .select_only()
        .columns([collection::Column::OrganizationId, collection::Column::Id])
        .column(collection::Column::Name)
        .order_by_asc(collection::Column::OrganizationId)
        .order_by_asc(collection::Column::Name)
        .into_tuple()
        .all(store.read())
        .await?;
    let id = |organization_id, collection_id| CollectionId { organization_id, collection_id };
    Ok(all.into_iter().map(|(one, other, name)| (id(one, other), name)).collect())
}

async fn known(store: &Store, id: CollectionId) -> Result<u64> {
    let all = versioned::find_in_organization::<document::Entity>(id.organization_id)
        .filter(document::COLUMN.collection_id.eq(id.collection_id));
    Ok(all.count(store.read()).await?)
}

async fn require_empty(to: &Side, id: CollectionId, name: &str) -> Result<(), CopyError> {
    if to.page(id, None, 1).await?.documents.is_empty() {
        return Ok(());
    }
    let (organization, collection) = (id.organization_id, name.to_owned());
    Err(CopyError::NotEmpty { organization, collection })
}

async fn copy_one((from, to): (&Side, &Side), id: CollectionId) -> Result<()> {
    let mut after: Option<String> = None;
    loop {
        let page = from.page(id, after.as_deref(), PAGE).await?;
        let last = page.documents.last().map(|last| last.key.clone());
        to.write(id, page.documents).await?;
        match last.filter(|_| page.more) {
            Some(last) => after = Some(last),
            None => return Ok(()),
        }
    }
}

async fn report(side: &Side, id: CollectionId) -> Result<Report> {
    let (mut digest, mut count, mut after) = (Sha256::new(), 0, None::<String>);
    loop {
        let page = side.page(id, after.as_deref(), PAGE).await?;
        for stored in &page.documents {
            count += 1;
            digest.update((stored.key.len() as u64).to_be_bytes());
            digest.update(&stored.key);
            digest.update(stored.version.to_be_bytes());
            digest.update(stored.created_at.timestamp_micros().to_be_bytes());
            digest.update(stored.updated_at.timestamp_micros().to_be_bytes());
            let body = stored.body.as_deref().unwrap_or_default();
            digest.update((body.len() as u64).to_be_bytes());
            digest.update(body);
        }
        match page.documents.last().filter(|_| page.more) {
            Some(last) => after = Some(last.key.clone()),
            None => return Ok(Report { count, digest: hexadecimal(&digest.finalize()) }),
        }
    }
}

impl Side {
    async fn page(&self, id: CollectionId, after: Option<&str>, limit: usize) -> Result<Page> {
        match self {
            Self::Engine(engine) => engine.scan(id, after, limit).await,
            Self::Rows(store) => rows_after(store, id, after, limit).await,
        }
    }

    async fn write(&self, id: CollectionId, documents: Vec<Stored>) -> Result<()> {
        match self {
            Self::Engine(engine) => {
                let writes = documents.iter().map(|stored| restore(engine, id, stored));
                let writes = stream::iter(writes).buffer_unordered(WRITES_AT_ONCE);
                writes.try_for_each(|()| ready(Ok(()))).await
            }
            Self::Rows(store) => {
                store
                    .write(async move |tx| {
                        for stored in &documents {
                            fill_row(tx, id, stored).await?;
                        }
                        Ok(())
                    })
                    .await
            }
        }
    }
}

/// What is there already may be of another write, as long as it is the same.
async fn restore(engine: &Arc<dyn Engine>, id: CollectionId, stored: &Stored) -> Result<()> {
    match engine.restore(id, stored).await? {
        Outcome::Written(_) => Ok(()),
        Outcome::Conflict(Some(current)) if is_same(&current, stored) => Ok(()),
        Outcome::Conflict(_) => Err(differs()),
    }
}

fn is_same(one: &Stored, other: &Stored) -> bool {
    let of = |it: &Stored| (it.version, it.created_at, it.updated_at);
    of(one) == of(other) && one.body == other.body
}

fn differs() -> Error {
    Error::state("documents_differ", "the target has another version of a document already")
}

/// The documents whose bodies are in their rows.
async fn rows_after(
    store: &Store,
    id: CollectionId,
    after: Option<&str>,
    limit: usize,
) -> Result<Page> {
    let found = versioned::find_in_organization::<document::Entity>(id.organization_id)
        .filter(document::COLUMN.collection_id.eq(id.collection_id))
        .filter(document::COLUMN.body.ne(""))
        .apply_if(after, |rows, after| rows.filter(document::COLUMN.key.gt(after)))
        .order_by_asc(document::Column::Key)
        .limit(limit as u64 + 1);
    let mut found = rows::all(store.read(), found).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    Ok(Page { documents: found.into_iter().map(stored).collect(), more })
}

/// A row has no id of its last write: it follows from what the row is.
fn stored(row: document::Model) -> Stored {
    let write_id = Sha256::new()
        .chain_update(row.organization_id.as_bytes())
        .chain_update(row.id.as_bytes())
        .chain_update(row.version.to_be_bytes())
        .chain_update(&row.body);
    Stored {
        key: row.key,
        version: row.version,
        body: Some(row.body),
        created_at: row.created_at.to_utc(),
        updated_at: row.updated_at.to_utc(),
        write_id: hashed_id(write_id),
    }
}

/// Puts a body into its row, which is there: identity, history, secrets and indexes of a document are always in a
/// database of steward's.
async fn fill_row(tx: &Tx, id: CollectionId, copied: &Stored) -> Result<()> {
    let instant = |at: DateTime<Utc>| at.fixed_offset();
    let filled = document::Entity::update_many()
        .col_expr(document::Column::Body, Expr::val(copied.body.clone().unwrap_or_default()))
        .filter(document::Column::OrganizationId.eq(id.organization_id))
        .filter(document::Column::CollectionId.eq(id.collection_id))
        .filter(document::Column::Key.eq(&*copied.key))
        .filter(document::Column::Version.eq(copied.version))
        .filter(document::Column::CreatedAt.eq(instant(copied.created_at)))
        .filter(document::Column::UpdatedAt.eq(instant(copied.updated_at)))
        .filter(document::Column::Body.eq(""))
        .exec(tx)
        .await?;
    if filled.rows_affected == 1 {
        return Ok(());
    }
    let row = found(tx, id, &copied.key).await?.map(stored);
    if row.is_some_and(|row| is_same(&row, copied)) { Ok(()) } else { Err(differs()) }
}

async fn found(
    connection: &impl ConnectionTrait,
    id: CollectionId,
    key: &str,
) -> Result<Option<document::Model>> {
    let rows = versioned::find_in_organization::<document::Entity>(id.organization_id)
        .filter(document::COLUMN.collection_id.eq(id.collection_id))
        .filter(document::COLUMN.key.eq(key));
    Ok(rows::all(connection, rows.limit(1)).await?.pop())
}

//! Removes what is deleted with what it belongs to: an organization with all that it holds, a webhook with its
//! deliveries, what a collection has beside its documents, and the bytes of attachments that no document has.
//!
//! To delete one is a short transaction that hides it. Its rows are removed here, some in each transaction, so that
//! nobody waits however many they are, and the row itself goes with the last of them.

use entity::{organization, owned_tables, webhook, webhook_delivery};
use futures_util::future::BoxFuture;
use sea_orm::{ColumnTrait, Condition, EntityTrait};
use uuid::Uuid;

use crate::{
    attachment,
    automation::webhook as webhooks,
    document::{attachment::blobs, collection::repository as collections, outbox},
    error::Result,
    identity::organization as organizations,
    store::{Store, Tx, rows},
};

/// How many rows one transaction removes, by what they weigh.
const BATCH_SIZE: u64 = 200;
/// How many attachments one transaction removes, of at most 8 MiB each.
const BLOBS: u64 = 10;
/// What a row weighs if nothing else is said; and one that holds a slice of a file.
const ROW_WEIGHT: u64 = 1;
const SLICE_WEIGHT: u64 = 4;

/// What goes before all else: what steward would go on with by itself.
const FIRST: &[&str] = &[
    "saga_write",
    "import_slice",
    "import",
    "saga",
    "webhook_attempt",
    "webhook_delivery",
    "webhook_progress",
    "webhook",
    "parked_event",
    "consumer_position",
];
/// What goes after all else: the log, and what was answered.
const LAST: &[&str] = &["idempotency_key", "event", "event_head"];

/// A table whose rows belong to organizations.
struct Table {
    name: &'static str,
    /// Removes so many rows of an organization at most, and says how many.
    purge: for<'a> fn(&'a Tx, Uuid, u64) -> BoxFuture<'a, Result<u64>>,
}

macro_rules! tables {
    ($($table:ident [$($link:ident),*],)*) => {
        const TABLES: &[Table] = &[$(Table {
            name: stringify!($table),
            purge: |tx, id, limit| Box::pin(async move {
                use entity::$table::{Column, Entity};
                let theirs = Condition::all().add(Column::OrganizationId.eq(id));
                $(rows::unlink_first::<Entity>(tx, &theirs, Column::$link, limit).await?;)*
                rows::delete_first::<Entity>(tx, &theirs, &rows::key::<Entity>(), limit).await
            }),
        }),*];
    };
}
owned_tables!(tables);

impl Table {
    fn weight(&self) -> u64 {
        if self.name == "import_slice" { SLICE_WEIGHT } else { ROW_WEIGHT }
    }

    /// Before, among or after those whose order is that of their foreign keys.
    fn place(&self) -> (bool, Option<usize>) {
        let place = |names: &[&str]| names.iter().position(|name| *name == self.name);
        let first = place(FIRST);
        (first.is_none(), first.or(place(LAST)))
    }
}

/// In the order in which they are purged.
fn tables() -> Vec<&'static Table> {
    let mut tables: Vec<_> = TABLES.iter().collect();
    tables.sort_by_key(|table| table.place());
    tables
}

/// The names of the tables, in the order in which they are purged: a test compares them with the schema.
pub fn table_names() -> Vec<&'static str> {
    tables().into_iter().map(|table| table.name).collect()
}

/// Removes some rows of what is deleted, and says how many; zero if nothing is.
pub(crate) async fn purge(store: &Store) -> Result<u64> {
    if let Some(id) = organizations::repository::deleted(store.read()).await? {
        let elsewhere = outbox::purge(store, id).await?;
        if elsewhere > 0 {
            return Ok(elsewhere);
        }
        return store.write(async move |tx| purge_organization(tx, id).await).await;
    }
    if let Some(webhook) = webhooks::repository::deleted(store.read()).await? {
        return store.write(async move |tx| purge_webhook(tx, webhook).await).await;
    }
    if let Some(collection) = collections::removed(store.read()).await? {
        let removed = store.write(async move |tx| {
            collections::remove_some_of_rest(tx, collection, BATCH_SIZE).await
        });
        return Ok(removed.await? + ROW_WEIGHT);
    }
    if let Some(id) = blobs::unused(store.read()).await? {
        let removed = store.write(async move |tx| blobs::remove_unused(tx, id, BLOBS).await);
        return Ok(removed.await? + ROW_WEIGHT);
    }
    Ok(0)
}

async fn purge_organization(tx: &Tx, id: Uuid) -> Result<u64> {
    let mut room = BATCH_SIZE;
    for table in tables() {
        let limit = room / table.weight();
        let removed = (table.purge)(tx, id, limit).await?;
        room -= removed * table.weight();
        // There may be more.
        if removed == limit {
            return Ok(BATCH_SIZE - room);
        }
    }
    attachment::remove_organization(tx, id).await?;
    organization::Entity::delete_by_id(id).exec(tx).await?;
    Ok(BATCH_SIZE - room + ROW_WEIGHT)
}

/// Deliveries take their attempts along, which are few each.
async fn purge_webhook(tx: &Tx, (organization_id, id): (Uuid, Uuid)) -> Result<u64> {
    use webhook_delivery::{COLUMN, Column, Entity};
    let theirs = Condition::all()
        .add(COLUMN.organization_id.eq(organization_id))
        .add(COLUMN.webhook_id.eq(id));
    let order = [Column::CreatedAt, Column::Id];
    let removed = rows::delete_first::<Entity>(tx, &theirs, &order, BATCH_SIZE).await?;
    if removed == BATCH_SIZE {
        return Ok(removed);
    }
    webhook::Entity::delete_by_id((organization_id, id)).exec(tx).await?;
    Ok(removed + ROW_WEIGHT)
}

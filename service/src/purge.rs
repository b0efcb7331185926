//! Removes what is deleted with what it belongs to: an organization with all that it holds, a webhook with its
//! deliveries.
//!
//! To delete one is a short transaction that hides it. Its rows are removed here, some in each transaction, so that
//! nobody waits however many they are, and the row itself goes with the last of them.

use entity::{
    account, account_balance, api_key, budget, budget_threshold, category, consumer_position,
    daily_report, daily_report_crew, daily_report_item, event, event_head, expense, expense_item,
    expense_project, expense_tag, idempotency_key, import, import_slice, imported_row, incident,
    invitation, journal_entry, large_expense, member, organization, parked_event, project, rate,
    rule, saga, saga_write, spending_backfill, spending_delta, spending_total, task, task_tag,
    task_turn, time_entry, time_entry_day, time_entry_tag, timecard, transfer, webhook,
    webhook_attempt, webhook_delivery, webhook_progress,
};
use futures_util::future::BoxFuture;
use sea_orm::{ColumnTrait, Condition, EntityTrait};
use uuid::Uuid;

use crate::{
    automation::webhook as webhooks,
    error::Result,
    identity::organization as organizations,
    store::{Store, Tx, rows},
};

/// How many rows one transaction removes, by what they weigh.
const BATCH_SIZE: u64 = 200;
/// What a row weighs if nothing else is said; and one that holds a slice of a file.
const ROW_WEIGHT: u64 = 1;
const SLICE_WEIGHT: u64 = 4;

/// A table whose rows belong to organizations.
struct Table {
    weight: u64,
    /// Removes so many rows of an organization at most, and says how many.
    purge: for<'a> fn(&'a Tx, Uuid, u64) -> BoxFuture<'a, Result<u64>>,
}

macro_rules! weight {
    () => {
        ROW_WEIGHT
    };
    ($weight:ident) => {
        $weight
    };
}

macro_rules! tables {
    ($($table:ident $(of $weight:ident)? $(with [$($link:ident),*])?),* $(,)?) => {
        const TABLES: &[Table] = &[$(Table {
            weight: weight!($($weight)?),
            purge: |tx, id, limit| Box::pin(async move {
                use $table::{Column, Entity};
                let theirs = Condition::all().add(Column::OrganizationId.eq(id));
                $($(rows::unlink_first::<Entity>(tx, &theirs, Column::$link, limit).await?;)*)?
                rows::delete_first::<Entity>(tx, &theirs, &rows::key::<Entity>(), limit).await
            }),
        }),*];

        /// Their names: a test compares them with the schema.
        pub const TABLE_NAMES: &[&str] = &[$(stringify!($table)),*];
    };
}

// Those first that refer to others, with the columns by which rows refer to others of the same table; before them what
// steward would go on with by itself.
tables![
    saga_write,
    import_slice of SLICE_WEIGHT,
    import,
    imported_row,
    saga,
    webhook_attempt,
    webhook_delivery,
    webhook_progress,
    webhook,
    parked_event,
    consumer_position,
    rule,
    large_expense,
    budget_threshold,
    budget,
    spending_backfill,
    spending_delta,
    spending_total,
    expense_tag,
    expense_project,
    expense_item,
    expense,
    time_entry_tag,
    time_entry_day,
    time_entry,
    timecard,
    task_tag,
    task_turn,
    task,
    daily_report_crew,
    daily_report_item,
    daily_report,
    incident,
    rate,
    transfer,
    journal_entry with [ReversesId, ReversedById],
    account_balance,
    account,
    category with [ParentId],
    project,
    api_key,
    invitation,
    member,
    idempotency_key,
    event,
    event_head,
];

/// Removes some rows of what is deleted, and says how many; zero if nothing is.
pub(crate) async fn purge(store: &Store) -> Result<u64> {
    if let Some(id) = organizations::repository::deleted(store.read()).await? {
        return store.write(id, |tx, id| Box::pin(purge_organization(tx, *id))).await;
    }
    if let Some(webhook) = webhooks::repository::deleted(store.read()).await? {
        return store.write(webhook, |tx, webhook| Box::pin(purge_webhook(tx, *webhook))).await;
    }
    Ok(0)
}

async fn purge_organization(tx: &Tx, id: Uuid) -> Result<u64> {
    let mut room = BATCH_SIZE;
    for table in TABLES {
        let limit = room / table.weight;
        let removed = (table.purge)(tx, id, limit).await?;
        room -= removed * table.weight;
        // There may be more.
        if removed == limit {
            return Ok(BATCH_SIZE - room);
        }
    }
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

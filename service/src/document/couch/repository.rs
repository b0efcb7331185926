//! The log and the checkpoints in the database.

use chrono::{DateTime, Utc};
use entity::{document_checkpoint, event};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, Order, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
    sea_query::{Expr, OnConflict, Query, SubQueryStatement},
};
use uuid::Uuid;

use crate::{
    document::document::Document,
    error::{Error, Result},
    resource::Resource,
    store::{Tx, versioned},
};

/// Which part of a log is looked at.
pub(super) struct Range {
    /// After one position and up to another.
    pub(super) positions: (i64, i64),
    /// The latest first.
    pub(super) descending: bool,
    /// How many events, at most.
    pub(super) limit: u64,
}

/// The documents of a collection about which something is said in a part of the log and nothing after it, with the
/// positions of that.
pub(super) async fn latest(
    connection: &impl ConnectionTrait,
    (log, collection_id): (Uuid, Uuid),
    range: &Range,
    documents: Option<&[Uuid]>,
) -> Result<Vec<(i64, Uuid)>> {
    let Range { positions: (after, until), descending, limit } = *range;
    let order = if descending { Order::Desc } else { Order::Asc };
    let found: Vec<(Option<i64>, Uuid)> = versioned::find_in_organization::<event::Entity>(log)
        .select_only()
        .column(event::Column::Position)
        .column(event::Column::EntityId)
        .filter(event::COLUMN.scope_id.eq(collection_id))
        .filter(event::COLUMN.entity.eq(Document::ENTITY))
        .filter(event::COLUMN.position.gt(after))
        .filter(event::COLUMN.position.lte(until))
        .apply_if(documents, |events, documents| {
            events.filter(event::Column::EntityId.is_in(documents.iter().copied()))
        })
        .filter(Expr::col((event::Entity, event::Column::Id)).eq(latest_of_document(log)))
        .order_by(event::Column::Position, order)
        .limit(limit)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(found.into_iter().filter_map(|(position, id)| Some((position?, id))).collect())
}

/// The id of the last event about the same document that has a position: one value, which is looked up by
/// `idx-event-history`.
fn latest_of_document(log: Uuid) -> Expr {
    const LATER: &str = "later";
    let later = |column| Expr::col((LATER, column));
    let same = |column| later(column).equals((event::Entity, column));
    let latest = Query::select()
        .column((LATER, event::Column::Id))
        .from_as(event::Entity, LATER)
        .and_where(later(event::Column::OrganizationId).eq(log))
        .and_where(same(event::Column::EntityId))
        .and_where(same(event::Column::Entity))
        .and_where(later(event::Column::Position).is_not_null())
        .order_by((LATER, event::Column::EntityVersion), Order::Desc)
        .order_by((LATER, event::Column::Position), Order::Desc)
        .limit(1)
        .to_owned();
    SubQueryStatement::from(latest).into()
}

/// A checkpoint of a collection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checkpoint<'a> {
    pub(super) organization_id: Uuid,
    pub(super) collection_id: Uuid,
    pub(super) key: &'a str,
}

/// The checkpoint of this key: how often it was written, and its body.
pub(super) async fn checkpoint(
    connection: &impl ConnectionTrait,
    checkpoint: Checkpoint<'_>,
) -> Result<Option<(i64, String)>> {
    let Checkpoint { organization_id, collection_id, key } = checkpoint;
    let id = (organization_id, collection_id, key.to_owned());
    let row = document_checkpoint::Entity::find_by_id(id).one(connection).await?;
    Ok(row.map(|row| (row.revision, row.body)))
}

/// Writes a checkpoint, as the one after `before`.
pub(super) async fn write_checkpoint(
    tx: &Tx,
    checkpoint: Checkpoint<'_>,
    before: Option<i64>,
    (body, now): (String, DateTime<Utc>),
) -> Result<i64> {
    let Checkpoint { organization_id, collection_id, key } = checkpoint;
    let revision = before.unwrap_or_default() + 1;
    let row = document_checkpoint::ActiveModel {
        organization_id: Set(organization_id),
        collection_id: Set(collection_id),
        key: Set(key.to_owned()),
        revision: Set(revision),
        body: Set(body),
        updated_at: Set(now.fixed_offset()),
    };
    let Some(before) = before else {
        use document_checkpoint::Column;
        // Another may have made it meanwhile, which this transaction does not see.
        let place = [Column::OrganizationId, Column::CollectionId, Column::Key];
        let inserted = document_checkpoint::Entity::insert(row)
            .on_conflict(OnConflict::columns(place).do_nothing().to_owned())
            .exec_without_returning(tx)
            .await?;
        return if inserted == 1 { Ok(revision) } else { Err(lost()) };
    };
    let written = document_checkpoint::Entity::update_many()
        .set(row)
        .filter(document_checkpoint::COLUMN.organization_id.eq(organization_id))
        .filter(document_checkpoint::COLUMN.collection_id.eq(collection_id))
        .filter(document_checkpoint::COLUMN.key.eq(key))
        .filter(document_checkpoint::COLUMN.revision.eq(before))
        .exec(tx)
        .await?;
    if written.rows_affected == 1 { Ok(revision) } else { Err(lost()) }
}

fn lost() -> Error {
    Error::lost_race("the checkpoint was written meanwhile")
}

/// Removes a checkpoint.
pub(super) async fn remove_checkpoint(tx: &Tx, checkpoint: Checkpoint<'_>) -> Result<()> {
    let Checkpoint { organization_id, collection_id, key } = checkpoint;
    document_checkpoint::Entity::delete_many()
        .filter(document_checkpoint::COLUMN.organization_id.eq(organization_id))
        .filter(document_checkpoint::COLUMN.collection_id.eq(collection_id))
        .filter(document_checkpoint::COLUMN.key.eq(key))
        .exec(tx)
        .await?;
    Ok(())
}

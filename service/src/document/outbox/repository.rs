use chrono::{DateTime, TimeDelta, Utc};
use entity::{document, document_intent};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict, Query, SelectStatement},
};
use uuid::Uuid;

use super::Intent;
use crate::{
    document::subject::Subject,
    due,
    error::Result,
    store::{Tx, rows, versioned},
};

/// Writes an intent in the place of the one before.
pub(super) async fn write(tx: &Tx, subject: Subject<'_>, intent: Intent) -> Result<()> {
    use document_intent::Column;
    let (version, deleted) = match intent {
        Intent::Written(version) => (version, false),
        Intent::Deleted(version) => (version, true),
    };
    let now = tx.now().fixed_offset();
    let intent = document_intent::ActiveModel {
        organization_id: Set(subject.organization_id),
        document_id: Set(subject.id),
        collection_id: Set(subject.collection_id),
        key: Set(subject.key.to_owned()),
        document_version: Set(version),
        deleted: Set(deleted),
        write_id: Set(tx.new_id()),
        created_at: Set(now),
        written_at: Set(now),
        due_at: Set(now),
        failures: Set(0),
        failure: Set(None),
    };
    // It has waited since the first of them.
    let known = OnConflict::columns([Column::OrganizationId, Column::DocumentId])
        .update_columns([
            Column::DocumentVersion,
            Column::Deleted,
            Column::WriteId,
            Column::WrittenAt,
            Column::DueAt,
        ])
        .to_owned();
    document_intent::Entity::insert(intent).on_conflict(known).exec_without_returning(tx).await?;
    Ok(())
}

/// The intent that has waited for the longest time, of any organization.
pub(super) async fn oldest(
    connection: &impl ConnectionTrait,
) -> Result<Option<document_intent::Model>> {
    let oldest = document_intent::Entity::find().order_by_asc(document_intent::Column::CreatedAt);
    Ok(oldest.limit(1).one(connection).await?)
}

/// The intents that are due, of any organization, the first of them first.
pub(super) async fn due(
    connection: &impl ConnectionTrait,
    now: DateTime<Utc>,
    max_wait: TimeDelta,
    limit: u64,
) -> Result<Vec<document_intent::Model>> {
    let due_at = Expr::col(document_intent::Column::DueAt);
    let due = document_intent::Entity::find()
        .filter(due::is(due_at, now, max_wait))
        .order_by_asc(document_intent::Column::DueAt)
        .limit(limit);
    Ok(due.all(connection).await?)
}

/// All intents, for [`crate::measure::count_waiting`].
pub(super) fn pending() -> SelectStatement {
    let since = (document_intent::Entity, document_intent::Column::CreatedAt);
    Query::select()
        .expr_as(Expr::col(since), "since")
        .from(document_intent::Entity)
        .order_by(since, sea_orm::Order::Asc)
        .to_owned()
}

/// An intent, if no other has taken its place.
fn same(intent: &document_intent::Model) -> Condition {
    Condition::all()
        .add(document_intent::Column::OrganizationId.eq(intent.organization_id))
        .add(document_intent::Column::DocumentId.eq(intent.document_id))
        .add(document_intent::Column::WriteId.eq(intent.write_id))
}

/// Confirms that another store has a version of a document: its body leaves the row, and the intent goes.
pub(super) async fn confirm(tx: &Tx, intent: &document_intent::Model) -> Result<()> {
    document_intent::Entity::delete_many().filter(same(intent)).exec(tx).await?;
    document::Entity::update_many()
        .col_expr(document::Column::Body, Expr::val(""))
        .filter(document::Column::OrganizationId.eq(intent.organization_id))
        .filter(document::Column::Id.eq(intent.document_id))
        .filter(document::Column::Version.eq(intent.document_version))
        .exec(tx)
        .await?;
    Ok(())
}

/// Makes an intent that of another version: the document was written while no other store was configured.
pub(super) async fn renew(tx: &Tx, intent: &document_intent::Model, version: i64) -> Result<()> {
    document_intent::Entity::update_many()
        .col_expr(document_intent::Column::DocumentVersion, Expr::val(version))
        .col_expr(document_intent::Column::Deleted, Expr::val(false))
        .col_expr(document_intent::Column::WriteId, Expr::val(tx.new_id()))
        .filter(same(intent))
        .exec(tx)
        .await?;
    Ok(())
}

/// Drops an intent of which nothing is to be done.
pub(super) async fn drop_intent(tx: &Tx, intent: &document_intent::Model) -> Result<()> {
    document_intent::Entity::delete_many().filter(same(intent)).exec(tx).await?;
    Ok(())
}

/// Says when an intent is tried again, and why it was not done.
pub(super) async fn postpone(
    tx: &Tx,
    intent: &document_intent::Model,
    due_at: DateTime<Utc>,
    failure: &str,
) -> Result<()> {
    document_intent::Entity::update_many()
        .col_expr(document_intent::Column::DueAt, Expr::val(due_at.fixed_offset()))
        .col_expr(document_intent::Column::Failures, Expr::val(intent.failures + 1))
        .col_expr(document_intent::Column::Failure, Expr::val(failure.to_owned()))
        .filter(same(intent))
        .exec(tx)
        .await?;
    Ok(())
}

/// A document, if it is there.
pub(super) async fn document(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Option<document::Model>> {
    versioned::find::<document::Entity>(connection, organization_id, id).await
}

/// Some documents of an organization.
pub(super) async fn some(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    limit: u64,
) -> Result<Vec<document::Model>> {
    let some = versioned::find_in_organization::<document::Entity>(organization_id)
        .order_by_asc(document::Column::Id)
        .limit(limit);
    rows::all(connection, some).await
}

/// Removes the rows of documents.
pub(super) async fn remove(tx: &Tx, organization_id: Uuid, ids: Vec<Uuid>) -> Result<u64> {
    let removed = document::Entity::delete_many()
        .filter(document::Column::OrganizationId.eq(organization_id))
        .filter(document::Column::Id.is_in(ids))
        .exec(tx)
        .await?;
    Ok(removed.rows_affected)
}

//! How far a log has come: what names a state of an organization's rows.

use entity::{event, event_head};
use sea_orm::{
    ConnectionTrait, EntityTrait, ExprTrait, QueryFilter,
    sea_query::{Expr, Query},
};
use uuid::Uuid;

use crate::error::Result;

/// The end of a log to which nothing is to be added that has happened. Every change of a row is an event, so that
/// the organization's rows are the same whenever the state is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogState {
    /// The position of the last event.
    pub position: i64,
    /// The hash of all events up to that one. A log that was restored from a backup reaches the same position again,
    /// and by other events the same hash never.
    pub chain: String,
}

/// The state of a log, or nothing while an event waits for its position: then the rows are ahead of the end of the
/// log, and nothing names how far. One statement, and so one state of the database.
pub async fn state(connection: &impl ConnectionTrait, log: Uuid) -> Result<Option<LogState>> {
    let column = |column: event::Column| Expr::col((event::Entity, column));
    let unsequenced = Query::select()
        .column((event::Entity, event::Column::Id))
        .from(event::Entity)
        .and_where(column(event::Column::OrganizationId).eq(log))
        .and_where(column(event::Column::Position).is_null())
        .to_owned();
    let head = event_head::Entity::find()
        .filter(event_head::COLUMN.organization_id.eq(log))
        .filter(Expr::not_exists(unsequenced))
        .one(connection)
        .await?;
    Ok(head.map(|head| LogState { position: head.position, chain: head.chain }))
}

use chrono::{DateTime, Utc};
use entity::saga;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};
use uuid::Uuid;

use super::{SagaQuery, rules::Progress};
use crate::{
    error::{Error, Result},
    store::{
        page::{Page, Sort, page},
        versioned,
    },
};

pub(super) async fn get(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<saga::Model> {
    versioned::get::<saga::Entity>(connection, organization_id, id).await
}

/// The newest first.
pub(super) async fn list(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    query: &SagaQuery,
) -> Result<Page<saga::Model>> {
    let SagaQuery { state, limit: _, cursor: _ } = query;
    let rows = versioned::owned::<saga::Entity>(organization_id)
        .apply_if(*state, |rows, state| rows.filter(saga::COLUMN.state.eq(state.as_str())));
    let sort = Sort { name: "-created_at", column: saga::Column::CreatedAt, descending: true };
    page(connection, rows, sort, &query.page()).await
}

/// Some that are due, of all organizations, by organization and id.
pub(super) async fn due(
    connection: &impl ConnectionTrait,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<(Uuid, Uuid)>> {
    let due = saga::Entity::find()
        .select_only()
        .columns([saga::Column::OrganizationId, saga::Column::Id])
        .filter(saga::Column::DueAt.lte(now.fixed_offset()))
        .order_by_asc(saga::Column::DueAt)
        .limit(limit)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(due)
}

/// The columns of how far a saga is.
pub(super) fn columns(progress: &Progress) -> Result<saga::ActiveModel> {
    let Progress { state, step, undoing, due_at, steps, reason, pivot: _ } = progress;
    let steps = serde_json::to_value(steps)
        .map_err(|error| Error::Internal(format!("steps cannot be written: {error}")))?;
    Ok(saga::ActiveModel {
        state: Set(state.as_str().to_owned()),
        step: Set(i64::try_from(*step).unwrap_or(i64::MAX)),
        undoing: Set(*undoing),
        due_at: Set(due_at.map(|at| at.fixed_offset())),
        steps: Set(steps),
        reason: Set(reason.clone()),
        ..Default::default()
    })
}

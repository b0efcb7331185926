//! What an import looks for: the tasks that its rows name, and the entries that it has brought before.

use std::collections::HashSet;

use chrono::{DateTime, FixedOffset};
use entity::{task, time_entry};
use sea_orm::{ConnectionTrait, FromQueryResult, QuerySelect};
use uuid::Uuid;

use crate::{error::Result, store::versioned};

/// A task as an import looks for it.
#[derive(Debug, Clone, FromQueryResult)]
pub(in crate::work::time_entry) struct Titled {
    pub(in crate::work::time_entry) id: Uuid,
    pub(in crate::work::time_entry) title: String,
    pub(in crate::work::time_entry) project_id: Option<Uuid>,
    pub(in crate::work::time_entry) open: bool,
    pub(in crate::work::time_entry) created_at: DateTime<FixedOffset>,
}

/// All tasks, to be found by their titles.
pub(in crate::work::time_entry) async fn titled(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<Vec<Titled>> {
    use task::Column;
    Ok(versioned::find_in_organization::<task::Entity>(organization_id)
        .select_only()
        .columns([Column::Id, Column::Title, Column::ProjectId, Column::Open, Column::CreatedAt])
        .into_model::<Titled>()
        .all(connection)
        .await?)
}

/// Which of these keys of imported entries are there.
pub(in crate::work::time_entry) async fn known_keys(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    keys: Vec<&str>,
) -> Result<HashSet<String>> {
    let column = time_entry::Column::ImportKey;
    versioned::find_existing::<time_entry::Entity>(connection, organization_id, column, keys).await
}

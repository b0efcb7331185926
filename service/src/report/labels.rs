//! What groups are called.

use std::collections::HashMap;

use entity::task;
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::{error::Result, identity::member, money::category, store::versioned, work::project};

/// The names of some rows.
pub(super) type Labels = HashMap<Uuid, String>;

/// How many ids one statement looks up: SQLite takes 32,766 parameters.
const IDS_PER_QUERY: usize = 10_000;

pub(super) async fn categories(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<Labels> {
    let rows = category::repository::all(connection, organization_id).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

pub(super) async fn projects(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<Labels> {
    let rows = project::repository::all(connection, organization_id).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

pub(super) async fn members(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<Labels> {
    let rows = member::repository::all(connection, organization_id).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// The titles of these tasks: unlike the others they may be many.
pub(super) async fn tasks(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Labels> {
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let mut labels = Labels::new();
    for chunk in ids.chunks(IDS_PER_QUERY) {
        let rows: Vec<(Uuid, String)> =
            versioned::find_in_organization::<task::Entity>(organization_id)
                .select_only()
                .column(task::Column::Id)
                .column(task::Column::Title)
                .filter(task::Column::Id.is_in(chunk.iter().copied()))
                .into_tuple()
                .all(connection)
                .await?;
        labels.extend(rows);
    }
    Ok(labels)
}

use chrono::NaiveDate;
use entity::budget;
use sea_orm::{ConnectionTrait, ExprTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    error::Result,
    store::{
        page::{Page, PageQuery, Sort, page},
        versioned,
    },
};

pub(super) async fn get(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<budget::Model> {
    versioned::get::<budget::Entity>(connection, organization_id, id).await
}

pub(super) async fn list(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    query: &PageQuery,
) -> Result<Page<budget::Model>> {
    let rows = versioned::owned::<budget::Entity>(organization_id);
    let sort = Sort { name: "name", column: budget::Column::NameKey, descending: false };
    page(connection, rows, sort, query).await
}

/// The budgets that hold on a day, by name.
pub(crate) async fn on(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    day: NaiveDate,
) -> Result<Vec<budget::Model>> {
    let rows = versioned::owned::<budget::Entity>(organization_id)
        .filter(budget::COLUMN.starts_on.lte(day))
        .filter(budget::COLUMN.ends_on.is_null().or(budget::COLUMN.ends_on.gte(day)))
        .order_by_asc(budget::Column::NameKey)
        .order_by_asc(budget::Column::Id)
        .all(connection)
        .await?;
    Ok(rows)
}

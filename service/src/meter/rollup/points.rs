//! Readings, as they are rolled up.

use std::collections::HashMap;

use entity::reading;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    error::Result,
    meter::{
        consumption::Point,
        ranges::{self, Kept, Range},
    },
};

const KEPT: Kept<reading::Column> = Kept {
    organization_id: reading::Column::OrganizationId,
    meter_id: reading::Column::MeterId,
    at: reading::Column::At,
};

/// The readings in some ranges, by meter and in the order of time.
pub(crate) async fn points(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ranges: &[Range],
) -> Result<HashMap<Uuid, Vec<Point>>> {
    let columns = [reading::Column::At, reading::Column::Value];
    let rows = ranges::select::<reading::Entity>(
        connection,
        organization_id,
        KEPT,
        &columns,
        ranges,
        None,
    )
    .await?;
    let mut points: HashMap<Uuid, Vec<Point>> = HashMap::new();
    for row in &rows {
        let point = Point { at: row.try_get_by_index(1)?, value: row.try_get_by_index(2)? };
        points.entry(row.try_get_by_index(0)?).or_default().push(point);
    }
    Ok(points)
}

//! The rows that are parts of an entry: its segments, one a day, and the tags that it is found by.

use entity::{time_entry_day, time_entry_tag};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};
use uuid::Uuid;

use crate::{error::Result, text::fold};

/// The segments of an entry, by day.
pub(in crate::work::time_entry) async fn segments(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Vec<time_entry_day::Model>> {
    Ok(time_entry_day::Entity::find()
        .filter(time_entry_day::COLUMN.organization_id.eq(organization_id))
        .filter(time_entry_day::COLUMN.time_entry_id.eq(id))
        .order_by_asc(time_entry_day::Column::Day)
        .all(connection)
        .await?)
}

/// The segments of some entries, each entry's by day.
pub(in crate::work::time_entry) async fn segments_of(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ids: Vec<Uuid>,
) -> Result<Vec<time_entry_day::Model>> {
    Ok(time_entry_day::Entity::find()
        .filter(time_entry_day::COLUMN.organization_id.eq(organization_id))
        .filter(time_entry_day::Column::TimeEntryId.is_in(ids))
        .order_by_asc(time_entry_day::Column::TimeEntryId)
        .order_by_asc(time_entry_day::Column::Day)
        .all(connection)
        .await?)
}

/// The rows of segments.
pub(in crate::work::time_entry) fn segment_rows(
    segments: Vec<time_entry_day::Model>,
) -> Vec<time_entry_day::ActiveModel> {
    segments.into_iter().map(time_entry_day::ActiveModel::from).collect()
}

/// The rows of the tags that entries are found by.
pub(in crate::work::time_entry) fn tag_rows<'a>(
    organization_id: Uuid,
    entries: impl IntoIterator<Item = (Uuid, &'a [String])>,
) -> Vec<time_entry_tag::ActiveModel> {
    entries
        .into_iter()
        .flat_map(|(time_entry_id, tags)| {
            tags.iter().map(move |tag| time_entry_tag::ActiveModel {
                organization_id: Set(organization_id),
                time_entry_id: Set(time_entry_id),
                tag_key: Set(fold(tag)),
            })
        })
        .collect()
}

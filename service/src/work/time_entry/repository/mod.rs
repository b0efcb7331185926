mod children;
mod import;
mod list;
mod references;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use entity::{task, time_entry, time_entry_day};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait,
};
use uuid::Uuid;

pub(super) use children::{segment_rows, segments, segments_of, tag_rows};
pub(super) use import::{Titled, known_keys, titled};
pub(super) use list::list;
pub(super) use references::unknown_references;

use super::{Break, TimeEntryInput, days::DaySegment, interval_set::Interval, rules::MAX_DURATION};
use crate::{
    error::{Error, Result},
    store::{rows, versioned},
    text::lower,
};

/// How many ids or keys one statement looks up: SQLite takes 32,766 parameters.
const ROWS_PER_STATEMENT: usize = 3000;

pub(super) async fn get(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<time_entry::Model> {
    versioned::get::<time_entry::Entity>(connection, organization_id, id).await
}

/// The timer of a member that runs.
pub(in crate::work) async fn running_of(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    member_id: Uuid,
) -> Result<Option<time_entry::Model>> {
    Ok(running(connection, organization_id, [member_id]).await?.into_iter().next())
}

/// Whether a member has recorded an entry that lies in a timecard, and whether they were the last to change one.
pub(in crate::work) async fn involvement_in(
    connection: &impl ConnectionTrait,
    (organization_id, timecard_id): (Uuid, Uuid),
    member_id: Uuid,
) -> Result<(bool, bool)> {
    use time_entry::COLUMN;
    let in_card = time_entry_day::Entity::find()
        .select_only()
        .column(time_entry_day::Column::TimeEntryId)
        .filter(time_entry_day::COLUMN.organization_id.eq(organization_id))
        .filter(time_entry_day::COLUMN.timecard_id.eq(timecard_id))
        .into_query();
    let theirs = Condition::any()
        .add(COLUMN.created_by_member_id.eq(member_id))
        .add(COLUMN.changed_by_member_id.eq(member_id));
    let theirs = versioned::find_in_organization::<time_entry::Entity>(organization_id)
        .filter(time_entry::Column::Id.in_subquery(in_card))
        .filter(theirs)
        .limit(1);
    let found = rows::all(connection, theirs).await?.into_iter().next();
    let recorded = found.as_ref().is_some_and(|row| row.created_by_member_id == Some(member_id));
    Ok((recorded, found.is_some() && !recorded))
}

/// The timers of these members that run.
pub(super) async fn running(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    members: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<time_entry::Model>> {
    let running = versioned::find_in_organization::<time_entry::Entity>(organization_id)
        .filter(time_entry::Column::RunningMemberId.is_in(members));
    rows::all(connection, running).await
}

/// The times of a member that have ended and meet this one.
pub(super) async fn ended_within(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    member_id: Uuid,
    time: Interval,
) -> Result<Vec<(Uuid, Interval)>> {
    use time_entry::COLUMN;
    let longest_ago = (time.start - MAX_DURATION).fixed_offset();
    let rows: Vec<(Uuid, DateTime<Utc>, DateTime<Utc>)> =
        versioned::find_in_organization::<time_entry::Entity>(organization_id)
            .select_only()
            .column(time_entry::Column::Id)
            .column(time_entry::Column::StartedAt)
            .column(time_entry::Column::EndedAt)
            .filter(COLUMN.member_id.eq(member_id))
            .filter(COLUMN.started_at.gt(longest_ago))
            .filter(COLUMN.ended_at.gt(time.start.fixed_offset()))
            .apply_if(time.end, |rows, end| rows.filter(COLUMN.started_at.lt(end.fixed_offset())))
            .into_tuple()
            .all(connection)
            .await?;
    Ok(rows.into_iter().map(|(id, start, end)| (id, Interval { start, end: Some(end) })).collect())
}

/// The projects of tasks; those that are there.
pub(super) async fn projects_of_tasks(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    tasks: BTreeSet<Uuid>,
) -> Result<HashMap<Uuid, Option<Uuid>>> {
    let tasks: Vec<_> = tasks.into_iter().collect();
    let mut found = HashMap::new();
    for chunk in tasks.chunks(ROWS_PER_STATEMENT) {
        let rows: Vec<(Uuid, Option<Uuid>)> =
            versioned::find_in_organization::<task::Entity>(organization_id)
                .select_only()
                .column(task::Column::Id)
                .column(task::Column::ProjectId)
                .filter(task::Column::Id.is_in(chunk.iter().copied()))
                .into_tuple()
                .all(connection)
                .await?;
        found.extend(rows);
    }
    Ok(found)
}

/// Some entries in the order of their ids.
pub(super) async fn after(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    (after, limit): (Option<Uuid>, u64),
) -> Result<Vec<time_entry::Model>> {
    let entries = versioned::find_in_organization::<time_entry::Entity>(organization_id)
        .apply_if(after, |rows, id| rows.filter(time_entry::COLUMN.id.gt(id)))
        .order_by_asc(time_entry::Column::Id)
        .limit(limit);
    rows::all(connection, entries).await
}

/// The columns of what a client may write, with the segments that come of it. `member_id` is
/// settled, and an entry of which only the day is known begins at `begins_at`.
pub(super) fn columns(
    input: &TimeEntryInput,
    member_id: Uuid,
    begins_at: DateTime<Utc>,
    segments: &[DaySegment],
) -> Result<time_entry::ActiveModel> {
    let TimeEntryInput {
        member_id: _,
        project_id,
        task_id,
        started_at,
        ended_at,
        day: _,
        minutes: _,
        breaks,
        billable,
        cost_code,
        note,
        tags,
    } = input;
    let first = segments.first().ok_or_else(|| Error::Internal("an entry of no day".into()))?;
    let searched = [note.as_deref(), cost_code.as_deref()].into_iter().flatten();
    let searched: Vec<_> = searched.chain(tags.iter().map(String::as_str)).map(lower).collect();
    let running = started_at.is_some() && ended_at.is_none();
    let shown = |breaks: &[Break]| serde_json::to_value(breaks);
    let breaks = (!breaks.is_empty()).then(|| shown(breaks)).transpose();
    Ok(time_entry::ActiveModel {
        member_id: Set(member_id),
        project_id: Set(*project_id),
        task_id: Set(*task_id),
        timed: Set(started_at.is_some()),
        started_at: Set(begins_at.fixed_offset()),
        ended_at: Set(ended_at.map(|at| at.fixed_offset())),
        day: Set(first.day),
        seconds: Set(segments.iter().map(|segment| segment.seconds).sum()),
        breaks: Set(breaks.map_err(|error| Error::Internal(error.to_string()))?),
        billable: Set(*billable),
        cost_code: Set(cost_code.clone()),
        note: Set(note.clone()),
        tags: Set((!tags.is_empty()).then(|| tags.clone().into())),
        search_key: Set(searched.join("\n")),
        running_member_id: Set(running.then_some(member_id)),
        ..Default::default()
    })
}

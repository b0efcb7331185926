//! The days of entries by the rules of time zones that are known today.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use entity::{time_entry, time_entry_day};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{
    TimeEntry,
    days::{self, DaySegment},
    repository,
    write::{SegmentOwner, begins_at},
};
use crate::{
    actor::{Actor, Settings},
    error::Result,
    event::Verb,
    resource::Changeable,
    store::{Tx, children, versioned},
    work::{
        misdated::{Chunk, Field, Misdated, Zones},
        timecard::{self, Week, WeekTimecards},
    },
};

/// Where an entry lies: when it begins, and its days.
type Layout = (DateTime<Utc>, Vec<DaySegment>);

/// Some entries, and which of them lie elsewhere by now.
pub(crate) async fn chunk(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    zones: &Zones,
    (after, limit): (Option<Uuid>, u64),
) -> Result<Chunk> {
    let organization_id = actor.organization_id;
    let rows = repository::after(connection, organization_id, (after, limit)).await?;
    let mut chunk = Chunk { checked: rows.len() as u64, ..Chunk::default() };
    chunk.last = rows.last().map(|row| row.id);
    let ids = rows.iter().map(|row| row.id).collect();
    let mut segments: BTreeMap<Uuid, Vec<time_entry_day::Model>> = BTreeMap::new();
    for segment in repository::segments_of(connection, organization_id, ids).await? {
        segments.entry(segment.time_entry_id).or_default().push(segment);
    }
    for row in rows {
        let stored = layout_of(&row, segments.get(&row.id).map_or(&[][..], |found| found));
        if let Some(right) = corrected(&row, &stored, zones)? {
            let (stored, right) = (shown(&row, &stored), shown(&row, &right));
            chunk.misdated.push(Misdated { id: row.id, field: Field::Days, stored, right });
        }
    }
    Ok(chunk)
}

fn layout_of(row: &time_entry::Model, segments: &[time_entry_day::Model]) -> Layout {
    let segments = segments.iter().map(|it| DaySegment { day: it.day, seconds: it.seconds });
    (row.started_at.to_utc(), segments.collect())
}

/// Where it would lie, if that is not where it does: in none of the time zones in which it may have been
/// written.
fn corrected(row: &time_entry::Model, stored: &Layout, zones: &Zones) -> Result<Option<Layout>> {
    let input = TimeEntry::try_from(row.clone())?.input();
    let layout = |settings: &Settings| {
        let segments = days::of(settings, &input);
        (begins_at(settings, &input, &segments), segments)
    };
    let written = zones.between(row.created_at.to_utc(), row.updated_at.to_utc());
    let mut last = None;
    for (_, settings) in written {
        let layout = layout(settings);
        if layout == *stored {
            return Ok(None);
        }
        last = Some(layout);
    }
    Ok(last)
}

fn shown(row: &time_entry::Model, (begins_at, segments): &Layout) -> String {
    let days = segments.iter().map(|it| format!("{} {}s", it.day, it.seconds));
    let days = days.collect::<Vec<_>>().join(", ");
    if row.timed { days } else { format!("{days} from {begins_at}") }
}

/// Writes where an entry lies, where that is elsewhere by now.
///
/// # Errors
/// [`crate::Error::State`] where a week of it is locked.
pub(crate) async fn redate(tx: &Tx, actor: &Actor, zones: &Zones, id: Uuid) -> Result<()> {
    let organization_id = actor.organization_id;
    let row = repository::get(tx, organization_id, id).await?;
    timecard::lock_members(tx, organization_id, [row.member_id]).await?;
    let before = repository::segments(tx, organization_id, id).await?;
    let Some((begins_at, segments)) = corrected(&row, &layout_of(&row, &before), zones)? else {
        return Ok(());
    };
    let current = TimeEntry::try_from(row.clone())?;
    let input = current.input();
    let week = |day| (row.member_id, days::week_of(day));
    let after: Vec<Week> = segments.iter().map(|segment| week(segment.day)).collect();
    let touched = before.iter().map(|segment| week(segment.day)).chain(after.iter().copied());
    let touched: BTreeSet<Week> = touched.collect();
    let mut cards = WeekTimecards::read(tx, organization_id, &touched).await?;
    touched.into_iter().try_for_each(|week| cards.ensure_open(week))?;
    cards.insert_missing(tx, actor, after).await?;
    let next = repository::columns(&input, row.member_id, begins_at, &segments)?;
    versioned::update(tx, actor, Verb::Updated, &row, next, TimeEntry::try_from).await?;
    let owner = SegmentOwner::of(organization_id, id, row.member_id, &input);
    let segments = repository::segment_rows(owner.segments(&cards, &segments)?);
    children::replace(tx, organization_id, id, segments).await
}

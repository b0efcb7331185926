//! The days of an entry, as they are written.

use chrono::{DateTime, Utc};
use entity::time_entry_day;
use uuid::Uuid;

use crate::{
    actor::Settings,
    error::Result,
    work::{
        time_entry::{
            TimeEntryInput,
            days::{self, DaySegment},
        },
        timecard::{Week, WeekTimecards},
    },
};

pub(super) fn weeks(member_id: Uuid, segments: &[DaySegment]) -> impl Iterator<Item = Week> + '_ {
    segments.iter().map(move |segment| (member_id, days::week_of(segment.day)))
}

/// When an entry begins; one of which only the day is known, with its day.
pub(in crate::work::time_entry) fn begins_at(
    settings: &Settings,
    input: &TimeEntryInput,
    segments: &[DaySegment],
) -> DateTime<Utc> {
    let day = segments.first().map(|segment| segment.day);
    let start_of_day = day.map(|day| settings.start_of(day));
    input.started_at.or(start_of_day).unwrap_or_default()
}

/// What the segments of an entry have of it, to be grouped by.
pub(in crate::work::time_entry) struct SegmentOwner {
    organization_id: Uuid,
    time_entry_id: Uuid,
    member_id: Uuid,
    project_id: Option<Uuid>,
    task_id: Option<Uuid>,
    billable: bool,
}

impl SegmentOwner {
    pub(in crate::work::time_entry) fn of(
        organization_id: Uuid,
        id: Uuid,
        member_id: Uuid,
        input: &TimeEntryInput,
    ) -> Self {
        Self {
            organization_id,
            time_entry_id: id,
            member_id,
            project_id: input.project_id,
            task_id: input.task_id,
            billable: input.billable,
        }
    }

    pub(in crate::work::time_entry) fn segments(
        &self,
        cards: &WeekTimecards,
        segments: &[DaySegment],
    ) -> Result<Vec<time_entry_day::Model>> {
        let row = |segment: &DaySegment| {
            Ok(time_entry_day::Model {
                organization_id: self.organization_id,
                time_entry_id: self.time_entry_id,
                day: segment.day,
                timecard_id: cards.id((self.member_id, days::week_of(segment.day)))?,
                member_id: self.member_id,
                project_id: self.project_id,
                task_id: self.task_id,
                billable: self.billable,
                seconds: segment.seconds,
            })
        };
        segments.iter().map(row).collect()
    }
}

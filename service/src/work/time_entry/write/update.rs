//! The next version of an entry.

use std::collections::BTreeSet;

use entity::{time_entry, time_entry_day};
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{
    draft::{member_of, projects_of_tasks},
    schedule::{Schedule, interval},
    segments::{SegmentOwner, begins_at, weeks},
};
use crate::{
    actor::Actor,
    error::Result,
    event::Verb,
    resource::Changeable,
    store::{Tx, children, versioned},
    work::{
        project,
        time_entry::{
            TimeEntry, TimeEntryInput,
            days::{self, DaySegment},
            repository, rules,
        },
        timecard::{self, Week, WeekTimecards},
    },
};

/// Writes the next version of an entry, and moves its segments. The days of one whose times stay as
/// they are stay too, whatever the time zone is by now.
pub(in crate::work::time_entry) async fn update(
    tx: &Tx,
    actor: &Actor,
    verb: Verb,
    row: &time_entry::Model,
    current: &TimeEntry,
    mut input: TimeEntryInput,
) -> Result<TimeEntry> {
    let organization_id = actor.organization_id;
    let member_id = member_of(&input)?;
    rules::may_record(actor, member_id)?;
    rules::ensure_not_restarted(current, &input)?;
    if input.started_at != current.started_at {
        rules::ensure_not_in_future(&input, tx.now())?;
    }
    settle_project(tx, actor, current, &mut input).await?;
    timecard::lock_members(tx, organization_id, [row.member_id, member_id]).await?;

    let before = repository::segments(tx, organization_id, row.id).await?;
    let (segments, begins_at) = if same_times(&current.input(), &input) {
        (layout(&before), row.started_at.to_utc())
    } else {
        rules::ensure_takes_time(&input)?;
        let segments = days::of(&actor.settings, &input);
        let begins_at = begins_at(&actor.settings, &input, &segments);
        (segments, begins_at)
    };
    let after: Vec<Week> = weeks(member_id, &segments).collect();
    let touched = before.iter().map(|it| (it.member_id, days::week_of(it.day)));
    let touched: BTreeSet<Week> = touched.chain(after.iter().copied()).collect();
    let mut cards = WeekTimecards::read(tx, organization_id, &touched).await?;
    touched.into_iter().try_for_each(|week| cards.ensure_open(week))?;
    ensure_no_overlap(tx, actor, current, member_id, &input).await?;
    cards.insert_missing(tx, actor, after).await?;

    let mut next = repository::columns(&input, member_id, begins_at, &segments)?;
    // What steward itself changes, when somebody leaves, leaves who was the last to.
    if actor.member_id.is_some() {
        next.changed_by_member_id = Set(actor.member_id);
    }
    let changed = versioned::update(tx, actor, verb, row, next, TimeEntry::try_from).await?;
    let owner = SegmentOwner::of(organization_id, row.id, member_id, &input);
    let segments = owner.segments(&cards, &segments)?;
    if segments != before {
        let segments = repository::segment_rows(segments);
        children::replace(tx, organization_id, row.id, segments).await?;
    }
    if input.tags != current.tags {
        let tags = repository::tag_rows(organization_id, [(row.id, &input.tags[..])]);
        children::replace(tx, organization_id, row.id, tags).await?;
    }
    Ok(changed)
}

/// The days of segments that are written.
fn layout(segments: &[time_entry_day::Model]) -> Vec<DaySegment> {
    segments.iter().map(|it| DaySegment { day: it.day, seconds: it.seconds }).collect()
}

/// With the project of a task that it did not have before, where it names none.
async fn settle_project(
    tx: &Tx,
    actor: &Actor,
    current: &TimeEntry,
    input: &mut TimeEntryInput,
) -> Result<()> {
    let new_task = input.task_id.filter(|task| current.task_id != Some(*task));
    if let Some(task) = new_task {
        let projects = projects_of_tasks(tx, actor, BTreeSet::from([task])).await?;
        input.project_id = input.project_id.or_else(|| projects.get(&task).copied().flatten());
    }
    project::ensure_accepts_new(tx, actor.organization_id, current.project_id, input.project_id)
        .await
}

fn same_times(one: &TimeEntryInput, other: &TimeEntryInput) -> bool {
    let times = |it: &TimeEntryInput| (it.started_at, it.ended_at, it.day, it.minutes);
    times(one) == times(other) && one.breaks == other.breaks
}

/// Whether what an entry takes is free. What it had before it may keep, and one that only gets shorter,
/// as a timer that is stopped does, meets nothing new.
async fn ensure_no_overlap(
    tx: &Tx,
    actor: &Actor,
    current: &TimeEntry,
    member_id: Uuid,
    input: &TimeEntryInput,
) -> Result<()> {
    let Some(time) = interval(input) else { return Ok(()) };
    let had = interval(&current.input()).filter(|_| current.member_id == member_id);
    if had.is_some_and(|had| had.covers(time)) {
        return Ok(());
    }
    let schedule = Schedule::around(tx, actor, vec![(member_id, time)], Some(current.id)).await?;
    schedule.ensure_free(member_id, time)
}

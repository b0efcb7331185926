//! What an entry may be: pure.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;
use validator::ValidationError;

use super::{TimeEntry, TimeEntryInput};
use crate::{
    actor::Actor,
    error::{Error, Result},
    role::Permission,
    text::{self, at, refusal},
};

/// How long an entry is at most.
pub const MAX_DURATION: TimeDelta = TimeDelta::days(31);

/// Refuses days whose weeks, or the ends of whose entries, would not have years of four digits.
pub fn day(day: &NaiveDate) -> Result<(), ValidationError> {
    if (1001..=9998).contains(&day.year()) {
        return Ok(());
    }
    Err(refusal("day", "must be in the years 1001 to 9998"))
}

/// Refuses instants that the databases would round, or whose years are none for an entry.
pub fn instant(at: &DateTime<Utc>) -> Result<(), ValidationError> {
    text::microseconds(at)?;
    day(&at.date_naive())
}

/// Whose a new entry or timecard is.
///
/// # Errors
/// [`Error::Invalid`] where nobody is named and nobody acts in person.
pub(crate) fn member_or_self(actor: &Actor, member_id: Option<Uuid>) -> Result<Uuid> {
    member_id.or(actor.member_id).ok_or_else(|| {
        Error::invalid("/member_id", "required", "is required if the caller is not a member")
    })
}

/// Whether the actor may record time of this member.
///
/// # Errors
/// [`Error::Forbidden`] where it is somebody else's.
pub(crate) fn may_record(actor: &Actor, member_id: Uuid) -> Result<()> {
    if actor.may_for(member_id, Permission::RecordTime, Permission::ManageTime) {
        return Ok(());
    }
    Err(Error::forbidden("not_your_time", "the time belongs to another member"))
}

/// Whether a timer that is to run has begun.
///
/// # Errors
/// [`Error::Invalid`] where it begins later than now.
pub(crate) fn ensure_not_in_future(input: &TimeEntryInput, now: DateTime<Utc>) -> Result<()> {
    match input.started_at {
        Some(start) if input.ended_at.is_none() && start > now => {
            Err(Error::invalid("/started_at", "future", "must not be in the future for a timer"))
        }
        _ => Ok(()),
    }
}

/// Whether an entry that somebody writes takes time.
///
/// # Errors
/// [`Error::Invalid`] where it ends when it starts.
pub(crate) fn ensure_takes_time(input: &TimeEntryInput) -> Result<()> {
    if input.started_at.is_some() && input.started_at == input.ended_at {
        return Err(Error::invalid("/ended_at", "order", "must be later than started_at"));
    }
    Ok(())
}

/// Whether an entry may become this: one that has ended does not run again.
///
/// # Errors
/// [`Error::State`] where it would.
pub(crate) fn ensure_not_restarted(current: &TimeEntry, next: &TimeEntryInput) -> Result<()> {
    if current.running || next.started_at.is_none() || next.ended_at.is_some() {
        return Ok(());
    }
    Err(Error::state("not_running", "an entry that has ended cannot be restarted"))
}

/// Whether an input is one of the two: a time from when to when, or a day and minutes.
pub fn whole(input: &TimeEntryInput) -> Result<(), ValidationError> {
    let TimeEntryInput { started_at, ended_at, day, minutes, breaks, .. } = input;
    let mixed =
        |name| Err(at(name, refusal("mixed", "must not be set together with day and minutes")));
    match (started_at, day, minutes) {
        (Some(_), Some(_), _) => {
            Err(at("day", refusal("mixed", "must not be set together with started_at")))
        }
        (Some(_), None, Some(_)) => {
            Err(at("minutes", refusal("mixed", "must not be set together with started_at")))
        }
        (None, Some(_), _) if ended_at.is_some() => mixed("ended_at"),
        (None, Some(_), _) if !breaks.is_empty() => mixed("breaks"),
        (None, Some(_), None) => {
            Err(at("minutes", refusal("required", "is required if day is set")))
        }
        (None, Some(_), Some(_)) => Ok(()),
        (None, None, Some(_)) => {
            Err(at("day", refusal("required", "is required if minutes is set")))
        }
        (None, None, None) => Err(at(
            "started_at",
            refusal("required", "is required, unless day and minutes are set"),
        )),
        (Some(started_at), None, None) => timed(*started_at, *ended_at, input),
    }
}

fn timed(
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    input: &TimeEntryInput,
) -> Result<(), ValidationError> {
    let latest = started_at + MAX_DURATION;
    // That it takes time is looked at where it is written: rows of no time are imported where somebody asks for it,
    // and can be changed.
    if ended_at.is_some_and(|end| end < started_at) {
        return Err(at("ended_at", refusal("order", "must be later than started_at")));
    }
    if ended_at.is_some_and(|end| end > latest) {
        return Err(at(
            "ended_at",
            refusal("too_long", "must be at most 31 days later than started_at"),
        ));
    }
    let (mut free, end) = (started_at, ended_at.unwrap_or(latest));
    for (index, pause) in input.breaks.iter().enumerate() {
        let field = |name| format!("breaks/{index}/{name}");
        if pause.started_at < free {
            let message = "must not be before the entry or the end of another break";
            return Err(at(field("started_at"), refusal("order", message)));
        }
        if pause.ended_at <= pause.started_at {
            return Err(at(field("ended_at"), refusal("order", "must be later than its start")));
        }
        if pause.ended_at > end {
            return Err(at(field("ended_at"), refusal("order", "must not be after the entry")));
        }
        free = pause.ended_at;
    }
    Ok(())
}

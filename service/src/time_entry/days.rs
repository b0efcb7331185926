//! Where an entry lies: its pieces, one for each day of the organization, and their weeks. Pure.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};

use super::{Break, TimeEntryInput};
use crate::organization::Settings;

/// What of an entry lies in one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The day.
    pub day: NaiveDate,
    /// How many whole seconds were worked there.
    pub seconds: i64,
}

/// The Monday of the ISO week of a day.
pub fn week_of(day: NaiveDate) -> NaiveDate {
    let since_monday = Days::new(day.weekday().num_days_from_monday().into());
    day.checked_sub_days(since_monday).unwrap_or(day)
}

/// The pieces of an entry that keeps the rules of its input: at least one. A timer that runs has
/// nothing yet, on its first day.
pub fn of(settings: &Settings, input: &TimeEntryInput) -> Vec<Piece> {
    match (input.started_at, input.ended_at, input.day) {
        (Some(start), Some(end), _) => split(settings, start, end, &input.breaks),
        (Some(start), None, _) => vec![Piece { day: settings.day_of(start), seconds: 0 }],
        (None, _, Some(day)) => {
            vec![Piece { day, seconds: input.minutes.unwrap_or_default() * 60 }]
        }
        (None, _, None) => Vec::new(),
    }
}

/// Cuts what was worked from `start` to `end` where days begin. Each second is in one piece, and together
/// they are the whole seconds of the whole: a piece has those that are full by its end and were
/// not before it.
pub fn split(
    settings: &Settings,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    breaks: &[Break],
) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut day = settings.day_of(start);
    let mut from = start;
    let mut worked = TimeDelta::zero();
    let mut counted = 0;
    while from < end {
        let Some(next) = day.succ_opt() else { break };
        let until = settings.start_of(next).min(end);
        // A day that the clock left out has nothing.
        if until > from {
            worked += until - from - paused(from, until, breaks);
            let whole = worked.num_seconds();
            pieces.push(Piece { day, seconds: whole - counted });
            counted = whole;
            from = until;
        }
        day = next;
    }
    pieces
}

/// How much of the time between two instants is break.
fn paused(from: DateTime<Utc>, until: DateTime<Utc>, breaks: &[Break]) -> TimeDelta {
    let within = |pause: &Break| pause.ended_at.min(until) - pause.started_at.max(from);
    breaks.iter().map(within).filter(|part| *part > TimeDelta::zero()).sum()
}

//! The way of a task, and when it is due: pure.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use validator::ValidationError;

use super::{Status, Task, TaskInput, recurrence};
use crate::{
    error::{Error, Result},
    event::Verb,
    store::stored::StoredWord,
    text::{self, at, refusal},
    zone::Zone,
};

/// When a task is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// By the end of a day.
    Day(NaiveDate),
    /// At an instant.
    At(DateTime<Utc>),
}

impl Due {
    pub(super) fn of(on: Option<NaiveDate>, at: Option<DateTime<Utc>>) -> Option<Self> {
        on.map(Self::Day).or(at.map(Self::At))
    }

    /// The day, if it is one.
    pub(super) fn on(self) -> Option<NaiveDate> {
        match self {
            Self::Day(day) => Some(day),
            Self::At(_) => None,
        }
    }

    /// The instant, if it is one.
    pub(super) fn at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Day(_) => None,
            Self::At(at) => Some(at),
        }
    }
}

/// The key of what is never due: after all that is.
pub const NEVER: &str = "~";

/// What tasks are sorted by: what the clock on the wall says when they are due. A day comes after all
/// its instants.
pub fn due_key(due: Option<Due>, zone: Zone) -> String {
    match due {
        None => NEVER.to_owned(),
        Some(Due::Day(day)) => last_key(day),
        Some(Due::At(at)) => {
            let local = zone.local(at);
            // The year of which there are five digits elsewhere.
            let four = (1000..=9999).contains(&local.year());
            let local = if four { local } else { at.naive_utc() };
            local.format("%Y-%m-%dT%H:%M:%S").to_string()
        }
    }
}

/// No key of a day is less.
pub(super) fn first_key(day: NaiveDate) -> String {
    day.to_string()
}

/// No key of a day is greater.
pub(super) fn last_key(day: NaiveDate) -> String {
    format!("{day}T24")
}

/// Whether a task can go from one status to another. What is done may be taken up again, what is
/// cancelled waits again first.
///
/// # Errors
/// [`Error::State`] where it cannot.
pub fn check_transition(from: Status, to: Status) -> Result<()> {
    use Status::{Cancelled, Done, InProgress, Pending};
    let allowed = match from {
        Pending => [InProgress, Done, Cancelled].contains(&to),
        InProgress => [Pending, Done, Cancelled].contains(&to),
        Done => [Pending, InProgress].contains(&to),
        Cancelled => to == Pending,
    };
    if allowed || from == to {
        return Ok(());
    }
    let (from, to) = (from.as_str(), to.as_str());
    Err(Error::state("wrong_status", format!("the status cannot change from {from} to {to}")))
}

/// How the log says that a task has changed. What a revert does, it says itself.
pub fn verb(change: Verb, from: Status, to: Status) -> Verb {
    match (change, from.is_open(), to) {
        (Verb::Reverted, ..) => Verb::Reverted,
        (_, true, Status::Done) => Verb::Finished,
        (_, true, Status::Cancelled) => Verb::Cancelled,
        (_, false, Status::Pending | Status::InProgress) => Verb::Reopened,
        _ => change,
    }
}

/// Refuses to change what the next one of a series was made from, while the one before stays closed.
///
/// # Errors
/// [`Error::State`].
pub fn settled(current: &Task, input: &TaskInput) -> Result<()> {
    let stays_closed = !current.status.is_open() && !input.status.is_open();
    let series = current.recurrence.is_some() || input.recurrence.is_some();
    let same = (current.due_on, current.due_at) == (input.due_on, input.due_at)
        && current.assignee_member_id == input.assignee_member_id
        && current.recurrence == input.recurrence
        && current.rotation == input.rotation;
    if !stays_closed || !series || same {
        return Ok(());
    }
    Err(Error::state(
        "wrong_status",
        "the due time, assignee and recurrence of a closed recurring task cannot be changed",
    ))
}

/// Refuses two times at which it is due.
pub fn due_once(input: &TaskInput) -> std::result::Result<(), ValidationError> {
    if input.due_on.is_some() && input.due_at.is_some() {
        return Err(at("due_at", refusal("due_twice", "must not be set together with due_on")));
    }
    Ok(())
}

/// Refuses a recurrence that is none, or has nothing to begin from; and turns without one.
pub fn recurs(input: &TaskInput) -> std::result::Result<(), ValidationError> {
    let Some(rule) = &input.recurrence else {
        let alone = !input.rotation.is_empty();
        let refused =
            || at("rotation", refusal("no_recurrence", "must not be set without recurrence"));
        return if alone { Err(refused()) } else { Ok(()) };
    };
    let refused =
        |(code, message): (&'static str, String)| at("recurrence", refusal(code, message));
    let nothing = || ("no_due", "must not be set without due_on or due_at".to_owned());
    let due = input.due().ok_or_else(nothing).map_err(refused)?;
    recurrence::check(rule, due).map_err(refused)
}

/// Refuses a recurrence that RFC 5545 does not allow, where it is not what was there.
///
/// # Errors
/// [`Error::Invalid`].
pub fn new_recurrence(current: Option<&Task>, input: &TaskInput) -> Result<()> {
    let before = current.and_then(|task| task.recurrence.as_ref());
    let new = input.recurrence.as_ref().filter(|rule| Some(*rule) != before);
    let refused = |(code, why): (&'static str, String)| Error::invalid("/recurrence", code, why);
    new.map_or(Ok(()), |rule| recurrence::check_new(rule).map_err(refused))
}

/// Refuses instants that cannot be kept as they are.
pub fn instant(at: &DateTime<Utc>) -> std::result::Result<(), ValidationError> {
    text::instant(at)?;
    text::microseconds(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_a_task() {
        let allowed: Vec<_> = Status::ALL
            .iter()
            .copied()
            .flat_map(|from| Status::ALL.iter().map(move |to| (from, *to)))
            .filter(|(from, to)| from != to && check_transition(*from, *to).is_ok())
            .collect();
        use Status::{Cancelled, Done, InProgress, Pending};
        let expected = [
            (Pending, InProgress),
            (Pending, Done),
            (Pending, Cancelled),
            (InProgress, Pending),
            (InProgress, Done),
            (InProgress, Cancelled),
            (Done, Pending),
            (Done, InProgress),
            (Cancelled, Pending),
        ];
        assert_eq!(allowed, expected);
        Status::ALL
            .iter()
            .copied()
            .for_each(|status| assert!(check_transition(status, status).is_ok()));
    }

    #[test]
    fn what_the_log_says_of_a_move() {
        use Status::{Cancelled, Done, InProgress, Pending};
        assert_eq!(verb(Verb::Updated, Pending, Done), Verb::Finished);
        assert_eq!(verb(Verb::Updated, InProgress, Cancelled), Verb::Cancelled);
        assert_eq!(verb(Verb::Updated, Done, InProgress), Verb::Reopened);
        assert_eq!(verb(Verb::Updated, Cancelled, Pending), Verb::Reopened);
        assert_eq!(verb(Verb::Updated, Pending, InProgress), Verb::Updated);
        assert_eq!(verb(Verb::Updated, Done, Done), Verb::Updated);
        assert_eq!(verb(Verb::Reverted, Done, Pending), Verb::Reverted);
    }

    #[test]
    fn keys_sort_as_the_clock_on_the_wall() {
        let zone = "Europe/Zurich".parse().expect("a time zone");
        let at = |text: &str| Some(Due::At(text.parse().expect("an instant")));
        let day = |text: &str| Some(Due::Day(text.parse().expect("a day")));
        let keys = [
            due_key(day("2026-11-20"), zone),
            due_key(at("2026-11-20T23:00:00Z"), zone),
            due_key(at("2026-11-21T13:30:00Z"), zone),
            due_key(at("2026-11-21T22:59:59.9Z"), zone),
            due_key(day("2026-11-21"), zone),
            due_key(at("9999-12-31T23:59:59Z"), zone),
            due_key(None, zone),
        ];
        assert!(keys.is_sorted(), "{keys:?}");
        assert_eq!(keys[1], "2026-11-21T00:00:00");
        assert!(keys.iter().all(|key| key.len() <= 20));
        let today = "2026-11-21".parse().expect("a day");
        let within =
            keys.iter().filter(|key| **key >= first_key(today) && **key <= last_key(today));
        assert_eq!(within.count(), 4);
    }
}

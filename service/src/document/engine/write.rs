//! What a write makes of a document: pure, and the same for all engines.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Entry, Outcome, Stored};

/// What must be so for a document to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// There is none, or it is deleted.
    Absent,
    /// It has this version, and is not deleted.
    Version(i64),
}

impl Precondition {
    fn holds(self, current: Option<&Stored>) -> bool {
        let present = current.filter(|current| !current.is_deleted());
        match self {
            Self::Absent => present.is_none(),
            Self::Version(version) => present.is_some_and(|current| current.version == version),
        }
    }
}

/// A document to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// What must be so.
    pub precondition: Precondition,
    /// Exact JSON text.
    pub body: String,
    /// By what it is found from now on: at most one for each path.
    pub entries: Vec<Entry>,
    /// Tells this write from all others.
    pub write_id: Uuid,
    /// The time, in whole microseconds. Where that is not after the last write, the document has the microsecond after
    /// that one.
    pub at: DateTime<Utc>,
}

/// A document to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete {
    /// The version that it must have.
    pub version: i64,
    /// Tells this write from all others.
    pub write_id: Uuid,
    /// The time, as of a [`Put`].
    pub at: DateTime<Utc>,
}

/// Any of them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Write<'a> {
    Put(&'a Put),
    Delete(&'a Delete),
    /// What a document is elsewhere.
    Restore(&'a Stored),
}

/// What a write comes to where a document is as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is to become this, unless it has changed by then.
    Store(Stored),
    /// There is nothing to be done.
    Done(Outcome),
}

impl<'a> Write<'a> {
    /// What it comes to.
    pub(crate) fn step(self, key: &str, current: Option<&Stored>) -> Step {
        if let Self::Restore(stored) = self {
            return restored(stored, current);
        }
        if let Some(current) = current.filter(|current| current.write_id == self.write_id()) {
            return Step::Done(Outcome::Written(current.clone()));
        }
        if !self.precondition().holds(current) {
            return Step::Done(Outcome::Conflict(current.cloned()));
        }
        let updated_at = match current {
            Some(current) => self.at().max(current.updated_at + TimeDelta::microseconds(1)),
            None => self.at(),
        };
        let present = current.filter(|current| !current.is_deleted());
        Step::Store(Stored {
            key: key.to_owned(),
            version: current.map_or(1, |current| current.version + 1),
            body: self.body().map(str::to_owned),
            created_at: present.map_or(updated_at, |present| present.created_at),
            updated_at,
            write_id: self.write_id(),
        })
    }

    /// By what the document is found after it.
    pub(crate) fn entries(self) -> &'a [Entry] {
        match self {
            Self::Put(put) => &put.entries,
            Self::Delete(_) | Self::Restore(_) => &[],
        }
    }

    fn precondition(self) -> Precondition {
        match self {
            Self::Put(put) => put.precondition,
            Self::Delete(delete) => Precondition::Version(delete.version),
            Self::Restore(stored) => Precondition::Version(stored.version - 1),
        }
    }

    fn body(self) -> Option<&'a str> {
        match self {
            Self::Put(put) => Some(&put.body),
            Self::Delete(_) => None,
            Self::Restore(stored) => stored.body.as_deref(),
        }
    }

    fn write_id(self) -> Uuid {
        match self {
            Self::Put(put) => put.write_id,
            Self::Delete(delete) => delete.write_id,
            Self::Restore(stored) => stored.write_id,
        }
    }

    fn at(self) -> DateTime<Utc> {
        match self {
            Self::Put(put) => put.at,
            Self::Delete(delete) => delete.at,
            Self::Restore(stored) => stored.updated_at,
        }
    }
}

/// What comes of a document of elsewhere: versions do not go back.
fn restored(stored: &Stored, current: Option<&Stored>) -> Step {
    match current {
        Some(current)
            if (current.version, current.write_id) == (stored.version, stored.write_id) =>
        {
            Step::Done(Outcome::Written(current.clone()))
        }
        Some(current) if current.version >= stored.version => {
            Step::Done(Outcome::Conflict(Some(current.clone())))
        }
        _ => Step::Store(stored.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).expect("an instant")
    }

    fn put(precondition: Precondition, number: u128, seconds: i64) -> Put {
        let body = format!(r#"{{"n":{number}}}"#);
        let write_id = Uuid::from_u128(number);
        Put { precondition, body, entries: Vec::new(), write_id, at: at(seconds) }
    }

    fn stored(write: Write<'_>, current: Option<&Stored>) -> Stored {
        match write.step("k", current) {
            Step::Store(stored) => stored,
            Step::Done(outcome) => panic!("{outcome:?}"),
        }
    }

    #[test]
    fn versions_count_through_a_deletion() {
        let first = stored(Write::Put(&put(Precondition::Absent, 1, 10)), None);
        let delete = Delete { version: 1, write_id: Uuid::from_u128(2), at: at(20) };
        let deleted = stored(Write::Delete(&delete), Some(&first));
        let again = stored(Write::Put(&put(Precondition::Absent, 3, 30)), Some(&deleted));
        assert_eq!([first.version, deleted.version, again.version], [1, 2, 3]);
        assert_eq!(
            [first.is_deleted(), deleted.is_deleted(), again.is_deleted()],
            [false, true, false]
        );
        assert_eq!([deleted.created_at, again.created_at], [at(10), at(30)]);
    }

    #[test]
    fn a_precondition_that_does_not_hold_gives_what_is_in_the_way() {
        let first = stored(Write::Put(&put(Precondition::Absent, 1, 10)), None);
        let conflict = Step::Done(Outcome::Conflict(Some(first.clone())));
        for precondition in
            [Precondition::Absent, Precondition::Version(0), Precondition::Version(2)]
        {
            let step = Write::Put(&put(precondition, 2, 20)).step("k", Some(&first));
            assert_eq!(step, conflict, "{precondition:?}");
        }
        let step = Write::Put(&put(Precondition::Version(1), 2, 20)).step("k", None);
        assert_eq!(step, Step::Done(Outcome::Conflict(None)));
    }

    #[test]
    fn a_write_that_is_sent_again_is_done_once() {
        let create = put(Precondition::Absent, 1, 10);
        let first = stored(Write::Put(&create), None);
        let again = Write::Put(&create).step("k", Some(&first));
        assert_eq!(again, Step::Done(Outcome::Written(first)));
    }

    #[test]
    fn what_is_restored_is_as_it_was_elsewhere_and_does_not_go_back() {
        let elsewhere = Stored {
            key: "k".to_owned(),
            version: 7,
            body: Some("{}".to_owned()),
            created_at: at(10),
            updated_at: at(20),
            write_id: Uuid::from_u128(7),
        };
        let restore = |stored: &Stored, current| Write::Restore(stored).step("k", current);
        assert_eq!(restore(&elsewhere, None), Step::Store(elsewhere.clone()));
        let written = Step::Done(Outcome::Written(elsewhere.clone()));
        assert_eq!(restore(&elsewhere, Some(&elsewhere)), written);
        let another = Stored { write_id: Uuid::from_u128(8), ..elsewhere.clone() };
        let conflict = Step::Done(Outcome::Conflict(Some(another.clone())));
        assert_eq!(restore(&elsewhere, Some(&another)), conflict);
        let later = Stored { version: 9, ..another.clone() };
        assert_eq!(restore(&later, Some(&elsewhere)), Step::Store(later.clone()));
        let conflict = Step::Done(Outcome::Conflict(Some(later.clone())));
        assert_eq!(restore(&elsewhere, Some(&later)), conflict);
        let next = stored(Write::Put(&put(Precondition::Version(9), 10, 30)), Some(&later));
        assert_eq!(next.version, 10);
    }

    #[test]
    fn instants_ascend_where_the_clock_is_set_back() {
        let first = stored(Write::Put(&put(Precondition::Absent, 1, 10)), None);
        let second = stored(Write::Put(&put(Precondition::Version(1), 2, 5)), Some(&first));
        assert_eq!(second.updated_at, at(10) + TimeDelta::microseconds(1));
        assert_eq!(second.created_at, at(10));
    }
}

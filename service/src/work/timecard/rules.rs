//! The way of a timecard through approval: pure.

use chrono::{Datelike, NaiveDate, Weekday};
use validator::ValidationError;

use super::Status;
use crate::{
    error::{Error, Result},
    event::Verb,
    resource,
    role::Permission,
    store::stored::StoredWord,
    text::refusal,
    work::time_entry::rules,
};

/// Refuses what is not the first day of a week.
pub fn monday(day: &NaiveDate) -> Result<(), ValidationError> {
    rules::day(day)?;
    if day.weekday() == Weekday::Mon {
        return Ok(());
    }
    Err(refusal("monday", "must be a Monday"))
}

/// What can be done to a timecard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// Ask for a decision. Where nobody decides, it is approved.
    Submit,
    /// Accept one that was submitted by somebody else.
    Approve,
    /// Refuse one that was submitted by somebody else.
    Reject,
    /// Let its time be changed again, for a reason.
    Reopen,
}

impl resource::Transition for Transition {
    const ALL: &'static [Self] = &[Self::Submit, Self::Approve, Self::Reject];

    fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Reopen => "reopen",
        }
    }

    fn permission(self) -> Permission {
        match self {
            Self::Submit => Permission::RecordTime,
            Self::Approve | Self::Reject => Permission::DecideTime,
            Self::Reopen => Permission::ReopenTimecards,
        }
    }
}

impl Transition {
    /// As the log says it.
    pub fn verb(self) -> Verb {
        match self {
            Self::Submit => Verb::Submitted,
            Self::Approve => Verb::Approved,
            Self::Reject => Verb::Rejected,
            Self::Reopen => Verb::Reopened,
        }
    }
}

/// The status to which a transition leads.
///
/// # Errors
/// [`Error::State`] where the transition cannot start from there.
pub fn next_status(
    from: Status,
    transition: Transition,
    approval_required: bool,
) -> Result<Status> {
    match (from, transition) {
        (Status::Open | Status::Rejected, Transition::Submit) if approval_required => {
            Ok(Status::Submitted)
        }
        (Status::Open | Status::Rejected, Transition::Submit)
        | (Status::Submitted, Transition::Approve) => Ok(Status::Approved),
        (Status::Submitted, Transition::Reject) => Ok(Status::Rejected),
        (Status::Submitted | Status::Approved, Transition::Reopen) => Ok(Status::Open),
        _ => Err(Error::state(
            "wrong_status",
            format!("this transition is not allowed in the status {}", from.as_str()),
        )),
    }
}

/// Whether the time of a week may not be changed.
pub fn locked(status: Status) -> bool {
    match status {
        Status::Submitted | Status::Approved => true,
        Status::Open | Status::Rejected => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_a_timecard() {
        use Status::{Approved, Open, Rejected, Submitted};
        use Transition::{Approve, Reject, Reopen, Submit};
        for approval_required in [true, false] {
            let submitted = if approval_required { Submitted } else { Approved };
            let ways = [
                (Open, Submit, submitted),
                (Rejected, Submit, submitted),
                (Submitted, Approve, Approved),
                (Submitted, Reject, Rejected),
                (Submitted, Reopen, Open),
                (Approved, Reopen, Open),
            ];
            for from in Status::ALL.iter().copied() {
                for transition in [Submit, Approve, Reject, Reopen] {
                    let to = ways
                        .iter()
                        .find(|way| (way.0, way.1) == (from, transition))
                        .map(|way| way.2);
                    assert_eq!(
                        next_status(from, transition, approval_required).ok(),
                        to,
                        "{from:?} {transition:?}"
                    );
                }
            }
        }
    }
}

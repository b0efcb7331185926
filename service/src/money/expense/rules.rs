//! Sums and the way through approval: pure.

use std::collections::BTreeSet;

use uuid::Uuid;
use validator::ValidationError;

use super::{ExpenseItem, Status};
use crate::{
    amount::MAX_AMOUNT_MINOR,
    error::{Error, Result},
    event::Verb,
    resource,
    role::Permission,
    store::stored::StoredWord,
    text::refusal,
};

/// Lines, if there are any, sum to the expense.
///
/// # Errors
/// What they sum to instead.
pub fn lines_sum(amount_minor: i64, items: &[ExpenseItem]) -> Result<(), i128> {
    let sum: i128 = items.iter().map(|item| i128::from(item.amount_minor)).sum();
    if items.is_empty() || sum == i128::from(amount_minor) { Ok(()) } else { Err(sum) }
}

/// What is added up before anything is taken off again is no more than an amount can be, so that no part of an
/// expense is.
///
/// # Errors
/// What it is instead.
pub fn lines_fit(items: &[ExpenseItem]) -> Result<(), i128> {
    let sum: i128 = items.iter().map(|item| i128::from(item.amount_minor.max(0))).sum();
    if sum <= i128::from(MAX_AMOUNT_MINOR) { Ok(()) } else { Err(sum) }
}

/// Refuses a line of nothing.
pub fn not_zero(amount_minor: i64) -> Result<(), ValidationError> {
    if amount_minor == 0 { Err(refusal("zero", "must not be 0")) } else { Ok(()) }
}

/// The projects that an expense names, as a whole and in its lines.
pub fn projects(whole: Option<Uuid>, items: &[ExpenseItem]) -> BTreeSet<Uuid> {
    whole.into_iter().chain(items.iter().filter_map(|item| item.project_id)).collect()
}

/// What can be done to an expense besides changing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// Ask for a decision. Where nobody decides, it is approved.
    Submit,
    /// Accept one that was submitted by somebody else.
    Approve,
    /// Refuse one that was submitted by somebody else.
    Reject,
    /// Say that an approved one has been paid back.
    Reimburse,
}

impl resource::Transition for Transition {
    const ALL: &'static [Self] = &[Self::Submit, Self::Approve, Self::Reject, Self::Reimburse];

    fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Reimburse => "reimburse",
        }
    }

    fn permission(self) -> Permission {
        match self {
            Self::Submit => Permission::RecordExpenses,
            Self::Approve | Self::Reject | Self::Reimburse => Permission::DecideExpenses,
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
            Self::Reimburse => Verb::Reimbursed,
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
        (Status::Draft, Transition::Submit) if approval_required => Ok(Status::Submitted),
        (Status::Draft, Transition::Submit) => Ok(Status::Approved),
        (Status::Submitted, Transition::Approve) => Ok(Status::Approved),
        (Status::Submitted, Transition::Reject) => Ok(Status::Rejected),
        (Status::Approved, Transition::Reimburse) => Ok(Status::Reimbursed),
        _ => Err(Error::state(
            "wrong_status",
            format!("this transition is not allowed in the status {}", from.as_str()),
        )),
    }
}

/// The status of an expense that has just been written or changed.
pub fn initial_status(approval_required: bool) -> Status {
    if approval_required { Status::Draft } else { Status::Approved }
}

/// Whether nobody is just paying the expense out.
///
/// # Errors
/// [`Error::State`] where a saga is at it.
pub fn ensure_no_payout_running(payout_saga_id: Option<Uuid>) -> Result<()> {
    match payout_saga_id {
        None => Ok(()),
        Some(_) => Err(Error::state("payout_under_way", "a payout of the expense is in progress")),
    }
}

/// Whether an expense may still be changed or removed: while nobody relies on it. Where nobody
/// decides, that is until it is paid back.
///
/// # Errors
/// [`Error::State`] where it may not.
pub fn changeable(status: Status, approval_required: bool) -> Result<()> {
    match status {
        Status::Draft | Status::Rejected => Ok(()),
        Status::Submitted | Status::Approved if !approval_required => Ok(()),
        _ => Err(Error::state(
            "wrong_status",
            format!("changes are not allowed in the status {}", status.as_str()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(amount_minor: i64) -> ExpenseItem {
        ExpenseItem {
            name: "line".into(),
            quantity_milli: None,
            unit: None,
            amount_minor,
            category_id: None,
            project_id: None,
        }
    }

    #[test]
    fn the_way_of_an_expense_that_takes_approval() {
        let go = |from, transition| next_status(from, transition, true).ok();
        assert_eq!(go(Status::Draft, Transition::Submit), Some(Status::Submitted));
        assert_eq!(go(Status::Submitted, Transition::Approve), Some(Status::Approved));
        assert_eq!(go(Status::Submitted, Transition::Reject), Some(Status::Rejected));
        assert_eq!(go(Status::Approved, Transition::Reimburse), Some(Status::Reimbursed));
        let transitions =
            [Transition::Submit, Transition::Approve, Transition::Reject, Transition::Reimburse];
        let allowed = Status::ALL
            .iter()
            .copied()
            .flat_map(|from| {
                transitions.map(|transition| next_status(from, transition, true).is_ok())
            })
            .filter(|allowed| *allowed)
            .count();
        assert_eq!(allowed, 4, "and no other move");
    }

    #[test]
    fn an_expense_names_each_project_once() {
        let [house, barn] = [1, 2].map(Uuid::from_u128);
        let of = |project_id| ExpenseItem { project_id, ..line(1) };
        let lines = [of(Some(barn)), of(None), of(Some(house)), of(Some(barn))];
        assert_eq!(Vec::from_iter(projects(Some(house), &lines)), [house, barn]);
        assert_eq!(Vec::from_iter(projects(None, &lines[..2])), [barn]);
        assert!(projects(None, &[of(None)]).is_empty());
    }

    #[test]
    fn no_part_of_an_expense_is_more_than_an_amount_can_be() {
        let fit = |amounts: &[i64]| {
            lines_fit(&amounts.iter().map(|amount| line(*amount)).collect::<Vec<_>>())
        };
        assert_eq!(fit(&[MAX_AMOUNT_MINOR, -MAX_AMOUNT_MINOR, -5]), Ok(()));
        let beyond = i128::from(MAX_AMOUNT_MINOR) + 1;
        assert_eq!(fit(&[MAX_AMOUNT_MINOR, -7, 1]), Err(beyond));
        assert!(not_zero(0).is_err());
        assert!(not_zero(-1).is_ok());
    }

    proptest! {
        #[test]
        fn lines_sum_exactly_or_not_at_all(
            amounts in prop::collection::vec(-MAX_AMOUNT_MINOR..=MAX_AMOUNT_MINOR, 1..50),
        ) {
            let items: Vec<_> = amounts.iter().map(|amount| line(*amount)).collect();
            let sum: i128 = amounts.iter().map(|amount| i128::from(*amount)).sum();
            if let Ok(total) = i64::try_from(sum) {
                prop_assert_eq!(lines_sum(total, &items), Ok(()));
                prop_assert_eq!(lines_sum(total - 1, &items), Err(sum));
            }
            prop_assert_eq!(lines_sum(7, &[]), Ok(()));
        }
    }
}

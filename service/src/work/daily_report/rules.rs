//! The way of a daily report, what its lines may be, and how its hours compare: pure.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;
use validator::ValidationError;

use super::{Crew, DailyReportInput, Item, ItemKind, MemberHours, Status, Weather};
use crate::{
    error::{Error, Result},
    event::Verb,
    resource,
    role::Permission,
    store::stored::StoredWord,
    text::{at, refusal},
};

/// How many lines the crew of a report has at most.
pub const MAX_CREW: usize = 200;

/// What can be done to a daily report besides changing and amending it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// Hand it in. Where nobody decides, it is approved.
    Submit,
    /// Accept one that somebody else has handed in.
    Approve,
}

impl resource::Transition for Transition {
    const ALL: &'static [Self] = &[Self::Submit, Self::Approve];

    fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Approve => "approve",
        }
    }

    fn permission(self) -> Permission {
        match self {
            Self::Submit => Permission::RecordDailyReports,
            Self::Approve => Permission::DecideDailyReports,
        }
    }
}

impl Transition {
    /// As the log says it.
    pub fn verb(self) -> Verb {
        match self {
            Self::Submit => Verb::Submitted,
            Self::Approve => Verb::Approved,
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
        (Status::Draft, Transition::Submit) => Ok(handed_in(approval_required)),
        (Status::Submitted, Transition::Approve) => Ok(Status::Approved),
        _ => Err(wrong_status("this transition is not allowed in the status", from)),
    }
}

/// Where an amendment leads. An approval never covers what nobody has approved.
///
/// # Errors
/// [`Error::State`] for a draft.
pub fn amended(from: Status, approval_required: bool) -> Result<Status> {
    match from {
        Status::Draft => Err(wrong_status("a report is updated, not amended, in the status", from)),
        Status::Submitted | Status::Approved => Ok(handed_in(approval_required)),
    }
}

/// Whether a report may still be changed or removed.
///
/// # Errors
/// [`Error::State`] where it is only amended.
pub fn changeable(status: Status) -> Result<()> {
    match status {
        Status::Draft => Ok(()),
        _ => Err(wrong_status("a report is amended, not updated, in the status", status)),
    }
}

fn handed_in(approval_required: bool) -> Status {
    if approval_required { Status::Submitted } else { Status::Approved }
}

fn wrong_status(what: &str, status: Status) -> Error {
    Error::state("wrong_status", format!("{what} {}", status.as_str()))
}

/// Refuses a high that is below the low.
pub fn in_order(weather: &Weather) -> Result<(), ValidationError> {
    match (weather.temperature_low_tenths, weather.temperature_high_tenths) {
        (Some(low), Some(high)) if high < low => Err(at(
            "temperature_high_tenths",
            refusal("order", "must not be below temperature_low_tenths"),
        )),
        _ => Ok(()),
    }
}

/// Refuses a line that is of nobody, of both or of a member more than once.
pub fn one_or_the_other(line: &Crew) -> Result<(), ValidationError> {
    match (line.member_id, &line.trade) {
        (None, None) => {
            Err(at("member_id", refusal("required", "is required, unless trade is set")))
        }
        (Some(_), Some(_)) => {
            Err(at("trade", refusal("unexpected", "must not be set together with member_id")))
        }
        (Some(_), None) if line.count != 1 => {
            Err(at("count", refusal("range", "must be 1 for a member")))
        }
        _ => Ok(()),
    }
}

/// Refuses minutes of what is no delay.
pub fn minutes_of_a_delay(item: &Item) -> Result<(), ValidationError> {
    if item.minutes.is_some() && item.kind != ItemKind::Delay {
        return Err(at("minutes", refusal("unexpected", "must not be set, unless kind is delay")));
    }
    Ok(())
}

/// Refuses a member who stands in the crew twice.
pub fn members_once(input: &DailyReportInput) -> Result<(), ValidationError> {
    let mut seen = HashSet::new();
    let twice = |line: &Crew| line.member_id.is_some_and(|id| !seen.insert(id));
    match input.crew.iter().position(twice) {
        None => Ok(()),
        Some(index) => {
            let member = format!("crew/{index}/member_id");
            Err(at(member, refusal("duplicate", "must be unique")))
        }
    }
}

/// A crew with the hours that its members recorded, by member. Lines by trade stay as they are, members
/// who recorded nothing go, and those who were not there yet come after the others.
///
/// # Errors
/// [`Error::State`] where that is more than a report holds.
pub fn with_recorded(crew: &[Crew], recorded: &BTreeMap<Uuid, i64>) -> Result<Vec<Crew>> {
    let known: HashSet<Uuid> = crew.iter().filter_map(|line| line.member_id).collect();
    let staying = crew.iter().filter_map(|line| match line.member_id {
        None => Some(line.clone()),
        Some(id) => recorded.get(&id).map(|seconds| of_member(id, *seconds)),
    });
    let new = recorded.iter().filter(|(id, _)| !known.contains(id));
    let crew: Vec<_> = staying.chain(new.map(|(id, seconds)| of_member(*id, *seconds))).collect();
    if crew.len() > MAX_CREW {
        let detail =
            format!("the crew has {} lines, but a report has at most {MAX_CREW}", crew.len());
        return Err(Error::state("crew_too_large", detail));
    }
    Ok(crew)
}

fn of_member(id: Uuid, seconds: i64) -> Crew {
    Crew { member_id: Some(id), trade: None, count: 1, seconds }
}

/// What a crew is said to have worked beside what was recorded: each member of either, once, by id.
pub fn compared(crew: &[Crew], recorded: &BTreeMap<Uuid, i64>) -> Vec<MemberHours> {
    let reported = crew.iter().filter_map(|line| Some((line.member_id?, line.seconds)));
    let reported: BTreeMap<Uuid, i64> = reported.collect();
    let mut members: Vec<Uuid> = reported.keys().chain(recorded.keys()).copied().collect();
    members.sort_unstable();
    members.dedup();
    let hours = members.into_iter().map(|member_id| {
        let (said, recorded) = (reported.get(&member_id), recorded.get(&member_id));
        MemberHours {
            member_id,
            reported_seconds: said.copied(),
            recorded_seconds: recorded.copied(),
            difference_seconds: said.unwrap_or(&0) - recorded.unwrap_or(&0),
        }
    });
    hours.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(member: Option<u128>, trade: Option<&str>, count: i64, seconds: i64) -> Crew {
        Crew {
            member_id: member.map(Uuid::from_u128),
            trade: trade.map(str::to_owned),
            count,
            seconds,
        }
    }

    #[test]
    fn the_way_of_a_report() {
        let go = |from, transition| next_status(from, transition, true).ok();
        assert_eq!(go(Status::Draft, Transition::Submit), Some(Status::Submitted));
        assert_eq!(go(Status::Submitted, Transition::Approve), Some(Status::Approved));
        let transitions = [Transition::Submit, Transition::Approve];
        let allowed = Status::ALL
            .iter()
            .copied()
            .flat_map(|from| {
                transitions.map(|transition| next_status(from, transition, true).is_ok())
            })
            .filter(|allowed| *allowed)
            .count();
        assert_eq!(allowed, 2, "and no other transition");
        assert_eq!(
            next_status(Status::Draft, Transition::Submit, false).ok(),
            Some(Status::Approved)
        );
    }

    #[test]
    fn what_was_handed_in_is_amended_and_a_draft_is_changed() {
        for status in Status::ALL.iter().copied() {
            assert_ne!(changeable(status).is_ok(), amended(status, true).is_ok(), "{status:?}");
        }
        assert_eq!(amended(Status::Approved, true).ok(), Some(Status::Submitted));
        assert_eq!(amended(Status::Approved, false).ok(), Some(Status::Approved));
    }

    #[test]
    fn a_line_is_of_a_member_or_of_a_trade() {
        let fits = |line: Crew| one_or_the_other(&line).is_ok();
        assert!(fits(line(Some(1), None, 1, 0)));
        assert!(fits(line(None, Some("Masons"), 12, 0)));
        assert!(!fits(line(None, None, 1, 0)));
        assert!(!fits(line(Some(1), Some("Masons"), 1, 0)));
        assert!(!fits(line(Some(1), None, 2, 0)));
    }

    /// A crew of members, each once, and trades, in any order.
    fn crews() -> impl Strategy<Value = Vec<Crew>> {
        let members = prop::collection::btree_map(0_u128..12, 0_i64..100_000, 0..8);
        let trades = prop::collection::vec((1_i64..20, 0_i64..1_000_000), 0..5);
        (members, trades).prop_flat_map(|(members, trades)| {
            let members = members.into_iter().map(|(id, seconds)| line(Some(id), None, 1, seconds));
            let trades =
                trades.into_iter().map(|(n, seconds)| line(None, Some("Masons"), n, seconds));
            Just(members.chain(trades).collect::<Vec<_>>()).prop_shuffle()
        })
    }

    fn times() -> impl Strategy<Value = BTreeMap<Uuid, i64>> {
        let times = prop::collection::btree_map(0_u128..12, 1_i64..100_000, 0..12);
        times.prop_map(|times| {
            times.into_iter().map(|(id, seconds)| (Uuid::from_u128(id), seconds)).collect()
        })
    }

    proptest! {
        #[test]
        fn with_what_was_recorded_nothing_differs_and_trades_stay(
            crew in crews(), recorded in times(),
        ) {
            let taken = with_recorded(&crew, &recorded).expect("few lines");
            let by_trade = |crew: &[Crew]| {
                crew.iter().filter(|line| line.trade.is_some()).cloned().collect::<Vec<_>>()
            };
            prop_assert_eq!(by_trade(&taken), by_trade(&crew));
            prop_assert!(taken.iter().all(|line| one_or_the_other(line).is_ok()));
            let hours = compared(&taken, &recorded);
            prop_assert_eq!(hours.len(), recorded.len());
            prop_assert!(hours.iter().all(|hours| hours.reported_seconds == hours.recorded_seconds
                && hours.difference_seconds == 0));
            prop_assert_eq!(with_recorded(&taken, &recorded).expect("few lines"), taken);
        }

        #[test]
        fn differences_add_up(crew in crews(), recorded in times()) {
            let hours = compared(&crew, &recorded);
            let said: i64 =
                crew.iter().filter(|line| line.member_id.is_some()).map(|line| line.seconds).sum();
            let differences: i64 = hours.iter().map(|hours| hours.difference_seconds).sum();
            prop_assert_eq!(differences, said - recorded.values().sum::<i64>());
            prop_assert!(hours.is_sorted_by(|one, next| one.member_id < next.member_id));
            prop_assert!(hours.iter().all(|hours| hours.reported_seconds.is_some()
                || hours.recorded_seconds.is_some()));
        }
    }

    #[test]
    fn more_members_than_a_report_holds_are_refused() {
        let many = (0..201).map(|id| (Uuid::from_u128(id), 1)).collect();
        assert!(matches!(with_recorded(&[], &many), Err(Error::State { .. })));
    }
}

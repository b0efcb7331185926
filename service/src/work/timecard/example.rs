use super::{Status, Timecard, TimecardInput};
use crate::example;

impl TimecardInput {
    pub(super) fn example() -> Self {
        Self { member_id: Some(example::MEMBER), week_starts_on: example::day() }
    }
}

impl Timecard {
    pub(super) fn example() -> Self {
        Self {
            id: example::TIMECARD,
            version: 1,
            member_id: example::MEMBER,
            week_starts_on: TimecardInput::example().week_starts_on,
            status: Status::Open,
            submitted_at: None,
            submitted_by_member_id: None,
            decided_at: None,
            decided_by_member_id: None,
            decision_note: None,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}

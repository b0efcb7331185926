use super::{Break, TimeEntry, TimeEntryInput};
use crate::example;

impl TimeEntryInput {
    pub(super) fn example() -> Self {
        let pause = Break { started_at: example::at(11), ended_at: example::at(12) };
        Self {
            member_id: Some(example::MEMBER),
            project_id: Some(example::PROJECT),
            task_id: Some(example::TASK),
            started_at: Some(example::at(7)),
            ended_at: Some(example::at(16)),
            day: None,
            minutes: None,
            breaks: vec![pause],
            billable: true,
            cost_code: example::some("06-100"),
            note: example::some("Installed the cabinets"),
            tags: vec!["kitchen".to_owned()],
        }
    }
}

impl TimeEntry {
    pub(super) fn example() -> Self {
        let input = TimeEntryInput::example();
        Self {
            id: example::TIME_ENTRY,
            version: 1,
            member_id: example::MEMBER,
            project_id: input.project_id,
            task_id: input.task_id,
            started_at: input.started_at,
            ended_at: input.ended_at,
            day: input.day,
            minutes: input.minutes,
            starts_on: example::day(),
            seconds: 8 * 60 * 60,
            running: false,
            breaks: input.breaks,
            billable: input.billable,
            cost_code: input.cost_code,
            note: input.note,
            tags: input.tags,
            created_at: example::at(16),
            updated_at: example::at(16),
        }
    }
}

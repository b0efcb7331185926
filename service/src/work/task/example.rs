use super::{Priority, Status, Task, TaskInput};
use crate::example;

impl TaskInput {
    pub(super) fn example() -> Self {
        Self {
            title: "Order the worktop".to_owned(),
            note: example::some("Oak, 38 mm"),
            status: Status::Pending,
            priority: Priority::High,
            due_on: Some(example::day()),
            due_at: None,
            assignee_member_id: Some(example::MEMBER),
            assignee_role: None,
            project_id: Some(example::PROJECT),
            estimate_minutes: Some(30),
            tags: vec!["kitchen".to_owned()],
            metadata: None,
            recurrence: None,
            rotation: Vec::new(),
        }
    }
}

impl Task {
    pub(super) fn example() -> Self {
        let input = TaskInput::example();
        Self {
            id: example::TASK,
            version: 1,
            title: input.title,
            note: input.note,
            status: input.status,
            priority: input.priority,
            due_on: input.due_on,
            due_at: input.due_at,
            assignee_member_id: input.assignee_member_id,
            assignee_role: input.assignee_role,
            project_id: input.project_id,
            estimate_minutes: input.estimate_minutes,
            tags: input.tags,
            metadata: input.metadata,
            recurrence: input.recurrence,
            recurs_from: None,
            rotation: input.rotation,
            turns: Vec::new(),
            previous_task_id: None,
            next_task_id: None,
            finished_at: None,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}

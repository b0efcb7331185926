use serde_json::json;

use super::{Saga, State, Step, StepState};
use crate::example;

impl Saga {
    pub(super) fn example() -> Self {
        let step = |name: &str| Step {
            name: name.to_owned(),
            state: StepState::Done,
            attempts: 1,
            partly: false,
            started_at: Some(example::at(16)),
            finished_at: Some(example::at(16)),
            error: None,
        };
        Self {
            id: example::SAGA,
            version: 5,
            kind: "offboarding".to_owned(),
            state: State::Completed,
            subject_id: example::MEMBER,
            due_at: None,
            steps: ["check", "tasks", "timer", "timecards", "access"].map(step).to_vec(),
            data: json!({ "reassign_to_member_id": null, "note": "The contract has ended." }),
            reason: None,
            created_at: example::at(16),
            updated_at: example::at(16),
        }
    }
}

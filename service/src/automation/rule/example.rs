use serde_json::json;

use super::{Action, Rule, RuleInput, When};
use crate::example;

impl RuleInput {
    pub(super) fn example() -> Self {
        let condition = json!({ "field": "merchant", "op": "contains", "value": "hardware" });
        Self {
            name: "Hardware".to_owned(),
            enabled: true,
            when: When { kind: "expense.created".to_owned(), condition: Some(condition) },
            then: vec![
                Action::SetCategory(example::CATEGORY),
                Action::AddTag("hardware".to_owned()),
            ],
        }
    }
}

impl Rule {
    pub(super) fn example() -> Self {
        let RuleInput { name, enabled, when, then } = RuleInput::example();
        Self {
            id: example::RULE,
            version: 1,
            name,
            enabled,
            when,
            then,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}

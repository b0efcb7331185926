//! Rules that people make: when something happens to an expense that is so, then this is changed
//! about it, and these tasks are made.

mod commands;
mod condition;
mod dry_run;
mod making;
pub(crate) mod reaction;
mod repository;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

pub use dry_run::{dry_run, try_out};
pub use making::{TaskToMake, WouldMake};

use self::condition::Condition;
use crate::{
    error::{Violation, violations},
    text::{self, at, refusal},
};

/// The kinds of events that a rule may wait for: those after which an expense can still be changed.
const KINDS: &[&str] =
    &["expense.created", "expense.changed", "expense.submitted", "expense.approved"];

/// When a rule applies.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleWhen)]
pub struct When {
    /// What happens: `expense.created`, `expense.changed`, `expense.submitted` or
    /// `expense.approved`.
    #[validate(custom(function = is_kind))]
    #[schema(example = "expense.created")]
    pub kind: String,
    /// How the expense is then; however it is if this is left out. docs/api.md says how it is
    /// written.
    #[validate(custom(function = is_condition))]
    #[schema(value_type = Option<Object>)]
    pub condition: Option<Value>,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RuleAction)]
pub enum Action {
    /// Puts the expense into a category.
    SetCategory(Uuid),
    /// Adds a tag, unless the expense has it.
    AddTag(String),
    /// Says this in the note, in place of what is there.
    SetNote(String),
    /// Makes a task.
    CreateTask(Box<TaskToMake>),
}

impl Action {
    /// Whether it changes the expense itself.
    fn is_change(&self) -> bool {
        !matches!(self, Self::CreateTask(_))
    }
}

/// What a client may write of a rule.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleInput {
    /// The name. Where several rules apply, they do so in the order of their names.
    #[validate(length(max = 100), custom(function = text::visible))]
    #[schema(max_length = 100)]
    pub name: String,
    /// Whether it applies at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// When it applies.
    #[validate(nested)]
    pub when: When,
    /// What it does: 1 to 20 actions, of which one at most sets the category and one the note.
    #[validate(length(min = 1, max = 20), custom(function = actions))]
    #[schema(min_items = 1, max_items = 20)]
    pub then: Vec<Action>,
}

fn yes() -> bool {
    true
}

fn is_kind(kind: &str) -> Result<(), ValidationError> {
    if KINDS.contains(&kind) {
        return Ok(());
    }
    Err(refusal("value", format!("must be one of {}", KINDS.join(", "))))
}

fn is_condition(condition: &Value) -> Result<(), ValidationError> {
    Condition::read(condition).map(drop).map_err(|violation| {
        let refused = ValidationError::new("condition").with_message(violation.message.into());
        let mut refused = ValidationError { code: violation.code, ..refused };
        if let Some(field) = violation.pointer.strip_prefix('/') {
            refused.add_param("field".into(), &field);
        }
        refused
    })
}

fn actions(actions: &[Action]) -> Result<(), ValidationError> {
    let (mut categories, mut notes, mut tags) = (0, 0, Vec::new());
    for (index, action) in actions.iter().enumerate() {
        let (name, refused) = match action {
            Action::SetCategory(_) => {
                categories += 1;
                ("set_category", once(categories))
            }
            Action::SetNote(note) => {
                notes += 1;
                let long = note.chars().count() > 2000;
                let refused = long.then(|| refusal("length", "must have a length of at most 2000"));
                ("set_note", refused.map_or_else(|| once(notes), Err))
            }
            Action::AddTag(tag) => {
                let known = tags.contains(&text::fold(tag));
                tags.push(text::fold(tag));
                ("add_tag", text::tag(tag).and_then(|()| once(1 + usize::from(known))))
            }
            Action::CreateTask(task) => {
                let before = actions[..index].iter().filter(|known| *known == action).count();
                ("create_task", sound(task).and_then(|()| once(1 + before)))
            }
        };
        refused.map_err(|mut refusal| {
            let below = refusal.params.remove("below");
            let below = below.as_ref().and_then(Value::as_str).unwrap_or_default();
            let field = format!("{index}/{name}{below}");
            at(field, refusal)
        })?;
    }
    Ok(())
}

/// Refuses a task of which a field is wrong, with the first of them.
fn sound(task: &TaskToMake) -> Result<(), ValidationError> {
    let Err(errors) = task.validate() else { return Ok(()) };
    let first = violations(&errors).into_iter().next();
    let Some(Violation { pointer, code, message }) = first else { return Ok(()) };
    let mut refused = ValidationError { code, ..refusal("value", message) };
    refused.add_param("below".into(), &pointer);
    Err(refused)
}

fn once(count: usize) -> Result<(), ValidationError> {
    if count <= 1 { Ok(()) } else { Err(refusal("duplicate", "stands there twice")) }
}

/// A rule.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Rule {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// The name.
    pub name: String,
    /// Whether it applies at all.
    pub enabled: bool,
    /// When it applies.
    pub when: When,
    /// What it does.
    pub then: Vec<Action>,
    /// When it was made. It applies to what happens from then on.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<entity::rule::Model> for Rule {
    fn from(row: entity::rule::Model) -> Self {
        Self {
            id: row.id,
            version: row.version,
            name: row.name,
            enabled: row.enabled,
            when: When { kind: row.kind, condition: row.condition },
            then: serde_json::from_value(row.actions).unwrap_or_default(),
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}

/// Over which part of the past a rule is tried.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DryRunInput {
    /// The first day, where the organization is; from the beginning if it is left out.
    #[validate(custom(function = text::day))]
    pub from: Option<NaiveDate>,
    /// The last day; until now if it is left out.
    #[validate(custom(function = text::day))]
    pub to: Option<NaiveDate>,
    /// How many events are shown at most, 1 to 500: 50 if it is left out.
    #[validate(range(min = 1, max = 500))]
    #[schema(minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
}

/// A rule that is tried before it is made, and over which part of the past.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleTrialInput {
    /// When it would apply.
    #[validate(nested)]
    pub when: When,
    /// What it would do.
    #[validate(length(min = 1, max = 20), custom(function = actions))]
    #[schema(min_items = 1, max_items = 20)]
    pub then: Vec<Action>,
    /// The first day, where the organization is; from the beginning if it is left out.
    #[validate(custom(function = text::day))]
    pub from: Option<NaiveDate>,
    /// The last day; until now if it is left out.
    #[validate(custom(function = text::day))]
    pub to: Option<NaiveDate>,
    /// How many events are shown at most, 1 to 500: 50 if it is left out.
    #[validate(range(min = 1, max = 500))]
    #[schema(minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
}

/// What a rule would have done. Nothing of it was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct DryRun {
    /// How many events of its kind were looked at, the latest first: 5,000 at most.
    pub looked_at: u64,
    /// Whether those were all of the days asked for.
    pub complete: bool,
    /// After how many of them the rule would have applied.
    pub matched: u64,
    /// How many expenses it would have changed by that.
    pub changed: u64,
    /// How many were already as it says.
    pub unchanged: u64,
    /// How many could not have been changed.
    pub skipped: u64,
    /// How many tasks it would have made.
    pub tasks: u64,
    /// The first of those events, the latest first.
    pub items: Vec<DryRunItem>,
}

/// An event after which a rule would have applied.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DryRunItem {
    /// The event.
    pub event_id: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The expense.
    pub entity_id: Uuid,
    /// The version that it had then.
    pub entity_version: i64,
    /// What the rule would have done.
    pub outcome: Outcome,
    /// The fields that it would have changed, as they would have been.
    #[schema(value_type = Object)]
    pub changes: Map<String, Value>,
    /// The tasks that it would have made.
    pub tasks: Vec<WouldMake>,
}

/// What a rule does about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RuleOutcome)]
pub enum Outcome {
    /// It changes the expense.
    Changed,
    /// The expense is so already.
    Unchanged,
    /// The expense can no longer be changed.
    Skipped,
}

/// What the actions change about an expense, as the API shows it: a merge patch.
fn changes(expense: &Value, actions: &[Action]) -> Map<String, Value> {
    let mut changes = Map::new();
    let mut tags = expense["tags"].as_array().cloned().unwrap_or_default();
    let before = tags.len();
    for action in actions {
        match action {
            Action::SetCategory(id) => {
                changes.insert("category_id".into(), id.to_string().into());
            }
            Action::SetNote(note) => {
                changes.insert("note".into(), note.as_str().into());
            }
            Action::AddTag(tag) => {
                let is = |known: &Value| {
                    known.as_str().is_some_and(|known| text::fold(known) == text::fold(tag))
                };
                if !tags.iter().any(is) {
                    tags.push(tag.as_str().into());
                }
            }
            Action::CreateTask(_) => {}
        }
    }
    if tags.len() > before {
        changes.insert("tags".into(), tags.into());
    }
    changes.retain(|name, value| expense.get(name) != Some(value));
    changes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{event::Entity, resource::Resource};

    #[test]
    fn rules_wait_for_what_can_happen() {
        let expense = Entity::named("expense").expect("an entity");
        for kind in KINDS {
            let known =
                expense.verbs.iter().any(|verb| format!("expense.{}", verb.as_str()) == *kind);
            assert!(known, "{kind}");
        }
        assert!(Rule::VERBS.contains(&crate::event::Verb::Skipped));
    }

    #[test]
    fn only_what_differs_is_changed() {
        let category = Uuid::from_u128(7);
        let expense = json!({ "category_id": category, "note": null, "tags": ["Trip"] });
        let actions = [
            Action::SetCategory(category),
            Action::AddTag("trip".into()),
            Action::AddTag("work".into()),
            Action::SetNote("x".into()),
        ];
        let changed = json!({ "note": "x", "tags": ["Trip", "work"] });
        assert_eq!(Value::Object(changes(&expense, &actions)), changed);
        assert!(changes(&expense, &actions[..2]).is_empty());
    }
}

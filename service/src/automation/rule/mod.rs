//! Rules that people make: when something happens to an expense that is so, then this is changed
//! about it, and these tasks are made.

mod commands;
mod condition;
mod dry_run;
mod example;
pub(crate) mod reaction;
mod repository;
mod task_creation;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

pub use dry_run::{dry_run, try_out};
pub use task_creation::{PlannedTask, TaskTemplate};

use self::condition::Condition;
use crate::{
    error::{Error, Result, Violation, violations},
    store::stored,
    text::{self, at, refusal},
};

/// The kinds of events that a rule may wait for: those after which an expense can still be changed.
const KINDS: &[&str] =
    &["expense.created", "expense.updated", "expense.submitted", "expense.approved"];

/// Trigger of a rule: a kind of event and a condition on the expense.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleWhen)]
pub struct When {
    /// Kind of event that triggers the rule: `expense.created`, `expense.updated`,
    /// `expense.submitted` or `expense.approved`.
    #[validate(custom(function = is_kind))]
    #[schema(example = "expense.created")]
    pub kind: String,
    /// Condition on the expense as the event has it; null if the rule applies to every event of the
    /// kind. The syntax is described in docs/api.md.
    #[validate(custom(function = is_condition))]
    #[schema(value_type = Option<Object>)]
    pub condition: Option<Value>,
}

/// Action of a rule: an object with one property, which names the action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RuleAction)]
pub enum Action {
    /// Sets the category of the expense to the category with this identifier.
    SetCategory(Uuid),
    /// Adds this tag to the expense if it does not have it: 1 to 50 characters.
    AddTag(String),
    /// Replaces the note of the expense with this text, at most 2000 characters.
    SetNote(String),
    /// Creates this task.
    CreateTask(Box<TaskTemplate>),
}

impl Action {
    /// Whether it changes the expense itself.
    fn is_change(&self) -> bool {
        !matches!(self, Self::CreateTask(_))
    }
}

/// Writable properties of a rule.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct RuleInput {
    /// Name of the rule, not blank, at most 100 characters. Several rules that apply to one event
    /// run in the order of their names.
    #[validate(length(max = 100), custom(function = text::visible))]
    pub name: String,
    /// Whether the rule is active. Defaults to true.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Trigger of the rule.
    #[validate(nested)]
    pub when: When,
    /// Actions of the rule, 1 to 20. At most one sets the category, and at most one sets the note.
    #[validate(length(min = 1, max = 20), custom(function = actions))]
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
fn sound(task: &TaskTemplate) -> Result<(), ValidationError> {
    let Err(errors) = task.validate() else { return Ok(()) };
    let first = violations(&errors).into_iter().next();
    let Some(Violation { pointer, code, message }) = first else { return Ok(()) };
    let mut refused = ValidationError { code, ..refusal("value", message) };
    refused.add_param("below".into(), &pointer);
    Err(refused)
}

fn once(count: usize) -> Result<(), ValidationError> {
    if count <= 1 { Ok(()) } else { Err(refusal("duplicate", "must be unique")) }
}

/// Automation that changes expenses and creates tasks in reaction to events.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Rule {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Name of the rule, not blank, at most 100 characters. Several rules that apply to one event
    /// run in the order of their names.
    pub name: String,
    /// Whether the rule is active.
    pub enabled: bool,
    /// Trigger of the rule.
    pub when: When,
    /// Actions of the rule, 1 to 20. At most one sets the category, and at most one sets the note.
    pub then: Vec<Action>,
    /// Time of the creation (RFC 3339, UTC), set by the server. The rule applies to events after
    /// this time.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<entity::rule::Model> for Rule {
    type Error = Error;

    fn try_from(row: entity::rule::Model) -> Result<Self> {
        let entity::rule::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            name,
            name_key: _,
            enabled,
            kind,
            condition,
            actions,
            category_id: _,
        } = row;
        let condition =
            condition.map(|json| stored::json(entity::rule::Column::Condition, id, json));
        Ok(Self {
            id,
            version,
            name,
            enabled,
            when: When { kind, condition: condition.transpose()? },
            then: stored::json(entity::rule::Column::Actions, id, actions)?,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

/// Period and limit of a dry run.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleDryRun)]
pub struct DryRunInput {
    /// First day of the events to evaluate (`YYYY-MM-DD`), in the organization's time zone. Omit it
    /// to start with the first event.
    #[validate(custom(function = text::day))]
    pub from: Option<NaiveDate>,
    /// Last day of the events to evaluate (`YYYY-MM-DD`), in the organization's time zone. Omit it
    /// to end with the latest event.
    #[validate(custom(function = text::day))]
    pub to: Option<NaiveDate>,
    /// Maximum number of events in `items`, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    pub limit: Option<u64>,
}

/// Unsaved rule to evaluate, with the period and limit of the dry run.
#[crate::input::bounded]
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UnsavedRuleDryRun)]
pub struct RuleTrialInput {
    /// Trigger of the rule.
    #[validate(nested)]
    pub when: When,
    /// Actions of the rule, 1 to 20. At most one sets the category, and at most one sets the note.
    #[validate(length(min = 1, max = 20), custom(function = actions))]
    pub then: Vec<Action>,
    /// First day of the events to evaluate (`YYYY-MM-DD`), in the organization's time zone. Omit it
    /// to start with the first event.
    #[validate(custom(function = text::day))]
    pub from: Option<NaiveDate>,
    /// Last day of the events to evaluate (`YYYY-MM-DD`), in the organization's time zone. Omit it
    /// to end with the latest event.
    #[validate(custom(function = text::day))]
    pub to: Option<NaiveDate>,
    /// Maximum number of events in `items`, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    pub limit: Option<u64>,
}

/// Result of a dry run: what a rule would have done about past events. Nothing was changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = RuleDryRunResult)]
pub struct DryRun {
    /// Number of events of the rule's kind that were evaluated, latest first, at most 5000.
    pub looked_at: u64,
    /// Whether all events of the requested period were evaluated.
    pub complete: bool,
    /// Number of evaluated events to which the rule applies.
    pub matched: u64,
    /// Number of matches after which the rule would have changed the expense.
    pub changed: u64,
    /// Number of matches after which the expense already was as the rule says.
    pub unchanged: u64,
    /// Number of matches after which the expense could not have been changed.
    pub skipped: u64,
    /// Number of tasks that the rule would have created.
    pub tasks: u64,
    /// Matching events, latest first, at most `limit`.
    pub items: Vec<DryRunItem>,
}

/// Event to which a rule would have applied, and the effect.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = RuleDryRunItem)]
pub struct DryRunItem {
    /// Identifier of the event.
    pub event_id: Uuid,
    /// Time of the event (RFC 3339, UTC).
    pub at: DateTime<Utc>,
    /// Identifier of the expense.
    pub entity_id: Uuid,
    /// Version of the expense after the event.
    pub entity_version: i64,
    /// Effect that the rule would have had on the expense.
    pub outcome: Outcome,
    /// Properties of the expense that the rule would have changed, with their new values.
    #[schema(value_type = Object)]
    pub changes: Map<String, Value>,
    /// Tasks that the rule would have created.
    pub tasks: Vec<PlannedTask>,
}

/// Effect of a rule on an expense.
///
/// - `changed`: The rule changes the expense.
/// - `unchanged`: The expense already is as the rule says.
/// - `skipped`: The expense can no longer be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RuleOutcome)]
pub enum Outcome {
    /// The rule changes the expense.
    Changed,
    /// The expense already is as the rule says.
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
    use crate::{catalogue, resource::Resource};

    #[test]
    fn rules_wait_for_what_can_happen() {
        let expense =
            catalogue::resource(crate::money::expense::Expense::ENTITY).expect("a resource");
        for kind in KINDS {
            assert!(expense.has_kind(kind), "{kind}");
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

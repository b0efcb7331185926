//! The tasks that rules make.

use chrono::{Days, NaiveDate};
use entity::event;
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::Action;
use crate::{
    actor::Actor,
    error::{Error, Result, Violation},
    identity::member,
    input::{Create, FromBody},
    resource::Writable,
    role::Role,
    store::Tx,
    text,
    work::{
        project,
        task::{Priority, Task},
    },
};

/// Task that a rule creates. Its metadata contains the identifier of the expense as `expense_id`.
#[crate::input::bounded]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleTask)]
pub struct TaskTemplate {
    /// Title of the task, not blank, at most 200 characters. Placeholders are not supported.
    #[validate(length(max = 200), custom(function = text::visible))]
    pub title: String,
    /// Priority of the task. Defaults to `medium`.
    #[serde(default)]
    pub priority: Priority,
    /// Identifier of the member to whom the task is assigned; null for none.
    pub assignee_member_id: Option<Uuid>,
    /// Lowest role of the members for whom the task is meant; null for no restriction.
    pub assignee_role: Option<Role>,
    /// Identifier of the project of the task; null for none.
    pub project_id: Option<Uuid>,
    /// Number of days from the day of the event, in the organization's time zone, to the due date:
    /// 0 to 3650. Null for a task without a due date.
    #[validate(range(min = 0, max = 3650))]
    pub due_in_days: Option<i64>,
}

/// Task that a rule would have created.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = RuleDryRunTask)]
pub struct PlannedTask {
    /// Title of the task.
    pub title: String,
    /// Priority of the task.
    pub priority: Priority,
    /// Identifier of the member to whom the task would have been assigned; null for none.
    pub assignee_member_id: Option<Uuid>,
    /// Lowest role of the members for whom the task would have been meant; null for no restriction.
    pub assignee_role: Option<Role>,
    /// Identifier of the project of the task; null for none.
    pub project_id: Option<Uuid>,
    /// Due date of the task (`YYYY-MM-DD`); null for none.
    pub due_on: Option<NaiveDate>,
}

/// The tasks that actions make.
pub(super) fn tasks(then: &[Action]) -> impl Iterator<Item = &TaskTemplate> {
    then.iter().filter_map(|action| match action {
        Action::CreateTask(task) => Some(&**task),
        _ => None,
    })
}

impl TaskTemplate {
    /// The task after an event: when it is due does not depend on how late the rule comes to it.
    pub(super) fn after(&self, actor: &Actor, event: &event::Model) -> PlannedTask {
        let day = actor.settings.day_of(event.at.to_utc());
        let days = self.due_in_days.and_then(|days| u64::try_from(days).ok());
        PlannedTask {
            title: self.title.clone(),
            priority: self.priority,
            assignee_member_id: self.assignee_member_id,
            assignee_role: self.assignee_role,
            project_id: self.project_id,
            due_on: days.and_then(|days| day.checked_add_days(Days::new(days))),
        }
    }
}

/// Makes the tasks of a rule that applies to an expense.
pub(super) async fn create_tasks(
    tx: &Tx,
    by: &Actor,
    then: &[Action],
    event: &event::Model,
) -> Result<()> {
    for task in tasks(then) {
        let mut new = serde_json::to_value(task.after(by, event))
            .map_err(|error| Error::Internal(format!("a task cannot be shown: {error}")))?;
        new["metadata"] = json!({ "expense_id": event.entity_id });
        if let Some(id) = task.assignee_member_id
            && !member::repository::get(tx, by.organization_id, id).await?.active
        {
            return Err(Error::state("assignee_inactive", "the assignee is not active"));
        }
        Task::create(tx, by, &Create::from_body(new)?).await?;
    }
    Ok(())
}

/// Whether the members and projects are there that actions name and others before them did not.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) async fn ensure_references_exist(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    before: &[Action],
    then: &[Action],
) -> Result<()> {
    let new = |id: &Uuid, of: fn(&TaskTemplate) -> Option<Uuid>| {
        tasks(before).all(|task| of(task) != Some(*id))
    };
    let named = |of: fn(&TaskTemplate) -> Option<Uuid>| {
        tasks(then).filter_map(of).filter(|id| new(id, of)).collect::<Vec<_>>()
    };
    let members = named(|task| task.assignee_member_id);
    let projects = named(|task| task.project_id);
    if members.is_empty() && projects.is_empty() {
        return Ok(());
    }
    let members =
        member::repository::find_missing_ids(connection, organization_id, members).await?;
    let projects =
        project::repository::find_missing_ids(connection, organization_id, projects).await?;
    let mut found = Vec::new();
    for (index, action) in then.iter().enumerate() {
        let Action::CreateTask(task) = action else { continue };
        for (field, id, missing, what) in [
            (
                "assignee_member_id",
                task.assignee_member_id,
                &members,
                "must identify a member of the organization",
            ),
            (
                "project_id",
                task.project_id,
                &projects,
                "must identify a project of the organization",
            ),
        ] {
            if id.is_some_and(|id| missing.contains(&id)) {
                let pointer = format!("/then/{index}/create_task/{field}");
                found.push(Violation::new(pointer, "unknown", what));
            }
        }
    }
    if found.is_empty() { Ok(()) } else { Err(Error::Invalid(found)) }
}

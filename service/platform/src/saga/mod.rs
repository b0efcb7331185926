//! Sagas: work of several steps, each on record, that goes on after any interruption, or is undone step
//! by step. docs/ledger.md tells of the states and of paying a member back, docs/work.md of offboarding one.

mod commands;
mod example;
pub mod lag;
pub mod repository;
pub mod rules;
mod worker;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use commands::{state_of, states_of};
pub use worker::{
    Call, CallOutcome, Local, Run, StepKind, StepResult, Work, run_step, shortened, start,
    undo_unless_changed,
};
pub use worker::{Kind, Sagas};

use crate::{
    actor::Actor,
    error::{Error, Result},
    input::AnyOf,
    role::Permission,
    store::{page::paged, stored},
};

/// State of a saga.
///
/// - `running`: In progress, or waiting for the next attempt.
/// - `compensating`: The completed steps are being undone.
/// - `completed`: All steps are completed.
/// - `compensated`: All completed steps are undone.
/// - `failed`: Stopped until an administrator retries, compensates or marks it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = SagaState)]
pub enum State {
    /// In progress, or waiting for the next attempt.
    Running,
    /// The completed steps are being undone.
    Compensating,
    /// All steps are completed.
    Completed,
    /// All completed steps are undone.
    Compensated,
    /// Stopped until an administrator retries, compensates or marks it.
    Failed,
}

/// State of a step of a saga.
///
/// - `pending`: Not started.
/// - `at_work`: An external call is in progress, or the process that made it has ended.
/// - `waiting`: Failed temporarily and waiting for the next attempt.
/// - `done`: Completed.
/// - `refused`: Refused by the other side, or cancelled by an administrator.
/// - `undone`: Completed and then undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SagaStepState)]
pub enum StepState {
    /// Not started.
    Pending,
    /// An external call is in progress, or the process that made it has ended.
    AtWork,
    /// Failed temporarily and waiting for the next attempt.
    Waiting,
    /// Completed.
    Done,
    /// Refused by the other side, or cancelled by an administrator.
    Refused,
    /// Completed and then undone.
    Undone,
}

/// Step of a saga.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SagaStep)]
pub struct Step {
    /// Name of the step.
    pub name: String,
    /// State of the step.
    pub state: StepState,
    /// Number of attempts.
    pub attempts: i64,
    /// Whether a part of the step is completed. Long steps are executed in several parts.
    #[serde(default)]
    pub partly: bool,
    /// Time of the first attempt, or of the first after a retry was requested (RFC 3339, UTC); null
    /// if there was none.
    pub started_at: Option<DateTime<Utc>>,
    /// Time at which the step was completed or undone (RFC 3339, UTC); null if neither is the case.
    pub finished_at: Option<DateTime<Utc>>,
    /// Reason why the last attempt failed; null if it did not.
    pub error: Option<String>,
}

/// Process of several steps that survives interruptions and undoes its completed steps if it cannot
/// continue.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Saga {
    /// Unique identifier (UUID), set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Kind of the saga: `reimbursement` of an expense, `offboarding` of a member, `import` of a
    /// file, or `time_zone_change` of the organization.
    pub kind: String,
    /// State of the saga.
    pub state: State,
    /// Identifier of the subject: the expense, the member, the import or the organization,
    /// depending on `kind`.
    pub subject_id: Uuid,
    /// Time of the next attempt (RFC 3339, UTC), or the time limit of an external call in progress;
    /// null if none is due.
    pub due_at: Option<DateTime<Utc>>,
    /// Steps of the saga, in their order.
    pub steps: Vec<Step>,
    /// Data of the saga, depending on `kind`: for example the amount, the member and the journal
    /// entries of a reimbursement, or the successor and the note of an offboarding.
    #[schema(value_type = Object)]
    pub data: Value,
    /// Reason why the saga is being undone or cannot continue; null if neither is the case.
    pub reason: Option<String>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl Saga {
    /// The saga as the actor may see it.
    fn redacted_for(mut self, actor: &Actor) -> Self {
        redact_note(actor, &mut self.data);
        self
    }
}

/// Why somebody leaves is for those who manage members.
fn redact_note(actor: &Actor, data: &mut Value) {
    if let (false, Some(note)) = (actor.may(Permission::ManageMembers), data.get_mut("note")) {
        *note = Value::Null;
    }
}

impl TryFrom<entity::saga::Model> for Saga {
    type Error = Error;

    fn try_from(row: entity::saga::Model) -> Result<Self> {
        use entity::saga::Column;
        let entity::saga::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            kind,
            state,
            step: _,
            undoing: _,
            due_at,
            subject_id,
            steps,
            data,
            reason,
        } = row;
        Ok(Self {
            id,
            version,
            kind,
            state: stored::word(Column::State, id, &state)?,
            subject_id,
            due_at: due_at.map(|at| at.to_utc()),
            steps: stored::json(Column::Steps, id, steps)?,
            data: stored::json(Column::Data, id, data)?,
            reason,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

/// Filters and page of a list of sagas, newest first.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SagaQuery {
    /// Return sagas in one of these states.
    #[param(value_type = Option<Vec<State>>, inline)]
    pub state: Option<AnyOf<State>>,
    /// Return sagas about one of these expenses, members, imports or organizations.
    #[param(value_type = Option<Vec<Uuid>>)]
    pub subject_id: Option<AnyOf<Uuid>>,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(SagaQuery);

/// How much longer than a call the saga is left alone, so that its answer can be noted.
const CALL_GRACE: TimeDelta = TimeDelta::seconds(1);

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct SagaTimeouts {
    /// How long a call is waited for.
    pub call: std::time::Duration,
    /// How long a step is tried again before somebody is asked.
    pub step: TimeDelta,
}

impl SagaTimeouts {
    /// How long a saga is left alone while a call is under way.
    fn call_window(self) -> TimeDelta {
        TimeDelta::from_std(self.call).unwrap_or_default() + CALL_GRACE
    }

    /// How long a saga waits at most until it is taken up again.
    fn max_wait(self) -> TimeDelta {
        self.call_window().max(rules::BACKOFF.max)
    }
}

impl Default for SagaTimeouts {
    fn default() -> Self {
        Self { call: std::time::Duration::from_secs(30), step: TimeDelta::hours(24) }
    }
}

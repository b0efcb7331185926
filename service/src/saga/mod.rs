//! Sagas: work of several steps, each on record, that goes on after any interruption, or is undone step
//! by step. docs/ledger.md tells of the states and of paying a member back, docs/work.md of offboarding one.

mod commands;
pub(crate) mod import;
mod offboarding;
mod reimbursement;
mod repository;
pub mod rules;
pub(crate) mod time_zone_change;
pub(crate) mod worker;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use commands::{compensate, mark_paid, retry};
pub use offboarding::offboard;
pub use reimbursement::pay;
use rules::Progress;
pub(crate) use worker::Calls;

use crate::{actor::Actor, role::Permission, store::page::PageQuery};

/// Where a saga stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SagaState)]
pub enum State {
    /// It goes on, or waits to be tried again.
    Running,
    /// It is being undone.
    Compensating,
    /// All of it is done.
    Completed,
    /// All of it is undone.
    Compensated,
    /// It cannot go on without somebody's decision.
    Failed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Running, Self::Compensating, Self::Completed, Self::Compensated, Self::Failed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Compensating => "compensating",
            Self::Completed => "completed",
            Self::Compensated => "compensated",
            Self::Failed => "failed",
        }
    }

    fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == word).unwrap_or(Self::Failed)
    }
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SagaStepState)]
pub enum StepState {
    /// It has not begun.
    Pending,
    /// A call is under way, or the process that made it is gone.
    AtWork,
    /// It did not work out, and is tried again.
    Waiting,
    /// It is done.
    Done,
    /// It was refused, or somebody has decided against it.
    Refused,
    /// It was done, and is undone.
    Undone,
}

/// A step of a saga.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SagaStep)]
pub struct Step {
    /// What it does.
    pub name: String,
    /// Where it stands.
    pub state: StepState,
    /// How often it was tried.
    pub attempts: i64,
    /// Whether a part of it was done: a long one is done in several.
    #[serde(default)]
    pub partly: bool,
    /// When it was first tried, or first again after somebody said so.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was done or undone.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it did not work out the last time.
    pub error: Option<String>,
}

/// A saga.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Saga {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// What kind of saga: `reimbursement` of an expense, `offboarding` of a member, `import` of a file, or
    /// `time_zone_change` of the organization.
    pub kind: String,
    /// Where it stands.
    pub state: State,
    /// What it is about: the expense, the member, the import, or the organization.
    pub subject_id: Uuid,
    /// When it is taken up again; while a call is under way, how long its answer is waited for.
    pub due_at: Option<DateTime<Utc>>,
    /// Its steps.
    pub steps: Vec<Step>,
    /// What it knows: who is paid how much, and the ids of its journal entries; who takes over tasks, and
    /// a note for those who manage members; where it goes on.
    #[schema(value_type = Object)]
    pub data: Value,
    /// Why it is undone, or cannot go on.
    pub reason: Option<String>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Saga {
    /// The saga as the actor may see it.
    fn seen_by(mut self, actor: &Actor) -> Self {
        hide_note(actor, &mut self.data);
        self
    }
}

/// Why somebody leaves is for those who manage members.
fn hide_note(actor: &Actor, data: &mut Value) {
    if let (false, Some(note)) = (actor.may(Permission::ManageMembers), data.get_mut("note")) {
        *note = Value::Null;
    }
}

impl From<entity::saga::Model> for Saga {
    fn from(row: entity::saga::Model) -> Self {
        let Progress { state, due_at, steps, reason, .. } = Progress::of(&row);
        Self {
            id: row.id,
            version: row.version,
            kind: row.kind,
            state,
            subject_id: row.subject_id,
            due_at,
            steps,
            data: row.data,
            reason,
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}

/// What goes with a decision about a saga.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SagaDecisionInput {
    /// Why.
    #[validate(length(max = 300))]
    #[schema(max_length = 300)]
    pub note: Option<String>,
}

/// Who takes over from a member who leaves.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OffboardingInput {
    /// Who is given the open tasks; nobody if it is left out.
    pub reassign_to_member_id: Option<Uuid>,
    /// Why; shown to those who manage members.
    #[validate(length(max = 300))]
    #[schema(max_length = 300)]
    pub note: Option<String>,
}

/// Nothing goes with paying an expense back.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutInput {}

/// Which sagas: the newest first.
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SagaQuery {
    /// In this state.
    #[param(inline)]
    pub state: Option<State>,
    /// About this expense, member, import or organization.
    pub subject_id: Option<Uuid>,
    /// How many items, 1 to 500.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50, minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
    /// Where to go on: `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl SagaQuery {
    fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// How much longer than a call the saga is left alone, so that its answer can be noted.
const TO_NOTE: TimeDelta = TimeDelta::seconds(1);

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long a call is waited for.
    pub call: std::time::Duration,
    /// How long a step is tried again before somebody is asked.
    pub step: TimeDelta,
}

impl Patience {
    /// How long a saga is left alone while a call is under way.
    fn of_call(self) -> TimeDelta {
        TimeDelta::from_std(self.call).unwrap_or_default() + TO_NOTE
    }

    /// How long a saga waits at most until it is taken up again.
    fn longest(self) -> TimeDelta {
        self.of_call().max(TimeDelta::seconds(rules::LONGEST_PAUSE))
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self { call: std::time::Duration::from_secs(30), step: TimeDelta::hours(24) }
    }
}

//! Clients that are offline for a while: what has changed since ([`changes()`]), and what they have
//! changed meanwhile ([`sync`]).

mod changes;
mod commands;
mod edits;
mod kinds;
mod repository;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use changes::changes;
pub use commands::sync;

use crate::error::Violation;

/// Which changes.
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// `cursor` of the answer before; everything from the beginning if it is left out.
    pub since: Option<String>,
    /// How many items, 1 to 500.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50, minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
    /// Only these kinds, separated by commas: `expense,category`. All that the role may see if it
    /// is left out.
    pub entities: Option<String>,
}

/// What has changed since, each resource once, in the order of their latest changes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Changes {
    /// The resources as they are now.
    pub items: Vec<Changed>,
    /// What to pass as `since` next time, now or in a week. It can be used again.
    pub cursor: String,
    /// Whether there is more already; even where this answer holds no items.
    pub more: bool,
}

/// The latest state of a resource.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Changed {
    /// Its kind: `expense`.
    pub entity: String,
    /// Its id.
    pub id: Uuid,
    /// The version that it has now, or had last and one more if it is gone.
    pub version: i64,
    /// The position of this in the log.
    pub position: i64,
    /// Whether it is gone.
    pub deleted: bool,
    /// The resource, as reading it shows it; null if it is gone.
    #[schema(value_type = Option<Object>)]
    pub data: Option<Value>,
}

/// What a client has changed while it was offline.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncInput {
    /// The changes, in the order in which they are to be made.
    #[validate(length(min = 1, max = 500))]
    #[schema(min_items = 1, max_items = 500)]
    pub changes: Vec<Edit>,
}

/// One change.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The kind of resource.
    #[schema(schema_with = kinds::entity_schema)]
    pub entity: String,
    /// What to do.
    #[schema(schema_with = kinds::op_schema)]
    pub op: String,
    /// Which one. Of a new one, the id that the client chose.
    pub id: Uuid,
    /// The version that this was made against; not of a new one.
    #[schema(minimum = 1)]
    pub version: Option<i64>,
    /// The body that the operation itself takes, without id and version: the new resource, a merge
    /// patch, or what goes with a transition. Nothing for `delete`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub data: Option<Map<String, Value>>,
}

/// What has become of the changes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SyncReport {
    /// One result for each change, in their order.
    pub results: Vec<EditResult>,
}

/// What has become of one change.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EditResult {
    /// The kind of resource.
    pub entity: String,
    /// Its id.
    pub id: Uuid,
    /// What has become of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What has become of a change. Nothing of one that was not applied is left.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
#[schema(as = SyncOutcome)]
pub enum Outcome {
    /// It is done, or was so already.
    Applied {
        /// The version that the resource has now.
        version: i64,
        /// The resource as it is now; null if it is gone.
        #[schema(value_type = Option<Object>)]
        data: Option<Value>,
    },
    /// The resource is not what the client took it for.
    Conflict {
        /// The version that it has now, or had last and one more if it is gone.
        current_version: i64,
        /// The resource as it is now; null if it is gone.
        #[schema(value_type = Option<Object>)]
        current: Option<Value>,
    },
    /// It breaks a rule, or the present state does not allow it.
    Invalid(Refusal),
    /// The role does not allow it, or a rule about whose it is.
    Forbidden(Refusal),
    /// There never was such a resource.
    NotFound(Refusal),
}

/// Why a change was refused.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Refusal {
    /// The code of the problem that the operation itself would have answered with.
    pub code: &'static str,
    /// What is wrong, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
    /// The rules that it breaks, with pointers into the change: `/data/amount_minor`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub violations: Vec<Violation>,
    /// The other resource that is in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub conflicting_id: Option<Uuid>,
}

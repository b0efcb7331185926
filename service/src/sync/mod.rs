//! Clients that are offline for a while: what has changed since ([`changes()`]), and what they have
//! changed meanwhile ([`sync`]).

mod changes;
mod commands;
mod edits;
mod kinds;
mod repository;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use changes::changes;
pub use commands::sync;

use crate::{
    error::Result,
    input::{self, ExactObject, FromBody},
    outcome::Outcome,
};

/// Cursor, filter and limit of a request for changes.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// Return changes after this cursor: `cursor` of the previous response. Omit it to start with
    /// the first change.
    pub since: Option<String>,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Return changes of these types of resources, separated by commas: `expense,category`.
    /// Defaults to all types that the role may read. At most 500 characters.
    #[validate(length(max = 500))]
    pub entities: Option<String>,
}

/// Changes since a cursor: the latest state of each changed resource, in the order of their latest
/// changes.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ResourceChanges)]
pub struct Changes {
    /// Changed resources.
    pub items: Vec<Changed>,
    /// Cursor to pass as `since` in the next request. It does not expire and may be used
    /// repeatedly.
    pub cursor: String,
    /// Whether there are further changes, even if this response has no items.
    pub more: bool,
}

/// Latest state of a resource that has changed since a cursor.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ResourceChange)]
pub struct Changed {
    /// Type of the resource, such as `expense`.
    pub entity: String,
    /// Identifier of the resource.
    pub id: Uuid,
    /// Current version of the resource; for a deleted one, its last version plus one.
    pub version: i64,
    /// Position of the latest change in the log of the organization.
    pub position: i64,
    /// Whether the resource is deleted.
    pub deleted: bool,
    /// Current state of the resource, as reading it returns it; null if it is deleted.
    #[schema(value_type = Option<Object>)]
    pub data: Option<Value>,
}

/// Changes that a client has made offline.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SyncRequest, examples(json!({ "changes": [
    {
        "entity": "category",
        "op": "create",
        "id": "019a8b20-4c00-7a10-8000-000000000017",
        "data": { "name": "Tools" },
    },
    {
        "entity": "expense",
        "op": "update",
        "id": "019a8b20-4c00-7a10-8000-000000000008",
        "version": 2,
        "data": { "category_id": "019a8b20-4c00-7a10-8000-000000000017" },
    },
] })))]
pub struct SyncInput {
    /// Changes to apply in this order, 1 to 500.
    #[validate(length(min = 1, max = 500))]
    pub changes: Vec<Edit>,
}

/// What the resources keep to the letter that clients write, is read so.
impl FromBody for SyncInput {
    const EXACT: &'static [&'static str] = &["changes/*/data/body", "changes/*/data/schema"];

    fn from_body(body: Value) -> Result<Self> {
        input::read(body)
    }
}

/// Change of one resource.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SyncChange)]
pub struct Edit {
    /// Type of the resource.
    #[schema(schema_with = kinds::entity_schema)]
    pub entity: String,
    /// Operation to apply.
    #[schema(schema_with = kinds::op_schema)]
    pub op: String,
    /// Identifier of the resource; for a new one, chosen by the client.
    pub id: Uuid,
    /// Version of the resource on which the change is based. Required except for a new resource.
    #[schema(minimum = 1)]
    pub version: Option<i64>,
    /// Body of the operation without `id` and `version`: the new resource, a JSON Merge Patch, or
    /// the input of a transition. Omitted for `delete`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub data: Option<ExactObject>,
}

/// Results of a list of changes.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = SyncResult)]
pub struct SyncReport {
    /// Results, one for each change, in the order of the request.
    pub results: Vec<EditResult>,
}

/// Result of one change.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = SyncChangeResult)]
pub struct EditResult {
    /// Type of the resource.
    pub entity: String,
    /// Identifier of the resource.
    pub id: Uuid,
    /// Outcome of the change.
    #[serde(flatten)]
    pub outcome: Outcome,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::RESOURCES;

    #[test]
    fn what_a_resource_keeps_to_the_letter_is_read_so() {
        let members = RESOURCES.iter().flat_map(|resource| resource.verbatim);
        for member in members {
            let pointer = format!("changes/*/data/{member}");
            assert!(SyncInput::EXACT.contains(&&*pointer), "{pointer}");
        }
    }
}

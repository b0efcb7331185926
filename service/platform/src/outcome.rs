//! What becomes of one of several changes or decisions that are made together, each by itself.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::{Error, Result, Violation};

/// Outcome of a change. A change that was not applied has no effect.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
#[schema(as = SyncOutcome)]
pub enum Outcome {
    /// The change is applied, or the resource already was as the change makes it.
    Applied {
        /// Current version of the resource.
        version: i64,
        /// Current state of the resource; null if it is deleted.
        #[schema(value_type = Option<Object>)]
        data: Option<Value>,
    },
    /// The version is stale: the resource has changed since.
    Conflict {
        /// Current version of the resource; for a deleted one, its last version plus one.
        current_version: i64,
        /// Current state of the resource; null if it is deleted.
        #[schema(value_type = Option<Object>)]
        current: Option<Value>,
    },
    /// The change violates a rule, or the state of the resource does not permit it.
    Invalid(Refusal),
    /// The role does not permit the change, or the resource belongs to another member.
    Forbidden(Refusal),
    /// The resource does not exist.
    NotFound(Refusal),
}

/// Reason why a change was refused.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = SyncRefusal)]
pub struct Refusal {
    /// Stable, machine-readable code of the problem that the operation itself would have returned.
    pub code: &'static str,
    /// Human-readable description of the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
    /// Violated rules, with JSON pointers into the change, such as `/data/amount_minor`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub violations: Vec<Violation>,
    /// Identifier of the resource that conflicts with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub conflicting_id: Option<Uuid>,
}

impl Outcome {
    /// What is told of a change that was refused.
    ///
    /// # Errors
    /// What concerns more than this one change.
    pub fn of_error(error: Error) -> Result<Self> {
        let (code, violations) = (error.code(), error.violations());
        let conflicting_id = match &error {
            Error::State { conflicting_id, .. } => *conflicting_id,
            _ => None,
        };
        let refusal = |detail| Refusal { code, detail, violations, conflicting_id };
        match error {
            Error::NotFound(what) => {
                Ok(Self::NotFound(refusal(Some(format!("the {what} does not exist")))))
            }
            Error::Forbidden { detail, .. } => Ok(Self::Forbidden(refusal(Some(detail.into())))),
            Error::State { detail, .. } => Ok(Self::Invalid(refusal(Some(detail.into())))),
            Error::Conflicts { detail, .. } => Ok(Self::Invalid(refusal(Some(detail.into())))),
            Error::InUse(what) => Ok(Self::Invalid(refusal(Some(what.into())))),
            Error::NotConfigured { detail, .. } => Ok(Self::Invalid(refusal(Some(detail.into())))),
            Error::VersionRequired
            | Error::Duplicate { .. }
            | Error::Reference
            | Error::Invalid(_) => Ok(Self::Invalid(refusal(None))),
            other => Err(other),
        }
    }
}

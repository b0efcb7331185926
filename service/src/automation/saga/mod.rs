//! The sagas that there are, and what people decide about them.

mod commands;
pub(crate) mod import;
pub(crate) mod offboarding;
pub(crate) mod reimbursement;
pub(crate) mod time_zone_change;

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub use commands::{compensate, mark_paid, retry};
pub use offboarding::offboard;
pub use reimbursement::pay;

/// Comment that accompanies a decision about a saga.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SagaTransitionInput, examples(json!({ "note": "The bank confirms the payment." })))]
pub struct SagaDecisionInput {
    /// Comment on the decision, at most 300 characters.
    #[validate(length(max = 300))]
    pub note: Option<String>,
}

/// Properties of an offboarding.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MemberOffboardingInput, examples(json!({ "note": "The contract has ended." })))]
pub struct OffboardingInput {
    /// Identifier of the active member who takes over the open tasks; null to leave them
    /// unassigned.
    pub reassign_to_member_id: Option<Uuid>,
    /// Reason for the offboarding, at most 300 characters. Returned only with the permission
    /// `member:manage`.
    #[validate(length(max = 300))]
    pub note: Option<String>,
}

/// Input of a payout. It has no properties besides `version`.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExpensePayoutInput)]
pub struct PayoutInput {}

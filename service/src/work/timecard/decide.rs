//! Decisions about several timecards at once: each by itself, so that one that cannot be made hinders
//! no other.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::{Timecard, commands::apply_transition, rules::Transition};
use crate::{
    actor::Actor,
    error::{Error, Result},
    idempotency::WriteOnce,
    outcome::Outcome,
    store::{Tx, versioned::Expected},
};

/// Decisions about several timecards. Each is applied independently of the others.
#[crate::input::bounded]
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TimecardDecisionBatch)]
pub struct Decide {
    /// Decisions to apply, 1 to 500.
    #[validate(length(min = 1, max = 500), nested)]
    pub items: Vec<DecisionItem>,
}

/// Decision about a submitted timecard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TimecardDecision)]
pub enum Decision {
    /// Approve the timecard.
    Approve,
    /// Reject the timecard.
    Reject,
}

/// Decision about one timecard.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TimecardDecisionItem)]
pub struct DecisionItem {
    /// Identifier of the timecard.
    pub id: Uuid,
    /// Version of the timecard that the decision is about.
    #[schema(minimum = 1)]
    pub version: i64,
    /// Decision: `approve` or `reject`.
    pub decision: Decision,
    /// Comment on the decision, at most 500 characters.
    #[validate(length(max = 500))]
    pub note: Option<String>,
}

/// Results of several decisions about timecards.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TimecardDecisionBatchResult)]
pub struct DecisionResults {
    /// Results, one for each decision, in the order of the request.
    pub results: Vec<DecisionResult>,
}

/// Result of a decision about one timecard.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TimecardDecisionResult)]
pub struct DecisionResult {
    /// Identifier of the timecard.
    pub id: Uuid,
    /// Outcome of the decision.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Decides about several timecards.
pub async fn decide(
    store: WriteOnce<'_, DecisionResults>,
    actor: &Actor,
    decide: Decide,
) -> Result<DecisionResults> {
    let actor = actor.clone();
    store
        .write(async move |tx| {
            let mut results = Vec::with_capacity(decide.items.len());
            for item in &decide.items {
                results.push(decide_one(tx, &actor, item).await?);
            }
            Ok(DecisionResults { results })
        })
        .await
}

async fn decide_one(tx: &Tx, actor: &Actor, item: &DecisionItem) -> Result<DecisionResult> {
    let transition = match item.decision {
        Decision::Approve => Transition::Approve,
        Decision::Reject => Transition::Reject,
    };
    let (expected, note) = (Expected::Version(item.version), || Ok(item.note.clone()));
    let decided = tx.savepoint(async |tx| {
        apply_transition(tx, actor, item.id, expected, transition, &note).await
    });
    let outcome = match decided.await? {
        Ok(card) => applied(&card)?,
        Err(Error::Stale(stale)) => {
            let current_version = stale.current_version;
            Outcome::Conflict { current_version, current: Some(stale.current) }
        }
        Err(error) => Outcome::of_error(error)?,
    };
    Ok(DecisionResult { id: item.id, outcome })
}

fn applied(card: &Timecard) -> Result<Outcome> {
    let data = serde_json::to_value(card)
        .map_err(|error| Error::Internal(format!("a resource cannot be shown: {error}")))?;
    Ok(Outcome::Applied { version: card.version, data: Some(data) })
}

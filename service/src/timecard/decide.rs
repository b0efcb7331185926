//! Decisions about several timecards at once: each by itself, so that one that cannot be made hinders
//! no other.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::{Timecard, commands::moved, rules::Move};
use crate::{
    actor::Actor,
    error::{Error, Result},
    store::{Store, Tx, versioned::Expected},
    sync::Outcome,
};

/// Decisions about several timecards.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// 1 to 500 of them.
    #[validate(length(min = 1, max = 500), nested)]
    #[schema(min_items = 1, max_items = 500)]
    pub items: Vec<DecisionItem>,
}

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TimecardDecision)]
pub enum Decision {
    /// Accept it.
    Approve,
    /// Refuse it.
    Reject,
}

/// A decision about one timecard.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TimecardDecisionItem)]
pub struct DecisionItem {
    /// Which one.
    pub id: Uuid,
    /// The version that this was decided about.
    #[schema(minimum = 1)]
    pub version: i64,
    /// What is decided.
    pub decision: Decision,
    /// Why.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub note: Option<String>,
}

/// What has become of the decisions.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TimecardDecisionResults)]
pub struct DecisionResults {
    /// One result for each decision, in their order.
    pub results: Vec<DecisionResult>,
}

/// What has become of one decision.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TimecardDecisionResult)]
pub struct DecisionResult {
    /// The timecard.
    pub id: Uuid,
    /// What has become of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Decides about several timecards.
pub async fn decide(store: &Store, actor: &Actor, decide: Decide) -> Result<DecisionResults> {
    store
        .write((actor.clone(), decide), |tx, (actor, decide)| {
            Box::pin(async move {
                let mut results = Vec::with_capacity(decide.items.len());
                for item in &decide.items {
                    results.push(decide_one(tx, actor, item).await?);
                }
                Ok(DecisionResults { results })
            })
        })
        .await
}

async fn decide_one(tx: &Tx, actor: &Actor, item: &DecisionItem) -> Result<DecisionResult> {
    let by = match item.decision {
        Decision::Approve => Move::Approve,
        Decision::Reject => Move::Reject,
    };
    let (expected, note) = (Expected::Version(item.version), || Ok(item.note.clone()));
    let decided = tx.attempt(async |tx| moved(tx, actor, item.id, expected, by, &note).await);
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

//! The weeks of members: whether what was worked in one may still be changed, and how far its approval is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a timecard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TimecardStatus)]
pub enum Status {
    /// Time is still recorded.
    Open,
    /// Waits for a decision.
    Submitted,
    /// Accepted.
    Approved,
    /// Refused: its time can be changed, and it can be submitted again.
    Rejected,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Open, Self::Submitted, Self::Approved, Self::Rejected];

    /// As it is written in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    pub(crate) fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.as_str() == word).unwrap_or(Self::Open)
    }
}

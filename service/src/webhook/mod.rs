//! Events sent to addresses that users give, as Standard Webhooks says (docs/webhooks.md).
//!
//! [`mod@dispatch`] goes through each organization's log and writes down what is to be delivered;
//! [`sender`] sends what is due, and writes down what came of it. Both keep all that they know in the
//! tables, so that nothing is lost with a process.

mod claims;
mod commands;
mod delivery;
mod dispatch;
mod message;
mod outcome;
pub(crate) mod repository;
mod rules;
mod sender;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub(crate) use claims::{Claims, reclaim};
pub use commands::{create, delete, rotate_secret};
pub use delivery::{
    Attempt, Delivery, DeliveryDetail, DeliveryQuery, DeliveryState, deliveries, delivery, resend,
    test,
};
pub(crate) use dispatch::dispatch;
pub use rules::{NotRetries, Retries};
pub(crate) use sender::{Sends, send};

use crate::text;

/// How webhooks are sent.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long to wait before each attempt.
    pub retries: Retries,
    /// How long an endpoint may take.
    pub timeout: std::time::Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { retries: Retries::default(), timeout: std::time::Duration::from_secs(15) }
    }
}

/// What a client may write of a webhook.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookInput {
    /// Where to: a URL of http or https, without a user.
    #[validate(length(max = 2000), custom(function = rules::url))]
    #[schema(max_length = 2000)]
    pub url: String,
    /// Which events: `expense.approved`, `expense.*`, or `*` for all.
    #[validate(length(min = 1, max = 100), custom(function = rules::kinds))]
    #[schema(min_items = 1, max_items = 100)]
    pub kinds: Vec<String>,
    /// What it is for.
    #[validate(length(max = 500), custom(function = text::visible))]
    #[schema(max_length = 500)]
    pub description: Option<String>,
    /// Whether anything is sent. What happens meanwhile is sent once it is enabled again.
    #[serde(default = "enabled")]
    #[schema(default = true)]
    pub enabled: bool,
}

fn enabled() -> bool {
    true
}

/// Why steward has disabled a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// The endpoint has answered 410: it is gone.
    Gone,
    /// Nothing was accepted for five days.
    Failing,
}

impl DisabledReason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    fn of(word: &str) -> Self {
        if word == "gone" { Self::Gone } else { Self::Failing }
    }
}

/// A webhook.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Webhook {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// Where to.
    pub url: String,
    /// Which events.
    pub kinds: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Why steward has disabled it, if it was steward.
    pub disabled_reason: Option<DisabledReason>,
    /// Until when the secret before this one signs too.
    pub previous_secret_until: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<entity::webhook::Model> for Webhook {
    fn from(row: entity::webhook::Model) -> Self {
        Self {
            id: row.id,
            version: row.version,
            url: row.url,
            kinds: serde_json::from_value(row.kinds).unwrap_or_default(),
            description: row.description,
            enabled: row.enabled,
            disabled_reason: row.disabled_reason.as_deref().map(DisabledReason::of),
            previous_secret_until: row.previous_secret_until.map(|at| at.to_utc()),
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}

/// A webhook with the secret that it was just given.
#[derive(Clone, Serialize, ToSchema)]
pub struct IssuedWebhook {
    /// What its messages are signed with, `whsec_` and base64. It is shown this once.
    pub secret: String,
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
}

/// What goes with a new secret.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotationInput {
    /// For how many hours the secret before signs too, 0 to 720.
    #[serde(default = "a_day")]
    #[validate(range(min = 0, max = 720))]
    #[schema(default = 24, minimum = 0, maximum = 720)]
    pub overlap_hours: i64,
}

fn a_day() -> i64 {
    24
}

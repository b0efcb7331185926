//! Events sent to addresses that users give, as Standard Webhooks says (docs/webhooks.md).
//!
//! [`mod@dispatch`] goes through each organization's log and writes down what is to be delivered;
//! [`sender`] sends what is due, and writes down what came of it. Both keep all that they know in the
//! tables, so that nothing is lost with a process.

mod claims;
mod commands;
mod delivery;
mod dispatch;
mod example;
pub(crate) mod lag;
mod message;
mod outcome;
pub(crate) mod repository;
mod rules;
mod sender;

use chrono::{DateTime, Utc};
use entity::webhook::Column;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub(crate) use claims::Reclaimer;
pub use commands::{create, delete, rotate_secret};
pub use delivery::{
    Attempt, Delivery, DeliveryDetail, DeliveryQuery, DeliveryState, deliveries, delivery, resend,
    test,
};
pub(crate) use dispatch::Dispatcher;
pub use rules::{NotRetries, Retries};
pub(crate) use sender::Sender;

use crate::{
    error::{Error, Result},
    store::stored,
    text,
};

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

/// Writable properties of a webhook.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct WebhookInput {
    /// HTTP or HTTPS URL that receives the messages, without user information, at most 2000
    /// characters.
    #[validate(length(max = 2000), custom(function = rules::url))]
    pub url: String,
    /// Kinds of events to send, 1 to 100: a kind such as `expense.approved`, a prefix such as
    /// `expense.*`, or `*` for all.
    #[validate(length(min = 1, max = 100), custom(function = rules::kinds))]
    pub kinds: Vec<String>,
    /// Description of the webhook, not blank, at most 500 characters.
    #[validate(length(max = 500), custom(function = text::visible))]
    pub description: Option<String>,
    /// Whether messages are sent. Events that occur while the webhook is disabled are sent once it
    /// is enabled again. Defaults to true.
    #[serde(default = "enabled")]
    #[schema(default = true)]
    pub enabled: bool,
}

fn enabled() -> bool {
    true
}

/// Reason why the server disabled a webhook.
///
/// - `gone`: The endpoint answered with status 410.
/// - `failing`: The endpoint accepted nothing for five days.
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
#[schema(as = WebhookDisabledReason)]
pub enum DisabledReason {
    /// The endpoint answered with status 410.
    Gone,
    /// The endpoint accepted nothing for five days.
    Failing,
}

/// Subscription of a URL to events of the organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Webhook {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// HTTP or HTTPS URL that receives the messages, without user information, at most 2000
    /// characters.
    pub url: String,
    /// Kinds of events to send, 1 to 100: a kind such as `expense.approved`, a prefix such as
    /// `expense.*`, or `*` for all.
    pub kinds: Vec<String>,
    /// Description of the webhook, not blank, at most 500 characters.
    pub description: Option<String>,
    /// Whether messages are sent. Events that occur while the webhook is disabled are sent once it
    /// is enabled again.
    pub enabled: bool,
    /// Reason why the server disabled the webhook; null if it did not.
    pub disabled_reason: Option<DisabledReason>,
    /// Time until which messages are signed with the previous secret too (RFC 3339, UTC); null if
    /// there is none.
    pub previous_secret_until: Option<DateTime<Utc>>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<entity::webhook::Model> for Webhook {
    type Error = Error;

    fn try_from(row: entity::webhook::Model) -> Result<Self> {
        let entity::webhook::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            url,
            kinds,
            description,
            enabled,
            disabled_reason,
            secret: _,
            previous_secret: _,
            previous_secret_until,
            deleted_at: _,
        } = row;
        let reason = disabled_reason.as_deref();
        let reason = reason.map(|reason| stored::word(Column::DisabledReason, id, reason));
        Ok(Self {
            id,
            version,
            url,
            kinds: stored::json(Column::Kinds, id, kinds)?,
            description,
            enabled,
            disabled_reason: reason.transpose()?,
            previous_secret_until: previous_secret_until.map(|at| at.to_utc()),
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

/// Webhook with its new secret.
#[derive(Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct IssuedWebhook {
    /// Secret with which messages are signed: `whsec_` and base64. It is returned only once.
    pub secret: String,
    /// Webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
}

/// Options of the rotation of a webhook's secret.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookSecretRotationInput, examples(json!({ "overlap_hours": 48 })))]
pub struct RotationInput {
    /// Number of hours for which messages are signed with the previous secret too, 0 to 720.
    /// Defaults to 24.
    #[serde(default = "a_day")]
    #[validate(range(min = 0, max = 720))]
    #[schema(default = 24)]
    pub overlap_hours: i64,
}

fn a_day() -> i64 {
    24
}

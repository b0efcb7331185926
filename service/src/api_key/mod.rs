//! Keys for programs. A key acts for the member who made it, with a role that is never above
//! theirs. What a key makes is never more than itself, and ends with it.

mod commands;
pub(crate) mod repository;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub use commands::{create, delete};
pub(crate) use commands::{end_of_member, hold_maker};

use crate::{role::Role, text};

/// In front of an API key.
pub(crate) const PREFIX: &str = "stw_k_";

/// What a client may write of an API key.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyInput {
    /// What it is for.
    #[validate(length(max = 100), custom(function = text::visible))]
    #[schema(max_length = 100)]
    pub name: String,
    /// What it may do, as long as the member who made it may do so too.
    pub role: Role,
    /// When it ends by itself; never if it is left out. One that is made by a key ends no later than that one, and with
    /// it if it is left out.
    #[validate(custom(function = text::instant))]
    pub expires_at: Option<DateTime<Utc>>,
}

/// An API key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApiKey {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// For whom it acts.
    pub member_id: Uuid,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// The API key that made it, and with which it ends; none where a person did.
    pub created_by_api_key_id: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

/// An API key that was just made, with its token.
#[derive(Clone, Serialize, ToSchema)]
pub struct IssuedApiKey {
    /// What to send as `Authorization: Bearer …`. It is shown this once.
    pub token: String,
    /// The key.
    #[serde(flatten)]
    pub api_key: ApiKey,
}

impl From<entity::api_key::Model> for ApiKey {
    fn from(row: entity::api_key::Model) -> Self {
        Self {
            id: row.id,
            version: row.version,
            name: row.name,
            role: Role::of(&row.role),
            member_id: row.member_id,
            expires_at: row.expires_at.map(|at| at.to_utc()),
            created_by_api_key_id: row.created_by_api_key_id,
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}

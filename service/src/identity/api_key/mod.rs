//! Keys for programs. A key acts for the member who made it, with a role that is never above
//! theirs. What a key makes is never more than itself, and ends with it.

mod commands;
mod example;
pub(crate) mod repository;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub use commands::{create, delete};
pub(crate) use commands::{end_of_member, lock_own_key};

use crate::{
    error::{Error, Result},
    role::Role,
    store::stored,
    text,
};

/// In front of an API key.
pub(crate) const PREFIX: &str = "stw_k_";

/// Properties of a new API key.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct ApiKeyInput {
    /// Name of the key, not blank, at most 100 characters.
    #[validate(length(max = 100), custom(function = text::visible))]
    pub name: String,
    /// Role of the key. It never has more permissions than the member for whom it acts.
    pub role: Role,
    /// Time at which the key expires (RFC 3339, UTC); null if it does not. A key that is created
    /// with an API key expires with that key at the latest.
    #[validate(custom(function = text::instant))]
    pub expires_at: Option<DateTime<Utc>>,
    /// Number of requests that the key may send in a minute, 1 to 6,000,000; null if only the limits
    /// of its role apply, which always do. A key that is created with an API key has no higher limit
    /// than that key.
    #[validate(range(min = 1, max = 6_000_000))]
    pub requests_per_minute: Option<i64>,
}

/// Credential with which a program acts for a member. Its token is only returned on creation.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct ApiKey {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Name of the key, not blank, at most 100 characters.
    pub name: String,
    /// Role of the key. It never has more permissions than the member for whom it acts.
    pub role: Role,
    /// Identifier of the member for whom the key acts, set by the server.
    pub member_id: Uuid,
    /// Time at which the key expires (RFC 3339, UTC); null if it does not.
    pub expires_at: Option<DateTime<Utc>>,
    /// Identifier of the API key with which this key was created, set by the server; null if a user
    /// created it. This key expires with it.
    pub created_by_api_key_id: Option<Uuid>,
    /// Number of requests that the key may send in a minute; null if only the limits of its role
    /// apply, which always do.
    pub requests_per_minute: Option<i64>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

/// New API key with its token.
#[derive(Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct IssuedApiKey {
    /// Token to send as `Authorization: Bearer TOKEN`. It is returned only once.
    pub token: String,
    /// API key.
    #[serde(flatten)]
    pub api_key: ApiKey,
}

impl TryFrom<entity::api_key::Model> for ApiKey {
    type Error = Error;

    fn try_from(row: entity::api_key::Model) -> Result<Self> {
        let entity::api_key::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            member_id,
            name,
            role,
            token_hash: _,
            expires_at,
            created_by_api_key_id,
            requests_per_minute,
        } = row;
        Ok(Self {
            id,
            version,
            name,
            role: stored::word(entity::api_key::Column::Role, id, &role)?,
            member_id,
            expires_at: expires_at.map(|at| at.to_utc()),
            created_by_api_key_id,
            requests_per_minute,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

/// How many requests a key may send in a minute, if it has a limit of its own.
///
/// # Errors
/// [`Error::Internal`] where the column says what no limit is.
pub(crate) fn requests_per_minute(row: &entity::api_key::Model) -> Result<Option<u32>> {
    let limit = row.requests_per_minute.map(u32::try_from).transpose();
    limit.map_err(|error| Error::Internal(format!("requests_per_minute of a key: {error}")))
}

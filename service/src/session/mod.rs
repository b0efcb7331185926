//! Logins.

mod commands;
pub(crate) mod repository;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub use commands::{create, end, list};

use crate::user::{READ_LENGTH, User};

/// In front of a session's token.
pub(crate) const PREFIX: &str = "stw_s_";

/// A login.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user's address.
    #[validate(length(max = 254))]
    pub email: String,
    /// The user's password.
    #[validate(length(max = READ_LENGTH))]
    #[schema(format = Password)]
    pub password: String,
}

/// A session that has just begun.
#[derive(Clone, Serialize, ToSchema)]
pub struct NewSession {
    /// The id.
    pub id: Uuid,
    /// What to send as `Authorization: Bearer …`. It is shown this once.
    pub token: String,
    /// When the session ends by itself.
    pub expires_at: DateTime<Utc>,
    /// Who has logged in.
    pub user: User,
}

/// A session of one's own.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Session {
    /// The id.
    pub id: Uuid,
    /// Whether this request was made in it.
    pub current: bool,
    /// The `User-Agent` of the login.
    pub user_agent: Option<String>,
    /// When the session began.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
}

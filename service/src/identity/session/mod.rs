//! Logins.

mod commands;
mod example;
pub(crate) mod repository;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub use commands::{create, end, list};

use crate::identity::user::{MAX_READ_LENGTH, User};

/// In front of a session's token.
pub(crate) const PREFIX: &str = "stw_s_";

/// Credentials with which a session is created.
#[crate::input::bounded]
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSession, examples(json!({
    "email": "ada@example.org",
    "password": "correct horse battery staple",
})))]
pub struct Login {
    /// Email address of the user, at most 254 characters.
    #[validate(length(max = 254))]
    pub email: String,
    /// Password of the user.
    #[validate(length(max = MAX_READ_LENGTH))]
    #[schema(format = Password, max_length = 1024)]
    pub password: String,
}

/// New session with its token.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = IssuedSession, examples(Self::example))]
pub struct NewSession {
    /// Unique identifier (UUID) of the session, set by the server.
    pub id: Uuid,
    /// Token to send as `Authorization: Bearer TOKEN`. It is returned only once.
    pub token: String,
    /// Time at which the session expires (RFC 3339, UTC), set by the server.
    pub expires_at: DateTime<Utc>,
    /// User who has logged in.
    pub user: User,
}

/// Session of the current user.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Session {
    /// Unique identifier (UUID) of the session, set by the server.
    pub id: Uuid,
    /// Whether the request was sent in this session.
    pub current: bool,
    /// `User-Agent` header of the login; null if there was none.
    pub user_agent: Option<String>,
    /// Time of the login (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time at which the session expires (RFC 3339, UTC), set by the server.
    pub expires_at: DateTime<Utc>,
}

//! People who log in.

mod commands;
mod example;
pub mod operator;
mod password;
pub(crate) mod repository;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub use commands::{change, change_password, get, register, revert};
pub(crate) use password::{Fit, MAX_READ_LENGTH};
pub use password::{PasswordCost, Passwords};

use crate::{
    error::{Error, Result},
    text,
};

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Registration {
    /// Everybody.
    #[default]
    Open,
    /// Those who hold an invitation; and the first user, who could not be invited by anybody.
    Invite,
    /// Nobody.
    Closed,
}

/// Properties of a new user.
#[crate::input::bounded]
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "email": "ada@example.org",
    "display_name": "Ada Lovelace",
    "password": "correct horse battery staple",
})))]
pub struct NewUser {
    /// Email address with which the user logs in, at most 254 characters. Unique ignoring case.
    #[validate(email(message = "must be an email address"), custom(function = text::address))]
    pub email: String,
    /// Name of the user, not blank, at most 100 characters.
    #[validate(length(max = 100), custom(function = text::visible))]
    pub display_name: String,
    /// Password of 8 to 256 characters, counted after RFC 8265 normalization. The thousand most
    /// common passwords are refused.
    #[validate(length(max = MAX_READ_LENGTH), custom(function = password::acceptable))]
    #[schema(format = Password, min_length = 8, max_length = 256)]
    pub password: String,
    /// Token of an invitation. Required if the server admits only people with an invitation.
    #[validate(length(max = 200))]
    pub invitation: Option<String>,
}

/// Writable properties of a user.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct UserInput {
    /// Email address with which the user logs in, at most 254 characters. Unique ignoring case.
    #[validate(email(message = "must be an email address"), custom(function = text::address))]
    pub email: String,
    /// Name of the user, not blank, at most 100 characters.
    #[validate(length(max = 100), custom(function = text::visible))]
    pub display_name: String,
}

/// Change of the current user's password.
#[crate::input::bounded]
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "current_password": "correct horse battery staple",
    "new_password": "incorrect zebra battery staple",
})))]
pub struct PasswordChange {
    /// Current password.
    #[validate(length(max = MAX_READ_LENGTH))]
    #[schema(format = Password, max_length = 1024)]
    pub current_password: String,
    /// New password of 8 to 256 characters, counted after RFC 8265 normalization. The thousand most
    /// common passwords are refused.
    #[validate(length(max = MAX_READ_LENGTH), custom(function = password::acceptable))]
    #[schema(format = Password, min_length = 8, max_length = 256)]
    pub new_password: String,
}

/// Person who can log in. A user may be a member of several organizations.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct User {
    /// Unique identifier (UUID), set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Email address with which the user logs in, at most 254 characters. Unique ignoring case.
    pub email: String,
    /// Name of the user, not blank, at most 100 characters.
    pub display_name: String,
    /// Time of the registration (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<entity::user::Model> for User {
    type Error = Error;

    fn try_from(row: entity::user::Model) -> Result<Self> {
        let entity::user::Model {
            id,
            version,
            created_at,
            updated_at,
            email,
            email_key: _,
            display_name,
            password_hash: _,
            disabled_at: _,
        } = row;
        Ok(Self {
            id,
            version,
            email,
            display_name,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

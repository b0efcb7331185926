//! People who log in.

mod commands;
pub mod operator;
mod password;
pub(crate) mod repository;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub use commands::{change, change_password, get, register, revert};
pub use password::Passwords;
pub(crate) use password::{Fit, READ_LENGTH};

use crate::text;

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

/// A new user.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The address to log in with.
    #[validate(email(message = "must be an email address"), custom(function = text::address))]
    pub email: String,
    /// How the person is called.
    #[validate(length(max = 100), custom(function = text::visible))]
    pub display_name: String,
    /// 8 to 256 characters, as they are compared (RFC 8265), and none of the thousand most common
    /// passwords.
    #[validate(length(max = READ_LENGTH), custom(function = password::acceptable))]
    #[schema(format = Password, min_length = 8, max_length = 256)]
    pub password: String,
    /// The token of an invitation, where registration takes one.
    #[validate(length(max = 200))]
    pub invitation: Option<String>,
}

/// What a user may write of themselves.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserInput {
    /// The address to log in with.
    #[validate(email(message = "must be an email address"), custom(function = text::address))]
    pub email: String,
    /// How the person is called.
    #[validate(length(max = 100), custom(function = text::visible))]
    pub display_name: String,
}

/// A new password for oneself.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The password until now.
    #[validate(length(max = READ_LENGTH))]
    #[schema(format = Password)]
    pub current_password: String,
    /// 8 to 256 characters, as they are compared (RFC 8265), and none of the thousand most common
    /// passwords.
    #[validate(length(max = READ_LENGTH), custom(function = password::acceptable))]
    #[schema(format = Password, min_length = 8, max_length = 256)]
    pub new_password: String,
}

/// A user.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct User {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// The address to log in with.
    pub email: String,
    /// How the person is called.
    pub display_name: String,
    /// When the user registered.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<entity::user::Model> for User {
    fn from(row: entity::user::Model) -> Self {
        Self {
            id: row.id,
            version: row.version,
            email: row.email,
            display_name: row.display_name,
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}

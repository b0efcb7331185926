//! Invitations into an organization. Whoever holds the token comes in, once: nobody has proven yet that an address is
//! theirs. Behind each stands a member, whose role it never exceeds and with whose membership it ends.

mod commands;
mod repository;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub use commands::{accept, create, delete, open};
pub(crate) use commands::{end_of_api_keys, end_of_member};

use crate::role::Role;

/// In front of an invitation's token.
const PREFIX: &str = "stw_i_";

/// What a client may write of an invitation.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationInput {
    /// Whom it is meant for. A user with another address cannot accept it, which keeps the wrong
    /// one from it by mistake; but nobody proves that an address is theirs: what lets somebody in
    /// is the token.
    #[validate(email(message = "must be an email address"), length(max = 254))]
    pub email: Option<String>,
    /// What the person may do then. Nobody gives a role above their own; if the role of whoever
    /// invited falls until then, this does too.
    pub role: Role,
    /// The member without a login who is invited to have one, of a role not above one's own; otherwise a new member is
    /// made.
    pub member_id: Option<Uuid>,
    /// How many days it is good for; 7 if it is left out. One that an API key makes ends with the key at the latest.
    #[serde(default = "a_week")]
    #[validate(range(min = 1, max = 90))]
    #[schema(minimum = 1, maximum = 90, default = 7)]
    pub expires_in_days: i64,
}

fn a_week() -> i64 {
    7
}

/// An invitation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Invitation {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// Whom it is meant for.
    pub email: Option<String>,
    /// What the person may do then.
    pub role: Role,
    /// The member who is invited to have a login.
    pub member_id: Option<Uuid>,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// Who accepted it.
    pub accepted_by_member_id: Option<Uuid>,
    /// Who made it, and stands behind it.
    pub created_by_member_id: Option<Uuid>,
    /// The API key that made it, and with which it ends; none where a person did.
    pub created_by_api_key_id: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

/// An invitation that was just made, with its token.
#[derive(Clone, Serialize, ToSchema)]
pub struct IssuedInvitation {
    /// What to give to the one who is invited. It is shown this once.
    pub token: String,
    /// The invitation.
    #[serde(flatten)]
    pub invitation: Invitation,
}

impl From<entity::invitation::Model> for Invitation {
    fn from(row: entity::invitation::Model) -> Self {
        Self {
            id: row.id,
            version: row.version,
            email: row.email,
            role: Role::of(&row.role),
            member_id: row.member_id,
            expires_at: row.expires_at.to_utc(),
            accepted_at: row.accepted_at.map(|at| at.to_utc()),
            accepted_by_member_id: row.accepted_by_member_id,
            created_by_member_id: row.created_by_member_id,
            created_by_api_key_id: row.created_by_api_key_id,
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}

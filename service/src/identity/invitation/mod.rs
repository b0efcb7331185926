//! Invitations into an organization. Whoever holds the token comes in, once: nobody has proven yet that an address is
//! theirs. Behind each stands a member, whose role it never exceeds and with whose membership it ends.

mod commands;
mod example;
mod repository;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub use commands::{accept, create, delete, open};
pub(crate) use commands::{end_of_api_keys, end_of_member};

use crate::{
    error::{Error, Result},
    role::Role,
    store::stored,
};

/// In front of an invitation's token.
const PREFIX: &str = "stw_i_";

/// Properties of a new invitation.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct InvitationInput {
    /// Email address of the person invited, at most 254 characters; null for anyone. A user with
    /// another address cannot accept the invitation. The address is not verified: the token is what
    /// authorizes.
    #[validate(email(message = "must be an email address"), length(max = 254))]
    pub email: Option<String>,
    /// Role that the person gets, not above that of the inviting member. It falls with that role
    /// until the invitation is accepted.
    pub role: Role,
    /// Identifier of the member without a login who gets one; null to create a new member. The
    /// member's role must not be above that of the inviting member.
    pub member_id: Option<Uuid>,
    /// Validity of the invitation in days, 1 to 90. Defaults to 7. An invitation that an API key
    /// creates expires with the key at the latest.
    #[serde(default = "a_week")]
    #[validate(range(min = 1, max = 90))]
    #[schema(default = 7)]
    pub expires_in_days: i64,
}

fn a_week() -> i64 {
    7
}

/// Invitation to become a member with a login. Its token is only returned on creation.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Invitation {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Email address of the person invited, at most 254 characters; null for anyone. A user with
    /// another address cannot accept the invitation. The address is not verified: the token is what
    /// authorizes.
    pub email: Option<String>,
    /// Role that the person gets, not above that of the inviting member.
    pub role: Role,
    /// Identifier of the member without a login who gets one; null to create a new member.
    pub member_id: Option<Uuid>,
    /// Time at which the invitation expires (RFC 3339, UTC), set by the server.
    pub expires_at: DateTime<Utc>,
    /// Time at which the invitation was accepted (RFC 3339, UTC), set by the server; null if it was
    /// not.
    pub accepted_at: Option<DateTime<Utc>>,
    /// Identifier of the member as whom the person accepted the invitation, set by the server; null
    /// if nobody did.
    pub accepted_by_member_id: Option<Uuid>,
    /// Identifier of the member who created the invitation, set by the server; null if no member
    /// did.
    pub created_by_member_id: Option<Uuid>,
    /// Identifier of the API key with which the invitation was created, set by the server; null if
    /// a user created it. The invitation expires with it.
    pub created_by_api_key_id: Option<Uuid>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

/// New invitation with its token.
#[derive(Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct IssuedInvitation {
    /// Token with which the person accepts the invitation or registers. It is returned only once.
    pub token: String,
    /// Invitation.
    #[serde(flatten)]
    pub invitation: Invitation,
}

impl TryFrom<entity::invitation::Model> for Invitation {
    type Error = Error;

    fn try_from(row: entity::invitation::Model) -> Result<Self> {
        let entity::invitation::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            email,
            role,
            member_id,
            token_hash: _,
            expires_at,
            accepted_at,
            created_by_member_id,
            created_by_api_key_id,
            accepted_by_member_id,
        } = row;
        Ok(Self {
            id,
            version,
            email,
            role: stored::word(entity::invitation::Column::Role, id, &role)?,
            member_id,
            expires_at: expires_at.to_utc(),
            accepted_at: accepted_at.map(|at| at.to_utc()),
            accepted_by_member_id,
            created_by_member_id,
            created_by_api_key_id,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

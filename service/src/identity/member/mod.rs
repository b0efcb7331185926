//! People in an organization. A member who logs in has a user; children and crew without a login
//! are members too.

mod access;
mod commands;
mod example;
pub(crate) mod repository;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub(crate) use access::{end_access, ensure_may_grant, ensure_may_manage, ensure_not_last_owner};
pub(crate) use commands::ensure_attachable;

use crate::{
    actor::Actor,
    error::{Error, Result},
    role::{Permission, Role},
    store::stored,
    text,
};

/// Writable properties of a member.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct MemberInput {
    /// Name of the member in the organization, not blank, at most 100 characters.
    #[validate(length(max = 100), custom(function = text::visible))]
    pub name: String,
    /// Role of the member, not above that of the member who sets it. Defaults to `member`.
    #[serde(default = "member")]
    pub role: Role,
    /// Whether the member is active. An inactive member has no access; what they recorded remains.
    /// Defaults to true.
    #[serde(default = "yes")]
    pub active: bool,
    /// Current cost of an hour of the member's work in minor units of the organization's currency,
    /// 0 to 9007199254740991; null for none. Setting it creates a rate from today on; the first
    /// one holds from 1970-01-01.
    #[validate(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub hourly_rate_minor: Option<i64>,
    /// Identifier of the member in another system, at most 100 characters.
    #[validate(length(max = 100))]
    pub external_ref: Option<String>,
}

fn member() -> Role {
    Role::Member
}

fn yes() -> bool {
    true
}

/// Person in an organization, with or without a login.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Member {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Identifier of the member's user, set by the server; null for a member without a login.
    pub user_id: Option<Uuid>,
    /// Name of the member in the organization, not blank, at most 100 characters.
    pub name: String,
    /// Role of the member, not above that of the member who sets it.
    pub role: Role,
    /// Whether the member is active. An inactive member has no access; what they recorded remains.
    pub active: bool,
    /// Current cost of an hour of the member's work in minor units of the organization's currency;
    /// null for none. Returned only with the permission `member:manage`, and to the member in a
    /// session.
    pub hourly_rate_minor: Option<i64>,
    /// Identifier of the member in another system. Returned only with the permission
    /// `member:manage`, and to the member in a session.
    pub external_ref: Option<String>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl Member {
    /// The member as the actor may see them.
    pub(crate) fn redacted_for(self, actor: &Actor) -> Self {
        if Self::shown_whole(actor, Some(self.id)) {
            return self;
        }
        Self { hourly_rate_minor: None, external_ref: None, ..self }
    }

    fn shown_whole(actor: &Actor, id: Option<Uuid>) -> bool {
        actor.may(Permission::ManageMembers) || id.is_some_and(|id| actor.is_in_person(id))
    }
}

impl TryFrom<entity::member::Model> for Member {
    type Error = Error;

    fn try_from(row: entity::member::Model) -> Result<Self> {
        let entity::member::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            user_id,
            name,
            name_key: _,
            role,
            active,
            hourly_rate_minor,
            external_ref,
        } = row;
        Ok(Self {
            id,
            version,
            user_id,
            name,
            role: stored::word(entity::member::Column::Role, id, &role)?,
            active,
            hourly_rate_minor,
            external_ref,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

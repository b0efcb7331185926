//! People in an organization. A member who logs in has a user; children and crew without a login
//! are members too.

mod access;
mod commands;
pub(crate) mod repository;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub(crate) use access::{end_access, may_give, may_leave, may_touch};

use crate::{
    actor::Actor,
    role::{Permission, Role},
    text,
};

/// What a client may write of a member.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberInput {
    /// How the person is called here.
    #[validate(length(max = 100), custom(function = text::visible))]
    #[schema(max_length = 100)]
    pub name: String,
    /// What the person may do; `member` if it is left out. Nobody gives a role above their own.
    #[serde(default = "member")]
    pub role: Role,
    /// Whether the person still belongs here: one who does not has no access, and what they did
    /// stays.
    #[serde(default = "yes")]
    pub active: bool,
    /// What an hour of the person costs from today on, in minor units of the organization's currency. Which rate
    /// held when: `…/rates`.
    #[validate(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub hourly_rate_minor: Option<i64>,
    /// The person's number in another system.
    #[validate(length(max = 100))]
    #[schema(max_length = 100)]
    pub external_ref: Option<String>,
}

fn member() -> Role {
    Role::Member
}

fn yes() -> bool {
    true
}

/// A member.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Member {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// The user, if the person logs in.
    pub user_id: Option<Uuid>,
    /// How the person is called here.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// Whether the person still belongs here.
    pub active: bool,
    /// What an hour of the person costs now; shown to those who manage members, and to the person in a session.
    pub hourly_rate_minor: Option<i64>,
    /// The person's number in another system; shown likewise.
    pub external_ref: Option<String>,
    /// When the member was made.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Member {
    /// The member as the actor may see them.
    pub(crate) fn seen_by(self, actor: &Actor) -> Self {
        if Self::shown_whole(actor, Some(self.id)) {
            return self;
        }
        Self { hourly_rate_minor: None, external_ref: None, ..self }
    }

    fn shown_whole(actor: &Actor, id: Option<Uuid>) -> bool {
        actor.may(Permission::ManageMembers) || id.is_some_and(|id| actor.is_in_person(id))
    }
}

impl From<entity::member::Model> for Member {
    fn from(row: entity::member::Model) -> Self {
        Self {
            id: row.id,
            version: row.version,
            user_id: row.user_id,
            name: row.name,
            role: Role::of(&row.role),
            active: row.active,
            hourly_rate_minor: row.hourly_rate_minor,
            external_ref: row.external_ref,
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}

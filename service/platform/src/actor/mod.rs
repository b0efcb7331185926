//! For whom something is done.

mod settings;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

pub use settings::Settings;

use crate::{
    error::{Error, Result},
    role::{Permission, Role},
    store::stored::StoredWord,
    tenant,
};

/// Someone in one organization: no function of a tenant's data can be called without saying for
/// whom, and so in which organization.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The organization in which all this happens.
    pub organization_id: Uuid,
    /// What the actor may do there.
    pub role: Role,
    /// The member who acts, in person or by an API key of theirs. None for the operator's command
    /// line. To be written down, and to refuse what is one's own: what is *allowed* for being one's own goes through
    /// [`Actor::is_in_person`] and [`Actor::may_for`], which know what a key is.
    pub member_id: Option<Uuid>,
    /// How the actor has shown who they are.
    pub authentication: Authentication,
    /// The organization's settings.
    pub settings: Arc<Settings>,
    /// Who the log says has done it.
    pub author: Author,
    /// The request in which it is done.
    pub request_id: Option<Uuid>,
}

/// How somebody has shown who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// A person, in a session of theirs.
    Session,
    /// A program, with an API key.
    ApiKey {
        /// The key.
        id: Uuid,
        /// When it ends by itself. What it makes to let others in ends no later.
        expires_at: Option<DateTime<Utc>>,
        /// How many requests it may send in a minute, if it has a limit of its own. What it makes has none above it.
        requests_per_minute: Option<u32>,
    },
    /// Nobody from outside: the operator at the command line, or steward itself.
    Internal,
}

impl Authentication {
    /// The API key, if it is one.
    pub fn api_key_id(self) -> Option<Uuid> {
        match self {
            Self::ApiKey { id, .. } => Some(id),
            Self::Session | Self::Internal => None,
        }
    }
}

/// Who does something, as the log says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// A user, in what is of no organization.
    User(Uuid),
    /// A member in person.
    Member(Uuid),
    /// A program with this API key.
    ApiKey(Uuid),
    /// The operator at the command line.
    Operator,
    /// steward itself.
    System,
    /// This rule, which a member made.
    Rule(Uuid),
}

impl Author {
    /// What kind of author this is, as a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Member(_) => "member",
            Self::ApiKey(_) => "api_key",
            Self::Operator => "operator",
            Self::System => "system",
            Self::Rule(_) => "rule",
        }
    }

    /// The id of the user, the member, the key or the rule.
    pub fn id(self) -> Option<Uuid> {
        match self {
            Self::User(id) | Self::Member(id) | Self::ApiKey(id) | Self::Rule(id) => Some(id),
            Self::Operator | Self::System => None,
        }
    }
}

impl Actor {
    /// steward itself, in one organization: what works in the background acts as this.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such organization.
    pub async fn system(connection: &impl ConnectionTrait, organization_id: Uuid) -> Result<Self> {
        let row = tenant::get(connection, organization_id).await?;
        Ok(Self {
            organization_id,
            role: Role::Owner,
            member_id: None,
            settings: Arc::new((&row).try_into()?),
            authentication: Authentication::Internal,
            author: Author::System,
            request_id: None,
        })
    }

    /// Whether the actor's role has the permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.role.may(permission)
    }

    /// Whether this is the member in person: in a session, and not a program with a key of theirs.
    /// What people may do to themselves whatever their role, and see of themselves, goes by this
    /// alone: a key may what its role may.
    pub fn is_in_person(&self, member_id: Uuid) -> bool {
        self.authentication == Authentication::Session && self.member_id == Some(member_id)
    }

    /// Whether the actor may do to what is this member's what one permission allows for oneself, and another for
    /// everybody.
    pub fn may_for(&self, member_id: Uuid, own: Permission, all: Permission) -> bool {
        self.may(all) || (self.may(own) && self.member_id == Some(member_id))
    }

    /// Refuses an actor whose role lacks the permission.
    ///
    /// # Errors
    /// [`Error::Forbidden`], or [`Error::NotFound`] where the permission hides what it is about.
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.may(permission) {
            return Ok(());
        }
        if let Some(what) = permission.hides() {
            return Err(Error::NotFound(what));
        }
        let (name, role) = (permission.name(), permission.least_role().as_str());
        Err(Error::forbidden(
            "role_insufficient",
            format!("the operation requires the permission {name}, of the role {role} and higher"),
        ))
    }
}

//! For whom something is done.

use std::sync::Arc;

use uuid::Uuid;

use crate::{
    error::{Error, Result},
    organization::Settings,
    role::{Permission, Role},
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
    /// line.
    pub member_id: Option<Uuid>,
    /// The organization's settings.
    pub settings: Arc<Settings>,
    /// Who the log says has done it.
    pub author: Author,
    /// The request in which it is done.
    pub request_id: Option<Uuid>,
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
    /// Whether the actor's role has the permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.role.may(permission)
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
            format!("this takes the permission {name}, which starts with the role {role}"),
        ))
    }
}

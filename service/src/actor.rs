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
}

impl Actor {
    /// Whether the actor's role has the permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.role.may(permission)
    }

    /// Refuses an actor whose role lacks the permission.
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.may(permission) {
            return Ok(());
        }
        let (name, role) = (permission.name(), permission.least_role().as_str());
        Err(Error::forbidden(
            "role_insufficient",
            format!("this takes the permission {name}, which starts with the role {role}"),
        ))
    }
}

//! After the database has refused a foreign key: which of the named rows there are not. The database itself
//! does not say.

use entity::{TenantEntity, Versioned};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::versioned::find_missing_ids;
use crate::error::{Error, Result, Violation, Violations};

/// The references of an input to rows of one organization, and what is found to be wrong with them.
pub struct References<'c, C> {
    connection: &'c C,
    organization_id: Uuid,
    violations: Violations,
}

impl<'c, C: ConnectionTrait> References<'c, C> {
    /// No references yet.
    pub fn new(connection: &'c C, organization_id: Uuid) -> Self {
        Self { connection, organization_id, violations: Violations::new() }
    }

    /// Looks up those to rows of one table, each with the pointer to it in the input.
    pub async fn check<E: TenantEntity + Versioned>(
        &mut self,
        references: Vec<(String, Uuid)>,
    ) -> Result<()> {
        let ids = references.iter().map(|(_, id)| *id).collect();
        let missing = find_missing_ids::<E>(self.connection, self.organization_id, ids).await?;
        let unknown = references.into_iter().filter(|(_, id)| missing.contains(id));
        self.violations.extend(unknown.map(|(pointer, _)| {
            Violation::new(
                pointer,
                "unknown",
                format!("must identify a {} of the organization", E::NAME),
            )
        }));
        Ok(())
    }

    /// The references to rows that there are not, in the order in which they were looked up.
    pub fn into_violations(self) -> Violations {
        self.violations
    }

    /// Why the database has refused them. If there are all now, or one went a moment ago, the same request
    /// may now succeed.
    pub fn explain(self) -> Error {
        if self.violations.is_empty() {
            return Error::Unavailable("a row that this refers to is just being changed".into());
        }
        Error::Invalid(self.violations)
    }
}

//! Roles, and what each may do: this table and no other.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

/// Role of a member or an API key. Each role has all permissions of the lower ones, from `viewer`
/// up to `owner`.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Records their own time and expenses, tasks and daily reports.
    Member,
    /// Records and decides for everyone; manages categories, budgets and projects.
    Manager,
    /// Manages members, API keys and the settings of the organization.
    Admin,
    /// Has all permissions, including that to delete the organization. An organization always has
    /// an owner.
    Owner,
}

/// A permission as a type, for signatures: who reaches a function that takes one of these has it.
pub trait PermissionType: 'static {
    /// The permission.
    const PERMISSION: Permission;

    /// Its name, for the document.
    fn name() -> &'static str {
        Self::PERMISSION.name()
    }
}

/// Makes [`Permission`], [`PERMISSIONS`] and the types of [`permission`] from one table: each permission
/// with its name, the least role that has it, and what it is for.
macro_rules! permissions {
    ($(($permission:ident, $name:literal, $role:ident, $what:literal)),* $(,)?) => {
        /// One thing that can be allowed or not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Permission {
            $(#[doc = concat!($what, ".")] $permission,)*
        }

        /// Each permission with its name, the least role that has it, and what it is for. docs/roles.md
        /// has this table.
        pub const PERMISSIONS: &[(Permission, &str, Role, &str)] =
            &[$((Permission::$permission, $name, Role::$role, $what)),*];

        impl Permission {
            /// Its name in documents and errors.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$permission => $name,)*
                }
            }

            /// The least role that has it.
            pub fn least_role(self) -> Role {
                match self {
                    $(Self::$permission => Role::$role,)*
                }
            }
        }

        /// Each permission as a type ([`PermissionType`]).
        pub mod permission {
            use super::{Permission, PermissionType};
            $(
                #[doc = concat!("Takes [`Permission::", stringify!($permission), "`].")]
                #[derive(Debug, Clone, Copy)]
                pub struct $permission;

                impl PermissionType for $permission {
                    const PERMISSION: Permission = Permission::$permission;
                }
            )*
        }
    };
}

permissions![
    (ReadOrganization, "organization:read", Viewer, "See the organization and its settings"),
    (ChangeOrganization, "organization:change", Admin, "Change the organization's settings"),
    (DeleteOrganization, "organization:delete", Owner, "Delete it with all that it holds"),
    (ReadMembers, "member:read", Viewer, "See who is in the organization"),
    (ManageMembers, "member:manage", Admin, "Add, change and remove members; see rates"),
    (ManageInvitations, "invitation:manage", Admin, "Invite people"),
    (ManageApiKeys, "api_key:manage", Admin, "Make and end API keys"),
    (ManageWebhooks, "webhook:manage", Admin, "Have events sent elsewhere"),
    (ReadMoney, "money:read", Viewer, "See categories, budgets, expenses and rules"),
    (RecordExpenses, "expense:record", Member, "Record, change and submit one's own expenses"),
    (ManageExpenses, "expense:manage", Manager, "Do so for everybody; import"),
    (DecideExpenses, "expense:decide", Manager, "Approve, reject, reimburse and pay"),
    (ManageCategories, "category:manage", Manager, "Add, change and remove categories"),
    (ManageBudgets, "budget:manage", Manager, "Add, change and remove budgets"),
    (ManageRules, "rule:manage", Manager, "Add, change, try and remove rules"),
    (ReadReports, "report:read", Viewer, "Read reports"),
    (ReadCosts, "cost:read", Manager, "See what projects cost, and so what hours do"),
    (ReadLedger, "ledger:read", Viewer, "See accounts, their balances and the journal"),
    (ManageAccounts, "account:manage", Manager, "Add, change and remove accounts"),
    (PostEntries, "ledger:post", Manager, "Post and reverse journal entries"),
    (ReadWork, "work:read", Viewer, "See projects, tasks, time and daily reports"),
    (ManageProjects, "project:manage", Manager, "Add, change and remove projects"),
    (ManageIncidents, "incident:manage", Admin, "See, report, change and remove incidents"),
    (RecordTasks, "task:record", Member, "Add, change, finish and remove tasks"),
    (RecordTime, "time:record", Member, "Record, change and submit one's own time"),
    (ManageTime, "time:manage", Manager, "Do so for everybody; import"),
    (DecideTime, "time:decide", Manager, "Approve and reject timecards"),
    (ReopenTimecards, "timecard:reopen", Admin, "Open decided timecards again"),
    (RecordDailyReports, "daily_report:record", Member, "Write, submit and amend daily reports"),
    (DecideDailyReports, "daily_report:decide", Manager, "Approve daily reports"),
    (ReadAttachments, "attachment:read", Viewer, "See the files of what one sees"),
    (
        RecordAttachments,
        "attachment:record",
        Member,
        "Rename and remove the files of what one may change"
    ),
    (
        ReadDocuments,
        "document:read",
        Viewer,
        "See collections, and the documents of those that the role may read"
    ),
    (
        WriteDocuments,
        "document:write",
        Member,
        "Write documents, in the collections that the role may write"
    ),
    (ManageCollections, "collection:manage", Manager, "Add, change and remove collections"),
    (ReadMeters, "meter:read", Viewer, "See meters, their readings and what they come to"),
    (RecordReadings, "reading:record", Member, "Add, correct and remove readings"),
    (
        ManageMeters,
        "meter:manage",
        Manager,
        "Add, change and remove meters; decide where counters began anew"
    ),
    (ManageImports, "import:manage", Manager, "See how imports go, and call them off"),
    (ReadSagas, "saga:read", Manager, "See how payouts, offboardings and imports go"),
    (ManageSagas, "saga:manage", Admin, "Retry and undo them, and mark payouts paid"),
];

/// What nobody without the permission is even told of: to them there is no such thing. What others are
/// refused with 403, they are with 404.
pub const HIDDEN: &[(Permission, &str)] = &[(Permission::ManageIncidents, "incident")];

impl Permission {
    /// What is hidden from those who lack it, if anything is.
    pub fn hides(self) -> Option<&'static str> {
        HIDDEN.iter().find(|(permission, _)| *permission == self).map(|(_, what)| *what)
    }
}

impl Role {
    /// Whether the role has the permission.
    pub fn may(self, permission: Permission) -> bool {
        self >= permission.least_role()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_permission_has_a_name_of_its_own() {
        let names: HashSet<_> = PERMISSIONS.iter().map(|row| row.1).collect();
        assert_eq!(names.len(), PERMISSIONS.len());
    }
}

//! Roles, and what each may do: this table and no other.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Role of a member or an API key. Each role has all permissions of the lower ones, from `viewer`
/// up to `owner`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
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

/// One thing that can be allowed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See the organization and its settings.
    ReadOrganization,
    /// Change the organization's settings.
    ChangeOrganization,
    /// End the organization, with all that it holds.
    DeleteOrganization,
    /// See who is in the organization.
    ReadMembers,
    /// Add, change and remove members.
    ManageMembers,
    /// Invite people.
    ManageInvitations,
    /// Make and end API keys.
    ManageApiKeys,
    /// Make, change and remove webhooks; see their deliveries.
    ManageWebhooks,
    /// See categories, budgets, expenses and rules.
    ReadMoney,
    /// Record expenses of one's own, change and submit them.
    RecordExpenses,
    /// Record and change anybody's expenses; import.
    ManageExpenses,
    /// Approve, reject and reimburse.
    DecideExpenses,
    /// Add, change, move and remove categories.
    ManageCategories,
    /// Add, change and remove budgets.
    ManageBudgets,
    /// Add, change and remove rules.
    ManageRules,
    /// Read reports.
    ReadReports,
    /// See what projects cost.
    ReadCosts,
    /// See accounts, their balances and the journal.
    ReadLedger,
    /// Add, change and remove accounts.
    ManageAccounts,
    /// Post and reverse journal entries.
    PostEntries,
    /// See projects, tasks, time and daily reports.
    ReadWork,
    /// Add, change and remove projects.
    ManageProjects,
    /// See, report, change and remove incidents; their logs of the year.
    ManageIncidents,
    /// Add, change, finish and remove tasks.
    RecordTasks,
    /// Record time of one's own, change it and submit one's weeks.
    RecordTime,
    /// Record and change anybody's time; import.
    ManageTime,
    /// Approve and reject timecards.
    DecideTime,
    /// Open timecards again that were submitted or approved.
    ReopenTimecards,
    /// Write, submit and amend daily reports.
    RecordDailyReports,
    /// Approve daily reports.
    DecideDailyReports,
    /// See imports that go on by themselves, and call them off.
    ManageImports,
    /// See sagas.
    ReadSagas,
    /// Retry sagas, undo them, and say that they are paid.
    ManageSagas,
}

/// The least role for each permission, its name, and what it is for. docs/roles.md is made of this.
pub const PERMISSIONS: &[(Permission, &str, Role, &str)] = {
    use Permission::*;
    use Role::*;
    &[
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
        (
            RecordDailyReports,
            "daily_report:record",
            Member,
            "Write, submit and amend daily reports",
        ),
        (DecideDailyReports, "daily_report:decide", Manager, "Approve daily reports"),
        (ManageImports, "import:manage", Manager, "See how imports go, and call them off"),
        (ReadSagas, "saga:read", Manager, "See how payouts, offboardings and imports go"),
        (ManageSagas, "saga:manage", Admin, "Retry and undo them, and mark payouts paid"),
    ]
};

/// What nobody without the permission is even told of: to them there is no such thing. What others are
/// refused with 403, they are with 404.
pub const HIDDEN: &[(Permission, &str)] = &[(Permission::ManageIncidents, "incident")];

impl Permission {
    /// What is hidden from those who lack it, if anything is.
    pub fn hides(self) -> Option<&'static str> {
        HIDDEN.iter().find(|(permission, _)| *permission == self).map(|(_, what)| *what)
    }

    fn row(self) -> (&'static str, Role) {
        PERMISSIONS
            .iter()
            .find(|(permission, ..)| *permission == self)
            .map_or(("", Role::Owner), |(_, name, role, _)| (name, *role))
    }

    /// Its name in documents and errors.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The least role that has it.
    pub fn least_role(self) -> Role {
        self.row().1
    }
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 5] =
        [Self::Viewer, Self::Member, Self::Manager, Self::Admin, Self::Owner];

    /// Whether the role has the permission.
    pub fn may(self, permission: Permission) -> bool {
        self >= permission.least_role()
    }

    /// The role of a word from the database; an unknown one may nothing but read.
    pub(crate) fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|role| role.as_str() == word).unwrap_or(Self::Viewer)
    }

    /// As it is written in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Manager => "manager",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_permission_has_one_row_and_every_name_is_its_own() {
        let permissions: HashSet<_> = PERMISSIONS.iter().map(|row| row.0).collect();
        let names: HashSet<_> = PERMISSIONS.iter().map(|row| row.1).collect();
        assert_eq!(permissions.len(), PERMISSIONS.len());
        assert_eq!(names.len(), PERMISSIONS.len());
        // A permission that has no row would fall to the owner without a name.
        assert!(PERMISSIONS.iter().all(|row| !row.0.name().is_empty()));
    }
}

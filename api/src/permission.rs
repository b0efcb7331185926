//! Permissions as types: a handler that takes a [`Require<RecordExpenses>`] cannot be reached
//! without.
//!
//! [`Require<RecordExpenses>`]: crate::extract::Require

use service::role::Permission;

/// A permission that a handler asks for in its signature.
pub trait PermissionType: 'static {
    /// The permission.
    const PERMISSION: Permission;

    /// Its name, for the document.
    fn name() -> &'static str {
        Self::PERMISSION.name()
    }
}

macro_rules! permissions {
    ($($name:ident),* $(,)?) => {$(
        #[doc = concat!("Takes [`Permission::", stringify!($name), "`].")]
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl PermissionType for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )*};
}

permissions!(
    ReadOrganization,
    ChangeOrganization,
    DeleteOrganization,
    ReadMembers,
    ManageMembers,
    ManageInvitations,
    ManageApiKeys,
    ManageWebhooks,
    ReadMoney,
    RecordExpenses,
    ManageExpenses,
    DecideExpenses,
    ManageCategories,
    ManageBudgets,
    ManageRules,
    ReadReports,
    ReadCosts,
    ReadLedger,
    ManageAccounts,
    PostEntries,
    ReadWork,
    ManageProjects,
    ManageIncidents,
    RecordTasks,
    RecordTime,
    ManageTime,
    DecideTime,
    ReopenTimecards,
    RecordDailyReports,
    DecideDailyReports,
    ManageImports,
    ReadSagas,
    ManageSagas,
);

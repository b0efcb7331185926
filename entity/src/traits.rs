use sea_orm::EntityTrait;

use crate::rows::OrderedColumns;
use crate::tables::{
    account, account_balance, api_key, budget, category, daily_report, daily_report_crew,
    daily_report_item, event, expense, expense_item, expense_project, expense_tag, idempotency_key,
    import, incident, invitation, journal_entry, member, organization, parked_event, project, rate,
    rule, saga, session, task, task_tag, task_turn, time_entry, time_entry_day, time_entry_tag,
    timecard, transfer, user, webhook, webhook_attempt, webhook_delivery, webhook_progress,
};

/// A table whose rows have an id: what every list's order ends with.
pub trait Identified: OrderedColumns {
    /// The id's column.
    const ID: Self::Column;
}

/// A table whose rows belong to one organization. Its key leads with the organization, and no
/// query reaches it without naming one.
pub trait TenantEntity: Identified {
    /// The organization's column.
    const ORGANIZATION_ID: Self::Column;
}

/// A table whose rows carry an optimistic version, and when they were last changed.
pub trait Versioned: OrderedColumns {
    /// What the resource is called, as in `no such {NAME}`.
    const NAME: &'static str;
    /// The version's column: 1 for a new row, one more for each change.
    const VERSION: Self::Column;
    /// When the row was last changed.
    const UPDATED_AT: Self::Column;
}

/// A table whose rows are parts of a row of another table, and are written with it.
pub trait Child: EntityTrait {
    /// The organization's column.
    const ORGANIZATION_ID: Self::Column;
    /// The column of what they are parts of.
    const PARENT_ID: Self::Column;
}

macro_rules! identified {
    ($($table:ident),*) => {$(
        impl Identified for $table::Entity {
            const ID: $table::Column = $table::Column::Id;
        }
    )*};
}

macro_rules! tenant_entities {
    ($($table:ident),*) => {$(
        identified!($table);

        impl TenantEntity for $table::Entity {
            const ORGANIZATION_ID: $table::Column = $table::Column::OrganizationId;
        }
    )*};
}

macro_rules! versioned {
    ($($table:ident: $name:literal),*) => {
        $(
            impl Versioned for $table::Entity {
                const NAME: &'static str = $name;
                const VERSION: $table::Column = $table::Column::Version;
                const UPDATED_AT: $table::Column = $table::Column::UpdatedAt;
            }
        )*

        /// The names of the versioned tables: the guards of the tests go through them.
        pub const VERSIONED_TABLES: &[&str] = &[$(stringify!($table)),*];
    };
}

macro_rules! children {
    ($($table:ident: $parent:ident),*) => {$(
        impl Child for $table::Entity {
            const ORGANIZATION_ID: $table::Column = $table::Column::OrganizationId;
            const PARENT_ID: $table::Column = $table::Column::$parent;
        }
    )*};
}

identified!(organization, session, user);
tenant_entities!(
    account,
    account_balance,
    api_key,
    budget,
    category,
    daily_report,
    event,
    expense,
    expense_item,
    idempotency_key,
    import,
    incident,
    invitation,
    journal_entry,
    member,
    parked_event,
    project,
    rate,
    rule,
    saga,
    task,
    time_entry,
    timecard,
    transfer,
    webhook,
    webhook_attempt,
    webhook_delivery,
    webhook_progress
);
versioned!(
    account: "account",
    api_key: "API key",
    budget: "budget",
    category: "category",
    daily_report: "daily report",
    expense: "expense",
    incident: "incident",
    invitation: "invitation",
    journal_entry: "journal entry",
    member: "member",
    organization: "organization",
    project: "project",
    rate: "rate",
    rule: "rule",
    saga: "saga",
    task: "task",
    time_entry: "time entry",
    timecard: "timecard",
    user: "user",
    webhook: "webhook"
);
children!(
    daily_report_crew: DailyReportId,
    daily_report_item: DailyReportId,
    expense_item: ExpenseId,
    expense_project: ExpenseId,
    expense_tag: ExpenseId,
    task_tag: TaskId,
    task_turn: TaskId,
    time_entry_day: TimeEntryId,
    time_entry_tag: TimeEntryId
);

use sea_orm::EntityTrait;

use crate::rows::OrderedColumns;
use crate::tables::{
    daily_report_crew, daily_report_item, document_value, expense_item, expense_project,
    expense_tag, task_tag, task_turn, time_entry_day, time_entry_tag,
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

/// A table whose rows carry an optimistic version, and when they were made and last changed.
pub trait Versioned: OrderedColumns {
    /// What the resource is called, as in `no such {NAME}`.
    const NAME: &'static str;
    /// The version's column: 1 for a new row, one more for each change.
    const VERSION: Self::Column;
    /// When the row was made.
    const CREATED_AT: Self::Column;
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

/// Implements [`Identified`] for tables.
macro_rules! identified {
    ($($table:ident),* $(,)?) => {$(
        impl $crate::traits::Identified for $table::Entity {
            const ID: $table::Column = $table::Column::Id;
        }
    )*};
}
pub(crate) use identified;

/// Implements [`TenantEntity`] and [`Identified`] for tables.
macro_rules! tenant_entities {
    ($($table:ident),* $(,)?) => {$(
        $crate::traits::identified!($table);

        impl $crate::traits::TenantEntity for $table::Entity {
            const ORGANIZATION_ID: $table::Column = $table::Column::OrganizationId;
        }
    )*};
}
pub(crate) use tenant_entities;

/// Implements [`Versioned`] for tables, each with its name, and lists them.
macro_rules! versioned {
    ($($table:ident: $name:literal),* $(,)?) => {
        $(
            impl $crate::traits::Versioned for $table::Entity {
                const NAME: &'static str = $name;
                const VERSION: $table::Column = $table::Column::Version;
                const CREATED_AT: $table::Column = $table::Column::CreatedAt;
                const UPDATED_AT: $table::Column = $table::Column::UpdatedAt;
            }
        )*

        /// The names of the versioned tables: the guards of the tests go through them.
        pub const VERSIONED_TABLES: &[&str] = &[$(stringify!($table)),*];
    };
}
pub(crate) use versioned;

/// Implements [`Child`] for tables, each with the column of what its rows are parts of.
macro_rules! children {
    ($($table:ident: $parent:ident),*) => {$(
        impl Child for $table::Entity {
            const ORGANIZATION_ID: $table::Column = $table::Column::OrganizationId;
            const PARENT_ID: $table::Column = $table::Column::$parent;
        }
    )*};
}

children!(
    daily_report_crew: DailyReportId,
    daily_report_item: DailyReportId,
    document_value: DocumentId,
    expense_item: ExpenseId,
    expense_project: ExpenseId,
    expense_tag: ExpenseId,
    task_tag: TaskId,
    task_turn: TaskId,
    time_entry_day: TimeEntryId,
    time_entry_tag: TimeEntryId
);

//! Sums over what was spent.

mod budgets;
mod hours;
mod job_cost;
mod labels;
mod months;
mod repository;
mod rules;
mod spending;
mod timesheet;
mod worked;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use budgets::budgets;
pub(crate) use budgets::standings;
pub use hours::{GroupBy as HoursGroupBy, Hours, HoursQuery, HoursRow, hours};
pub use job_cost::{
    CostRow, CurrencyCost, JobCost, JobCostQuery, Labour, LabourRow, Period as JobCostPeriod,
    ProjectExpenses, job_cost,
};
pub use spending::spending;
pub use timesheet::{
    Timesheet, TimesheetCard, TimesheetDay, TimesheetEntry, TimesheetProject, TimesheetQuery,
    timesheet,
};

use crate::{
    budget::{
        Budget, Period,
        rules::{Pace, period_of},
    },
    text,
};

/// The Monday of the week of a day.
fn week_of(day: NaiveDate) -> NaiveDate {
    period_of(Period::Week, day).from
}

/// By what spending is grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// By category; a line's own goes before its expense's.
    Category,
    /// By project; a line's own goes before its expense's.
    Project,
    /// By month.
    Month,
    /// By the member who paid.
    Member,
}

impl GroupBy {
    /// Whether lines may have a group of their own.
    fn by_line(self) -> bool {
        matches!(self, Self::Category | Self::Project)
    }
}

/// Which spending, and how grouped.
#[derive(Debug, Clone, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SpendingQuery {
    /// The first day.
    #[validate(custom(function = text::day))]
    pub from: NaiveDate,
    /// The last day.
    #[validate(custom(function = text::day))]
    pub to: NaiveDate,
    /// By what.
    #[param(inline)]
    pub group_by: GroupBy,
    /// Only for this project.
    pub project_id: Option<Uuid>,
}

/// What was spent from one day to another. Refunds count against it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Spending {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// By what it is grouped.
    pub group_by: GroupBy,
    /// The groups, by label and currency.
    pub rows: Vec<SpendingRow>,
    /// The sum of each currency.
    pub totals: Vec<SpendingTotal>,
}

/// The spending of one group in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SpendingRow {
    /// The id of the category, the project or the member, or the month as `2026-11`. Null for no category
    /// and for no project.
    pub key: Option<String>,
    /// What to call the group.
    pub label: String,
    /// The currency.
    pub currency: String,
    /// Approved and reimbursed, in minor units.
    #[schema(value_type = i64)]
    pub amount_minor: i128,
    /// Drafts and submitted, in minor units.
    #[schema(value_type = i64)]
    pub pending_minor: i128,
    /// How many expenses, rejected ones left out. One with lines counts in each group it has lines in.
    pub count: i64,
}

/// All spending in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SpendingTotal {
    /// The currency.
    pub currency: String,
    /// Approved and reimbursed, in minor units.
    #[schema(value_type = i64)]
    pub amount_minor: i128,
    /// Drafts and submitted, in minor units.
    #[schema(value_type = i64)]
    pub pending_minor: i128,
    /// How many expenses, rejected ones left out.
    pub count: i64,
}

/// On which day.
#[derive(Debug, Clone, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BudgetsQuery {
    /// The day.
    #[validate(custom(function = text::day))]
    pub on: NaiveDate,
}

/// The budgets that hold on a day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Budgets {
    /// The day.
    pub on: NaiveDate,
    /// The budgets by name.
    pub rows: Vec<BudgetRow>,
}

/// Where a budget stands in the period of a day, until the end of that day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BudgetRow {
    /// The budget.
    pub budget: Budget,
    /// The first day of the period.
    pub from: NaiveDate,
    /// The last day of the period.
    pub to: NaiveDate,
    /// What has been spent: approved and reimbursed, in minor units.
    #[schema(value_type = i64)]
    pub actual_minor: i128,
    /// Drafts and submitted, in minor units.
    #[schema(value_type = i64)]
    pub pending_minor: i128,
    /// What is left of the budget; less than nothing if it is overspent.
    #[schema(value_type = i64)]
    pub remaining_minor: i128,
    /// Where that stands against an even pace.
    pub pace: Pace,
}

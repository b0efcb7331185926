//! Sums over what was spent.

mod budget_sums;
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
use validator::{Validate, ValidationError};

pub(crate) use budgets::standings;
pub use hours::{GroupBy as HoursGroupBy, Hours, HoursQuery, HoursRow};
pub use job_cost::{
    CostRow, CurrencyCost, JobCost, JobCostQuery, JobCostTableRow, Labour, LabourRow,
    Period as JobCostPeriod, ProjectExpenses,
};
pub use timesheet::{
    Timesheet, TimesheetCard, TimesheetDay, TimesheetEntry, TimesheetProject, TimesheetQuery,
    TimesheetTableRow,
};

use crate::{
    error::Result,
    event::{self, LogState},
    geo::{self, Near},
    money::budget::{
        Budget,
        rules::{Pace, Proration},
    },
    store::{Store, Tx},
    text,
    work::time_entry::days::week_of,
};

/// What a report is asked for. Its answer follows from the rows of the organization whose changes are in the log, and
/// from nothing else: not from who asks, and not from when. So it is the same for the same state of the log.
pub trait Report: Clone + Send + Sync + 'static {
    /// The report.
    type Answer: Serialize + Send + 'static;

    /// A row of the report as a table.
    type Row: Serialize + ToSchema + Send + 'static;

    /// The name of the report, in lower case.
    const NAME: &'static str;

    /// The report of one state of the database.
    fn read(&self, tx: &Tx, organization_id: Uuid) -> impl Future<Output = Result<Self::Answer>>;

    /// The rows of the report, whose sums the report has beside them.
    fn rows(answer: Self::Answer) -> Vec<Self::Row>;
}

/// A report, and what it is of.
#[derive(Debug, Clone)]
pub struct Computed<T> {
    /// The report.
    pub answer: T,
    /// The state of the log that it includes, and nothing beyond. None where it includes more than the log tells yet.
    pub state: Option<LogState>,
}

/// Makes a report of the organization as it is now.
///
/// # Errors
/// What is wrong with the query.
pub async fn compute<R: Report>(
    store: &Store,
    organization_id: Uuid,
    query: R,
) -> Result<Computed<R::Answer>> {
    store
        .snapshot(async move |tx| {
            let state = event::state(tx, organization_id).await?;
            Ok(Computed { answer: query.read(tx, organization_id).await?, state })
        })
        .await
}

/// Property by which a report of spending is grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SpendingGroupBy)]
pub enum GroupBy {
    /// By category. The category of a line takes precedence over that of its expense.
    Category,
    /// By project. The project of a line takes precedence over that of its expense.
    Project,
    /// By calendar month.
    Month,
    /// By the member who paid.
    Member,
    /// By merchant, ignoring case and outer space.
    Merchant,
    /// By tag, ignoring case. An expense counts in the group of each of its tags.
    Tag,
    /// By the name of the place of the purchase, ignoring case and outer space.
    Place,
    /// By ISO week.
    Week,
    /// By calendar year.
    Year,
}

impl GroupBy {
    /// Whether lines may have a group of their own.
    fn by_line(self) -> bool {
        matches!(self, Self::Category | Self::Project)
    }

    /// Whether no totals are kept by it, so that the report reads the expenses of its period.
    fn reads_expenses(self) -> bool {
        matches!(self, Self::Merchant | Self::Tag | Self::Place | Self::Week)
    }
}

/// Period, grouping and filter of a report of spending.
#[crate::input::bounded]
#[derive(Debug, Clone, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
#[validate(schema(function = within_of_near))]
pub struct SpendingQuery {
    /// First day of the report (`YYYY-MM-DD`).
    #[validate(custom(function = text::day))]
    pub from: NaiveDate,
    /// Last day of the report (`YYYY-MM-DD`).
    #[validate(custom(function = text::day))]
    pub to: NaiveDate,
    /// Property by which the report is grouped.
    #[param(inline)]
    pub group_by: GroupBy,
    /// Count only spending of this project.
    pub project_id: Option<Uuid>,
    /// Return `largest_minor` of each group by category, project, month, member or year, too. The
    /// report then reads each expense of the period. Defaults to false.
    #[serde(default)]
    pub largest: bool,
    /// Count only spending near this place: its latitude and longitude in degrees, such as
    /// `47.3769,8.5417`, at most 50 characters. The report then reads each expense of the period.
    #[param(value_type = Option<String>)]
    pub near: Option<Near>,
    /// Distance from `near` in metres along the great circle, 1 to 10000000. Defaults to 1000.
    #[validate(range(min = 1, max = 10_000_000))]
    #[param(default = 1000)]
    pub within: Option<i64>,
}

fn within_of_near(query: &SpendingQuery) -> Result<(), ValidationError> {
    geo::within_of_near(query.near, query.within)
}

/// Report of the spending in a period, grouped. Refunds reduce it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = SpendingReport)]
pub struct Spending {
    /// First day of the report (`YYYY-MM-DD`).
    pub from: NaiveDate,
    /// Last day of the report (`YYYY-MM-DD`).
    pub to: NaiveDate,
    /// Property by which the report is grouped.
    pub group_by: GroupBy,
    /// Groups, ordered by label and currency.
    pub rows: Vec<SpendingRow>,
    /// Totals by currency.
    pub totals: Vec<SpendingTotal>,
}

/// Spending of one group in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SpendingReportRow)]
pub struct SpendingRow {
    /// Key of the group: identifier of the category, project or member, the month (`YYYY-MM`), the
    /// year (`YYYY`), the Monday of the week (`YYYY-MM-DD`), or the merchant, tag or place in lower
    /// case. Null for spending without a category, project, merchant, tag or place.
    pub key: Option<String>,
    /// Human-readable name of the group.
    pub label: String,
    /// ISO 4217 currency code, such as `EUR`.
    pub currency: String,
    /// Amount of approved and reimbursed expenses in minor units of `currency`. It may exceed
    /// 9007199254740991.
    #[schema(value_type = i64)]
    pub amount_minor: i128,
    /// Amount of draft and submitted expenses in minor units of `currency`. It may exceed
    /// 9007199254740991.
    #[schema(value_type = i64)]
    pub pending_minor: i128,
    /// Number of expenses, without rejected ones. An expense with lines counts in each group in
    /// which it has a part.
    pub count: i64,
    /// Mean amount of an expense in the group: the sum of `amount_minor` and `pending_minor`, divided
    /// by `count` and rounded to whole minor units of `currency`, half to even.
    #[schema(value_type = i64)]
    pub average_minor: i128,
    /// Largest amount of a purchase in the group in minor units of `currency`: of an expense, or of a
    /// line if lines count in groups of their own. Null if the group has only refunds, or if it was
    /// not asked for (`largest`).
    pub largest_minor: Option<i64>,
}

/// Total spending in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SpendingReportTotal)]
pub struct SpendingTotal {
    /// ISO 4217 currency code, such as `EUR`.
    pub currency: String,
    /// Amount of approved and reimbursed expenses in minor units of `currency`. It may exceed
    /// 9007199254740991.
    #[schema(value_type = i64)]
    pub amount_minor: i128,
    /// Amount of draft and submitted expenses in minor units of `currency`. It may exceed
    /// 9007199254740991.
    #[schema(value_type = i64)]
    pub pending_minor: i128,
    /// Number of expenses, without rejected ones. Each expense counts once.
    pub count: i64,
}

/// Day of a report of budgets.
#[crate::input::bounded]
#[derive(Debug, Clone, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BudgetsQuery {
    /// Day of the report (`YYYY-MM-DD`).
    #[validate(custom(function = text::day))]
    pub on: NaiveDate,
}

/// Report of the budgets that hold on a day.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BudgetReport)]
pub struct Budgets {
    /// Day of the report (`YYYY-MM-DD`).
    pub on: NaiveDate,
    /// Budgets, ordered by name.
    pub rows: Vec<BudgetRow>,
}

/// Spending of one budget in its period, up to the end of the day of the report.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BudgetReportRow)]
pub struct BudgetRow {
    /// Budget to which the row belongs.
    pub budget: Budget,
    /// First day of the period (`YYYY-MM-DD`).
    pub from: NaiveDate,
    /// Last day of the period (`YYYY-MM-DD`).
    pub to: NaiveDate,
    /// Amount of the budget in this period, in minor units of its currency: the one of its
    /// `amounts` that holds in it, prorated if the budget begins within the period.
    pub amount_minor: i64,
    /// How `amount_minor` was prorated, by days and rounded up to a whole minor unit; null if it is
    /// the amount of a whole period.
    pub proration: Option<Proration>,
    /// Amount of approved and reimbursed expenses, in minor units of the budget's currency.
    #[schema(value_type = i64)]
    pub actual_minor: i128,
    /// Amount of draft and submitted expenses, in minor units of the budget's currency.
    #[schema(value_type = i64)]
    pub pending_minor: i128,
    /// Spending in other currencies, which counts neither as actual nor as pending, ordered by
    /// currency.
    pub other_currencies: Vec<BudgetSpending>,
    /// `amount_minor` less `actual_minor`, in minor units of the budget's currency: negative if the
    /// budget is exceeded.
    #[schema(value_type = i64)]
    pub remaining_minor: i128,
    /// Comparison of the spending with an even pace.
    pub pace: Pace,
}

/// Spending of a budget in another currency than its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BudgetSpending {
    /// ISO 4217 currency code, such as `EUR`.
    pub currency: String,
    /// Amount of approved and reimbursed expenses, in minor units of `currency`.
    #[schema(value_type = i64)]
    pub actual_minor: i128,
    /// Amount of draft and submitted expenses, in minor units of `currency`.
    #[schema(value_type = i64)]
    pub pending_minor: i128,
}

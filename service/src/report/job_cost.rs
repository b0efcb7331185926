//! What a project has cost: what was worked for it and what was spent on it.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{
    Report, labels,
    repository::{self, Spent},
    rules, week_of,
    worked::{self, Worked},
};
use crate::{
    error::{Error, Result},
    identity::{
        organization,
        rate::{self, rules::Rates},
    },
    store::{Tx, versioned},
    text::fold,
};

/// Length of the periods by which costs are broken down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JobCostPeriod)]
pub enum Period {
    /// By day, in the organization's time zone.
    Day,
    /// By ISO week, in the organization's time zone.
    #[default]
    Week,
}

/// Project and period of a report of costs.
#[crate::input::bounded]
#[derive(Debug, Clone, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JobCostQuery {
    /// Identifier of the project.
    pub project_id: Uuid,
    /// Length of the periods by which costs are broken down. Defaults to `week`.
    #[serde(default)]
    #[param(inline)]
    pub period: Period,
}

/// Report of the cost of a project, compared with its budget. The rows of each list sum exactly to
/// the total beside the list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = JobCostReport)]
pub struct JobCost {
    /// Identifier of the project.
    pub project_id: Uuid,
    /// Name of the project.
    pub project_name: String,
    /// ISO 4217 code of the project's currency.
    pub currency: String,
    /// Budget of the project in minor units of `currency`; null if it has none.
    pub budget_minor: Option<i64>,
    /// Cost in minor units of `currency`: labour, if it is counted, and expenses in that currency.
    #[schema(value_type = i64)]
    pub cost_minor: i128,
    /// Budget less cost, in minor units of `currency`: negative if the project is over budget, null
    /// if it has no budget.
    #[schema(value_type = Option<i64>)]
    pub remaining_minor: Option<i128>,
    /// Length of the periods by which costs are broken down.
    pub period: Period,
    /// Cost of labour.
    pub labour: Labour,
    /// Cost of expenses.
    pub expenses: ProjectExpenses,
}

/// Labour of a project in approved weeks, each second at the rate of the day on which it was
/// worked.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = JobCostLabour)]
pub struct Labour {
    /// ISO 4217 code of the currency of the rates: the organization's.
    pub currency: String,
    /// Whether labour is part of `cost_minor`: true if its currency is the project's. Amounts are
    /// not converted.
    pub counted: bool,
    /// Time worked in approved weeks, in seconds.
    pub seconds: i64,
    /// Part of `seconds` on days for which the member has no rate, in seconds. It costs nothing.
    pub unrated_seconds: i64,
    /// Time worked in weeks that are not approved yet, in seconds. It is not part of `seconds` and
    /// costs nothing.
    pub pending_seconds: i64,
    /// Cost of labour in minor units of `currency`, rounded half up once.
    #[schema(value_type = i64)]
    pub amount_minor: i128,
    /// Labour by member, ordered by name.
    pub members: Vec<LabourRow>,
    /// Labour by day or week, earliest first.
    pub periods: Vec<LabourRow>,
}

/// Labour of one member or of one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = JobCostLabourRow)]
pub struct LabourRow {
    /// Key of the row: identifier of the member, the day (`YYYY-MM-DD`), or the Monday of the week.
    pub key: String,
    /// Human-readable name of the row.
    pub label: String,
    /// Time worked, in seconds.
    pub seconds: i64,
    /// Part of `seconds` on days for which the member has no rate, in seconds.
    pub unrated_seconds: i64,
    /// Cost in minor units of the currency of the rates.
    #[schema(value_type = i64)]
    pub amount_minor: i128,
}

/// Approved and reimbursed expenses of a project. Refunds reduce them.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = JobCostExpenses)]
pub struct ProjectExpenses {
    /// Expenses in the project's currency, in minor units.
    #[schema(value_type = i64)]
    pub amount_minor: i128,
    /// Expenses by category, ordered by name. The category of a line takes precedence over that of
    /// its expense.
    pub categories: Vec<CostRow>,
    /// Expenses by the member who paid, ordered by name.
    pub members: Vec<CostRow>,
    /// Expenses by day or week, earliest first.
    pub periods: Vec<CostRow>,
    /// Expenses in other currencies, which are not part of `cost_minor`.
    pub other_currencies: Vec<CurrencyCost>,
}

/// Expenses of one category, member or period, in the project's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = JobCostExpensesRow)]
pub struct CostRow {
    /// Key of the row: identifier of the category or member, the day (`YYYY-MM-DD`), or the Monday
    /// of the week. Null for expenses without a category.
    pub key: Option<String>,
    /// Human-readable name of the row.
    pub label: String,
    /// Amount in minor units of the project's currency.
    #[schema(value_type = i64)]
    pub amount_minor: i128,
}

/// Expenses of a project in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = JobCostExpensesInCurrency)]
pub struct CurrencyCost {
    /// ISO 4217 currency code, such as `EUR`.
    pub currency: String,
    /// Amount in minor units of `currency`.
    #[schema(value_type = i64)]
    pub amount_minor: i128,
}

/// Row of the report of the cost of a project as a table: the lists of the report, one after the other. The rows of
/// each part sum to the same total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobCostTableRow {
    /// List of the report to which the row belongs, such as `labour.members`.
    pub part: &'static str,
    /// Key of the row in its list; null if it has none.
    pub key: Option<String>,
    /// Human-readable name of the row.
    pub label: String,
    /// Time worked, in seconds; null for expenses.
    pub seconds: Option<i64>,
    /// Part of `seconds` on days for which the member has no rate, in seconds; null for expenses.
    pub unrated_seconds: Option<i64>,
    /// ISO 4217 currency code, such as `EUR`.
    pub currency: String,
    /// Amount in minor units of `currency`.
    #[schema(value_type = i64)]
    pub amount_minor: i128,
}

impl JobCostTableRow {
    fn cost(
        part: &'static str,
        key: Option<String>,
        label: String,
        (currency, amount_minor): (String, i128),
    ) -> Self {
        Self { part, key, label, seconds: None, unrated_seconds: None, currency, amount_minor }
    }
}

impl Period {
    fn of(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => day,
            Self::Week => week_of(day),
        }
    }
}

/// What a project has cost.
impl Report for JobCostQuery {
    type Answer = JobCost;
    type Row = JobCostTableRow;

    const NAME: &'static str = "job_cost_report";

    async fn read(&self, tx: &Tx, organization_id: Uuid) -> Result<JobCost> {
        job_cost(tx, organization_id, self).await
    }

    fn rows(JobCost { currency, labour, expenses, .. }: JobCost) -> Vec<JobCostTableRow> {
        let labour_rows = |part, rows: Vec<LabourRow>| {
            let currency = labour.currency.clone();
            rows.into_iter().map(move |row| JobCostTableRow {
                part,
                key: Some(row.key),
                label: row.label,
                seconds: Some(row.seconds),
                unrated_seconds: Some(row.unrated_seconds),
                currency: currency.clone(),
                amount_minor: row.amount_minor,
            })
        };
        let costs = |part, rows: Vec<CostRow>| {
            let currency = currency.clone();
            rows.into_iter().map(move |CostRow { key, label, amount_minor }| {
                JobCostTableRow::cost(part, key, label, (currency.clone(), amount_minor))
            })
        };
        let others = expenses.other_currencies.into_iter();
        labour_rows("labour.members", labour.members)
            .chain(labour_rows("labour.periods", labour.periods))
            .chain(costs("expenses.categories", expenses.categories))
            .chain(costs("expenses.members", expenses.members))
            .chain(costs("expenses.periods", expenses.periods))
            .chain(others.map(|CurrencyCost { currency, amount_minor }| {
                let label = currency.clone();
                let part = "expenses.other_currencies";
                JobCostTableRow::cost(part, None, label, (currency, amount_minor))
            }))
            .collect()
    }
}

async fn job_cost(tx: &Tx, organization_id: Uuid, query: &JobCostQuery) -> Result<JobCost> {
    let JobCostQuery { project_id, period } = *query;
    let project = versioned::find::<entity::project::Entity>(tx, organization_id, project_id);
    let project = project.await?.ok_or_else(|| {
        Error::invalid("?project_id", "unknown", "must identify a project of the organization")
    })?;
    let worked = worked::for_project(tx, organization_id, project_id).await?;
    let rates = Rates::of(rate::repository::all(tx, organization_id).await?);
    let spent = repository::spent_on_project(tx, organization_id, project_id).await?;
    let members = labels::members(tx, organization_id).await?;
    let categories = labels::categories(tx, organization_id).await?;

    // Of the same state as the rest: what an actor has of the organization may be some seconds old.
    let currency = organization::repository::get(tx, organization_id).await?.currency;
    let labour = Labour {
        counted: currency == project.currency,
        currency,
        ..labour(&worked, &rates, &members, period)
    };
    let expenses = expenses(spent, &project.currency, (&members, &categories), period);
    let counted = if labour.counted { labour.amount_minor } else { 0 };
    let cost_minor = counted + expenses.amount_minor;
    Ok(JobCost {
        project_id,
        project_name: project.name,
        currency: project.currency,
        budget_minor: project.budget_minor,
        cost_minor,
        remaining_minor: project.budget_minor.map(|budget| i128::from(budget) - cost_minor),
        period,
        labour,
        expenses,
    })
}

/// Some of what was worked, and what it exactly costs.
#[derive(Debug, Clone, Copy, Default)]
struct Work {
    seconds: i64,
    unrated: i64,
    exact: i128,
}

impl Work {
    fn of(seconds: i64, rate: Option<i64>) -> Self {
        match rate {
            Some(rate) => {
                Self { seconds, unrated: 0, exact: rules::cost_in_3600ths(seconds, rate) }
            }
            None => Self { seconds, unrated: seconds, exact: 0 },
        }
    }

    fn add(&mut self, other: Self) {
        self.seconds += other.seconds;
        self.unrated += other.unrated;
        self.exact += other.exact;
    }

    fn row(self, key: impl ToString, label: String, amount_minor: i128) -> LabourRow {
        let Self { seconds, unrated, exact: _ } = self;
        LabourRow { key: key.to_string(), label, seconds, unrated_seconds: unrated, amount_minor }
    }
}

/// Of each group its part of a whole.
fn shares<K: Copy>(whole: i128, groups: &BTreeMap<K, Work>) -> Vec<(K, Work, i128)> {
    let exact: Vec<_> = groups.values().map(|work| work.exact).collect();
    let shares = rules::largest_remainder(whole, &exact).into_iter();
    groups.iter().zip(shares).map(|((key, work), share)| (*key, *work, share)).collect()
}

fn labour(
    worked: &[Worked],
    rates: &Rates,
    names: &HashMap<Uuid, String>,
    period: Period,
) -> Labour {
    let mut all = Work::default();
    let mut members: BTreeMap<Uuid, Work> = BTreeMap::new();
    let mut weeks: BTreeMap<NaiveDate, (Work, BTreeMap<NaiveDate, Work>)> = BTreeMap::new();
    for Worked { member_id, day, approved, .. } in worked.iter().filter(|row| row.approved > 0) {
        let work = Work::of(*approved, rates.on(*member_id, *day));
        all.add(work);
        members.entry(*member_id).or_default().add(work);
        let (week, days) = weeks.entry(week_of(*day)).or_default();
        week.add(work);
        days.entry(*day).or_default().add(work);
    }
    let amount_minor = rules::round_half_up(all.exact);
    let members = shares(amount_minor, &members)
        .into_iter()
        .map(|(id, work, share)| work.row(id, names.get(&id).cloned().unwrap_or_default(), share));
    let mut members: Vec<_> = members.collect();
    members.sort_by_cached_key(|row| (fold(&row.label), row.key.clone()));
    let by_week = weeks.iter().map(|(monday, (work, _))| (*monday, *work)).collect();
    let by_week = shares(amount_minor, &by_week);
    let periods: Vec<_> = match period {
        Period::Week => by_week,
        Period::Day => by_week
            .into_iter()
            .flat_map(|(monday, _, share)| shares(share, &weeks[&monday].1))
            .collect(),
    };
    let periods =
        periods.into_iter().map(|(day, work, share)| work.row(day, day.to_string(), share));
    Labour {
        currency: String::new(),
        counted: false,
        seconds: all.seconds,
        unrated_seconds: all.unrated,
        pending_seconds: worked.iter().map(|row| row.pending).sum(),
        amount_minor,
        members,
        periods: periods.collect(),
    }
}

fn expenses(
    spent: Vec<Spent>,
    currency: &str,
    (members, categories): (&HashMap<Uuid, String>, &HashMap<Uuid, String>),
    period: Period,
) -> ProjectExpenses {
    let mut by_category: BTreeMap<Option<Uuid>, i128> = BTreeMap::new();
    let mut by_member: BTreeMap<Option<Uuid>, i128> = BTreeMap::new();
    let mut by_period: BTreeMap<NaiveDate, i128> = BTreeMap::new();
    let mut others: BTreeMap<String, i128> = BTreeMap::new();
    let mut amount_minor = 0;
    for Spent { category_id, member_id, day, currency: of, amount } in spent {
        if of != currency {
            *others.entry(of).or_default() += amount;
            continue;
        }
        amount_minor += amount;
        *by_category.entry(category_id).or_default() += amount;
        *by_member.entry(Some(member_id)).or_default() += amount;
        *by_period.entry(period.of(day)).or_default() += amount;
    }
    let row = |(day, amount_minor): (NaiveDate, i128)| CostRow {
        key: Some(day.to_string()),
        label: day.to_string(),
        amount_minor,
    };
    let other = |(currency, amount_minor)| CurrencyCost { currency, amount_minor };
    ProjectExpenses {
        amount_minor,
        categories: named(by_category, categories),
        members: named(by_member, members),
        periods: by_period.into_iter().map(row).collect(),
        other_currencies: others.into_iter().map(other).collect(),
    }
}

fn named(sums: BTreeMap<Option<Uuid>, i128>, names: &HashMap<Uuid, String>) -> Vec<CostRow> {
    let row = |(id, amount_minor): (Option<Uuid>, i128)| CostRow {
        key: id.map(|id| id.to_string()),
        label: match id {
            Some(id) => names.get(&id).cloned().unwrap_or_default(),
            None => "No category".to_owned(),
        },
        amount_minor,
    };
    let mut rows: Vec<_> = sums.into_iter().map(row).collect();
    rows.sort_by_cached_key(|row| (fold(&row.label), row.key.clone()));
    rows
}

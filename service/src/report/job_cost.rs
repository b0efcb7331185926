//! What a project has cost: what was worked for it and what was spent on it.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{
    labels,
    repository::{self, Spent},
    rules, week_of,
    worked::{self, Worked},
};
use crate::{
    actor::Actor,
    error::{Error, Result},
    rate::{self, rules::Rates},
    store::{Store, Tx, versioned},
    text::fold,
};

/// By which time costs are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JobCostPeriod)]
pub enum Period {
    /// By day of the organization.
    Day,
    /// By ISO week of the organization.
    #[default]
    Week,
}

/// Of which project.
#[derive(Debug, Clone, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JobCostQuery {
    /// The project.
    pub project_id: Uuid,
    /// By which time: `week` if it is left out.
    #[serde(default)]
    #[param(inline)]
    pub period: Period,
}

/// What a project has cost. The rows of each list sum to what stands beside the list, to the minor unit.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobCost {
    /// The project.
    pub project_id: Uuid,
    /// What it is called.
    pub project_name: String,
    /// Its currency.
    pub currency: String,
    /// What it may cost.
    pub budget_minor: Option<i64>,
    /// What it has cost: labour and expenses in its currency.
    #[schema(value_type = i64)]
    pub cost_minor: i128,
    /// What is left of the budget; less than nothing if it is overspent. Null where there is no budget.
    #[schema(value_type = Option<i64>)]
    pub remaining_minor: Option<i128>,
    /// By which time costs are told.
    pub period: Period,
    /// What was worked.
    pub labour: Labour,
    /// What was spent.
    pub expenses: ProjectExpenses,
}

/// What was worked for a project in approved weeks, at the rates of the days on which it was.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Labour {
    /// The currency of rates: the organization's.
    pub currency: String,
    /// Whether it counts in `cost_minor`: where its currency is the project's. Nothing is converted.
    pub counted: bool,
    /// How many seconds.
    pub seconds: i64,
    /// How many of them were worked on days for which the member has no rate. They cost nothing here.
    pub unrated_seconds: i64,
    /// How many seconds more are in weeks that are not approved, yet. They cost nothing here.
    pub pending_seconds: i64,
    /// What it costs.
    #[schema(value_type = i64)]
    pub amount_minor: i128,
    /// By member, by name.
    pub members: Vec<LabourRow>,
    /// By day or week, the earliest first.
    pub periods: Vec<LabourRow>,
}

/// A part of what was worked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LabourRow {
    /// The id of the member, or the day, of a week its Monday.
    pub key: String,
    /// What to call it.
    pub label: String,
    /// How many seconds.
    pub seconds: i64,
    /// How many of them without a rate.
    pub unrated_seconds: i64,
    /// What they cost.
    #[schema(value_type = i64)]
    pub amount_minor: i128,
}

/// What was spent on a project, approved or reimbursed. Refunds count against it.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct ProjectExpenses {
    /// What was spent in the project's currency.
    #[schema(value_type = i64)]
    pub amount_minor: i128,
    /// By category, by name; a line's own goes before its expense's.
    pub categories: Vec<CostRow>,
    /// By the member who paid, by name.
    pub members: Vec<CostRow>,
    /// By day or week, the earliest first.
    pub periods: Vec<CostRow>,
    /// What was spent in other currencies, which `cost_minor` leaves out.
    pub other_currencies: Vec<CurrencyCost>,
}

/// A part of what was spent in the project's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CostRow {
    /// The id of the category or the member, or the day, of a week its Monday. Null for no category.
    pub key: Option<String>,
    /// What to call it.
    pub label: String,
    /// How much.
    #[schema(value_type = i64)]
    pub amount_minor: i128,
}

/// What was spent in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CurrencyCost {
    /// The currency.
    pub currency: String,
    /// How much.
    #[schema(value_type = i64)]
    pub amount_minor: i128,
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
pub async fn job_cost(store: &Store, actor: &Actor, query: &JobCostQuery) -> Result<JobCost> {
    store
        .snapshot((actor.clone(), query.clone()), |tx, (actor, query)| {
            Box::pin(read(tx, actor, query))
        })
        .await
}

async fn read(tx: &Tx, actor: &Actor, query: &JobCostQuery) -> Result<JobCost> {
    let JobCostQuery { project_id, period } = *query;
    let organization_id = actor.organization_id;
    let project = versioned::find::<entity::project::Entity>(tx, organization_id, project_id);
    let project = project
        .await?
        .ok_or_else(|| Error::invalid("?project_id", "unknown", "is not a project here"))?;
    let worked = worked::for_project(tx, organization_id, project_id).await?;
    let rates = Rates::of(rate::repository::all(tx, organization_id).await?);
    let spent = repository::spent_on_project(tx, organization_id, project_id).await?;
    let members = labels::members(tx, organization_id).await?;
    let categories = labels::categories(tx, organization_id).await?;

    let currency = actor.settings.currency.clone();
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
            Some(rate) => Self { seconds, unrated: 0, exact: rules::exact(seconds, rate) },
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
    let shares = rules::shared(whole, &exact).into_iter();
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
    let amount_minor = rules::rounded(all.exact);
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

//! Tells once when the spending of a budget reaches a part of it in one of its periods.
//!
//! Whatever may change a sum is followed by a look at the sums as they are. What was told stands in a
//! table whose key is the budget, the first day of the period and the part: it is written with the
//! event that tells, so that neither is there without the other, and neither twice. Spending that falls
//! and rises again is told once.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::{budget, event};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    actor::Actor,
    consumer::{Consumer, Start},
    error::Result,
    event::{Verb, repository::version_before},
    money::budget::{
        Budget, repository,
        rules::{self, Span},
    },
    report::{self, BudgetRow},
    store::Tx,
};

/// The parts of a budget of which members are notified, in percent.
const THRESHOLD_PERCENTS: [i64; 2] = [80, 100];

/// The consumer. It is as old as the log.
pub(crate) const CONSUMER: Consumer = Consumer {
    name: "budget_thresholds",
    // A category that moves takes its expenses to other budgets.
    kinds: &[
        "expense",
        "budget.created",
        "budget.updated",
        "budget.reverted",
        "category.updated",
        "category.reverted",
    ],
    start: Start::Beginning,
    relevant_to: |connection, organizations| {
        Box::pin(repository::having_any(connection, organizations))
    },
    react: |tx, actor, events| Box::pin(react(tx, actor, events)),
};

async fn react(tx: &Tx, actor: &Actor, events: &[event::Model]) -> Result<()> {
    let mut affected = Vec::new();
    for event in events {
        let today = actor.settings.day_of(event.at.to_utc());
        match &*event.entity {
            "expense" => {
                let spent = spent(tx, event).await?.into_iter();
                affected.extend(spent.map(|it| (it.on, AffectedBudgets::InCurrency(it.currency))));
            }
            "budget" => affected.push((today, AffectedBudgets::One(event.entity_id))),
            _ => affected.push((today, AffectedBudgets::WithCategory)),
        }
    }
    if !affected.is_empty() {
        notify_reached(tx, actor, &affected).await?;
    }
    Ok(())
}

/// Which budgets an event affects.
#[derive(Debug, Clone, PartialEq, Eq)]
enum AffectedBudgets {
    /// Those in a currency.
    InCurrency(String),
    One(Uuid),
    /// Those of a category.
    WithCategory,
}

impl AffectedBudgets {
    fn includes(&self, row: &budget::Model) -> bool {
        match self {
            Self::InCurrency(currency) => row.currency == *currency,
            Self::One(id) => row.id == *id,
            Self::WithCategory => row.category_id.is_some(),
        }
    }
}

/// A day and a currency in which a sum may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spent {
    on: NaiveDate,
    currency: String,
}

impl Spent {
    /// Of an expense, as the log has it; none of one that does not count, or was erased.
    fn of(data: Option<&Value>) -> Option<Self> {
        let text = |name: &str| data?.get(name)?.as_str();
        let counts = matches!(text("status")?, "approved" | "reimbursed");
        let on = text("spent_on")?.parse().ok()?;
        counts.then_some(Self { on, currency: text("currency")?.to_owned() })
    }
}

/// Where an event of an expense may have changed a sum: where the expense is now, and where it was
/// before. A refund that goes away leaves more spent there.
async fn spent(tx: &Tx, event: &event::Model) -> Result<Vec<Spent>> {
    let before = version_before(tx, event).await?;
    let mut spent: Vec<_> = Spent::of(event.data.as_ref()).into_iter().collect();
    let before = Spent::of(before.as_ref().and_then(|event| event.data.as_ref()));
    spent.extend(before.filter(|before| !spent.contains(before)));
    Ok(spent)
}

/// Looks at the budgets that are affected on their days, at each period once.
async fn notify_reached(
    tx: &Tx,
    actor: &Actor,
    affected: &[(NaiveDate, AffectedBudgets)],
) -> Result<()> {
    let organization_id = actor.organization_id;
    // By the first day, and then by name, as the budgets come: what is told has one order on both databases.
    let mut periods: BTreeMap<(NaiveDate, usize), (Span, Budget)> = BTreeMap::new();
    for (index, row) in repository::all(tx, organization_id).await?.into_iter().enumerate() {
        let holds = |on| rules::holds(row.starts_on, row.ends_on, on);
        let affects =
            |(on, what): &&(NaiveDate, AffectedBudgets)| what.includes(&row) && holds(*on);
        let days: Vec<NaiveDate> = affected.iter().filter(affects).map(|(on, _)| *on).collect();
        if days.is_empty() {
            continue;
        }
        let budget = Budget::try_from(row)?;
        for on in days {
            let span = rules::limit_on(&budget, on).span;
            periods.insert((span.from, index), (span, budget.clone()));
        }
    }
    let asked = periods.values().map(|(span, budget)| (budget.id, span.from));
    let notified = repository::notified_thresholds(tx, organization_id, asked).await?;
    let unnotified = |id: Uuid, from: NaiveDate| {
        THRESHOLD_PERCENTS
            .into_iter()
            .filter(|it| !notified.contains(&(id, from, *it)))
            .collect::<Vec<_>>()
    };
    let mut due = Vec::new();
    for (span, budget) in periods.into_values() {
        if !unnotified(budget.id, span.from).is_empty() {
            due.push((budget, span.to));
        }
    }
    for standing in report::standings(tx, organization_id, due).await? {
        for percent in unnotified(standing.budget.id, standing.from) {
            if rules::reaches(standing.actual_minor, standing.amount_minor, percent) {
                notify(tx, actor, &standing, percent).await?;
            }
        }
    }
    Ok(())
}

async fn notify(tx: &Tx, actor: &Actor, standing: &BudgetRow, percent: i64) -> Result<()> {
    let BudgetRow { budget, from, to, amount_minor, actual_minor, .. } = standing;
    repository::insert_threshold(tx, (actor.organization_id, budget.id), *from, percent).await?;
    let data = json!({
        "id": budget.id,
        "name": budget.name,
        "percent": percent,
        "from": from,
        "to": to,
        "amount_minor": amount_minor,
        "spent_minor": i64::try_from(*actual_minor).unwrap_or(i64::MAX),
        "currency": budget.currency,
    });
    let of = (budget.id, budget.version);
    tx.record_notice::<Budget>(&actor.into(), Verb::ThresholdReached, of, data).await
}

//! Tells once when the spending of a budget reaches a part of it in one of its periods.
//!
//! Whatever may change a sum is followed by a look at the sums as they are. What was told stands in a
//! table whose key is the budget, the first day of the period and the part: it is written with the
//! event that tells, so that neither is there without the other, and neither twice. Spending that falls
//! and rises again is told once.

use std::collections::{BTreeMap, HashSet};

use chrono::NaiveDate;
use entity::{budget, event};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Budget, Period, repository,
    rules::{self, Span},
};
use crate::{
    actor::Actor,
    consumer::{Consumer, Start},
    error::Result,
    event::{Verb, repository::version_before},
    report,
    store::Tx,
};

/// The parts of a budget that are told, in percent.
const PERCENTS: [i64; 2] = [80, 100];

/// The consumer. It is as old as the log.
pub(crate) const CONSUMER: Consumer = Consumer {
    name: "budget_thresholds",
    // A category that moves takes its expenses to other budgets.
    kinds: &["expense", "budget.created", "budget.changed", "category.changed"],
    start: Start::Beginning,
    concerns: |connection, organization_id| {
        Box::pin(repository::is_any(connection, organization_id))
    },
    react: |tx, actor, events| Box::pin(react(tx, actor, events)),
};

async fn react(tx: &Tx, actor: &Actor, events: &[event::Model]) -> Result<()> {
    let mut concerned: BTreeMap<NaiveDate, Vec<Concerned>> = BTreeMap::new();
    let mut concern = |on, what| concerned.entry(on).or_default().push(what);
    for event in events {
        let today = actor.settings.day_of(event.at.to_utc());
        match &*event.entity {
            "expense" => {
                for Spent { on, currency } in spent(tx, event).await? {
                    concern(on, Concerned::In(currency));
                }
            }
            "budget" => concern(today, Concerned::One(event.entity_id)),
            _ => concern(today, Concerned::OfCategories),
        }
    }
    // The budgets and the first days of the periods that were looked at.
    let mut seen = HashSet::new();
    for (on, concerned) in concerned {
        tell_on(tx, actor, on, &concerned, &mut seen).await?;
    }
    Ok(())
}

/// Which budgets an event concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Concerned {
    /// Those in a currency.
    In(String),
    One(Uuid),
    /// Those of a category.
    OfCategories,
}

impl Concerned {
    fn is(&self, row: &budget::Model) -> bool {
        match self {
            Self::In(currency) => row.currency == *currency,
            Self::One(id) => row.id == *id,
            Self::OfCategories => row.category_id.is_some(),
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

/// Looks at the budgets that hold on a day and are concerned, at each period once.
async fn tell_on(
    tx: &Tx,
    actor: &Actor,
    on: NaiveDate,
    concerned: &[Concerned],
    seen: &mut HashSet<(Uuid, NaiveDate)>,
) -> Result<()> {
    let mut rows = Vec::new();
    for row in repository::on(tx, actor.organization_id, on).await? {
        let span = rules::period_of(Period::of(&row.period), on);
        let span = rules::clamp(span, row.starts_on, row.ends_on);
        let is_concerned = concerned.iter().any(|it| it.is(&row));
        if is_concerned && seen.insert((row.id, span.from)) {
            rows.push((span, row));
        }
    }
    let periods = rows.iter().map(|(span, row)| (row.id, span.from));
    let told = repository::told(tx, actor.organization_id, periods).await?;
    for (span, row) in rows {
        let untold = PERCENTS.into_iter().filter(|it| !told.contains(&(row.id, span.from, *it)));
        let untold: Vec<_> = untold.collect();
        if !untold.is_empty() {
            tell(tx, actor, row, span, &untold).await?;
        }
    }
    Ok(())
}

async fn tell(
    tx: &Tx,
    actor: &Actor,
    row: budget::Model,
    span: Span,
    untold: &[i64],
) -> Result<()> {
    let standing = report::standing(tx, row.clone(), span.to).await?;
    for percent in untold.iter().copied() {
        if rules::reaches(standing.actual_minor, row.amount_minor, percent) {
            repository::remember(tx, &row, span.from, percent).await?;
            let spent_minor = i64::try_from(standing.actual_minor).unwrap_or(i64::MAX);
            let data = json!({
                "id": row.id,
                "name": row.name,
                "percent": percent,
                "from": span.from,
                "to": span.to,
                "amount_minor": row.amount_minor,
                "spent_minor": spent_minor,
                "currency": row.currency,
            });
            let of = (row.id, row.version);
            tx.note::<Budget>(&actor.into(), Verb::ThresholdReached, of, data).await?;
        }
    }
    Ok(())
}

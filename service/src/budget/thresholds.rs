//! Tells once when the spending of a budget reaches a part of it in one of its periods.
//!
//! Whatever may change a sum is followed by a look at the sums as they are. What was told stands in a
//! table whose key is the budget, the first day of the period and the part: it is written with the
//! event that tells, so that neither is there without the other, and neither twice. Spending that falls
//! and rises again is told once.

use chrono::NaiveDate;
use entity::{budget, event};
use serde_json::{Value, json};

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
    react: |tx, actor, event| Box::pin(react(tx, actor, event)),
};

async fn react(tx: &Tx, actor: &Actor, event: &event::Model) -> Result<()> {
    match &*event.entity {
        "expense" => {
            for Spent { on, currency } in spent(tx, event).await? {
                let concerned = |row: &budget::Model| row.currency == currency;
                tell_on(tx, actor, on, concerned).await?;
            }
            Ok(())
        }
        entity => {
            let today = actor.settings.day_of(event.at.to_utc());
            let concerned = |row: &budget::Model| match entity {
                "budget" => row.id == event.entity_id,
                _ => row.category_id.is_some(),
            };
            tell_on(tx, actor, today, concerned).await
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

/// Looks at the budgets that hold on a day and are concerned.
async fn tell_on(
    tx: &Tx,
    actor: &Actor,
    on: NaiveDate,
    concerned: impl Fn(&budget::Model) -> bool,
) -> Result<()> {
    let mut rows = repository::on(tx, actor.organization_id, on).await?;
    rows.retain(concerned);
    let rows = rows.into_iter().map(|row| {
        let span = rules::period_of(Period::of(&row.period), on);
        (rules::clamp(span, row.starts_on, row.ends_on), row)
    });
    let rows: Vec<_> = rows.collect();
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

//! Asks the managers to look at an expense that is large: one that is created so, or raised to be so.
//!
//! Once for each expense: what was asked stands in a table whose key is the expense, and is written with
//! the task, so that neither is there without the other. One that falls and rises again, or whose task
//! was removed, is not asked about again.

use entity::{event, large_expense};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    actor::Actor,
    consumer::{Consumer, Start},
    error::{Error, Result},
    event::repository::version_before,
    identity::organization,
    input::{Create, FromBody},
    money::{
        category,
        expense::{Expense, Kind},
    },
    resource::{Changeable, Writable},
    store::Tx,
    work::task::Task,
};

/// The consumer. It is as old as the log.
pub(crate) const CONSUMER: Consumer = Consumer {
    name: "large_expenses",
    kinds: &["expense.created", "expense.updated", "expense.reverted"],
    start: Start::Beginning,
    relevant_to: |connection, organizations| {
        Box::pin(organization::repository::with_large_expense_limit(connection, organizations))
    },
    react: |tx, actor, events| Box::pin(react(tx, actor, events)),
};

/// Above which amount an expense is large, and in which currency. None where none is, or the organization
/// is gone.
async fn limit(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<Option<(i64, String)>> {
    match organization::repository::get(connection, organization_id).await {
        Ok(row) => Ok(row.large_expense_minor.map(|limit| (limit, row.currency))),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn react(tx: &Tx, actor: &Actor, events: &[event::Model]) -> Result<()> {
    let Some((limit, currency)) = limit(tx, actor.organization_id).await? else { return Ok(()) };
    for event in events {
        let amount = spent(event.data.as_ref(), &currency);
        if let Some(amount) = amount.filter(|amount| *amount > limit) {
            review(tx, actor, event, amount, &currency).await?;
        }
    }
    Ok(())
}

/// Looks at what was spent, and is large by now.
async fn review(
    tx: &Tx,
    actor: &Actor,
    event: &event::Model,
    amount: i64,
    currency: &str,
) -> Result<()> {
    let before = version_before(tx, event).await?;
    let before = before.and_then(|before| spent(before.data.as_ref(), currency));
    if before.is_some_and(|before| before >= amount) {
        return Ok(());
    }
    let key = (event.organization_id, event.entity_id);
    if large_expense::Entity::find_by_id(key).one(tx).await?.is_some() {
        return Ok(());
    }
    match Expense::find(tx, actor, event.entity_id).await {
        Ok(expense) => request_review(tx, actor, &expense).await,
        // It is gone by now.
        Err(Error::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What was spent, in this currency, as the log has it.
fn spent(data: Option<&Value>, currency: &str) -> Option<i64> {
    let data = data?;
    let counts = data["kind"] == json!(Kind::Purchase) && data["currency"] == currency;
    counts.then(|| data["amount_minor"].as_i64())?
}

async fn request_review(tx: &Tx, actor: &Actor, expense: &Expense) -> Result<()> {
    let category = match expense.category_id {
        Some(id) => category::repository::get(tx, actor.organization_id, id).await?.name,
        None => "without a category".to_owned(),
    };
    let task_id = tx.new_id();
    let new = json!({
        "id": task_id,
        "title": format!("Review large expense: {category}"),
        "assignee_role": "manager",
        "metadata": { "expense_id": expense.id },
    });
    Task::create(tx, actor, &Create::from_body(new)?).await?;
    let requested = large_expense::ActiveModel {
        organization_id: Set(actor.organization_id),
        expense_id: Set(expense.id),
        task_id: Set(task_id),
        told_at: Set(tx.now().fixed_offset()),
    };
    large_expense::Entity::insert(requested).exec_without_returning(tx).await?;
    Ok(())
}

//! What a payout does to the expense that it is for (docs/ledger.md).

use entity::expense;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{
    Expense, Kind,
    commands::{authorize_transition, transition_columns},
    repository,
    rules::{self, Transition},
};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    store::Tx,
};

/// Keeps an approved expense as it is while it is paid, if `allowed` has nothing against it.
pub(crate) async fn hold(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    saga_id: Uuid,
    allowed: impl AsyncFnOnce(&Expense) -> Result<()>,
) -> Result<Expense> {
    let (row, current) = repository::get(tx, actor.organization_id, id).await?;
    authorize_transition(tx, actor, &row, Transition::Reimburse).await?;
    allowed(&current).await?;
    rules::ensure_no_payout_running(current.payout_saga_id)?;
    rules::next_status(current.status, Transition::Reimburse, actor.settings.approval_required)?;
    if current.kind == Kind::Refund {
        return Err(Error::state("wrong_kind", "a refund cannot be paid out"));
    }
    let next = expense::ActiveModel {
        payout_saga_id: Set(Some(saga_id)),
        payout_error: Set(None),
        ..Default::default()
    };
    let items = current.items.clone();
    repository::update(tx, actor, Verb::PayoutStarted, (&row, &current), next, items).await
}

/// Lets an expense go that is not paid after all, with the reason. It is approved, as before.
pub(crate) async fn release(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    reason: Option<String>,
) -> Result<()> {
    let (row, current) = repository::get(tx, actor.organization_id, id).await?;
    let next = expense::ActiveModel {
        payout_saga_id: Set(None),
        payout_error: Set(reason),
        ..Default::default()
    };
    let items = current.items.clone();
    repository::update(tx, actor, Verb::PayoutRefused, (&row, &current), next, items).await?;
    Ok(())
}

/// Says that an expense is paid back.
pub(crate) async fn settle(tx: &Tx, actor: &Actor, id: Uuid) -> Result<()> {
    let (row, current) = repository::get(tx, actor.organization_id, id).await?;
    let mut next = transition_columns(tx, actor, &current, Transition::Reimburse, None)?;
    next.payout_saga_id = Set(None);
    let items = current.items.clone();
    repository::update(tx, actor, Transition::Reimburse.verb(), (&row, &current), next, items)
        .await?;
    Ok(())
}

//! Pays a member back: reserves the amount, has it paid out at the organization's payout URL, and
//! settles. If the payout is refused, all is undone and the expense is approved again, with the reason.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::PayoutInput;
use crate::{
    actor::Actor,
    error::{Error, Result},
    idempotency::WriteOnce,
    identity::organization,
    input::TransitionBody,
    money::{
        account::{self, Purpose},
        expense::{self, Expense},
        journal_entry::{self, JournalEntryInput, Transfer},
    },
    outbound::{Outbound, OutboundError},
    saga::{self, Call, CallOutcome, Kind, Run, StepKind, StepResult, Work, shortened},
    store::{Tx, versioned::Expected},
};

pub(crate) const KIND: Kind = Kind {
    name: "reimbursement",
    steps: &[
        StepKind {
            name: "hold",
            run: Run::Local(|_, _, _| Box::pin(async { Ok(StepResult::Done) })),
            undo: Some(|tx, actor, work| Box::pin(release(tx, actor, work))),
        },
        StepKind {
            name: "reserve",
            run: Run::Local(|tx, actor, work| Box::pin(reserve(tx, actor, work))),
            undo: Some(|tx, actor, work| Box::pin(unreserve(tx, actor, work))),
        },
        StepKind {
            name: "payout",
            run: Run::Remote {
                prepare: |tx, work| Box::pin(prepare(tx, work)),
                call: |outbound, call, timeout| Box::pin(pay_out(outbound, call, timeout)),
            },
            undo: None,
        },
        StepKind {
            name: "settle",
            run: Run::Local(|tx, actor, work| Box::pin(settle(tx, actor, work))),
            undo: None,
        },
    ],
    pivot: 2,
};

/// What a reimbursement knows. The ids of its entries are chosen when it begins: none is posted twice.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Payout {
    organization_id: Uuid,
    member_id: Uuid,
    amount_minor: i64,
    currency: String,
    reservation_id: Uuid,
    reversal_id: Uuid,
    settlement_id: Uuid,
}

impl Payout {
    fn of(work: &Work) -> Result<Self> {
        serde_json::from_value(work.data.clone())
            .map_err(|error| Error::Internal(format!("a saga's data cannot be read: {error}")))
    }
}

/// Begins to pay an approved expense back.
pub async fn pay(
    store: WriteOnce<'_, Expense>,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: TransitionBody<PayoutInput>,
) -> Result<Expense> {
    let actor = actor.clone();
    store
        .write(async move |tx| {
            let organization_id = actor.organization_id;
            let saga_id = tx.new_id();
            let held = expense::hold(tx, &actor, id, saga_id, async |current| {
                expected.check(current.version, current)?;
                let PayoutInput {} = body.input()?;
                let row = organization::repository::get(tx, organization_id).await?;
                if row.payout_url.is_none() {
                    let detail = "the organization has no payout_url";
                    return Err(Error::state("payout_not_configured", detail));
                }
                Ok(())
            });
            let expense = held.await?;
            begin(tx, &actor, &expense, saga_id).await?;
            Ok(expense)
        })
        .await
}

async fn begin(tx: &Tx, actor: &Actor, expense: &Expense, id: Uuid) -> Result<()> {
    let payout = Payout {
        organization_id: actor.organization_id,
        member_id: expense.member_id,
        amount_minor: expense.amount_minor,
        currency: expense.currency.clone(),
        reservation_id: tx.new_id(),
        reversal_id: tx.new_id(),
        settlement_id: tx.new_id(),
    };
    saga::start(tx, actor, &KIND, (id, expense.id), json!(payout)).await.map(drop)
}

async fn release(tx: &Tx, actor: &Actor, work: &Work) -> Result<StepResult> {
    expense::release(tx, actor, work.subject_id, work.reason.clone()).await?;
    Ok(StepResult::Done)
}

async fn reserve(tx: &Tx, actor: &Actor, work: &Work) -> Result<StepResult> {
    let payout = Payout::of(work)?;
    let sides = [Purpose::Reimbursements, Purpose::PayoutsInFlight];
    let entry = entry(tx, actor, work, &payout, "Reserved for a payout", sides).await?;
    journal_entry::post_in(tx, actor, payout.reservation_id, &entry, None).await?;
    Ok(StepResult::Done)
}

async fn unreserve(tx: &Tx, actor: &Actor, work: &Work) -> Result<StepResult> {
    let Payout { reservation_id, reversal_id, .. } = Payout::of(work)?;
    let memo = work.reason.clone();
    journal_entry::reverse_in(tx, actor, reservation_id, reversal_id, memo).await?;
    Ok(StepResult::Done)
}

async fn settle(tx: &Tx, actor: &Actor, work: &Work) -> Result<StepResult> {
    let payout = Payout::of(work)?;
    let sides = [Purpose::PayoutsInFlight, Purpose::PayoutAccount];
    let entry = entry(tx, actor, work, &payout, "Paid out", sides).await?;
    journal_entry::post_in(tx, actor, payout.settlement_id, &entry, None).await?;
    expense::settle(tx, actor, work.subject_id).await?;
    Ok(StepResult::Done)
}

/// The amount from the second account to the first, which is debited.
async fn entry(
    tx: &Tx,
    actor: &Actor,
    work: &Work,
    payout: &Payout,
    memo: &str,
    [debit, credit]: [Purpose; 2],
) -> Result<JournalEntryInput> {
    let currency = &payout.currency;
    let transfer = Transfer {
        debit_account_id: account::of_purpose(tx, actor, debit, currency).await?,
        credit_account_id: account::of_purpose(tx, actor, credit, currency).await?,
        amount_minor: payout.amount_minor,
        currency: currency.clone(),
    };
    Ok(JournalEntryInput {
        occurred_on: actor.settings.day_of(tx.now()),
        memo: Some(memo.to_owned()),
        reference: Some(work.saga_id.to_string()),
        transfers: vec![transfer],
    })
}

async fn prepare(tx: &Tx, work: &Work) -> Result<Call> {
    let payout = Payout::of(work)?;
    let row = organization::repository::get(tx, payout.organization_id).await?;
    let url = row.payout_url.ok_or_else(|| {
        Error::state("payout_not_configured", "the organization has no payout_url")
    })?;
    let body = json!({
        "saga_id": work.saga_id,
        "organization_id": payout.organization_id,
        "expense_id": work.subject_id,
        "member_id": payout.member_id,
        "amount_minor": payout.amount_minor,
        "currency": payout.currency,
    });
    Ok(Call { url, key: work.saga_id.to_string(), body: body.to_string().into_bytes() })
}

async fn pay_out(outbound: &Outbound, call: &Call, timeout: Duration) -> CallOutcome {
    let headers =
        [("content-type", "application/json".to_owned()), ("idempotency-key", call.key.clone())];
    match outbound.post(&call.url, &headers, call.body.clone(), timeout).await {
        Ok(answer) if answer.is_success() => CallOutcome::Done,
        Ok(answer) => {
            let mut why = format!("the payout was answered with {}", answer.status);
            if let Some(reason) = reason(&answer.body) {
                why += &format!(": {reason}");
            }
            match answer.status {
                // Timeouts, conflicts with an attempt before, too early, too many.
                408 | 425 | 429 => CallOutcome::Unknown(shortened(&why)),
                400..500 => CallOutcome::Refused(shortened(&why)),
                _ => CallOutcome::Unknown(shortened(&why)),
            }
        }
        Err(error) => {
            let why = format!("the payout was not answered: {error}");
            match error {
                OutboundError::Url(_) | OutboundError::Refused(_) => CallOutcome::NotSent(why),
                _ => CallOutcome::Unknown(why),
            }
        }
    }
}

/// What a receiver that refuses says: the `reason` or the `detail` of an object of JSON.
fn reason(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let reason = body.get("reason").or_else(|| body.get("detail"))?;
    reason.as_str().map(str::to_owned)
}

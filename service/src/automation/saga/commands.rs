use chrono::{DateTime, Utc};
use entity::saga;
use uuid::Uuid;

use super::SagaDecisionInput;
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    idempotency::WriteOnce,
    identity::separation_of_duties::{Involvement, SeparationOfDuties},
    input::TransitionBody,
    role::Permission,
    saga::{Saga, repository, rules::Progress},
    store::{
        Tx,
        signal::Signal,
        versioned::{self, Expected},
    },
};

/// Tries the step at once that a saga is at, be it forwards or backwards.
pub async fn retry(
    store: WriteOnce<'_, Saga>,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: TransitionBody<SagaDecisionInput>,
) -> Result<Saga> {
    decide(store, actor, id, expected, body, Verb::Retried).await
}

/// Undoes a saga that is before what cannot be undone; of a payout, somebody knows that nothing was paid.
pub async fn compensate(
    store: WriteOnce<'_, Saga>,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: TransitionBody<SagaDecisionInput>,
) -> Result<Saga> {
    decide(store, actor, id, expected, body, Verb::Cancelled).await
}

/// Goes on with a saga of which somebody knows that it is paid.
pub async fn mark_paid(
    store: WriteOnce<'_, Saga>,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: TransitionBody<SagaDecisionInput>,
) -> Result<Saga> {
    decide(store, actor, id, expected, body, Verb::MarkedPaid).await
}

async fn decide(
    store: WriteOnce<'_, Saga>,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: TransitionBody<SagaDecisionInput>,
    verb: Verb,
) -> Result<Saga> {
    let actor = actor.clone();
    store
        .write(async move |tx| {
            let row = repository::get(tx, actor.organization_id, id).await?;
            expected.check(row.version, &Saga::try_from(row.clone())?)?;
            let SagaDecisionInput { note } = body.input()?;
            let kind = tx.catalogue().saga(&row.kind)?;
            let elsewhere = kind.is_done_elsewhere();
            if elsewhere && verb != Verb::Retried {
                not_ones_own(tx, &actor, &row).await?;
            }
            if verb == Verb::MarkedPaid && !elsewhere {
                return Err(Error::state("not_a_payout", "the saga is not a payout"));
            }
            let mut progress = Progress::of(&row, kind)?;
            let is_past = progress.is_past_pivot() && !progress.has_ended();
            if verb == Verb::Cancelled && !elsewhere && is_past {
                return Err(Error::state(
                    "not_undoable",
                    "the completed steps cannot be compensated",
                ));
            }
            decided(&mut progress, verb, tx.now(), note)?;
            tx.signal(Signal::Work);
            let next = repository::columns(&progress)?;
            versioned::update(tx, &actor, verb, &row, next, Saga::try_from).await
        })
        .await
}

/// Whether money has come is not said by whom it came to.
async fn not_ones_own(tx: &Tx, actor: &Actor, row: &saga::Model) -> Result<()> {
    let payee = row.data["member_id"].as_str().and_then(|id| Uuid::try_parse(id).ok());
    let (permission, involved) = (Permission::ManageSagas, &[(Involvement::Owned, payee)][..]);
    let duties = SeparationOfDuties { noun: "payout", code: "own_payout", permission, involved };
    duties.check(tx, actor).await
}

fn decided(
    progress: &mut Progress,
    verb: Verb,
    now: DateTime<Utc>,
    note: Option<String>,
) -> Result<()> {
    match verb {
        Verb::Cancelled => {
            progress.compensate(now, note.unwrap_or_else(|| "the saga was cancelled".into()))
        }
        Verb::MarkedPaid => progress.mark_done(now),
        _ => progress.retry(now),
    }
}

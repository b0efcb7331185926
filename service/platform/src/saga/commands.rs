use entity::saga;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Saga, SagaQuery, State, redact_note, repository};
use crate::{
    actor::Actor,
    error::Result,
    event::Verb,
    resource::{Readable, Resource, versioned},
    role::Permission,
    store::{Store, Tx, page::Page, stored},
};

versioned!(Saga);

impl Resource for Saga {
    const ENTITY: &'static str = "saga";
    const READ: Permission = Permission::ReadSagas;
    const VERBS: &'static [Verb] = &[
        Verb::Created,
        Verb::Advanced,
        Verb::Completed,
        Verb::Compensated,
        Verb::Failed,
        Verb::Retried,
        Verb::Cancelled,
        Verb::MarkedPaid,
    ];

    fn redact(actor: &Actor, data: &mut Map<String, Value>) {
        if let Some(known) = data.get_mut("data") {
            redact_note(actor, known);
        }
    }
}

impl Readable for Saga {
    type Query = SagaQuery;

    /// The saga.
    async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        let row = repository::get(store.read(), actor.organization_id, id).await?;
        Ok(Self::try_from(row)?.redacted_for(actor))
    }

    /// The sagas that a query asks for, the newest first.
    async fn list(store: &Store, actor: &Actor, query: &SagaQuery) -> Result<Page<Self>> {
        let page = repository::list(store.read(), actor.organization_id, query).await?;
        page.try_map(|row| Ok(Self::try_from(row)?.redacted_for(actor)))
    }
}

/// Where a saga stands, and why it is undone or cannot go on.
pub async fn state_of(tx: &Tx, organization_id: Uuid, id: Uuid) -> Result<(State, Option<String>)> {
    state_in(repository::get(tx, organization_id, id).await?)
}

/// Where some sagas stand.
pub async fn states_of(
    tx: &Tx,
    organization_id: Uuid,
    ids: Vec<Uuid>,
) -> Result<Vec<(Uuid, (State, Option<String>))>> {
    let rows = repository::by_ids(tx, organization_id, ids).await?;
    rows.into_iter().map(|row| Ok((row.id, state_in(row)?))).collect()
}

fn state_in(row: saga::Model) -> Result<(State, Option<String>)> {
    Ok((stored::word(saga::Column::State, row.id, &row.state)?, row.reason))
}

//! Deliveries, as clients see them and ask for them.

use chrono::{DateTime, Utc};
use entity::{webhook_attempt, webhook_delivery};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel, sea_query::Condition};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{message::TEST, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    idempotency::WriteOnce,
    input::AnyOf,
    store::{
        Store, Tx,
        page::{Page, PageQuery, paged},
        signal::Signal,
        stored::{self, StoredWord},
    },
};

/// State of a delivery.
///
/// - `pending`: Waiting for the first or the next attempt.
/// - `delivered`: The endpoint has accepted the message.
/// - `failed`: Given up; there are no further attempts.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = WebhookDeliveryState)]
pub enum DeliveryState {
    /// Waiting for the first or the next attempt.
    Pending,
    /// The endpoint has accepted the message.
    Delivered,
    /// Given up; there are no further attempts.
    Failed,
}

/// Delivery of one event to one webhook.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub struct Delivery {
    /// Unique identifier (UUID), set by the server.
    pub id: Uuid,
    /// Identifier of the webhook.
    pub webhook_id: Uuid,
    /// Identifier of the event, sent as the header `webhook-id`; null for a test, which sends `id`
    /// instead.
    pub event_id: Option<Uuid>,
    /// Kind of the event, or `webhook.test`.
    pub kind: String,
    /// State of the delivery.
    pub state: DeliveryState,
    /// Number of attempts.
    pub attempt_count: i64,
    /// Earliest time of the next attempt (RFC 3339, UTC); null if there will be none.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time at which the message was delivered or given up (RFC 3339, UTC); null while the delivery
    /// is pending.
    pub ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<webhook_delivery::Model> for Delivery {
    type Error = Error;

    fn try_from(row: webhook_delivery::Model) -> Result<Self> {
        let webhook_delivery::Model {
            organization_id: _,
            id,
            webhook_id,
            event_id,
            kind,
            entity_id: _,
            position: _,
            state,
            attempt_count,
            tries: _,
            next_at,
            claimed_until: _,
            created_at,
            ended_at,
        } = row;
        let state: DeliveryState = stored::word(webhook_delivery::Column::State, id, &state)?;
        let pending = state == DeliveryState::Pending;
        Ok(Self {
            id,
            webhook_id,
            event_id,
            kind,
            state,
            attempt_count,
            next_attempt_at: pending.then(|| next_at.to_utc()),
            created_at: created_at.to_utc(),
            ended_at: ended_at.map(|at| at.to_utc()),
        })
    }
}

/// Delivery with its attempts.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookDeliveryDetail)]
pub struct DeliveryDetail {
    /// Delivery.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// Most recent attempts, latest first, at most 100.
    pub attempts: Vec<Attempt>,
}

/// Attempt to deliver a message.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookDeliveryAttempt)]
pub struct Attempt {
    /// Time of the attempt (RFC 3339, UTC).
    pub started_at: DateTime<Utc>,
    /// Duration of the attempt in milliseconds.
    pub duration_ms: i64,
    /// HTTP status of the response; null if there was none.
    pub status: Option<i64>,
    /// Reason why there was no response: `refused_address`, `unknown_name`, `no_connection`,
    /// `tls_failed`, `timeout`, `redirected` or `broken_answer`; null if there was one.
    pub error: Option<String>,
    /// First part of the body of the response; null if there was none.
    pub response: Option<String>,
}

impl From<webhook_attempt::Model> for Attempt {
    fn from(row: webhook_attempt::Model) -> Self {
        let webhook_attempt::Model {
            organization_id: _,
            id: _,
            delivery_id: _,
            started_at,
            duration_ms,
            status,
            error,
            response,
        } = row;
        Self { started_at: started_at.to_utc(), duration_ms, status, error, response }
    }
}

/// Filter and page of a list of deliveries.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// Return deliveries in one of these states.
    #[param(value_type = Option<Vec<DeliveryState>>, inline)]
    pub state: Option<AnyOf<DeliveryState>>,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(DeliveryQuery);

/// The deliveries of a webhook, the newest first.
pub async fn deliveries(
    store: &Store,
    actor: &Actor,
    webhook_id: Uuid,
    query: DeliveryQuery,
) -> Result<Page<Delivery>> {
    let DeliveryQuery { state, limit, cursor } = query;
    let endpoint = (actor.organization_id, webhook_id);
    repository::get(store.read(), actor.organization_id, webhook_id).await?;
    let page = PageQuery { limit, cursor };
    let page = repository::deliveries(store.read(), endpoint, state.as_ref(), &page).await?;
    page.try_map(Delivery::try_from)
}

/// A delivery with its attempts.
pub async fn delivery(store: &Store, actor: &Actor, id: Uuid) -> Result<DeliveryDetail> {
    let organization_id = actor.organization_id;
    let row = repository::delivery(store.read(), organization_id, id).await?;
    let attempts = repository::attempts(store.read(), organization_id, id).await?;
    let attempts = attempts.into_iter().map(Attempt::from).collect();
    Ok(DeliveryDetail { delivery: row.try_into()?, attempts })
}

/// Sends a delivery again, from the beginning of the schedule, whatever became of it. It is the same
/// message, with the same `webhook-id`.
pub async fn resend(store: WriteOnce<'_, Delivery>, actor: &Actor, id: Uuid) -> Result<Delivery> {
    let actor = actor.clone();
    store.write(async move |tx| send_again(tx, &actor, id).await).await
}

async fn send_again(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Delivery> {
    let organization_id = actor.organization_id;
    let mut row = repository::delivery(tx, organization_id, id).await?;
    require_enabled(tx, organization_id, row.webhook_id).await?;
    row.state = DeliveryState::Pending.as_str().to_owned();
    row.tries = 0;
    row.next_at = tx.now().fixed_offset();
    row.ended_at = None;
    let change = webhook_delivery::ActiveModel {
        state: Set(row.state.clone()),
        tries: Set(row.tries),
        next_at: Set(row.next_at),
        ended_at: Set(None),
        ..Default::default()
    };
    repository::update(tx, organization_id, &[id], change, Condition::all()).await?;
    tx.signal(Signal::Work);
    Delivery::try_from(row)
}

/// Sends a message of the kind `webhook.test`, as soon as may be.
pub async fn test(
    store: WriteOnce<'_, Delivery>,
    actor: &Actor,
    webhook_id: Uuid,
) -> Result<Delivery> {
    let actor = actor.clone();
    store.write(async move |tx| send_test(tx, &actor, webhook_id).await).await
}

async fn send_test(tx: &Tx, actor: &Actor, webhook_id: Uuid) -> Result<Delivery> {
    let organization_id = actor.organization_id;
    require_enabled(tx, organization_id, webhook_id).await?;
    let (id, now) = (tx.new_id(), tx.now().fixed_offset());
    let row = webhook_delivery::Model {
        organization_id,
        id,
        webhook_id,
        event_id: None,
        kind: TEST.to_owned(),
        // It waits for nothing, and nothing waits for it.
        entity_id: id,
        position: 0,
        state: DeliveryState::Pending.as_str().to_owned(),
        attempt_count: 0,
        tries: 0,
        next_at: now,
        claimed_until: None,
        created_at: now,
        ended_at: None,
    };
    repository::insert(tx, vec![row.clone().into_active_model().reset_all()]).await?;
    tx.signal(Signal::Work);
    Delivery::try_from(row)
}

async fn require_enabled(tx: &Tx, organization_id: Uuid, webhook_id: Uuid) -> Result<()> {
    if repository::get(tx, organization_id, webhook_id).await?.enabled {
        return Ok(());
    }
    Err(Error::state("webhook_disabled", "the webhook is disabled"))
}

use chrono::{DateTime, Utc};
use entity::{event, event_head, webhook, webhook_attempt, webhook_delivery, webhook_progress};
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
    sea_query::{Condition, Expr, Func, Query, SelectStatement},
};
use uuid::Uuid;

use super::{
    DeliveryState,
    rules::{MAX_RETRY_AFTER, Retries},
};
use crate::{
    due,
    error::{Error, Result},
    input::AnyOf,
    store::{
        Tx,
        page::{Page, PageQuery, Sort, page},
        parts::Rows,
        rows,
        stored::StoredWord,
        versioned,
    },
};

/// An organization and a webhook of it.
pub(crate) type Endpoint = (Uuid, Uuid);

/// How many attempts of a delivery are shown.
const MAX_ATTEMPTS_LISTED: u64 = 100;

pub(super) async fn get(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<webhook::Model> {
    find(connection, (organization_id, id)).await?.ok_or(Error::NotFound("webhook"))
}

pub(super) async fn find(
    connection: &impl ConnectionTrait,
    (organization_id, id): Endpoint,
) -> Result<Option<webhook::Model>> {
    let row = not_deleted(organization_id).filter(webhook::COLUMN.id.eq(id));
    Ok(rows::all(connection, row).await?.pop())
}

/// Those of an organization that are not deleted.
fn not_deleted(organization_id: Uuid) -> Select<webhook::Entity> {
    versioned::find_in_organization::<webhook::Entity>(organization_id)
        .filter(webhook::COLUMN.deleted_at.is_null())
}

/// One that is deleted and not yet removed.
pub(crate) async fn deleted(connection: &impl ConnectionTrait) -> Result<Option<Endpoint>> {
    let first = webhook::Entity::find()
        .select_only()
        .columns([webhook::Column::OrganizationId, webhook::Column::Id])
        .filter(webhook::COLUMN.deleted_at.is_not_null())
        .order_by_asc(webhook::Column::DeletedAt)
        .limit(1);
    Ok(first.into_tuple().one(connection).await?)
}

pub(super) async fn list(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    query: &PageQuery,
) -> Result<Page<webhook::Model>> {
    let rows = not_deleted(organization_id);
    let sort = Sort { name: "-created_at", column: webhook::Column::CreatedAt, descending: true };
    page(connection, rows, sort, query).await
}

/// Begins to follow the log at a position.
pub(super) async fn begin_at(
    tx: &Tx,
    (organization_id, id): Endpoint,
    position: i64,
) -> Result<()> {
    let progress = webhook_progress::ActiveModel {
        organization_id: Set(organization_id),
        id: Set(id),
        position: Set(position),
        failing_since: Set(None),
        resumes_at: Set(None),
    };
    webhook_progress::Entity::insert(progress).exec_without_returning(tx).await?;
    Ok(())
}

pub(super) async fn progress(
    connection: &impl ConnectionTrait,
    (organization_id, id): Endpoint,
) -> Result<webhook_progress::Model> {
    versioned::find::<webhook_progress::Entity>(connection, organization_id, id)
        .await?
        .ok_or_else(|| Error::Internal("a webhook has no progress".into()))
}

/// Moves a webhook on from where it was.
///
/// # Errors
/// Where another node was faster, the whole closure runs again ([`Error::Retry`]).
pub(super) async fn advance(tx: &Tx, from: &webhook_progress::Model, to: i64) -> Result<()> {
    let moved = webhook_progress::Entity::update_many()
        .set(webhook_progress::ActiveModel { position: Set(to), ..Default::default() })
        .filter(webhook_progress::COLUMN.organization_id.eq(from.organization_id))
        .filter(webhook_progress::COLUMN.id.eq(from.id))
        .filter(webhook_progress::COLUMN.position.eq(from.position))
        .exec(tx)
        .await?;
    match moved.rows_affected {
        1 => Ok(()),
        _ => Err(Error::lost_race("another node has moved the webhook on")),
    }
}

/// Keeps how an endpoint does.
pub(super) async fn update_health(
    tx: &Tx,
    (organization_id, id): Endpoint,
    failing_since: Option<DateTime<Utc>>,
    resumes_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let health = webhook_progress::ActiveModel {
        failing_since: Set(failing_since.map(|at| at.fixed_offset())),
        resumes_at: Set(resumes_at.map(|at| at.fixed_offset())),
        ..Default::default()
    };
    webhook_progress::Entity::update_many()
        .set(health)
        .filter(webhook_progress::COLUMN.organization_id.eq(organization_id))
        .filter(webhook_progress::COLUMN.id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// The webhooks that are enabled, and their progress beside them.
fn enabled() -> SelectStatement {
    use webhook_progress::Column;
    Query::select()
        .columns([(webhook::Entity, webhook::Column::OrganizationId)])
        .columns([(webhook::Entity, webhook::Column::Id)])
        .from(webhook::Entity)
        .inner_join(
            webhook_progress::Entity,
            Condition::all()
                .add(in_organization_of_webhook((webhook_progress::Entity, Column::OrganizationId)))
                .add(
                    Expr::col((webhook_progress::Entity, Column::Id))
                        .eq(Expr::col((webhook::Entity, webhook::Column::Id))),
                ),
        )
        .and_where(Expr::col((webhook::Entity, webhook::Column::Enabled)).eq(true))
        .order_by((webhook::Entity, webhook::Column::Id), sea_orm::Order::Asc)
        .to_owned()
}

/// Of the same organization as the webhook.
fn in_organization_of_webhook(column: impl sea_orm::sea_query::IntoColumnRef) -> Expr {
    Expr::col(column).eq(Expr::col((webhook::Entity, webhook::Column::OrganizationId)))
}

async fn endpoints(
    connection: &impl ConnectionTrait,
    query: &SelectStatement,
) -> Result<Vec<Endpoint>> {
    let rows = connection.query_all(query).await?;
    let read =
        |row: &sea_orm::QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
    rows.iter().map(read).collect()
}

/// The enabled webhooks whose organization's log goes further than they have come.
pub(super) async fn lagging(connection: &impl ConnectionTrait) -> Result<Vec<Endpoint>> {
    let head = |column| Expr::col((event_head::Entity, column));
    let position = (webhook_progress::Entity, webhook_progress::Column::Position);
    let further = Query::select()
        .column((event_head::Entity, event_head::Column::Position))
        .from(event_head::Entity)
        .and_where(in_organization_of_webhook((
            event_head::Entity,
            event_head::Column::OrganizationId,
        )))
        .and_where(head(event_head::Column::Position).gt(Expr::col(position)))
        .to_owned();
    endpoints(connection, enabled().and_where(Expr::exists(further))).await
}

/// How many events the enabled webhooks have not gone through, and since when the oldest of them is there.
pub(super) async fn behind(
    connection: &impl ConnectionTrait,
) -> Result<(i64, Option<DateTime<Utc>>)> {
    let head = |column| Expr::col((event_head::Entity, column));
    let event = |column| Expr::col((event::Entity, column));
    let position = || Expr::col((webhook_progress::Entity, webhook_progress::Column::Position));
    let left = Expr::from(Func::sum(head(event_head::Column::Position).sub(position())));
    let mut statement = enabled();
    statement
        .clear_selects()
        .clear_order_by()
        .expr(left.cast_as("bigint"))
        .expr(Func::min(event(event::Column::At)))
        .inner_join(
            event_head::Entity,
            in_organization_of_webhook((event_head::Entity, event_head::Column::OrganizationId)),
        )
        .left_join(
            event::Entity,
            in_organization_of_webhook((event::Entity, event::Column::OrganizationId))
                .and(event(event::Column::Position).eq(position().add(1))),
        )
        .and_where(head(event_head::Column::Position).gt(position()));
    let row = connection.query_one(&statement).await?;
    let Some(row) = row else { return Ok((0, None)) };
    let left: Option<i64> = row.try_get_by_index(0)?;
    Ok((left.unwrap_or_default(), row.try_get_by_index(1)?))
}

/// When deliveries of the enabled webhooks are to be sent that are not.
pub(super) fn pending() -> SelectStatement {
    use webhook_delivery::Column;
    let delivery = |column| Expr::col((webhook_delivery::Entity, column));
    let of_webhook = in_organization_of_webhook((webhook_delivery::Entity, Column::OrganizationId))
        .and(delivery(Column::WebhookId).eq(Expr::col((webhook::Entity, webhook::Column::Id))))
        .and(delivery(Column::State).eq(DeliveryState::Pending.as_str()));
    enabled()
        .clear_selects()
        .clear_order_by()
        .expr_as(delivery(Column::NextAt), "since")
        .inner_join(webhook_delivery::Entity, of_webhook)
        .to_owned()
}

/// What says whether a delivery is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due<'a> {
    pub(super) now: DateTime<Utc>,
    pub(super) retries: &'a Retries,
}

/// The enabled webhooks for which something is due.
pub(super) async fn with_due(
    connection: &impl ConnectionTrait,
    is_due: Due<'_>,
) -> Result<Vec<Endpoint>> {
    let resumes_at = Expr::col((webhook_progress::Entity, webhook_progress::Column::ResumesAt));
    let due = webhook_delivery::Entity::find()
        .select_only()
        .column(webhook_delivery::Column::Id)
        .filter(in_organization_of_webhook((
            webhook_delivery::Entity,
            webhook_delivery::Column::OrganizationId,
        )))
        .filter(
            Expr::col((webhook_delivery::Entity, webhook_delivery::Column::WebhookId))
                .eq(Expr::col((webhook::Entity, webhook::Column::Id))),
        )
        .filter(is_due.condition())
        .into_query();
    let query = enabled()
        .cond_where(
            due::is(resumes_at.clone(), is_due.now, MAX_RETRY_AFTER).add(resumes_at.is_null()),
        )
        .and_where(Expr::exists(due))
        .to_owned();
    endpoints(connection, &query).await
}

impl Due<'_> {
    /// Nobody sends it, and it has waited as long as it has to. How long that is at most depends on how often
    /// it was tried; if the endpoint has asked for more, the webhook as a whole waits (`resumes_at`).
    fn condition(self) -> Condition {
        use webhook_delivery::{COLUMN, Column};
        let column = |column| Expr::col((webhook_delivery::Entity, column));
        let beyond = (0_i64..).zip(self.retries.max_waits()).filter_map(|(tries, max_wait)| {
            let beyond = due::is_beyond(column(Column::NextAt), self.now, max_wait)?;
            Some(column(Column::Tries).eq(tries).and(beyond))
        });
        let come = column(Column::NextAt).lte(self.now.fixed_offset());
        Condition::all()
            .add(COLUMN.state.eq(DeliveryState::Pending.as_str()))
            .add(COLUMN.claimed_until.is_null())
            .add(beyond.fold(Condition::any().add(come), Condition::add))
    }
}

/// What is due for a webhook, the first events first. What waits for an earlier event of the same
/// resource is not due.
pub(super) async fn due(
    connection: &impl ConnectionTrait,
    (organization_id, webhook_id): Endpoint,
    is_due: Due<'_>,
    limit: u64,
) -> Result<Vec<webhook_delivery::Model>> {
    use webhook_delivery::Column;
    let (this, earlier) = (|column| Expr::col((webhook_delivery::Entity, column)), "earlier");
    let before = Query::select()
        .column((earlier, Column::Id))
        .from_as(webhook_delivery::Entity, earlier)
        .and_where(Expr::col((earlier, Column::OrganizationId)).eq(organization_id))
        .and_where(Expr::col((earlier, Column::WebhookId)).eq(webhook_id))
        .and_where(Expr::col((earlier, Column::EntityId)).eq(this(Column::EntityId)))
        .and_where(Expr::col((earlier, Column::State)).eq(DeliveryState::Pending.as_str()))
        .and_where(Expr::col((earlier, Column::Position)).lt(this(Column::Position)))
        .to_owned();
    let due = versioned::find_in_organization::<webhook_delivery::Entity>(organization_id)
        .filter(webhook_delivery::COLUMN.webhook_id.eq(webhook_id))
        .filter(is_due.condition())
        .filter(Expr::not_exists(before))
        .order_by_asc(Column::Position)
        .order_by_asc(Column::Id)
        .limit(limit);
    rows::all(connection, due).await
}

/// How many claims are looked at, the oldest first.
const MAX_CLAIMS: u64 = 1000;

/// Deliveries that somebody sends, by organization and id, with what says whose claim it is.
pub(super) async fn claims(
    connection: &impl ConnectionTrait,
) -> Result<Vec<(Endpoint, DateTime<Utc>)>> {
    use webhook_delivery::{COLUMN, Column};
    let claims: Vec<(Uuid, Uuid, DateTime<Utc>)> = webhook_delivery::Entity::find()
        .select_only()
        .columns([Column::OrganizationId, Column::Id, Column::ClaimedUntil])
        .filter(COLUMN.claimed_until.is_not_null())
        .order_by_asc(Column::ClaimedUntil)
        .limit(MAX_CLAIMS)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(claims
        .into_iter()
        .map(|(organization_id, id, until)| ((organization_id, id), until))
        .collect())
}

/// Writes on some deliveries of an organization, and says on how many.
pub(super) async fn update(
    tx: &Tx,
    organization_id: Uuid,
    ids: &[Uuid],
    change: webhook_delivery::ActiveModel,
    condition: Condition,
) -> Result<u64> {
    let updated = webhook_delivery::Entity::update_many()
        .set(change)
        .filter(webhook_delivery::COLUMN.organization_id.eq(organization_id))
        .filter(webhook_delivery::COLUMN.id.is_in(ids.iter().copied()))
        .filter(condition)
        .exec(tx)
        .await?;
    Ok(updated.rows_affected)
}

pub(super) async fn insert(tx: &Tx, deliveries: Vec<webhook_delivery::ActiveModel>) -> Result<()> {
    if !deliveries.is_empty() {
        webhook_delivery::Entity::insert_many(deliveries).exec_without_returning(tx).await?;
    }
    Ok(())
}

pub(super) async fn insert_attempt(tx: &Tx, attempt: webhook_attempt::ActiveModel) -> Result<()> {
    webhook_attempt::Entity::insert(attempt).exec_without_returning(tx).await?;
    Ok(())
}

pub(super) async fn delivery(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<webhook_delivery::Model> {
    let webhooks =
        not_deleted(organization_id).select_only().column(webhook::Column::Id).into_query();
    let row = versioned::find_in_organization::<webhook_delivery::Entity>(organization_id)
        .filter(webhook_delivery::COLUMN.id.eq(id))
        .filter(webhook_delivery::COLUMN.webhook_id.in_subquery(webhooks));
    rows::all(connection, row).await?.pop().ok_or(Error::NotFound("delivery"))
}

pub(super) async fn deliveries(
    connection: &impl ConnectionTrait,
    (organization_id, webhook_id): Endpoint,
    state: Option<&AnyOf<DeliveryState>>,
    query: &PageQuery,
) -> Result<Page<webhook_delivery::Model>> {
    use webhook_delivery::{COLUMN, Column, Entity};
    let rows = versioned::find_in_organization::<Entity>(organization_id)
        .filter(COLUMN.webhook_id.eq(webhook_id));
    let backend = connection.get_database_backend();
    let rows = Rows::from(rows).any_of(backend, Column::State, state.map(AnyOf::words));
    let column = Column::CreatedAt;
    page(connection, rows, Sort { name: "-created_at", column, descending: true }, query).await
}

/// The attempts of a delivery, the last first.
pub(super) async fn attempts(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    delivery_id: Uuid,
) -> Result<Vec<webhook_attempt::Model>> {
    let attempts = versioned::find_in_organization::<webhook_attempt::Entity>(organization_id)
        .filter(webhook_attempt::COLUMN.delivery_id.eq(delivery_id))
        .order_by_desc(webhook_attempt::Column::StartedAt)
        .order_by_desc(webhook_attempt::Column::Id)
        .limit(MAX_ATTEMPTS_LISTED);
    rows::all(connection, attempts).await
}

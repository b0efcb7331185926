use actix_web::{HttpResponse, delete, get, put, web};
use service::{
    input::Deferred,
    meter::exchange::{
        self, MeterExchange, MeterExchangeDeletionQuery, MeterExchangeInput, MeterExchangeQuery,
    },
    store::page::Page,
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Body, MeterId, MeterInstant, Query, Require},
    permission::{self, PermissionType},
    problem,
    response::Result,
    state::State,
    table::Listing,
};

type MeterExchangePage = Page<MeterExchange>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(list_meter_exchanges).service(put_meter_exchange).service(delete_meter_exchange);
}

/// List where a counter began anew
///
/// Rollovers, resets and exchanges, and drops that wait for a decision. Ordered by `at`.
#[utoipa::path(
    tag = "meters",
    params(("organization_id" = uuid::Uuid, Path), MeterId, MeterExchangeQuery),
    extensions(("x-permission" = json!(permission::ReadMeters::name()))),
    responses(
        (status = 200, description = "Page of the list", body = MeterExchangePage),
        problem::Read,
    ),
)]
#[get("/meters/{meter}/exchanges")]
async fn list_meter_exchanges(
    state: web::Data<State>,
    caller: Require<permission::ReadMeters>,
    listing: Listing,
    MeterId(id): MeterId,
    Query(query): Query<MeterExchangeQuery>,
) -> Result<HttpResponse> {
    let read = async |query: &MeterExchangeQuery| {
        exchange::list(&state.store, &caller.actor, id, query.clone()).await
    };
    Ok(listing.answer(&query, read).await?)
}

/// Decide where a counter began anew
///
/// Decides what a drop means (`rollover`, `reset`), at the instant of the lower reading, or enters that the counter was
/// exchanged for another one (`exchange`), at any instant. What was said before is replaced. Where the counter does not
/// drop, the status is 409 `no_drop`; what the readings contradict is 409 `contradicts_readings`.
#[utoipa::path(
    tag = "meters",
    params(("organization_id" = uuid::Uuid, Path), MeterInstant),
    extensions(("x-permission" = json!(permission::ManageMeters::name()))),
    request_body = MeterExchangeInput,
    responses(
        (status = 200, description = "Where the counter began anew", body = MeterExchange),
        problem::Create,
    ),
)]
#[put("/meters/{meter}/exchanges/{at}")]
async fn put_meter_exchange(
    state: web::Data<State>,
    caller: Require<permission::ManageMeters>,
    key: MeterInstant,
    Body(body): Body<Deferred<MeterExchangeInput>>,
) -> Result<web::Json<MeterExchange>> {
    Ok(web::Json(exchange::put(&state.store, &caller.actor, key.pair(), body).await?))
}

/// Take back where a counter began anew
///
/// Takes back a decision or what was entered. Of a drop that is still there, the rule of the meter holds again. What
/// nobody has decided is 409 `by_rule`; where something else was said by now, the status is 409 `another_kind`.
#[utoipa::path(
    tag = "meters",
    params(("organization_id" = uuid::Uuid, Path), MeterInstant, MeterExchangeDeletionQuery),
    extensions(("x-permission" = json!(permission::ManageMeters::name()))),
    responses((status = 204, description = "Taken back"), problem::Read, problem::Take),
)]
#[delete("/meters/{meter}/exchanges/{at}")]
async fn delete_meter_exchange(
    state: web::Data<State>,
    caller: Require<permission::ManageMeters>,
    key: MeterInstant,
    Query(query): Query<MeterExchangeDeletionQuery>,
) -> Result<HttpResponse> {
    exchange::remove(&state.store, &caller.actor, key.pair(), query).await?;
    Ok(HttpResponse::NoContent().finish())
}

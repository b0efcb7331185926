use actix_web::{HttpResponse, delete, get, post, put, web};
use service::{
    input::Deferred,
    meter::reading::{
        self, Appended, DeletedReadings, Reading, ReadingBatch, ReadingCorrectionInput,
        ReadingDeletionQuery, ReadingHistory, ReadingQuery, commands,
    },
    store::page::Page,
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Body, Idempotent, MeterId, MeterInstant, Query, Readings, Require},
    permission::{self, PermissionType},
    problem,
    response::{Result, ok_json},
    state::State,
    table::Listing,
};

type ReadingPage = Page<Reading>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(create_readings)
        .service(list_readings)
        .service(delete_readings)
        .service(get_reading)
        .service(correct_reading);
}

/// Create readings of a meter
///
/// Takes 1 to 10,000 readings in any order, all of them or none: as JSON, as JSON lines (`application/x-ndjson`), or as
/// CSV with the columns `at` and `value`. A reading that is there already with the same value is counted as unchanged.
/// One at an instant that has another value corrects it or is refused with 409 `reading_conflict`, as `on_conflict` of
/// the meter says. Pointers name readings by their number from 0, such as `/items/3/value`, whatever the format is.
#[utoipa::path(
    tag = "meters",
    params(("organization_id" = uuid::Uuid, Path), MeterId),
    extensions(("x-permission" = json!(permission::RecordReadings::name()))),
    request_body(content(
        (ReadingBatch = "application/json"),
        (String = "application/x-ndjson"),
        (String = "text/csv"),
    )),
    responses(
        (status = 200, description = "What became of the readings", body = Appended),
        problem::Create,
    ),
)]
#[post("/meters/{meter}/readings")]
async fn create_readings(
    caller: Require<permission::RecordReadings>,
    idempotent: Idempotent,
    MeterId(id): MeterId,
    Readings(readings): Readings,
) -> Result<HttpResponse> {
    idempotent
        .respond(ok_json, async |store| commands::add(store, &caller.actor, id, readings).await)
        .await
}

/// List readings of a meter
///
/// Ordered by `at`.
#[utoipa::path(
    tag = "meters",
    params(("organization_id" = uuid::Uuid, Path), MeterId, ReadingQuery),
    extensions(("x-permission" = json!(permission::ReadMeters::name()))),
    responses(
        (status = 200, description = "Page of the list", body = ReadingPage),
        problem::Read,
    ),
)]
#[get("/meters/{meter}/readings")]
async fn list_readings(
    state: web::Data<State>,
    caller: Require<permission::ReadMeters>,
    listing: Listing,
    MeterId(id): MeterId,
    Query(query): Query<ReadingQuery>,
) -> Result<HttpResponse> {
    let read = async |query: &ReadingQuery| {
        reading::list(&state.store, &caller.actor, id, query.clone()).await
    };
    Ok(listing.answer(&query, read).await?)
}

/// Delete readings of a meter
///
/// Deletes the first 10,000 readings of the span, with what they were before their corrections. If there may be more,
/// the same request deletes the next ones.
#[utoipa::path(
    tag = "meters",
    params(("organization_id" = uuid::Uuid, Path), MeterId, ReadingDeletionQuery),
    extensions(("x-permission" = json!(permission::RecordReadings::name()))),
    responses(
        (status = 200, description = "What was deleted", body = DeletedReadings),
        problem::Read,
        problem::Take,
    ),
)]
#[delete("/meters/{meter}/readings")]
async fn delete_readings(
    state: web::Data<State>,
    caller: Require<permission::RecordReadings>,
    MeterId(id): MeterId,
    Query(query): Query<ReadingDeletionQuery>,
) -> Result<web::Json<DeletedReadings>> {
    Ok(web::Json(commands::remove(&state.store, &caller.actor, id, query).await?))
}

/// Get a reading
///
/// With what it was before it was corrected.
#[utoipa::path(
    tag = "meters",
    params(("organization_id" = uuid::Uuid, Path), MeterInstant),
    extensions(("x-permission" = json!(permission::ReadMeters::name()))),
    responses(
        (status = 200, description = "Reading with its corrections", body = ReadingHistory),
        problem::Read,
    ),
)]
#[get("/meters/{meter}/readings/{at}")]
async fn get_reading(
    state: web::Data<State>,
    caller: Require<permission::ReadMeters>,
    key: MeterInstant,
) -> Result<web::Json<ReadingHistory>> {
    Ok(web::Json(reading::get(&state.store, &caller.actor, key.pair()).await?))
}

/// Change a reading
///
/// Replaces the value, whatever `on_conflict` of the meter says. The value before is kept.
#[utoipa::path(
    tag = "meters",
    params(("organization_id" = uuid::Uuid, Path), MeterInstant),
    extensions(("x-permission" = json!(permission::RecordReadings::name()))),
    request_body = ReadingCorrectionInput,
    responses(
        (status = 200, description = "Reading as it is now", body = Reading),
        problem::Create,
    ),
)]
#[put("/meters/{meter}/readings/{at}")]
async fn correct_reading(
    state: web::Data<State>,
    caller: Require<permission::RecordReadings>,
    key: MeterInstant,
    Body(body): Body<Deferred<ReadingCorrectionInput>>,
) -> Result<web::Json<Reading>> {
    Ok(web::Json(commands::correct(&state.store, &caller.actor, key.pair(), body).await?))
}

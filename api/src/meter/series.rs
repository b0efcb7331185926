use actix_web::{get, web};
use service::meter::series::{self, Explanation, ExplanationQuery, Series, SeriesQuery};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{MeterId, Query, Require},
    permission::{self, PermissionType},
    problem,
    response::Result,
    state::State,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(get_meter_series).service(explain_meter_consumption);
}

/// Get the series of a meter
///
/// What the readings come to in quarters of an hour, hours, days, weeks or months of the organization's time zone, at
/// most 3000 of them. A span that would be made of more than 100,000 rollups is refused.
#[utoipa::path(
    tag = "meters",
    params(("organization_id" = uuid::Uuid, Path), MeterId, SeriesQuery),
    extensions(("x-permission" = json!(permission::ReadMeters::name()))),
    responses(
        (status = 200, description = "Series of the meter", body = Series),
        problem::Read,
    ),
)]
#[get("/meters/{meter}/series")]
async fn get_meter_series(
    state: web::Data<State>,
    caller: Require<permission::ReadMeters>,
    MeterId(id): MeterId,
    Query(query): Query<SeriesQuery>,
) -> Result<web::Json<Series>> {
    Ok(web::Json(series::series(&state.store, &caller.actor, id, query).await?))
}

/// Get what a consumption was made of
///
/// The readings, and where the counter began anew, of which a consumption was made, and which of them counts only in
/// part. A span with more than 1000 readings is refused; of a gauge, 409 `not_consumed`.
#[utoipa::path(
    tag = "meters",
    params(("organization_id" = uuid::Uuid, Path), MeterId, ExplanationQuery),
    extensions(("x-permission" = json!(permission::ReadMeters::name()))),
    responses(
        (status = 200, description = "What the consumption was made of", body = Explanation),
        problem::Read,
    ),
)]
#[get("/meters/{meter}/explain")]
async fn explain_meter_consumption(
    state: web::Data<State>,
    caller: Require<permission::ReadMeters>,
    MeterId(id): MeterId,
    Query(query): Query<ExplanationQuery>,
) -> Result<web::Json<Explanation>> {
    Ok(web::Json(series::explain(&state.store, &caller.actor, id, query).await?))
}

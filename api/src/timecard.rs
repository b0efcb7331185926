use actix_web::{HttpResponse, get, post, web};
use service::{
    input::{Create, Form},
    timecard::{self, Decide, DecisionResults, Timecard, TimecardInput, TimecardTotals},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Result, created, told},
    extract::{Body, May, Once, Row},
    may::{self, Requires},
    problem,
    resource::Collection,
    state::State,
};

type NewTimecard = Create<TimecardInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    let timecards = Collection::<Timecard>::of("timecards", "a timecard");
    config
        .service(create)
        .service(timecards.list(may::ReadWork, "The timecards, by week"))
        .service(decide)
        .service(timecards.read(may::ReadWork))
        .service(timecards.history(may::ReadWork))
        .service(totals)
        .service(
            timecards
                .act(may::RecordTime, "submit", timecard::submit)
                .summary("Ask for a decision about a week")
                .detail(
                    "From then on its time stays as it is. Where nobody decides, it is approved.",
                ),
        )
        .service(
            timecards
                .act(may::DecideTime, "approve", timecard::approve)
                .summary("Accept a submitted timecard of somebody else's"),
        )
        .service(
            timecards
                .act(may::DecideTime, "reject", timecard::reject)
                .summary("Refuse a submitted timecard of somebody else's")
                .detail("Its time can be changed, and it can be submitted again."),
        )
        .service(
            timecards
                .act(may::ReopenTimecards, "reopen", timecard::reopen)
                .summary("Let the time of a submitted or approved timecard be changed again"),
        );
}

/// Make the timecard of a week that has none
///
/// There is no need to: it is made when the first time of its week is recorded.
#[utoipa::path(
    tag = "timecards",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::RecordTime::name()))),
    request_body = NewTimecard,
    responses((status = 201, body = Timecard), problem::Create),
)]
#[post("/timecards")]
async fn create(
    may: May<may::RecordTime>,
    once: Once,
    Body(new): Body<NewTimecard>,
) -> Result<HttpResponse> {
    once.answer(created, async |store| timecard::create(store, &may.actor, new).await).await
}

/// What was worked in a week, by day and by project
#[utoipa::path(
    tag = "timecards",
    params(("organization_id" = uuid::Uuid, Path), ("timecard_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ReadWork::name()))),
    responses((status = 200, body = TimecardTotals), problem::Read),
)]
#[get("/timecards/{timecard_id}/totals")]
async fn totals(
    state: web::Data<State>,
    may: May<may::ReadWork>,
    Row(id): Row,
) -> Result<web::Json<TimecardTotals>> {
    Ok(web::Json(timecard::totals(&state.store, &may.actor, id).await?))
}

/// Decide about several submitted timecards
///
/// Each by itself: one that cannot be decided hinders no other.
#[utoipa::path(
    tag = "timecards",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::DecideTime::name()))),
    request_body = Decide,
    responses((status = 200, body = DecisionResults), problem::Create),
)]
#[post("/timecards/decide")]
async fn decide(
    may: May<may::DecideTime>,
    once: Once,
    Body(Form(decisions)): Body<Form<Decide>>,
) -> Result<HttpResponse> {
    once.answer(told, async |store| timecard::decide(store, &may.actor, decisions).await).await
}

use actix_web::{HttpResponse, get, post, web};
use service::{
    input::{Create, Validated},
    work::timecard::{
        self, Decide, DecisionResults, Timecard, TimecardInput, TimecardTotals, rules::Transition,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Body, Idempotent, Require, ResourceId},
    permission::{self, PermissionType},
    problem,
    resource::Collection,
    response::{Result, created, ok_json},
    state::State,
};

type NewTimecard = Create<TimecardInput>;

const DECIDE: &str = "\
The timecard must be submitted. If approval is required, it must be decided by a member with no part
in the timecard.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let timecards = Collection::<Timecard>::of("timecards", "a timecard");
    config
        .service(create_timecard)
        .service(timecards.list(permission::ReadWork, "By default, latest week first."))
        .service(decide_timecards)
        .service(timecards.get(permission::ReadWork))
        .service(timecards.history(permission::ReadWork))
        .service(get_timecard_totals)
        .service(
            timecards
                .transition(permission::RecordTime, Transition::Submit)
                .summary("Submit a timecard for approval")
                .detail(
                    "Locks the time of the week. If the organization requires no approval, the \
                     timecard is approved at once.",
                ),
        )
        .service(timecards.transition(permission::DecideTime, Transition::Approve).detail(DECIDE))
        .service(
            timecards
                .transition(permission::DecideTime, Transition::Reject)
                .detail("Unlocks the time of the week. The timecard can be submitted again."),
        )
        .service(
            timecards
                .action(permission::ReopenTimecards, "reopen", timecard::reopen)
                .detail("Unlocks the time of a submitted or approved timecard."),
        );
}

/// Create a timecard
///
/// Optional: recording the first time of a week creates its timecard.
#[utoipa::path(
    tag = "timecards",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::RecordTime::name()))),
    request_body = NewTimecard,
    responses((status = 201, description = "Created timecard", body = Timecard), problem::Create),
)]
#[post("/timecards")]
async fn create_timecard(
    caller: Require<permission::RecordTime>,
    idempotent: Idempotent,
    Body(new): Body<NewTimecard>,
) -> Result<HttpResponse> {
    idempotent
        .respond(created, async |store| timecard::create(store, &caller.actor, new).await)
        .await
}

/// Get a timecard's totals
///
/// Returns the time worked in the week, by day and by project.
#[utoipa::path(
    tag = "timecards",
    params(("organization_id" = uuid::Uuid, Path), ("timecard_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ReadWork::name()))),
    responses(
        (status = 200, description = "Totals of the week", body = TimecardTotals),
        problem::Read,
    ),
)]
#[get("/timecards/{timecard_id}/totals")]
async fn get_timecard_totals(
    state: web::Data<State>,
    caller: Require<permission::ReadWork>,
    ResourceId(id): ResourceId,
) -> Result<web::Json<TimecardTotals>> {
    Ok(web::Json(timecard::totals(&state.store, &caller.actor, id).await?))
}

/// Decide several timecards
///
/// Applies each decision independently of the others and returns a result for each.
#[utoipa::path(
    tag = "timecards",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::DecideTime::name()))),
    request_body = Decide,
    responses(
        (status = 200, description = "Results of the decisions", body = DecisionResults),
        problem::Create,
    ),
)]
#[post("/timecards/decide")]
async fn decide_timecards(
    caller: Require<permission::DecideTime>,
    idempotent: Idempotent,
    Body(Validated(decisions)): Body<Validated<Decide>>,
) -> Result<HttpResponse> {
    idempotent
        .respond(ok_json, async |store| timecard::decide(store, &caller.actor, decisions).await)
        .await
}

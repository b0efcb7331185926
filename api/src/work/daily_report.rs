use actix_web::{HttpResponse, get, web};
use service::{
    store::page::{Page, PageQuery},
    work::daily_report::{self, Amendment, CrewHours, DailyReport, rules::Transition},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Query, Require, ResourceId},
    permission::{self, PermissionType},
    problem,
    resource::Collection,
    response::Result,
    state::State,
    table::Listing,
};

type AmendmentPage = Page<Amendment>;

const AMEND: &str = "\
`changes` is a JSON Merge Patch, and `reason` states why. If the organization requires approval, an
approved report becomes `submitted` again.";

const TAKE_HOURS: &str = "\
Replaces the hours of members by the time that they have recorded for the project and day. Members
who have recorded none are removed, and missing members are added. Lines of trades are unchanged.
Only for drafts.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let reports = Collection::<DailyReport>::of("daily reports", "a daily report");
    config
        .service(
            reports
                .create(permission::RecordDailyReports)
                .detail("A project has at most one report for each day."),
        )
        .service(reports.list(permission::ReadWork, "By default, latest day first."))
        .service(reports.get(permission::ReadWork))
        .service(reports.history(permission::ReadWork))
        .service(reports.revert(permission::RecordDailyReports))
        .service(
            reports.update(permission::RecordDailyReports).detail("Only drafts can be updated."),
        )
        .service(
            reports.delete(permission::RecordDailyReports).detail("Only drafts can be deleted."),
        )
        .service(
            reports
                .transition(permission::RecordDailyReports, Transition::Submit)
                .summary("Submit a daily report for approval")
                .detail(
                    "A submitted report can only be amended. If the organization requires no \
                     approval, the report is approved at once.",
                ),
        )
        .service(reports.transition(permission::DecideDailyReports, Transition::Approve).detail(
            "If approval is required, it must come from a member with no part in the report.",
        ))
        .service(
            reports
                .action(permission::RecordDailyReports, "amend", daily_report::amend)
                .summary("Amend a submitted daily report")
                .detail(AMEND),
        )
        .service(
            reports
                .action(permission::RecordDailyReports, "take-hours", daily_report::take_hours)
                .summary("Take recorded hours into a daily report")
                .detail(TAKE_HOURS),
        )
        .service(list_daily_report_amendments)
        .service(get_daily_report_crew_hours);
}

/// List a daily report's amendments
///
/// Latest first.
#[utoipa::path(
    tag = "daily reports",
    params(
        ("organization_id" = uuid::Uuid, Path),
        ("daily_report_id" = uuid::Uuid, Path),
        PageQuery,
    ),
    extensions(("x-permission" = json!(permission::ReadWork::name()))),
    responses(
        (status = 200, description = "Page of the list", body = AmendmentPage),
        problem::Read,
    ),
)]
#[get("/daily-reports/{daily_report_id}/amendments")]
async fn list_daily_report_amendments(
    state: web::Data<State>,
    caller: Require<permission::ReadWork>,
    listing: Listing,
    ResourceId(id): ResourceId,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse> {
    let read = async |page: &PageQuery| {
        daily_report::amendments(&state.store, &caller.actor, id, page).await
    };
    Ok(listing.answer(&page, read).await?)
}

/// Compare a daily report's hours with recorded time
///
/// Covers each member whom the report names or who has recorded time for its project and day.
#[utoipa::path(
    tag = "daily reports",
    params(("organization_id" = uuid::Uuid, Path), ("daily_report_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ReadWork::name()))),
    responses(
        (status = 200, description = "Comparison of the hours", body = CrewHours),
        problem::Read,
    ),
)]
#[get("/daily-reports/{daily_report_id}/crew-hours")]
async fn get_daily_report_crew_hours(
    state: web::Data<State>,
    caller: Require<permission::ReadWork>,
    ResourceId(id): ResourceId,
) -> Result<web::Json<CrewHours>> {
    Ok(web::Json(daily_report::crew_hours(&state.store, &caller.actor, id).await?))
}

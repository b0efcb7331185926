use actix_web::{get, web};
use service::{
    daily_report::{self, Amendment, CrewHours, DailyReport},
    store::page::{Page, PageQuery},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Listed, Result},
    extract::{May, Query, Row},
    may::{self, Requires},
    problem,
    resource::Collection,
    state::State,
};

const AMEND: &str = "\
`changes` is a merge patch, and `reason` says why; both are in the history. Where reports take approval, one that was
approved is submitted again.";

const TAKE_HOURS: &str = "\
Members get the hours that they recorded for the project and the day: who recorded none goes, and who is not there yet
is added. What is said by trade stays.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let reports = Collection::<DailyReport>::of("daily reports", "a daily report");
    config
        .service(
            reports
                .create(may::RecordDailyReports)
                .summary("Begin the daily report of a project and a day"),
        )
        .service(reports.list(may::ReadWork, "The daily reports, filtered and by day"))
        .service(reports.read(may::ReadWork))
        .service(reports.history(may::ReadWork))
        .service(reports.revert(may::RecordDailyReports))
        .service(reports.change(may::RecordDailyReports).summary("Change a draft of a report"))
        .service(reports.remove(may::RecordDailyReports).summary("Remove a draft of a report"))
        .service(
            reports
                .act(may::RecordDailyReports, "submit", daily_report::submit)
                .summary("Hand a daily report in")
                .detail("From then on it is only amended. Where nobody decides, it is approved."),
        )
        .service(
            reports
                .act(may::DecideDailyReports, "approve", daily_report::approve)
                .summary("Accept a daily report that somebody else has handed in"),
        )
        .service(
            reports
                .act(may::RecordDailyReports, "amend", daily_report::amend)
                .summary("Amend a daily report that was handed in")
                .detail(AMEND),
        )
        .service(
            reports
                .act(may::RecordDailyReports, "take-hours", daily_report::take_hours)
                .summary("Put the hours that were recorded into a draft of a report")
                .detail(TAKE_HOURS),
        )
        .service(amendments)
        .service(crew_hours);
}

/// The amendments of a daily report, the latest first
#[utoipa::path(
    tag = "daily reports",
    params(
        ("organization_id" = uuid::Uuid, Path),
        ("daily_report_id" = uuid::Uuid, Path),
        PageQuery,
    ),
    extensions(("x-permission" = json!(may::ReadWork::name()))),
    responses((status = 200, body = Page<Amendment>), problem::Read),
)]
#[get("/daily-reports/{daily_report_id}/amendments")]
async fn amendments(
    state: web::Data<State>,
    may: May<may::ReadWork>,
    Row(id): Row,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Amendment>> {
    Ok(Listed(daily_report::amendments(&state.store, &may.actor, id, &page).await?))
}

/// The hours of a daily report's crew beside those that were recorded
///
/// For each member whom the report names, or who recorded time for its project and day.
#[utoipa::path(
    tag = "daily reports",
    params(("organization_id" = uuid::Uuid, Path), ("daily_report_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ReadWork::name()))),
    responses((status = 200, body = CrewHours), problem::Read),
)]
#[get("/daily-reports/{daily_report_id}/crew-hours")]
async fn crew_hours(
    state: web::Data<State>,
    may: May<may::ReadWork>,
    Row(id): Row,
) -> Result<web::Json<CrewHours>> {
    Ok(web::Json(daily_report::crew_hours(&state.store, &may.actor, id).await?))
}

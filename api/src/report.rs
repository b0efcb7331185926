use actix_web::{get, web};
use service::report::{
    self, Budgets, BudgetsQuery, Hours, HoursQuery, JobCost, JobCostQuery, Spending, SpendingQuery,
    Timesheet, TimesheetQuery,
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::Result,
    extract::{May, Query},
    may::{self, Requires},
    problem,
    state::State,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(spending).service(budgets).service(hours).service(timesheet).service(job_cost);
}

/// What was spent, grouped
///
/// Approved and reimbursed count as `amount_minor`, drafts and submitted as `pending_minor`,
/// rejected as nothing. Refunds count against it.
#[utoipa::path(
    tag = "reports",
    params(("organization_id" = uuid::Uuid, Path), SpendingQuery),
    extensions(("x-permission" = json!(may::ReadReports::name()))),
    responses((status = 200, body = Spending), problem::Read),
)]
#[get("/reports/spending")]
async fn spending(
    state: web::Data<State>,
    may: May<may::ReadReports>,
    Query(query): Query<SpendingQuery>,
) -> Result<web::Json<Spending>> {
    Ok(web::Json(report::spending(&state.store, &may.actor, &query).await?))
}

/// Where each budget stands on a day
#[utoipa::path(
    tag = "reports",
    params(("organization_id" = uuid::Uuid, Path), BudgetsQuery),
    extensions(("x-permission" = json!(may::ReadReports::name()))),
    responses((status = 200, body = Budgets), problem::Read),
)]
#[get("/reports/budgets")]
async fn budgets(
    state: web::Data<State>,
    may: May<may::ReadReports>,
    Query(query): Query<BudgetsQuery>,
) -> Result<web::Json<Budgets>> {
    Ok(web::Json(report::budgets(&state.store, &may.actor, &query).await?))
}

/// What was worked, grouped
///
/// By the days of the organization: an entry that crosses midnight counts in both by its seconds.
#[utoipa::path(
    tag = "reports",
    params(("organization_id" = uuid::Uuid, Path), HoursQuery),
    extensions(("x-permission" = json!(may::ReadReports::name()))),
    responses((status = 200, body = Hours), problem::Read),
)]
#[get("/reports/hours")]
async fn hours(
    state: web::Data<State>,
    may: May<may::ReadReports>,
    Query(query): Query<HoursQuery>,
) -> Result<web::Json<Hours>> {
    Ok(web::Json(report::hours(&state.store, &may.actor, &query).await?))
}

/// What a member worked in a week, entry by entry
#[utoipa::path(
    tag = "reports",
    params(("organization_id" = uuid::Uuid, Path), TimesheetQuery),
    extensions(("x-permission" = json!(may::ReadReports::name()))),
    responses((status = 200, body = Timesheet), problem::Read),
)]
#[get("/reports/timesheet")]
async fn timesheet(
    state: web::Data<State>,
    may: May<may::ReadReports>,
    Query(query): Query<TimesheetQuery>,
) -> Result<web::Json<Timesheet>> {
    Ok(web::Json(report::timesheet(&state.store, &may.actor, &query).await?))
}

/// What a project has cost, against its budget
///
/// Time of approved weeks at the rate of the day on which it was worked, and expenses that are approved or
/// reimbursed.
#[utoipa::path(
    tag = "reports",
    params(("organization_id" = uuid::Uuid, Path), JobCostQuery),
    extensions(("x-permission" = json!(may::ReadCosts::name()))),
    responses((status = 200, body = JobCost), problem::Read),
)]
#[get("/reports/job-cost")]
async fn job_cost(
    state: web::Data<State>,
    may: May<may::ReadCosts>,
    Query(query): Query<JobCostQuery>,
) -> Result<web::Json<JobCost>> {
    Ok(web::Json(report::job_cost(&state.store, &may.actor, &query).await?))
}

use actix_web::{get, web};
use service::report::{
    self, Budgets, BudgetsQuery, Hours, HoursQuery, JobCost, JobCostQuery, Spending, SpendingQuery,
    Timesheet, TimesheetQuery,
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Query, Require},
    permission::{self, PermissionType},
    problem,
    response::Result,
    state::State,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(spending).service(budgets).service(hours).service(timesheet).service(job_cost);
}

/// Report spending
///
/// Sums expenses by group: approved and reimbursed ones as `amount_minor`, drafts and submitted
/// ones as `pending_minor`. Rejected expenses do not count. Refunds reduce the sums.
#[utoipa::path(
    tag = "reports",
    params(("organization_id" = uuid::Uuid, Path), SpendingQuery),
    extensions(("x-permission" = json!(permission::ReadReports::name()))),
    responses((status = 200, description = "Report", body = Spending), problem::Read),
)]
#[get("/reports/spending")]
async fn spending(
    state: web::Data<State>,
    caller: Require<permission::ReadReports>,
    Query(query): Query<SpendingQuery>,
) -> Result<web::Json<Spending>> {
    Ok(web::Json(report::spending(&state.store, &caller.actor, &query).await?))
}

/// Report budgets
///
/// Compares the spending of each budget that holds on a day with its amount.
#[utoipa::path(
    tag = "reports",
    params(("organization_id" = uuid::Uuid, Path), BudgetsQuery),
    extensions(("x-permission" = json!(permission::ReadReports::name()))),
    responses((status = 200, description = "Report", body = Budgets), problem::Read),
)]
#[get("/reports/budgets")]
async fn budgets(
    state: web::Data<State>,
    caller: Require<permission::ReadReports>,
    Query(query): Query<BudgetsQuery>,
) -> Result<web::Json<Budgets>> {
    Ok(web::Json(report::budgets(&state.store, &caller.actor, &query).await?))
}

/// Report hours
///
/// Sums the time worked by group, by days in the organization's time zone: an entry that crosses
/// midnight counts on both days by its seconds.
#[utoipa::path(
    tag = "reports",
    params(("organization_id" = uuid::Uuid, Path), HoursQuery),
    extensions(("x-permission" = json!(permission::ReadReports::name()))),
    responses((status = 200, description = "Report", body = Hours), problem::Read),
)]
#[get("/reports/hours")]
async fn hours(
    state: web::Data<State>,
    caller: Require<permission::ReadReports>,
    Query(query): Query<HoursQuery>,
) -> Result<web::Json<Hours>> {
    Ok(web::Json(report::hours(&state.store, &caller.actor, &query).await?))
}

/// Get a member's timesheet
///
/// Lists the time that a member worked in a week, entry by entry.
#[utoipa::path(
    tag = "reports",
    params(("organization_id" = uuid::Uuid, Path), TimesheetQuery),
    extensions(("x-permission" = json!(permission::ReadReports::name()))),
    responses((status = 200, description = "Timesheet", body = Timesheet), problem::Read),
)]
#[get("/reports/timesheet")]
async fn timesheet(
    state: web::Data<State>,
    caller: Require<permission::ReadReports>,
    Query(query): Query<TimesheetQuery>,
) -> Result<web::Json<Timesheet>> {
    Ok(web::Json(report::timesheet(&state.store, &caller.actor, &query).await?))
}

/// Report the cost of a project
///
/// Compares the cost with the budget. Counts time of approved weeks at the rate of the day on which
/// it was worked, and expenses that are approved or reimbursed.
#[utoipa::path(
    tag = "reports",
    params(("organization_id" = uuid::Uuid, Path), JobCostQuery),
    extensions(("x-permission" = json!(permission::ReadCosts::name()))),
    responses((status = 200, description = "Report", body = JobCost), problem::Read),
)]
#[get("/reports/job-cost")]
async fn job_cost(
    state: web::Data<State>,
    caller: Require<permission::ReadCosts>,
    Query(query): Query<JobCostQuery>,
) -> Result<web::Json<JobCost>> {
    Ok(web::Json(report::job_cost(&state.store, &caller.actor, &query).await?))
}

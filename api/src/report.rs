use actix_web::{HttpResponse, get};
use service::report::{
    Budgets, BudgetsQuery, Hours, HoursQuery, JobCost, JobCostQuery, Spending, SpendingQuery,
    Timesheet, TimesheetQuery,
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    computed,
    extract::{Query, ReplicaRead, Require},
    permission::{self, PermissionType},
    problem,
    response::Result,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(get_spending_report)
        .service(get_budget_report)
        .service(get_hours_report)
        .service(get_timesheet_report)
        .service(get_job_cost_report);
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
async fn get_spending_report(
    caller: Require<permission::ReadReports>,
    replica: ReplicaRead,
    Query(query): Query<SpendingQuery>,
) -> Result<HttpResponse> {
    computed::respond(replica, caller.actor.organization_id, query).await
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
async fn get_budget_report(
    caller: Require<permission::ReadReports>,
    replica: ReplicaRead,
    Query(query): Query<BudgetsQuery>,
) -> Result<HttpResponse> {
    computed::respond(replica, caller.actor.organization_id, query).await
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
async fn get_hours_report(
    caller: Require<permission::ReadReports>,
    replica: ReplicaRead,
    Query(query): Query<HoursQuery>,
) -> Result<HttpResponse> {
    computed::respond(replica, caller.actor.organization_id, query).await
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
async fn get_timesheet_report(
    caller: Require<permission::ReadReports>,
    replica: ReplicaRead,
    Query(query): Query<TimesheetQuery>,
) -> Result<HttpResponse> {
    computed::respond(replica, caller.actor.organization_id, query).await
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
async fn get_job_cost_report(
    caller: Require<permission::ReadCosts>,
    replica: ReplicaRead,
    Query(query): Query<JobCostQuery>,
) -> Result<HttpResponse> {
    computed::respond(replica, caller.actor.organization_id, query).await
}

use actix_web::{get, web};
use service::report::{self, Budgets, BudgetsQuery, Spending, SpendingQuery};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::Result,
    extract::{May, Query},
    may::{self, Requires},
    problem,
    state::State,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(spending).service(budgets);
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

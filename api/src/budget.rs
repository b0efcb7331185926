use actix_web::{HttpResponse, delete, get, patch, post, web};
use service::{
    budget::{self, Budget, BudgetInput},
    event::{self, At, AtQuery, Event, RevertInput},
    input::{Act, Change, Create},
    resource,
    store::{
        page::{Page, PageQuery},
        versioned::Expected,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Listed, Resource, Result, Unchanged, created, done, found},
    extract::{Body, IfMatch, May, Once, Query, Row, Version},
    may::{self, Requires},
    problem,
    state::State,
};

type NewBudget = Create<BudgetInput>;
type BudgetChange = Change<BudgetInput>;
type Revert = Act<RevertInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(create)
        .service(list)
        .service(read)
        .service(history)
        .service(revert)
        .service(change)
        .service(remove);
}

/// Make a budget
#[utoipa::path(
    tag = "budgets",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageBudgets::name()))),
    request_body = NewBudget,
    responses((status = 201, body = Budget), problem::Create),
)]
#[post("/budgets")]
async fn create(
    may: May<may::ManageBudgets>,
    once: Once,
    Body(new): Body<NewBudget>,
) -> Result<HttpResponse> {
    once.answer(created, async |store| resource::create::<Budget>(store, &may.actor, new).await)
        .await
}

/// The budgets, by name
#[utoipa::path(
    tag = "budgets",
    params(("organization_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ReadMoney::name()))),
    responses((status = 200, body = Page<Budget>), problem::Read),
)]
#[get("/budgets")]
async fn list(
    state: web::Data<State>,
    may: May<may::ReadMoney>,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Budget>> {
    Ok(Listed(budget::list(&state.store, &may.actor, &page).await?))
}

/// A budget
#[utoipa::path(
    tag = "budgets",
    params(("organization_id" = uuid::Uuid, Path), ("budget_id" = uuid::Uuid, Path), AtQuery),
    extensions(("x-permission" = json!(may::ReadMoney::name()))),
    responses((status = 200, body = Budget), Unchanged, problem::Read),
)]
#[get("/budgets/{budget_id}")]
async fn read(
    state: web::Data<State>,
    may: May<may::ReadMoney>,
    Row(id): Row,
    Query(at): Query<AtQuery>,
) -> Result<Resource<At<Budget>>> {
    let now = budget::get(&state.store, &may.actor, id);
    Ok(Resource::found(event::at(&state.store, &may.actor, id, at, now).await?))
}

/// What has happened to a budget, the latest first
///
/// Every version, also of one that is gone, each as soon as it is there.
#[utoipa::path(
    tag = "budgets",
    params(("organization_id" = uuid::Uuid, Path), ("budget_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ReadMoney::name()))),
    responses((status = 200, body = Page<Event>), problem::Read),
)]
#[get("/budgets/{budget_id}/history")]
async fn history(
    state: web::Data<State>,
    may: May<may::ReadMoney>,
    Row(id): Row,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Event>> {
    Ok(Listed(event::history::<Budget>(&state.store, &may.actor, id, &page).await?))
}

/// Make a budget again what it was at an earlier version
///
/// That is a new version, under the rules of now.
#[utoipa::path(
    tag = "budgets",
    params(("organization_id" = uuid::Uuid, Path), ("budget_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageBudgets::name()))),
    request_body = Revert,
    responses((status = 200, body = Budget), problem::Change),
)]
#[post("/budgets/{budget_id}/revert")]
async fn revert(
    may: May<may::ManageBudgets>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Revert>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| {
        resource::revert::<Budget>(store, &may.actor, id, expected, act).await
    })
    .await
}

/// Change a budget
#[utoipa::path(
    tag = "budgets",
    params(("organization_id" = uuid::Uuid, Path), ("budget_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageBudgets::name()))),
    request_body = BudgetChange,
    responses((status = 200, body = Budget), problem::Change),
)]
#[patch("/budgets/{budget_id}")]
async fn change(
    state: web::Data<State>,
    may: May<may::ManageBudgets>,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(change): Body<BudgetChange>,
) -> Result<Resource<Budget>> {
    let expected = Expected::of(change.version(), precondition);
    let changed = resource::change(&state.store, &may.actor, id, expected, change).await?;
    Ok(Resource::found(changed))
}

/// Remove a budget
#[utoipa::path(
    tag = "budgets",
    params(("organization_id" = uuid::Uuid, Path), ("budget_id" = uuid::Uuid, Path), Version),
    extensions(("x-permission" = json!(may::ManageBudgets::name()))),
    responses((status = 204), problem::Remove),
)]
#[delete("/budgets/{budget_id}")]
async fn remove(
    state: web::Data<State>,
    may: May<may::ManageBudgets>,
    Row(id): Row,
    version: Version,
) -> Result<HttpResponse> {
    resource::delete::<Budget>(&state.store, &may.actor, id, version.expected).await?;
    Ok(done())
}

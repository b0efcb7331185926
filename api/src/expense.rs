use actix_web::{HttpResponse, delete, get, patch, post, web};
use service::{
    event::{self, At, AtQuery, Event, RevertInput},
    expense::{
        self, DecisionInput, Expense, ExpenseBatch, ExpenseBatchResult, ExpenseInput, ExpenseQuery,
        Import, ImportQuery, ImportReport, NewExpense,
    },
    input::{Act, Change, Form},
    resource,
    store::{
        page::{Page, PageQuery},
        versioned::Expected,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Listed, Resource, Result, Unchanged, created, done, found, made, told},
    extract::{Body, IfMatch, May, Once, Query, Row, Upload, Version},
    may::{self, Requires},
    problem,
    state::State,
};

type ExpenseChange = Change<ExpenseInput>;
type Decision = Act<DecisionInput>;
type Revert = Act<RevertInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(create)
        .service(create_batch)
        .service(import)
        .service(list)
        .service(read)
        .service(history)
        .service(revert)
        .service(change)
        .service(remove)
        .service(submit)
        .service(approve)
        .service(reject)
        .service(reimburse);
}

/// Record an expense
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::RecordExpenses::name()))),
    request_body = NewExpense,
    responses((status = 201, body = Expense), problem::Create),
)]
#[post("/expenses")]
async fn create(
    may: May<may::RecordExpenses>,
    once: Once,
    Body(new): Body<NewExpense>,
) -> Result<HttpResponse> {
    once.answer(created, async |store| resource::create::<Expense>(store, &may.actor, new).await)
        .await
}

/// The expenses, filtered and sorted
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path), ExpenseQuery),
    extensions(("x-permission" = json!(may::ReadMoney::name()))),
    responses((status = 200, body = Page<Expense>), problem::Read),
)]
#[get("/expenses")]
async fn list(
    state: web::Data<State>,
    may: May<may::ReadMoney>,
    Query(query): Query<ExpenseQuery>,
) -> Result<Listed<Expense>> {
    Ok(Listed(expense::list(&state.store, &may.actor, &query).await?))
}

/// An expense
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path), ("expense_id" = uuid::Uuid, Path), AtQuery),
    extensions(("x-permission" = json!(may::ReadMoney::name()))),
    responses((status = 200, body = Expense), Unchanged, problem::Read),
)]
#[get("/expenses/{expense_id}")]
async fn read(
    state: web::Data<State>,
    may: May<may::ReadMoney>,
    Row(id): Row,
    Query(at): Query<AtQuery>,
) -> Result<Resource<At<Expense>>> {
    let now = expense::get(&state.store, &may.actor, id);
    Ok(Resource::found(event::at(&state.store, &may.actor, id, at, now).await?))
}

/// What has happened to an expense, the latest first
///
/// Every version, also of one that is gone, each as soon as it is there.
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path), ("expense_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ReadMoney::name()))),
    responses((status = 200, body = Page<Event>), problem::Read),
)]
#[get("/expenses/{expense_id}/history")]
async fn history(
    state: web::Data<State>,
    may: May<may::ReadMoney>,
    Row(id): Row,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Event>> {
    Ok(Listed(event::history::<Expense>(&state.store, &may.actor, id, &page).await?))
}

/// Make an expense again what it was at an earlier version
///
/// That is a new version, under the rules of now.
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path), ("expense_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::RecordExpenses::name()))),
    request_body = Revert,
    responses((status = 200, body = Expense), problem::Change),
)]
#[post("/expenses/{expense_id}/revert")]
async fn revert(
    may: May<may::RecordExpenses>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Revert>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| {
        resource::revert::<Expense>(store, &may.actor, id, expected, act).await
    })
    .await
}

/// Change an expense that nobody relies on yet
///
/// A rejected one is a draft again.
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path), ("expense_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::RecordExpenses::name()))),
    request_body = ExpenseChange,
    responses((status = 200, body = Expense), problem::Change),
)]
#[patch("/expenses/{expense_id}")]
async fn change(
    state: web::Data<State>,
    may: May<may::RecordExpenses>,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(change): Body<ExpenseChange>,
) -> Result<Resource<Expense>> {
    let expected = Expected::of(change.version(), precondition);
    let changed = resource::change(&state.store, &may.actor, id, expected, change).await?;
    Ok(Resource::found(changed))
}

/// Remove an expense that nobody relies on yet
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path), ("expense_id" = uuid::Uuid, Path), Version),
    extensions(("x-permission" = json!(may::RecordExpenses::name()))),
    responses((status = 204), problem::Remove),
)]
#[delete("/expenses/{expense_id}")]
async fn remove(
    state: web::Data<State>,
    may: May<may::RecordExpenses>,
    Row(id): Row,
    version: Version,
) -> Result<HttpResponse> {
    resource::delete::<Expense>(&state.store, &may.actor, id, version.expected).await?;
    Ok(done())
}

/// Record several expenses, all or none
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::RecordExpenses::name()))),
    request_body = ExpenseBatch,
    responses((status = 201, body = ExpenseBatchResult), problem::Create),
)]
#[post("/expenses/batch")]
async fn create_batch(
    may: May<may::RecordExpenses>,
    once: Once,
    Body(Form(batch)): Body<Form<ExpenseBatch>>,
) -> Result<HttpResponse> {
    once.answer(made, async |store| expense::create_many(store, &may.actor, batch).await).await
}

/// Import expenses from CSV
///
/// The query says which column is what. A file imported twice creates nothing the second time. With
/// `on_error=abort`, any bad row means 422 and nothing is written; the problem then holds the report.
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path), ImportQuery),
    extensions(("x-permission" = json!(may::ManageExpenses::name()))),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = ImportReport), problem::Create),
)]
#[post("/expenses/import")]
async fn import(
    may: May<may::ManageExpenses>,
    once: Once,
    Query(query): Query<ImportQuery>,
    Upload(file): Upload,
) -> Result<HttpResponse> {
    once.answer(told, async |store| {
        let import = Import::new(file.path(), query, &may.actor)?;
        expense::import(store, &may.actor, import, |_| {}).await
    })
    .await
}

/// Ask for a decision
///
/// Where nobody decides, the expense is approved.
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path), ("expense_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::RecordExpenses::name()))),
    request_body = Decision,
    responses((status = 200, body = Expense), problem::Change),
)]
#[post("/expenses/{expense_id}/submit")]
async fn submit(
    may: May<may::RecordExpenses>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Decision>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| expense::submit(store, &may.actor, id, expected, act).await)
        .await
}

/// Accept a submitted expense of somebody else's
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path), ("expense_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::DecideExpenses::name()))),
    request_body = Decision,
    responses((status = 200, body = Expense), problem::Change),
)]
#[post("/expenses/{expense_id}/approve")]
async fn approve(
    may: May<may::DecideExpenses>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Decision>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| expense::approve(store, &may.actor, id, expected, act).await)
        .await
}

/// Refuse a submitted expense of somebody else's
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path), ("expense_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::DecideExpenses::name()))),
    request_body = Decision,
    responses((status = 200, body = Expense), problem::Change),
)]
#[post("/expenses/{expense_id}/reject")]
async fn reject(
    may: May<may::DecideExpenses>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Decision>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| expense::reject(store, &may.actor, id, expected, act).await)
        .await
}

/// Say that an approved expense has been paid back
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path), ("expense_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::DecideExpenses::name()))),
    request_body = Decision,
    responses((status = 200, body = Expense), problem::Change),
)]
#[post("/expenses/{expense_id}/reimburse")]
async fn reimburse(
    may: May<may::DecideExpenses>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Decision>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| expense::reimburse(store, &may.actor, id, expected, act).await)
        .await
}

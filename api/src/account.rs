use actix_web::{HttpResponse, delete, get, patch, post, web};
use service::{
    account::{self, Account, AccountBalance, AccountInput},
    input::{Change, Create},
    resource,
    store::{
        page::{Page, PageQuery},
        versioned::Expected,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Listed, Resource, Result, Unchanged, created, done},
    extract::{Body, IfMatch, May, Once, Query, Row, Version},
    may::{self, Requires},
    problem,
    state::State,
};

type NewAccount = Create<AccountInput>;
type AccountChange = Change<AccountInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(create)
        .service(list)
        .service(read)
        .service(change)
        .service(remove)
        .service(balance)
        .service(balances);
}

/// Make an account
#[utoipa::path(
    tag = "accounts",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageAccounts::name()))),
    request_body = NewAccount,
    responses((status = 201, body = Account), problem::Create),
)]
#[post("/accounts")]
async fn create(
    may: May<may::ManageAccounts>,
    once: Once,
    Body(new): Body<NewAccount>,
) -> Result<HttpResponse> {
    once.answer(created, async |store| resource::create::<Account>(store, &may.actor, new).await)
        .await
}

/// The accounts, by name
#[utoipa::path(
    tag = "accounts",
    params(("organization_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ReadLedger::name()))),
    responses((status = 200, body = Page<Account>), problem::Read),
)]
#[get("/accounts")]
async fn list(
    state: web::Data<State>,
    may: May<may::ReadLedger>,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Account>> {
    Ok(Listed(account::list(&state.store, &may.actor, &page).await?))
}

/// An account
#[utoipa::path(
    tag = "accounts",
    params(("organization_id" = uuid::Uuid, Path), ("account_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ReadLedger::name()))),
    responses((status = 200, body = Account), Unchanged, problem::Read),
)]
#[get("/accounts/{account_id}")]
async fn read(
    state: web::Data<State>,
    may: May<may::ReadLedger>,
    Row(id): Row,
) -> Result<Resource<Account>> {
    Ok(Resource::found(account::get(&state.store, &may.actor, id).await?))
}

/// Change an account
///
/// Its kind and its currency stay.
#[utoipa::path(
    tag = "accounts",
    params(("organization_id" = uuid::Uuid, Path), ("account_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageAccounts::name()))),
    request_body = AccountChange,
    responses((status = 200, body = Account), problem::Change),
)]
#[patch("/accounts/{account_id}")]
async fn change(
    state: web::Data<State>,
    may: May<may::ManageAccounts>,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(change): Body<AccountChange>,
) -> Result<Resource<Account>> {
    let expected = Expected::of(change.version(), precondition);
    let changed = resource::change(&state.store, &may.actor, id, expected, change).await?;
    Ok(Resource::found(changed))
}

/// Remove an account that no entry refers to
#[utoipa::path(
    tag = "accounts",
    params(("organization_id" = uuid::Uuid, Path), ("account_id" = uuid::Uuid, Path), Version),
    extensions(("x-permission" = json!(may::ManageAccounts::name()))),
    responses((status = 204), problem::Remove),
)]
#[delete("/accounts/{account_id}")]
async fn remove(
    state: web::Data<State>,
    may: May<may::ManageAccounts>,
    Row(id): Row,
    version: Version,
) -> Result<HttpResponse> {
    resource::delete::<Account>(&state.store, &may.actor, id, version.expected).await?;
    Ok(done())
}

/// What an account stands at
#[utoipa::path(
    tag = "accounts",
    params(("organization_id" = uuid::Uuid, Path), ("account_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ReadLedger::name()))),
    responses((status = 200, body = AccountBalance), problem::Read),
)]
#[get("/accounts/{account_id}/balance")]
async fn balance(
    state: web::Data<State>,
    may: May<may::ReadLedger>,
    Row(id): Row,
) -> Result<web::Json<AccountBalance>> {
    Ok(web::Json(account::balance(&state.store, &may.actor, id).await?))
}

/// What the accounts stand at, by name
///
/// All of a page at one moment.
#[utoipa::path(
    tag = "accounts",
    params(("organization_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ReadLedger::name()))),
    responses((status = 200, body = Page<AccountBalance>), problem::Read),
)]
#[get("/balances")]
async fn balances(
    state: web::Data<State>,
    may: May<may::ReadLedger>,
    Query(page): Query<PageQuery>,
) -> Result<Listed<AccountBalance>> {
    Ok(Listed(account::balances(&state.store, &may.actor, &page).await?))
}

use actix_web::{HttpResponse, delete, get, patch, post, web};
use service::{
    account::{self, Account, AccountBalance, AccountInput},
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

type NewAccount = Create<AccountInput>;
type AccountChange = Change<AccountInput>;

type Revert = Act<RevertInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(create)
        .service(list)
        .service(read)
        .service(history)
        .service(revert)
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
    params(("organization_id" = uuid::Uuid, Path), ("account_id" = uuid::Uuid, Path), AtQuery),
    extensions(("x-permission" = json!(may::ReadLedger::name()))),
    responses((status = 200, body = Account), Unchanged, problem::Read),
)]
#[get("/accounts/{account_id}")]
async fn read(
    state: web::Data<State>,
    may: May<may::ReadLedger>,
    Row(id): Row,
    Query(at): Query<AtQuery>,
) -> Result<Resource<At<Account>>> {
    let now = account::get(&state.store, &may.actor, id);
    Ok(Resource::found(event::at(&state.store, &may.actor, id, at, now).await?))
}

/// What has happened to an account, the latest first
///
/// Every version, also of one that is gone, each as soon as it is there.
#[utoipa::path(
    tag = "accounts",
    params(("organization_id" = uuid::Uuid, Path), ("account_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ReadLedger::name()))),
    responses((status = 200, body = Page<Event>), problem::Read),
)]
#[get("/accounts/{account_id}/history")]
async fn history(
    state: web::Data<State>,
    may: May<may::ReadLedger>,
    Row(id): Row,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Event>> {
    Ok(Listed(event::history::<Account>(&state.store, &may.actor, id, &page).await?))
}

/// Make an account again what it was at an earlier version
///
/// That is a new version, under the rules of now.
#[utoipa::path(
    tag = "accounts",
    params(("organization_id" = uuid::Uuid, Path), ("account_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageAccounts::name()))),
    request_body = Revert,
    responses((status = 200, body = Account), problem::Change),
)]
#[post("/accounts/{account_id}/revert")]
async fn revert(
    may: May<may::ManageAccounts>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Revert>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| {
        resource::revert::<Account>(store, &may.actor, id, expected, act).await
    })
    .await
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

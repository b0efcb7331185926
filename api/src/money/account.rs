use actix_web::{HttpResponse, get, web};
use service::{
    money::account::{self, Account, AccountBalance},
    store::page::{Page, PageQuery},
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

type BalancePage = Page<AccountBalance>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    let accounts = Collection::<Account>::of("accounts", "an account");
    config
        .service(accounts.create(permission::ManageAccounts))
        .service(accounts.list(permission::ReadLedger, "Ordered by name."))
        .service(accounts.get(permission::ReadLedger))
        .service(accounts.history(permission::ReadLedger))
        .service(accounts.revert(permission::ManageAccounts))
        .service(
            accounts
                .update(permission::ManageAccounts)
                .detail("The kind and the currency are immutable."),
        )
        .service(
            accounts
                .delete(permission::ManageAccounts)
                .detail("Refused with 409 if journal entries refer to the account."),
        )
        .service(get_account_balance)
        .service(list_account_balances);
}

/// Get an account's balance
///
/// The sums of its debits and credits, and the balance on its normal side.
#[utoipa::path(
    tag = "accounts",
    params(("organization_id" = uuid::Uuid, Path), ("account_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ReadLedger::name()))),
    responses(
        (status = 200, description = "Balance of the account", body = AccountBalance),
        problem::Read,
    ),
)]
#[get("/accounts/{account_id}/balance")]
async fn get_account_balance(
    state: web::Data<State>,
    caller: Require<permission::ReadLedger>,
    ResourceId(id): ResourceId,
) -> Result<web::Json<AccountBalance>> {
    Ok(web::Json(account::balance(&state.store, &caller.actor, id).await?))
}

/// List account balances
///
/// Ordered by the name of the account. All balances of a page are of the same moment.
#[utoipa::path(
    tag = "accounts",
    params(("organization_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(permission::ReadLedger::name()))),
    responses(
        (status = 200, description = "Page of the list", body = BalancePage),
        problem::Read,
    ),
)]
#[get("/balances")]
async fn list_account_balances(
    state: web::Data<State>,
    caller: Require<permission::ReadLedger>,
    listing: Listing,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse> {
    let read = async |page: &PageQuery| account::balances(&state.store, &caller.actor, page).await;
    Ok(listing.answer(&page, read).await?)
}

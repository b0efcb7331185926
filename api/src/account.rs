use actix_web::{get, web};
use service::{
    account::{self, Account, AccountBalance},
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

pub(crate) fn routes(config: &mut ServiceConfig) {
    let accounts = Collection::<Account>::of("accounts", "an account");
    config
        .service(accounts.create(may::ManageAccounts))
        .service(accounts.list(may::ReadLedger, "Ordered by name."))
        .service(accounts.read(may::ReadLedger))
        .service(accounts.history(may::ReadLedger))
        .service(accounts.revert(may::ManageAccounts))
        .service(
            accounts.change(may::ManageAccounts).detail("The kind and the currency are immutable."),
        )
        .service(
            accounts
                .remove(may::ManageAccounts)
                .detail("Refused with 409 if journal entries refer to the account."),
        )
        .service(balance)
        .service(balances);
}

/// Get an account's balance
#[utoipa::path(
    tag = "accounts",
    params(("organization_id" = uuid::Uuid, Path), ("account_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ReadLedger::name()))),
    responses(
        (status = 200, description = "Balance of the account", body = AccountBalance),
        problem::Read,
    ),
)]
#[get("/accounts/{account_id}/balance")]
async fn balance(
    state: web::Data<State>,
    may: May<may::ReadLedger>,
    Row(id): Row,
) -> Result<web::Json<AccountBalance>> {
    Ok(web::Json(account::balance(&state.store, &may.actor, id).await?))
}

/// List account balances
///
/// Ordered by the name of the account. All balances of a page are of the same moment.
#[utoipa::path(
    tag = "accounts",
    params(("organization_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ReadLedger::name()))),
    responses(
        (status = 200, description = "Page of the list", body = Page<AccountBalance>),
        problem::Read,
    ),
)]
#[get("/balances")]
async fn balances(
    state: web::Data<State>,
    may: May<may::ReadLedger>,
    Query(page): Query<PageQuery>,
) -> Result<Listed<AccountBalance>> {
    Ok(Listed(account::balances(&state.store, &may.actor, &page).await?))
}

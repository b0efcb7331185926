//! Routes of categories, expenses, budgets and the ledger.

use utoipa_actix_web::service_config::ServiceConfig;

mod account;
mod budget;
mod category;
pub(crate) mod expense;
mod journal_entry;

/// Those within an organization, but for expenses, which come before all.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .configure(category::routes)
        .configure(budget::routes)
        .configure(account::routes)
        .configure(journal_entry::routes);
}

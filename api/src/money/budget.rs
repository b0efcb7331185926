use service::money::budget::Budget;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{permission, resource::Collection};

pub(crate) fn routes(config: &mut ServiceConfig) {
    let budgets = Collection::<Budget>::of("budgets", "a budget");
    config
        .service(budgets.create(permission::ManageBudgets))
        .service(budgets.list(permission::ReadMoney, "Ordered by name."))
        .service(budgets.get(permission::ReadMoney))
        .service(budgets.history(permission::ReadMoney))
        .service(budgets.revert(permission::ManageBudgets))
        .service(budgets.update(permission::ManageBudgets))
        .service(budgets.delete(permission::ManageBudgets));
}

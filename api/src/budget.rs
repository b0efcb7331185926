use service::budget::Budget;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{permission, resource::Collection};

pub(crate) fn routes(config: &mut ServiceConfig) {
    let budgets = Collection::<Budget>::of("budgets", "a budget");
    config
        .service(budgets.create(may::ManageBudgets))
        .service(budgets.list(may::ReadMoney, "Ordered by name."))
        .service(budgets.get(may::ReadMoney))
        .service(budgets.history(may::ReadMoney))
        .service(budgets.revert(may::ManageBudgets))
        .service(budgets.update(may::ManageBudgets))
        .service(budgets.delete(may::ManageBudgets));
}

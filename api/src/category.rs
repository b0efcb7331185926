use service::category::Category;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{permission, resource::Collection};

pub(crate) fn routes(config: &mut ServiceConfig) {
    let categories = Collection::<Category>::of("categories", "a category");
    config
        .service(categories.create(may::ManageCategories))
        .service(categories.list(may::ReadMoney, "Ordered by name."))
        .service(categories.get(may::ReadMoney))
        .service(categories.history(may::ReadMoney))
        .service(categories.revert(may::ManageCategories))
        .service(categories.update(may::ManageCategories))
        .service(categories.delete(may::ManageCategories));
}

use service::money::category::Category;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{permission, resource::Collection};

pub(crate) fn routes(config: &mut ServiceConfig) {
    let categories = Collection::<Category>::of("categories", "a category");
    config
        .service(categories.create(permission::ManageCategories))
        .service(categories.list(permission::ReadMoney, "Ordered by name."))
        .service(categories.get(permission::ReadMoney))
        .service(categories.history(permission::ReadMoney))
        .service(categories.revert(permission::ManageCategories))
        .service(categories.update(permission::ManageCategories))
        .service(categories.delete(permission::ManageCategories));
}

use service::identity::rate::Rate;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{permission, resource::Collection};

pub(crate) fn routes(config: &mut ServiceConfig) {
    let rates = Collection::<Rate>::of("rates", "a rate");
    config
        .service(rates.create(permission::ManageMembers))
        .service(rates.list(permission::ManageMembers, "Latest first day first."))
        .service(rates.get(permission::ManageMembers))
        .service(rates.history(permission::ManageMembers))
        .service(rates.revert(permission::ManageMembers))
        .service(rates.update(permission::ManageMembers))
        .service(rates.delete(permission::ManageMembers));
}

use service::rate::Rate;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{permission, resource::Collection};

pub(crate) fn routes(config: &mut ServiceConfig) {
    let rates = Collection::<Rate>::of("rates", "a rate");
    config
        .service(rates.create(may::ManageMembers))
        .service(rates.list(may::ManageMembers, "Latest first day first."))
        .service(rates.get(may::ManageMembers))
        .service(rates.history(may::ManageMembers))
        .service(rates.revert(may::ManageMembers))
        .service(rates.update(may::ManageMembers))
        .service(rates.delete(may::ManageMembers));
}

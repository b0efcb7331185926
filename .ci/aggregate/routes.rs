use service::__wing__::__snake__::__Type__;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{permission, resource::Collection};

pub(crate) fn routes(config: &mut ServiceConfig) {
    let __snakes__ = Collection::<__Type__>::of("__texts__", "__one__");
    config
        .service(__snakes__.create(permission::__Manage__))
        .service(__snakes__.list(permission::__Read__, "Ordered by name."))
        .service(__snakes__.get(permission::__Read__))
        .service(__snakes__.history(permission::__Read__))
        .service(__snakes__.revert(permission::__Manage__))
        .service(__snakes__.update(permission::__Manage__))
        .service(__snakes__.delete(permission::__Manage__));
}

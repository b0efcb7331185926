use service::meter::meter::Meter;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{permission, resource::Collection};

pub(crate) fn routes(config: &mut ServiceConfig) {
    let meters = Collection::<Meter>::of("meters", "a meter");
    config
        .service(meters.create(permission::ManageMeters))
        .service(meters.list(permission::ReadMeters, "Ordered by name."))
        .service(meters.get(permission::ReadMeters))
        .service(meters.history(permission::ReadMeters))
        .service(meters.revert(permission::ManageMeters))
        .service(meters.update(permission::ManageMeters).detail(
            "Once there are readings, what the values are does not change: 409 `has_readings` for another `kind`, \
             `unit`, `precision` or `rollover_at`.",
        ))
        .service(
            meters
                .delete(permission::ManageMeters)
                .detail("A meter that has readings is not deleted: delete them first."),
        );
}

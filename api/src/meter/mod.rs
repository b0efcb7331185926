//! Routes of meters, their readings, and what is made of these.

use utoipa_actix_web::service_config::ServiceConfig;

mod exchange;
#[expect(clippy::module_inception, reason = "the aggregate has the name of its wing")]
mod meter;
mod reading;
mod series;

/// Those within an organization; what is called most comes first.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .configure(reading::routes)
        .configure(series::routes)
        .configure(exchange::routes)
        .configure(meter::routes);
}

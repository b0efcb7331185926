//! Routes of collections and documents.

use utoipa_actix_web::service_config::ServiceConfig;

mod collection;
pub(crate) mod couch;
#[expect(clippy::module_inception, reason = "the aggregate has the name of its wing")]
mod document;
mod search;

/// Those within an organization; what is called most comes first.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.configure(document::routes).configure(search::routes).configure(collection::routes);
}

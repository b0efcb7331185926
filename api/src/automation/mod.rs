//! Routes of rules and webhooks.

use utoipa_actix_web::service_config::ServiceConfig;

mod rule;
mod webhook;

/// Those within an organization.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.configure(rule::routes).configure(webhook::routes);
}

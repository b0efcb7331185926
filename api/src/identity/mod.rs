//! Routes of users, sessions, organizations, members, invitations and API keys.

use utoipa_actix_web::service_config::ServiceConfig;

mod api_key;
pub(crate) mod invitation;
mod member;
pub(crate) mod organization;
mod rate;
pub(crate) mod session;
pub(crate) mod user;

/// Those within an organization.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .configure(organization::routes)
        .configure(member::routes)
        .configure(invitation::routes)
        .configure(api_key::routes)
        .configure(rate::routes);
}

//! Every route, with its part of the OpenAPI document.

use actix_web::middleware::from_fn;
use utoipa_actix_web::{scope, service_config::ServiceConfig};

use crate::{
    attachment, automation, document, event, extract, identity, import, meter, money, operations,
    report, saga, sync, work,
};

/// Every route of the API and of its operation, with its part of the OpenAPI document.
pub fn routes(config: &mut ServiceConfig) {
    // actix tries one route after the other: what is called most comes first.
    let organization = scope::scope("/organizations/{organization_id}")
        .wrap(from_fn(extract::enter))
        .configure(money::expense::routes)
        .configure(work::routes)
        .configure(document::routes)
        .configure(attachment::routes)
        .configure(meter::routes)
        .configure(identity::routes)
        .configure(money::routes)
        .configure(report::routes)
        .configure(import::routes)
        .configure(saga::routes)
        .configure(event::routes)
        .configure(automation::routes)
        .configure(sync::routes);
    let v1 = scope::scope("/v1")
        .wrap(from_fn(extract::identify))
        .configure(identity::user::routes)
        .configure(identity::session::routes)
        .configure(identity::organization::own_routes)
        .configure(identity::invitation::own_routes)
        .service(organization);
    config.configure(operations::routes).service(v1);
}

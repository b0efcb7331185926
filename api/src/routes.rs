//! Every route, with its part of the OpenAPI document.

use actix_web::middleware::from_fn;
use utoipa_actix_web::{scope, service_config::ServiceConfig};

use crate::{
    account, api_key, budget, category, daily_report, event, expense, extract, import, incident,
    invitation, journal_entry, member, operations, organization, project, rate, report, rule, saga,
    session, sync, task, time_entry, timecard, user, webhook,
};

/// Every route of the API and of its operation, with its part of the OpenAPI document.
pub fn routes(config: &mut ServiceConfig) {
    // actix tries one route after the other: what is called most comes first.
    let organization = scope::scope("/organizations/{organization_id}")
        .wrap(from_fn(extract::enter))
        .configure(expense::routes)
        .configure(task::routes)
        .configure(time_entry::routes)
        .configure(organization::routes)
        .configure(member::routes)
        .configure(invitation::routes)
        .configure(api_key::routes)
        .configure(category::routes)
        .configure(budget::routes)
        .configure(incident::routes)
        .configure(project::routes)
        .configure(timecard::routes)
        .configure(rate::routes)
        .configure(daily_report::routes)
        .configure(report::routes)
        .configure(account::routes)
        .configure(journal_entry::routes)
        .configure(import::routes)
        .configure(saga::routes)
        .configure(event::routes)
        .configure(rule::routes)
        .configure(sync::routes)
        .configure(webhook::routes);
    let v1 = scope::scope("/v1")
        .wrap(from_fn(extract::identify))
        .configure(user::routes)
        .configure(session::routes)
        .configure(organization::own_routes)
        .configure(invitation::own_routes)
        .service(organization);
    config.configure(operations::routes).service(v1);
}

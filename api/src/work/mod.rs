//! Routes of projects, tasks, time, daily reports and incidents.

use utoipa_actix_web::service_config::ServiceConfig;

mod daily_report;
mod incident;
mod project;
mod task;
mod time_entry;
mod timecard;

/// Those within an organization; what is called most comes first.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .configure(task::routes)
        .configure(time_entry::routes)
        .configure(incident::routes)
        .configure(project::routes)
        .configure(timecard::routes)
        .configure(daily_report::routes);
}

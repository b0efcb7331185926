use service::project::Project;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{permission, resource::Collection};

pub(crate) fn routes(config: &mut ServiceConfig) {
    let projects = Collection::<Project>::of("projects", "a project");
    config
        .service(projects.create(may::ManageProjects))
        .service(projects.list(may::ReadWork, "Ordered by name."))
        .service(projects.get(may::ReadWork))
        .service(projects.history(may::ReadWork))
        .service(projects.revert(may::ManageProjects))
        .service(projects.update(may::ManageProjects))
        .service(projects.delete(may::ManageProjects));
}

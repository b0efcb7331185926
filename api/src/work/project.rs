use service::work::project::Project;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{permission, resource::Collection};

pub(crate) fn routes(config: &mut ServiceConfig) {
    let projects = Collection::<Project>::of("projects", "a project");
    config
        .service(projects.create(permission::ManageProjects))
        .service(projects.list(permission::ReadWork, "Ordered by name."))
        .service(projects.get(permission::ReadWork))
        .service(projects.history(permission::ReadWork))
        .service(projects.revert(permission::ManageProjects))
        .service(projects.update(permission::ManageProjects))
        .service(projects.delete(permission::ManageProjects));
}

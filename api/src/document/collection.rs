use service::document::collection::Collection;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{permission, resource};

const ROLES: &str =
    "Nobody sets roles above their own, or changes a collection whose roles are above their own.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let collections = resource::Collection::<Collection>::of("collections", "a collection");
    config
        .service(collections.create(permission::ManageCollections).detail(
            "The client may choose the `id`. An organization has at most 1000 collections. Nobody sets roles above \
             their own.",
        ))
        .service(collections.list(permission::ReadDocuments, "Ordered by name."))
        .service(collections.get(permission::ReadDocuments))
        .service(collections.history(permission::ReadDocuments))
        .service(collections.revert(permission::ManageCollections).detail(ROLES))
        .service(collections.update(permission::ManageCollections).detail(ROLES))
        .service(
            collections
                .delete(permission::ManageCollections)
                .detail("A collection that has documents is not deleted: delete them first."),
        );
}

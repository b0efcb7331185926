use actix_web::{HttpResponse, patch, post, web};
use service::{
    document::collection::{
        self, Collection, CollectionInput, CollectionUpdateQuery, SchemaCheck, SchemaCheckInput,
    },
    input::{Change, Deferred},
    store::versioned::Expected,
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{BodyOf, CollectionName, Idempotent, IfMatch, Query, Require, ResourceId},
    permission::{self, PermissionType},
    problem, resource,
    response::{ResourceResponse, Result, ok_json},
    state::State,
};

type CollectionUpdate = Change<CollectionInput>;

const ROLES: &str =
    "Nobody sets roles above their own, or changes a collection whose roles are above their own.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let collections = resource::Collection::<Collection>::of("collections", "a collection");
    config
        .service(collections.create(permission::ManageCollections).detail(
            "The client may choose the `id`. An organization has at most 1000 collections. Nobody sets roles above \
             their own. With `template`, the schema and the indexes that are left out are those of a ready-made \
             collection.",
        ))
        .service(collections.list(permission::ReadDocuments, "Ordered by name."))
        .service(collections.get(permission::ReadDocuments))
        .service(collections.history(permission::ReadDocuments))
        .service(collections.revert(permission::ManageCollections).detail(ROLES))
        .service(update_collection)
        .service(
            collections
                .delete(permission::ManageCollections)
                .detail("A collection that has documents is not deleted: delete them first."),
        )
        .service(check_collection_schema);
}

/// Update a collection
///
/// Another schema applies to all documents: where some do not fit it, the status is 409 `schema_violated`, and the
/// violations are those of the first 20 documents, with pointers that begin with their `id`. Of a collection that has
/// more documents than are checked at once, 409 `too_many_documents`. With `apply=new`, the schema applies to what is
/// written from now on. Nobody sets roles above their own, or changes a collection whose roles are above their own.
#[utoipa::path(
    tag = "collections",
    params(
        ("organization_id" = uuid::Uuid, Path),
        ("collection_id" = uuid::Uuid, Path),
        CollectionUpdateQuery,
    ),
    extensions(("x-permission" = json!(permission::ManageCollections::name()))),
    request_body = CollectionUpdate,
    responses(
        (status = 200, description = "State of the collection", body = Collection),
        problem::Change,
    ),
)]
#[patch("/collections/{collection_id}")]
async fn update_collection(
    state: web::Data<State>,
    caller: Require<permission::ManageCollections>,
    ResourceId(id): ResourceId,
    IfMatch(precondition): IfMatch,
    Query(query): Query<CollectionUpdateQuery>,
    change: BodyOf<Collection, CollectionUpdate>,
) -> Result<ResourceResponse<Collection>> {
    let change = change.body;
    let expected = Expected::of(change.version(), precondition);
    let changed = collection::update(&state.store, &caller.actor, id, expected, change, query);
    Ok(ResourceResponse(changed.await?))
}

/// Check documents against a schema
///
/// Returns the documents of the collection that do not fit the schema, without changing anything. A response covers
/// some of the documents; `next_after` says where to go on.
#[utoipa::path(
    tag = "collections",
    params(("organization_id" = uuid::Uuid, Path), CollectionName),
    extensions(("x-permission" = json!(permission::ManageCollections::name()))),
    request_body = SchemaCheckInput,
    responses(
        (status = 200, description = "Result of the check", body = SchemaCheck),
        problem::Create,
    ),
)]
#[post("/collections/{collection}/check-schema")]
async fn check_collection_schema(
    caller: Require<permission::ManageCollections>,
    idempotent: Idempotent,
    CollectionName(collection): CollectionName,
    body: BodyOf<Collection, Deferred<SchemaCheckInput>>,
) -> Result<HttpResponse> {
    idempotent
        .respond(ok_json, async |store| {
            collection::check_schema(store, &caller.actor, &collection, body.body).await
        })
        .await
}

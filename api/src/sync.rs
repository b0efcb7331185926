use actix_web::{HttpResponse, get, post};
use service::{
    Store,
    sync::{self, Changes, ChangesQuery, SyncInput, SyncReport},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Body, Idempotent, Query, ReplicaRead, Require},
    permission::{self, PermissionType},
    problem,
    response::{FeedResponse, Result, ok_json},
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(list_changes).service(sync_changes);
}

/// List changes
///
/// Returns the latest state of each resource that has changed since a cursor, and which resources
/// are deleted. Repeat the request with `cursor` as `since` while `more` is true, and keep the
/// cursor for the next time.
#[utoipa::path(
    tag = "sync",
    params(("organization_id" = uuid::Uuid, Path), ChangesQuery),
    extensions(("x-permission" = json!(permission::ReadOrganization::name()))),
    responses(
        (status = 200, description = "Changes since the cursor", body = Changes),
        problem::Read,
    ),
)]
#[get("/changes")]
async fn list_changes(
    caller: Require<permission::ReadOrganization>,
    replica: ReplicaRead,
    Query(query): Query<ChangesQuery>,
) -> Result<FeedResponse<Changes>> {
    let work = async |store: &Store| sync::changes(store, &caller.actor, &query).await;
    Ok(FeedResponse(replica.run(work).await?))
}

/// Apply several changes
///
/// Applies each change independently of the others and returns a result for each. A refused change
/// has no effect. Each change requires the permission of its own operation.
#[utoipa::path(
    tag = "sync",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ReadOrganization::name()))),
    request_body = SyncInput,
    responses(
        (status = 200, description = "Results of the changes", body = SyncReport),
        problem::Create,
    ),
)]
#[post("/sync")]
async fn sync_changes(
    caller: Require<permission::ReadOrganization>,
    idempotent: Idempotent,
    Body(input): Body<SyncInput>,
) -> Result<HttpResponse> {
    idempotent.respond(ok_json, async |store| sync::sync(store, &caller.actor, input).await).await
}

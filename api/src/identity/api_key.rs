use actix_web::{HttpResponse, delete, post, web};
use service::{
    identity::api_key::{self, ApiKey, ApiKeyInput, IssuedApiKey},
    input::Create,
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Body, Idempotent, Require, ResourceId, Version},
    permission::{self, PermissionType},
    problem,
    resource::Collection,
    response::{Result, created},
    state::State,
};

type NewApiKey = Create<ApiKeyInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    let keys = Collection::<ApiKey>::of("API keys", "an API key");
    config
        .service(create_api_key)
        .service(keys.list(permission::ManageApiKeys, "Newest first."))
        .service(keys.get(permission::ManageApiKeys))
        .service(keys.history(permission::ManageApiKeys))
        .service(delete_api_key);
}

/// Create an API key
///
/// The response contains the token, which is returned only once.
#[utoipa::path(
    tag = "API keys",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ManageApiKeys::name()))),
    request_body = NewApiKey,
    responses(
        (status = 201, description = "Created API key with its token", body = IssuedApiKey),
        problem::Create,
    ),
)]
#[post("/api-keys")]
async fn create_api_key(
    caller: Require<permission::ManageApiKeys>,
    idempotent: Idempotent,
    Body(new): Body<NewApiKey>,
) -> Result<HttpResponse> {
    idempotent
        .respond(created, async |store| api_key::create(store, &caller.actor, new).await)
        .await
}

/// Delete an API key
///
/// The key stops working immediately.
#[utoipa::path(
    tag = "API keys",
    params(("organization_id" = uuid::Uuid, Path), ("api_key_id" = uuid::Uuid, Path), Version),
    extensions(("x-permission" = json!(permission::ManageApiKeys::name()))),
    responses((status = 204, description = "Deleted"), problem::Remove),
)]
#[delete("/api-keys/{api_key_id}")]
async fn delete_api_key(
    state: web::Data<State>,
    caller: Require<permission::ManageApiKeys>,
    ResourceId(id): ResourceId,
    version: Version,
) -> Result<HttpResponse> {
    api_key::delete(&state.store, &caller.actor, id, version.expected).await?;
    Ok(HttpResponse::NoContent().finish())
}

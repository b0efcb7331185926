use actix_web::{HttpResponse, delete, get, post, web};
use service::{
    api_key::{self, ApiKey, ApiKeyInput, IssuedApiKey},
    event::{self, At, AtQuery, Event},
    input::Create,
    store::page::{Page, PageQuery},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Listed, Resource, Result, Unchanged, created, done},
    extract::{Body, May, Once, Query, Row, Version},
    may::{self, Requires},
    problem,
    state::State,
};

type NewApiKey = Create<ApiKeyInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(create).service(list).service(read).service(history).service(remove);
}

/// Make an API key
///
/// The token is in the answer, and nowhere else.
#[utoipa::path(
    tag = "API keys",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageApiKeys::name()))),
    request_body = NewApiKey,
    responses((status = 201, body = IssuedApiKey), problem::Create),
)]
#[post("/api-keys")]
async fn create(
    may: May<may::ManageApiKeys>,
    once: Once,
    Body(new): Body<NewApiKey>,
) -> Result<HttpResponse> {
    once.answer(created, async |store| api_key::create(store, &may.actor, new).await).await
}

/// The API keys, the newest first
#[utoipa::path(
    tag = "API keys",
    params(("organization_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ManageApiKeys::name()))),
    responses((status = 200, body = Page<ApiKey>), problem::Read),
)]
#[get("/api-keys")]
async fn list(
    state: web::Data<State>,
    may: May<may::ManageApiKeys>,
    Query(page): Query<PageQuery>,
) -> Result<Listed<ApiKey>> {
    Ok(Listed(api_key::list(&state.store, &may.actor, &page).await?))
}

/// An API key
#[utoipa::path(
    tag = "API keys",
    params(("organization_id" = uuid::Uuid, Path), ("api_key_id" = uuid::Uuid, Path), AtQuery),
    extensions(("x-permission" = json!(may::ManageApiKeys::name()))),
    responses((status = 200, body = ApiKey), Unchanged, problem::Read),
)]
#[get("/api-keys/{api_key_id}")]
async fn read(
    state: web::Data<State>,
    may: May<may::ManageApiKeys>,
    Row(id): Row,
    Query(at): Query<AtQuery>,
) -> Result<Resource<At<ApiKey>>> {
    let now = api_key::get(&state.store, &may.actor, id);
    Ok(Resource::found(event::at(&state.store, &may.actor, id, at, now).await?))
}

/// What has happened to an API key, the latest first
///
/// Every version, also of one that is gone, each as soon as it is there.
#[utoipa::path(
    tag = "API keys",
    params(("organization_id" = uuid::Uuid, Path), ("api_key_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ManageApiKeys::name()))),
    responses((status = 200, body = Page<Event>), problem::Read),
)]
#[get("/api-keys/{api_key_id}/history")]
async fn history(
    state: web::Data<State>,
    may: May<may::ManageApiKeys>,
    Row(id): Row,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Event>> {
    Ok(Listed(event::history::<ApiKey>(&state.store, &may.actor, id, &page).await?))
}

/// End an API key, at once
#[utoipa::path(
    tag = "API keys",
    params(("organization_id" = uuid::Uuid, Path), ("api_key_id" = uuid::Uuid, Path), Version),
    extensions(("x-permission" = json!(may::ManageApiKeys::name()))),
    responses((status = 204), problem::Remove),
)]
#[delete("/api-keys/{api_key_id}")]
async fn remove(
    state: web::Data<State>,
    may: May<may::ManageApiKeys>,
    Row(id): Row,
    version: Version,
) -> Result<HttpResponse> {
    api_key::delete(&state.store, &may.actor, id, version.expected).await?;
    Ok(done())
}

use actix_web::{HttpResponse, delete, get, patch, post, web};
use service::{
    event::{self, At, AtQuery, Event, RevertInput},
    input::{Act, Change, Create},
    resource,
    store::{
        page::{Page, PageQuery},
        versioned::Expected,
    },
    webhook::{
        self, Delivery, DeliveryDetail, DeliveryQuery, IssuedWebhook, RotationInput, Webhook,
        WebhookInput,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Listed, Resource, Result, Unchanged, created, done, found, made, told},
    extract::{Body, IfMatch, May, Once, Query, Row, Version},
    may::{self, Requires},
    problem,
    state::State,
};

type NewWebhook = Create<WebhookInput>;
type WebhookChange = Change<WebhookInput>;
type Rotation = Act<RotationInput>;
type Revert = Act<RevertInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(create)
        .service(list)
        .service(read)
        .service(history)
        .service(revert)
        .service(change)
        .service(remove)
        .service(rotate_secret)
        .service(test)
        .service(deliveries)
        .service(delivery)
        .service(resend);
}

/// Have events sent to an address
///
/// The secret is in the answer, and nowhere else. From now on, what happens is sent.
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageWebhooks::name()))),
    request_body = NewWebhook,
    responses((status = 201, body = IssuedWebhook), problem::Create),
)]
#[post("/webhooks")]
async fn create(
    may: May<may::ManageWebhooks>,
    once: Once,
    Body(new): Body<NewWebhook>,
) -> Result<HttpResponse> {
    once.answer(created, async |store| webhook::create(store, &may.actor, new).await).await
}

/// The webhooks, the newest first
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ManageWebhooks::name()))),
    responses((status = 200, body = Page<Webhook>), problem::Read),
)]
#[get("/webhooks")]
async fn list(
    state: web::Data<State>,
    may: May<may::ManageWebhooks>,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Webhook>> {
    Ok(Listed(webhook::list(&state.store, &may.actor, &page).await?))
}

/// A webhook
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path), ("webhook_id" = uuid::Uuid, Path), AtQuery),
    extensions(("x-permission" = json!(may::ManageWebhooks::name()))),
    responses((status = 200, body = Webhook), Unchanged, problem::Read),
)]
#[get("/webhooks/{webhook_id}")]
async fn read(
    state: web::Data<State>,
    may: May<may::ManageWebhooks>,
    Row(id): Row,
    Query(at): Query<AtQuery>,
) -> Result<Resource<At<Webhook>>> {
    let now = webhook::get(&state.store, &may.actor, id);
    Ok(Resource::found(event::at(&state.store, &may.actor, id, at, now).await?))
}

/// What has happened to a webhook, the latest first
///
/// Every version, also of one that is gone, each as soon as it is there.
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path), ("webhook_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ManageWebhooks::name()))),
    responses((status = 200, body = Page<Event>), problem::Read),
)]
#[get("/webhooks/{webhook_id}/history")]
async fn history(
    state: web::Data<State>,
    may: May<may::ManageWebhooks>,
    Row(id): Row,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Event>> {
    Ok(Listed(event::history::<Webhook>(&state.store, &may.actor, id, &page).await?))
}

/// Make a webhook again what it was at an earlier version
///
/// That is a new version, under the rules of now.
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path), ("webhook_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageWebhooks::name()))),
    request_body = Revert,
    responses((status = 200, body = Webhook), problem::Change),
)]
#[post("/webhooks/{webhook_id}/revert")]
async fn revert(
    may: May<may::ManageWebhooks>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Revert>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| {
        resource::revert::<Webhook>(store, &may.actor, id, expected, act).await
    })
    .await
}

/// Change a webhook
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path), ("webhook_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageWebhooks::name()))),
    request_body = WebhookChange,
    responses((status = 200, body = Webhook), problem::Change),
)]
#[patch("/webhooks/{webhook_id}")]
async fn change(
    state: web::Data<State>,
    may: May<may::ManageWebhooks>,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(change): Body<WebhookChange>,
) -> Result<Resource<Webhook>> {
    let expected = Expected::of(change.version(), precondition);
    let changed = resource::change(&state.store, &may.actor, id, expected, change).await?;
    Ok(Resource::found(changed))
}

/// Remove a webhook, with its deliveries
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path), ("webhook_id" = uuid::Uuid, Path), Version),
    extensions(("x-permission" = json!(may::ManageWebhooks::name()))),
    responses((status = 204), problem::Remove),
)]
#[delete("/webhooks/{webhook_id}")]
async fn remove(
    state: web::Data<State>,
    may: May<may::ManageWebhooks>,
    Row(id): Row,
    version: Version,
) -> Result<HttpResponse> {
    webhook::delete(&state.store, &may.actor, id, version.expected).await?;
    Ok(done())
}

/// Give a webhook a new secret
///
/// It is in the answer, and nowhere else. The one before signs too while the overlap lasts.
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path), ("webhook_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageWebhooks::name()))),
    request_body = Rotation,
    responses((status = 200, body = IssuedWebhook), problem::Change),
)]
#[post("/webhooks/{webhook_id}/rotate-secret")]
async fn rotate_secret(
    may: May<may::ManageWebhooks>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Rotation>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| {
        webhook::rotate_secret(store, &may.actor, id, expected, act).await
    })
    .await
}

/// Send a test
///
/// A message of the kind `webhook.test` is sent as soon as may be. What came of it shows in the
/// delivery.
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path), ("webhook_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageWebhooks::name()))),
    responses((status = 201, body = Delivery), problem::Take),
)]
#[post("/webhooks/{webhook_id}/test")]
async fn test(may: May<may::ManageWebhooks>, once: Once, Row(id): Row) -> Result<HttpResponse> {
    once.answer(made, async |store| webhook::test(store, &may.actor, id).await).await
}

/// The deliveries of a webhook, the newest first
#[utoipa::path(
    tag = "webhooks",
    params(
        ("organization_id" = uuid::Uuid, Path), ("webhook_id" = uuid::Uuid, Path), DeliveryQuery,
    ),
    extensions(("x-permission" = json!(may::ManageWebhooks::name()))),
    responses((status = 200, body = Page<Delivery>), problem::Read),
)]
#[get("/webhooks/{webhook_id}/deliveries")]
async fn deliveries(
    state: web::Data<State>,
    may: May<may::ManageWebhooks>,
    Row(id): Row,
    Query(query): Query<DeliveryQuery>,
) -> Result<Listed<Delivery>> {
    Ok(Listed(webhook::deliveries(&state.store, &may.actor, id, query).await?))
}

/// A delivery, with its attempts
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path), ("delivery_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageWebhooks::name()))),
    responses((status = 200, body = DeliveryDetail), problem::Read),
)]
#[get("/deliveries/{delivery_id}")]
async fn delivery(
    state: web::Data<State>,
    may: May<may::ManageWebhooks>,
    Row(id): Row,
) -> Result<web::Json<DeliveryDetail>> {
    Ok(web::Json(webhook::delivery(&state.store, &may.actor, id).await?))
}

/// Send a delivery again
///
/// It is the same message with the same `webhook-id`, whatever became of it.
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path), ("delivery_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageWebhooks::name()))),
    responses((status = 200, body = Delivery), problem::Take),
)]
#[post("/deliveries/{delivery_id}/resend")]
async fn resend(may: May<may::ManageWebhooks>, once: Once, Row(id): Row) -> Result<HttpResponse> {
    once.answer(told, async |store| webhook::resend(store, &may.actor, id).await).await
}

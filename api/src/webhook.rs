use actix_web::{HttpResponse, delete, get, post, web};
use service::{
    input::Create,
    store::page::Page,
    webhook::{
        self, Delivery, DeliveryDetail, DeliveryQuery, IssuedWebhook, Webhook, WebhookInput,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Listed, Result, created, done, made, told},
    extract::{Body, May, Once, Query, Row, Version},
    may::{self, Requires},
    problem,
    resource::Collection,
    state::State,
};

type NewWebhook = Create<WebhookInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    let webhooks = Collection::<Webhook>::of("webhooks", "a webhook");
    config
        .service(create)
        .service(webhooks.list(may::ManageWebhooks, "The webhooks, the newest first"))
        .service(webhooks.read(may::ManageWebhooks))
        .service(webhooks.history(may::ManageWebhooks))
        .service(webhooks.revert(may::ManageWebhooks))
        .service(webhooks.change(may::ManageWebhooks))
        .service(remove)
        .service(
            webhooks
                .act(may::ManageWebhooks, "rotate-secret", webhook::rotate_secret)
                .summary("Give a webhook a new secret")
                .detail(
                    "It is in the answer, and nowhere else. The one before signs too while the \
                     overlap lasts.",
                ),
        )
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

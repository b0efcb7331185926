use actix_web::{HttpResponse, delete, get, post, web};
use service::{
    automation::webhook::{
        self, Delivery, DeliveryDetail, DeliveryQuery, IssuedWebhook, Webhook, WebhookInput,
    },
    input::Create,
    store::page::Page,
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Body, Idempotent, Query, Require, ResourceId, Version},
    permission::{self, PermissionType},
    problem,
    resource::Collection,
    response::{Result, created, created_json, ok_json},
    state::State,
    table::Listing,
};

type NewWebhook = Create<WebhookInput>;
type DeliveryPage = Page<Delivery>;

const ROTATE: &str = "\
The response contains the new secret, which is returned only once. During the overlap, messages are
signed with both secrets.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let webhooks = Collection::<Webhook>::of("webhooks", "a webhook");
    config
        .service(create_webhook)
        .service(webhooks.list(permission::ManageWebhooks, "Newest first."))
        .service(webhooks.get(permission::ManageWebhooks))
        .service(webhooks.history(permission::ManageWebhooks))
        .service(webhooks.revert(permission::ManageWebhooks))
        .service(webhooks.update(permission::ManageWebhooks))
        .service(delete_webhook)
        .service(
            webhooks
                .action(permission::ManageWebhooks, "rotate-secret", webhook::rotate_secret)
                .summary("Rotate a webhook's secret")
                .detail(ROTATE),
        )
        .service(test_webhook)
        .service(list_webhook_deliveries)
        .service(get_delivery)
        .service(resend_delivery);
}

/// Create a webhook
///
/// The response contains the secret, which is returned only once. Events that occur from now on are
/// sent.
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ManageWebhooks::name()))),
    request_body = NewWebhook,
    responses(
        (status = 201, description = "Created webhook with its secret", body = IssuedWebhook),
        problem::Create,
    ),
)]
#[post("/webhooks")]
async fn create_webhook(
    caller: Require<permission::ManageWebhooks>,
    idempotent: Idempotent,
    Body(new): Body<NewWebhook>,
) -> Result<HttpResponse> {
    idempotent
        .respond(created, async |store| webhook::create(store, &caller.actor, new).await)
        .await
}

/// Delete a webhook
///
/// Deletes its deliveries too.
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path), ("webhook_id" = uuid::Uuid, Path), Version),
    extensions(("x-permission" = json!(permission::ManageWebhooks::name()))),
    responses((status = 204, description = "Deleted"), problem::Remove),
)]
#[delete("/webhooks/{webhook_id}")]
async fn delete_webhook(
    state: web::Data<State>,
    caller: Require<permission::ManageWebhooks>,
    ResourceId(id): ResourceId,
    version: Version,
) -> Result<HttpResponse> {
    webhook::delete(&state.store, &caller.actor, id, version.expected).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Send a test message
///
/// Creates a delivery of the kind `webhook.test`, which shows the result.
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path), ("webhook_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ManageWebhooks::name()))),
    responses((status = 201, description = "Created delivery", body = Delivery), problem::Take),
)]
#[post("/webhooks/{webhook_id}/test")]
async fn test_webhook(
    caller: Require<permission::ManageWebhooks>,
    idempotent: Idempotent,
    ResourceId(id): ResourceId,
) -> Result<HttpResponse> {
    idempotent
        .respond(created_json, async |store| webhook::test(store, &caller.actor, id).await)
        .await
}

/// List a webhook's deliveries
///
/// Newest first.
#[utoipa::path(
    tag = "webhooks",
    params(
        ("organization_id" = uuid::Uuid, Path), ("webhook_id" = uuid::Uuid, Path), DeliveryQuery,
    ),
    extensions(("x-permission" = json!(permission::ManageWebhooks::name()))),
    responses(
        (status = 200, description = "Page of the list", body = DeliveryPage),
        problem::Read,
    ),
)]
#[get("/webhooks/{webhook_id}/deliveries")]
async fn list_webhook_deliveries(
    state: web::Data<State>,
    caller: Require<permission::ManageWebhooks>,
    listing: Listing,
    ResourceId(id): ResourceId,
    Query(query): Query<DeliveryQuery>,
) -> Result<HttpResponse> {
    let read = async |query: &DeliveryQuery| {
        webhook::deliveries(&state.store, &caller.actor, id, query.clone()).await
    };
    Ok(listing.answer(&query, read).await?)
}

/// Get a delivery
///
/// Returns the delivery with its attempts.
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path), ("delivery_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ManageWebhooks::name()))),
    responses(
        (status = 200, description = "Delivery with its attempts", body = DeliveryDetail),
        problem::Read,
    ),
)]
#[get("/deliveries/{delivery_id}")]
async fn get_delivery(
    state: web::Data<State>,
    caller: Require<permission::ManageWebhooks>,
    ResourceId(id): ResourceId,
) -> Result<web::Json<DeliveryDetail>> {
    Ok(web::Json(webhook::delivery(&state.store, &caller.actor, id).await?))
}

/// Resend a delivery
///
/// Sends the same message with the same `webhook-id`, whatever the state of the delivery.
#[utoipa::path(
    tag = "webhooks",
    params(("organization_id" = uuid::Uuid, Path), ("delivery_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ManageWebhooks::name()))),
    responses(
        (status = 200, description = "State of the delivery", body = Delivery),
        problem::Take,
    ),
)]
#[post("/deliveries/{delivery_id}/resend")]
async fn resend_delivery(
    caller: Require<permission::ManageWebhooks>,
    idempotent: Idempotent,
    ResourceId(id): ResourceId,
) -> Result<HttpResponse> {
    idempotent.respond(ok_json, async |store| webhook::resend(store, &caller.actor, id).await).await
}

use actix_web::{HttpResponse, delete, post, web};
use service::{
    identity::{
        invitation::{self, Invitation, InvitationInput, IssuedInvitation},
        member::Member,
    },
    input::Create,
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    attempt::{Success, judge},
    extract::{Body, Idempotent, InSession, Require, ResourceId, Source, Token, Version},
    permission::{self, PermissionType},
    problem,
    resource::Collection,
    response::{Result, created, created_without_location},
    state::State,
};

type NewInvitation = Create<InvitationInput>;

/// What a user does without being in the organization yet.
pub(crate) fn own_routes(config: &mut ServiceConfig) {
    config.service(accept_invitation);
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    let invitations = Collection::<Invitation>::of("invitations", "an invitation");
    config
        .service(create_invitation)
        .service(invitations.list(permission::ManageInvitations, "Newest first."))
        .service(invitations.get(permission::ManageInvitations))
        .service(invitations.history(permission::ManageInvitations))
        .service(delete_invitation);
}

/// Create an invitation
///
/// The response contains the token, which is returned only once.
#[utoipa::path(
    tag = "invitations",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ManageInvitations::name()))),
    request_body = NewInvitation,
    responses(
        (status = 201, description = "Created invitation with its token", body = IssuedInvitation),
        problem::Create,
    ),
)]
#[post("/invitations")]
async fn create_invitation(
    caller: Require<permission::ManageInvitations>,
    idempotent: Idempotent,
    Body(new): Body<NewInvitation>,
) -> Result<HttpResponse> {
    idempotent
        .respond(created, async |store| invitation::create(store, &caller.actor, new).await)
        .await
}

/// Delete an invitation
///
/// Its token does not work any more.
#[utoipa::path(
    tag = "invitations",
    params(("organization_id" = uuid::Uuid, Path), ("invitation_id" = uuid::Uuid, Path), Version),
    extensions(("x-permission" = json!(permission::ManageInvitations::name()))),
    responses((status = 204, description = "Deleted"), problem::Remove),
)]
#[delete("/invitations/{invitation_id}")]
async fn delete_invitation(
    state: web::Data<State>,
    caller: Require<permission::ManageInvitations>,
    ResourceId(id): ResourceId,
    version: Version,
) -> Result<HttpResponse> {
    invitation::delete(&state.store, &caller.actor, id, version.expected).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Accept an invitation
///
/// Makes the current user a member of the organization.
#[utoipa::path(
    tag = "invitations",
    params(("token" = String, Path, description = "Token of the invitation.")),
    responses(
        (status = 201, description = "Created member", body = Member),
        problem::Take,
        problem::Throttled,
    ),
)]
#[post("/invitations/{token}/accept")]
async fn accept_invitation(
    state: web::Data<State>,
    me: InSession,
    idempotent: Idempotent,
    Source(network): Source,
    Token(token): Token,
) -> Result<HttpResponse> {
    let attempt = state.throttle.begin(network, &format!("invitation {}", token.reveal())).await?;
    let answered = idempotent.respond(created_without_location, async |store| {
        invitation::accept(store, me.author(), token).await
    });
    judge(attempt, Success::Proves, &["not_found"], answered.await).await
}

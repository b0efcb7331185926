use actix_web::{HttpResponse, delete, get, post, web};
use service::{
    event::{self, At, AtQuery, Event},
    input::Create,
    invitation::{self, Invitation, InvitationInput, IssuedInvitation},
    member::Member,
    store::page::{Page, PageQuery},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Listed, Resource, Result, Unchanged, created, created_elsewhere, done},
    extract::{Body, InSession, May, Once, Query, Row, Token, Version},
    may::{self, Requires},
    problem,
    state::State,
};

type NewInvitation = Create<InvitationInput>;

/// What a user does without being in the organization yet.
pub(crate) fn own_routes(config: &mut ServiceConfig) {
    config.service(accept);
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(create).service(list).service(read).service(history).service(remove);
}

/// Invite somebody
///
/// The token is in the answer, and nowhere else.
#[utoipa::path(
    tag = "invitations",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageInvitations::name()))),
    request_body = NewInvitation,
    responses((status = 201, body = IssuedInvitation), problem::Create),
)]
#[post("/invitations")]
async fn create(
    may: May<may::ManageInvitations>,
    once: Once,
    Body(new): Body<NewInvitation>,
) -> Result<HttpResponse> {
    once.answer(created, async |store| invitation::create(store, &may.actor, new).await).await
}

/// The invitations, the newest first
#[utoipa::path(
    tag = "invitations",
    params(("organization_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ManageInvitations::name()))),
    responses((status = 200, body = Page<Invitation>), problem::Read),
)]
#[get("/invitations")]
async fn list(
    state: web::Data<State>,
    may: May<may::ManageInvitations>,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Invitation>> {
    Ok(Listed(invitation::list(&state.store, &may.actor, &page).await?))
}

/// An invitation
#[utoipa::path(
    tag = "invitations",
    params(("organization_id" = uuid::Uuid, Path), ("invitation_id" = uuid::Uuid, Path), AtQuery),
    extensions(("x-permission" = json!(may::ManageInvitations::name()))),
    responses((status = 200, body = Invitation), Unchanged, problem::Read),
)]
#[get("/invitations/{invitation_id}")]
async fn read(
    state: web::Data<State>,
    may: May<may::ManageInvitations>,
    Row(id): Row,
    Query(at): Query<AtQuery>,
) -> Result<Resource<At<Invitation>>> {
    let now = invitation::get(&state.store, &may.actor, id);
    Ok(Resource::found(event::at(&state.store, &may.actor, id, at, now).await?))
}

/// What has happened to an invitation, the latest first
///
/// Every version, also of one that is gone, each as soon as it is there.
#[utoipa::path(
    tag = "invitations",
    params(("organization_id" = uuid::Uuid, Path), ("invitation_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ManageInvitations::name()))),
    responses((status = 200, body = Page<Event>), problem::Read),
)]
#[get("/invitations/{invitation_id}/history")]
async fn history(
    state: web::Data<State>,
    may: May<may::ManageInvitations>,
    Row(id): Row,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Event>> {
    Ok(Listed(event::history::<Invitation>(&state.store, &may.actor, id, &page).await?))
}

/// Take an invitation back
#[utoipa::path(
    tag = "invitations",
    params(("organization_id" = uuid::Uuid, Path), ("invitation_id" = uuid::Uuid, Path), Version),
    extensions(("x-permission" = json!(may::ManageInvitations::name()))),
    responses((status = 204), problem::Remove),
)]
#[delete("/invitations/{invitation_id}")]
async fn remove(
    state: web::Data<State>,
    may: May<may::ManageInvitations>,
    Row(id): Row,
    version: Version,
) -> Result<HttpResponse> {
    invitation::delete(&state.store, &may.actor, id, version.expected).await?;
    Ok(done())
}

/// Accept an invitation
///
/// The user is a member from then on.
#[utoipa::path(
    tag = "invitations",
    params(("token" = String, Path)),
    responses((status = 201, body = Member), problem::Take),
)]
#[post("/invitations/{token}/accept")]
async fn accept(me: InSession, once: Once, Token(token): Token) -> Result<HttpResponse> {
    once.answer(created_elsewhere, async |store| {
        invitation::accept(store, me.author(), token).await
    })
    .await
}

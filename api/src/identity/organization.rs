use actix_web::{HttpResponse, delete, get, patch, post, web};
use service::{
    Store,
    event::{self, At, AtQuery, Event, RevertInput},
    identity::organization::{self, Organization, OrganizationInput},
    input::{Change, Create, TransitionBody},
    resource,
    store::{
        page::{Page, PageQuery},
        versioned::Expected,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Body, Idempotent, IfMatch, InSession, Query, ReplicaRead, Require, Version},
    permission::{self, PermissionType},
    problem,
    response::{NotModified, ResourceResponse, Result, created, ok},
    state::State,
    table::Listing,
};

type NewOrganization = Create<OrganizationInput>;
type OrganizationUpdate = Change<OrganizationInput>;
type OrganizationPage = Page<Organization>;
type EventPage = Page<Event>;
type Revert = TransitionBody<RevertInput>;

/// What a user does without being in any organization yet.
pub(crate) fn own_routes(config: &mut ServiceConfig) {
    config.service(create_organization).service(list_organizations);
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(get_organization)
        .service(list_organization_history)
        .service(revert_organization)
        .service(update_organization)
        .service(delete_organization);
}

/// Create an organization
///
/// The current user becomes its first member and owner.
#[utoipa::path(
    tag = "organizations",
    request_body = NewOrganization,
    responses(
        (status = 201, description = "Created organization", body = Organization),
        problem::Create,
    ),
)]
#[post("/organizations")]
async fn create_organization(
    me: InSession,
    idempotent: Idempotent,
    Body(new): Body<NewOrganization>,
) -> Result<HttpResponse> {
    idempotent
        .respond(created, async |store| organization::create(store, me.author(), new).await)
        .await
}

/// List the current user's organizations
///
/// Oldest first.
#[utoipa::path(
    tag = "organizations",
    params(PageQuery),
    responses(
        (status = 200, description = "Page of the list", body = OrganizationPage),
        problem::Own,
    ),
)]
#[get("/organizations")]
async fn list_organizations(
    state: web::Data<State>,
    me: InSession,
    listing: Listing,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse> {
    let read = async |page: &PageQuery| organization::list(&state.store, me.user_id, page).await;
    Ok(listing.answer(&page, read).await?)
}

/// Get an organization
///
/// With `as_of`, returns the resource as it was at that time.
#[utoipa::path(
    tag = "organizations",
    params(("organization_id" = uuid::Uuid, Path), AtQuery),
    extensions(("x-permission" = json!(permission::ReadOrganization::name()))),
    responses(
        (status = 200, description = "State of the organization", body = Organization),
        NotModified,
        problem::Read,
    ),
)]
#[get("")]
async fn get_organization(
    state: web::Data<State>,
    caller: Require<permission::ReadOrganization>,
    Query(at): Query<AtQuery>,
) -> Result<ResourceResponse<At<Organization>>> {
    let id = caller.actor.organization_id;
    let now = organization::get(&state.store, &caller.actor);
    Ok(ResourceResponse(event::at(&state.store, &caller.actor, id, at, now).await?))
}

/// List an organization's events
///
/// Returns the events of the organization itself, latest first.
#[utoipa::path(
    tag = "organizations",
    params(("organization_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(permission::ReadOrganization::name()))),
    responses((status = 200, description = "Page of the list", body = EventPage), problem::Read),
)]
#[get("/history")]
async fn list_organization_history(
    caller: Require<permission::ReadOrganization>,
    replica: ReplicaRead,
    listing: Listing,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse> {
    let actor = &caller.actor;
    let work = async |store: &Store| {
        let read = async |page: &PageQuery| {
            event::history::<Organization>(store, actor, actor.organization_id, page).await
        };
        listing.answer(&page, read).await
    };
    replica.run(work).await
}

/// Revert an organization to an earlier version
///
/// Creates a new version, which must satisfy the current rules.
#[utoipa::path(
    tag = "organizations",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ChangeOrganization::name()))),
    request_body = Revert,
    responses(
        (status = 200, description = "State of the organization", body = Organization),
        problem::Change,
    ),
)]
#[post("/revert")]
async fn revert_organization(
    caller: Require<permission::ChangeOrganization>,
    idempotent: Idempotent,
    IfMatch(precondition): IfMatch,
    Body(body): Body<Revert>,
) -> Result<HttpResponse> {
    let expected = Expected::of(body.version(), precondition);
    let id = caller.actor.organization_id;
    idempotent
        .respond(ok, async |store| {
            resource::revert::<Organization>(store, &caller.actor, id, expected, body).await
        })
        .await
}

/// Update an organization
///
/// A JSON Merge Patch (RFC 7396): properties that are omitted stay as they are.
#[utoipa::path(
    tag = "organizations",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ChangeOrganization::name()))),
    request_body = OrganizationUpdate,
    responses(
        (status = 200, description = "State of the organization", body = Organization),
        problem::Change,
    ),
)]
#[patch("")]
async fn update_organization(
    state: web::Data<State>,
    caller: Require<permission::ChangeOrganization>,
    IfMatch(precondition): IfMatch,
    Body(change): Body<OrganizationUpdate>,
) -> Result<ResourceResponse<Organization>> {
    let expected = Expected::of(change.version(), precondition);
    let id = caller.actor.organization_id;
    let changed = resource::change(&state.store, &caller.actor, id, expected, change).await?;
    Ok(ResourceResponse(changed))
}

/// Delete an organization
///
/// Deletes the organization with all its data.
#[utoipa::path(
    tag = "organizations",
    params(("organization_id" = uuid::Uuid, Path), Version),
    extensions(("x-permission" = json!(permission::DeleteOrganization::name()))),
    responses((status = 204, description = "Deleted"), problem::Remove),
)]
#[delete("")]
async fn delete_organization(
    state: web::Data<State>,
    caller: Require<permission::DeleteOrganization>,
    version: Version,
) -> Result<HttpResponse> {
    organization::delete(&state.store, &caller.actor, version.expected).await?;
    Ok(HttpResponse::NoContent().finish())
}

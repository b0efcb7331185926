use actix_web::{HttpResponse, delete, get, patch, post, web};
use service::{
    event::{self, At, AtQuery, Event, RevertInput},
    input::{Act, Change, Create},
    member::{self, Member, MemberInput},
    resource,
    store::{
        page::{Page, PageQuery},
        versioned::Expected,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Listed, Resource, Result, Unchanged, created, done, found},
    extract::{Body, IfMatch, May, Once, Query, Row, Version},
    may::{self, Requires},
    problem,
    state::State,
};

type NewMember = Create<MemberInput>;
type MemberChange = Change<MemberInput>;
type Revert = Act<RevertInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(create)
        .service(list)
        .service(read)
        .service(history)
        .service(revert)
        .service(change)
        .service(remove);
}

/// Add a member
///
/// Without a login; an invitation gives them one.
#[utoipa::path(
    tag = "members",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageMembers::name()))),
    request_body = NewMember,
    responses((status = 201, body = Member), problem::Create),
)]
#[post("/members")]
async fn create(
    may: May<may::ManageMembers>,
    once: Once,
    Body(new): Body<NewMember>,
) -> Result<HttpResponse> {
    once.answer(created, async |store| resource::create::<Member>(store, &may.actor, new).await)
        .await
}

/// The members, by name
#[utoipa::path(
    tag = "members",
    params(("organization_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ReadMembers::name()))),
    responses((status = 200, body = Page<Member>), problem::Read),
)]
#[get("/members")]
async fn list(
    state: web::Data<State>,
    may: May<may::ReadMembers>,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Member>> {
    Ok(Listed(member::list(&state.store, &may.actor, &page).await?))
}

/// A member
#[utoipa::path(
    tag = "members",
    params(("organization_id" = uuid::Uuid, Path), ("member_id" = uuid::Uuid, Path), AtQuery),
    extensions(("x-permission" = json!(may::ReadMembers::name()))),
    responses((status = 200, body = Member), Unchanged, problem::Read),
)]
#[get("/members/{member_id}")]
async fn read(
    state: web::Data<State>,
    may: May<may::ReadMembers>,
    Row(id): Row,
    Query(at): Query<AtQuery>,
) -> Result<Resource<At<Member>>> {
    let now = member::get(&state.store, &may.actor, id);
    Ok(Resource::found(event::at(&state.store, &may.actor, id, at, now).await?))
}

/// What has happened to a member, the latest first
///
/// Every version, also of one that is gone, each as soon as it is there.
#[utoipa::path(
    tag = "members",
    params(("organization_id" = uuid::Uuid, Path), ("member_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ReadMembers::name()))),
    responses((status = 200, body = Page<Event>), problem::Read),
)]
#[get("/members/{member_id}/history")]
async fn history(
    state: web::Data<State>,
    may: May<may::ReadMembers>,
    Row(id): Row,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Event>> {
    Ok(Listed(event::history::<Member>(&state.store, &may.actor, id, &page).await?))
}

/// Make a member again what it was at an earlier version
///
/// That is a new version, under the rules of now.
#[utoipa::path(
    tag = "members",
    params(("organization_id" = uuid::Uuid, Path), ("member_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ReadMembers::name()))),
    request_body = Revert,
    responses((status = 200, body = Member), problem::Change),
)]
#[post("/members/{member_id}/revert")]
async fn revert(
    may: May<may::ReadMembers>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Revert>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| {
        resource::revert::<Member>(store, &may.actor, id, expected, act).await
    })
    .await
}

/// Change a member
///
/// Without the permission member:manage, one may rename oneself, and leave (`active: false`).
#[utoipa::path(
    tag = "members",
    params(("organization_id" = uuid::Uuid, Path), ("member_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ReadMembers::name()))),
    request_body = MemberChange,
    responses((status = 200, body = Member), problem::Change),
)]
#[patch("/members/{member_id}")]
async fn change(
    state: web::Data<State>,
    may: May<may::ReadMembers>,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(change): Body<MemberChange>,
) -> Result<Resource<Member>> {
    let expected = Expected::of(change.version(), precondition);
    let changed = resource::change(&state.store, &may.actor, id, expected, change).await?;
    Ok(Resource::found(changed))
}

/// Remove a member whom nothing refers to
///
/// Without the permission member:manage, only oneself.
#[utoipa::path(
    tag = "members",
    params(("organization_id" = uuid::Uuid, Path), ("member_id" = uuid::Uuid, Path), Version),
    extensions(("x-permission" = json!(may::ReadMembers::name()))),
    responses((status = 204), problem::Remove),
)]
#[delete("/members/{member_id}")]
async fn remove(
    state: web::Data<State>,
    may: May<may::ReadMembers>,
    Row(id): Row,
    version: Version,
) -> Result<HttpResponse> {
    resource::delete::<Member>(&state.store, &may.actor, id, version.expected).await?;
    Ok(done())
}

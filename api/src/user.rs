use actix_web::{HttpResponse, get, patch, post, web};
use service::{
    event::{self, At, AtQuery, Event, RevertInput},
    input::{Act, Change, Form},
    store::{
        page::{Page, PageQuery},
        versioned::Expected,
    },
    user::{self, NewUser, PasswordChange, User, UserInput},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Listed, Resource, Result, Unchanged, created_elsewhere, found, nothing},
    extract::{Body, IfMatch, InSession, Once, Query, RequestId},
    problem,
    state::State,
};

type UserChange = Change<UserInput>;
type Revert = Act<RevertInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(register)
        .service(me)
        .service(history)
        .service(revert)
        .service(change_me)
        .service(change_password);
}

/// Register
///
/// As far as this server's registration lets people: everybody, those with an invitation, nobody.
#[utoipa::path(
    tag = "users",
    security(()),
    request_body = NewUser,
    responses((status = 201, body = User), problem::Public),
)]
#[post("/users")]
async fn register(
    state: web::Data<State>,
    once: Once,
    RequestId(request_id): RequestId,
    Body(Form(new)): Body<Form<NewUser>>,
) -> Result<HttpResponse> {
    let registration = state.settings.registration;
    once.answer(created_elsewhere, async |store| {
        user::register(store, &state.passwords, registration, new, request_id).await
    })
    .await
}

/// Oneself
#[utoipa::path(
    tag = "users",
    params(AtQuery),
    responses((status = 200, body = User), Unchanged, problem::Read),
)]
#[get("/users/me")]
async fn me(
    state: web::Data<State>,
    session: InSession,
    Query(at): Query<AtQuery>,
) -> Result<Resource<At<User>>> {
    let now = user::get(&state.store, session.user_id);
    Ok(Resource::found(event::own_at(&state.store, session.user_id, at, now).await?))
}

/// What has happened to oneself, the latest first
///
/// What one does in an organization is in that organization's log, and not here.
#[utoipa::path(
    tag = "users",
    params(PageQuery),
    responses((status = 200, body = Page<Event>), problem::Read),
)]
#[get("/users/me/history")]
async fn history(
    state: web::Data<State>,
    session: InSession,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Event>> {
    Ok(Listed(event::own_history(&state.store, session.user_id, &page).await?))
}

/// Be again as one was at an earlier version
///
/// That is a new version, under the rules of now. The password stays.
#[utoipa::path(
    tag = "users",
    request_body = Revert,
    responses((status = 200, body = User), problem::Change),
)]
#[post("/users/me/revert")]
async fn revert(
    session: InSession,
    once: Once,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Revert>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| user::revert(store, session.author(), expected, act).await)
        .await
}

/// Change oneself
#[utoipa::path(
    tag = "users",
    request_body = UserChange,
    responses((status = 200, body = User), problem::Change),
)]
#[patch("/users/me")]
async fn change_me(
    state: web::Data<State>,
    session: InSession,
    IfMatch(precondition): IfMatch,
    Body(change): Body<UserChange>,
) -> Result<Resource<User>> {
    let expected = Expected::of(change.version(), precondition);
    Ok(Resource::found(user::change(&state.store, session.author(), expected, change).await?))
}

/// Change one's password
///
/// Every other session of the user ends.
#[utoipa::path(
    tag = "users",
    request_body = PasswordChange,
    responses((status = 204), problem::Create),
)]
#[post("/users/me/password")]
async fn change_password(
    state: web::Data<State>,
    session: InSession,
    once: Once,
    Body(Form(change)): Body<Form<PasswordChange>>,
) -> Result<HttpResponse> {
    let (author, session_id) = (session.author(), session.session_id);
    once.answer(nothing, async |store| {
        user::change_password(store, &state.passwords, author, session_id, change).await
    })
    .await
}

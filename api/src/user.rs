use actix_web::{HttpResponse, get, patch, post, web};
use service::{
    input::{Change, Form},
    store::versioned::Expected,
    user::{self, NewUser, PasswordChange, User, UserInput},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Resource, Result, Unchanged, created_elsewhere, nothing},
    extract::{Body, IfMatch, InSession, Once, RequestId},
    problem,
    state::State,
};

type UserChange = Change<UserInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(register).service(me).service(change_me).service(change_password);
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
#[utoipa::path(tag = "users", responses((status = 200, body = User), Unchanged, problem::Own))]
#[get("/users/me")]
async fn me(state: web::Data<State>, session: InSession) -> Result<Resource<User>> {
    Ok(Resource::found(user::get(&state.store, session.user_id).await?))
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

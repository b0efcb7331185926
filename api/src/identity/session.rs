use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, post, web};
use service::{
    identity::session::{self, Login, NewSession, Session},
    input::Validated,
    store::page::{Page, PageQuery},
    text::fold,
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    attempt::{Success, judge},
    extract::{Body, Idempotent, InSession, Query, ResourceId, Source},
    problem,
    response::{Result, created_json},
    state::State,
    table::Listing,
};

type SessionPage = Page<Session>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(create_session)
        .service(list_sessions)
        .service(delete_current_session)
        .service(delete_session);
}

/// Log in
///
/// Creates a session. After several failures from the same network, further attempts must wait:
/// status 429.
#[utoipa::path(
    tag = "sessions",
    security(()),
    request_body = Login,
    responses(
        (status = 201, description = "Created session with its token", body = NewSession),
        problem::Guess,
    ),
)]
#[post("/sessions")]
async fn create_session(
    state: web::Data<State>,
    idempotent: Idempotent,
    Source(network): Source,
    request: HttpRequest,
    Body(Validated(login)): Body<Validated<Login>>,
) -> Result<HttpResponse> {
    let user_agent = request.headers().get(header::USER_AGENT);
    let user_agent = user_agent.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let lifetime = state.settings.session_lifetime;
    let secret = |session: &NewSession, path: &str| {
        Ok(created_json(session, path)?.with(header::CACHE_CONTROL, "no-store"))
    };
    let attempt = state.throttle.begin(network, &format!("login {}", fold(&login.email))).await?;
    let asker = (attempt.origin(), user_agent);
    let answered = idempotent.respond(secret, async |store| {
        session::create(store, &state.passwords, lifetime, login, asker).await
    });
    let wrong = ["unauthenticated", "idempotency_key_reused"];
    judge(attempt, Success::Proves, &wrong, answered.await).await
}

/// List the current user's sessions
///
/// Newest first.
#[utoipa::path(
    tag = "sessions",
    params(PageQuery),
    responses((status = 200, description = "Page of the list", body = SessionPage), problem::Own),
)]
#[get("/sessions")]
async fn list_sessions(
    state: web::Data<State>,
    me: InSession,
    listing: Listing,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse> {
    let read =
        async |page: &PageQuery| session::list(&state.store, me.user_id, me.session_id, page).await;
    Ok(listing.answer(&page, read).await?)
}

/// Log out
///
/// Ends the current session.
#[utoipa::path(
    tag = "sessions",
    responses((status = 204, description = "Session ended"), problem::Own),
)]
#[delete("/sessions/current")]
async fn delete_current_session(state: web::Data<State>, me: InSession) -> Result<HttpResponse> {
    session::end(&state.store, me.user_id, me.session_id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// End a session
///
/// Ends one of the current user's sessions.
#[utoipa::path(
    tag = "sessions",
    params(("session_id" = uuid::Uuid, Path)),
    responses((status = 204, description = "Session ended"), problem::Read),
)]
#[delete("/sessions/{session_id}")]
async fn delete_session(
    state: web::Data<State>,
    me: InSession,
    ResourceId(id): ResourceId,
) -> Result<HttpResponse> {
    session::end(&state.store, me.user_id, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

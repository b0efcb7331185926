use actix_web::{HttpResponse, get, patch, post, web};
use service::{
    Store,
    event::{self, At, AtQuery, Event, RevertInput},
    identity::{
        throttle::{Attempt, Network, Origin},
        user::{self, NewUser, PasswordChange, User, UserInput},
    },
    input::{Change, TransitionBody, Validated},
    store::{
        page::{Page, PageQuery},
        versioned::Expected,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    attempt::{Success, judge},
    extract::{Body, Idempotent, IfMatch, InSession, Query, ReplicaRead, RequestId, Source},
    problem::{self, Failure},
    response::{NotModified, ResourceResponse, Result, created_without_location, no_content, ok},
    state::State,
    table::Listing,
};

type UserUpdate = Change<UserInput>;
type EventPage = Page<Event>;
type Revert = TransitionBody<RevertInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(register_user)
        .service(get_current_user)
        .service(list_current_user_history)
        .service(revert_current_user)
        .service(update_current_user)
        .service(change_password);
}

/// Register a user
///
/// The configuration of the server determines who may register: everyone, people with an
/// invitation, or no one. Where everyone may, the response does not reveal whether the address is
/// taken: then no user is created, and the login fails.
#[utoipa::path(
    tag = "users",
    security(()),
    request_body = NewUser,
    responses((status = 201, description = "Registered user", body = User), problem::Guess),
)]
#[post("/users")]
async fn register_user(
    state: web::Data<State>,
    idempotent: Idempotent,
    Source(network): Source,
    RequestId(request_id): RequestId,
    Body(Validated(new)): Body<Validated<NewUser>>,
) -> Result<HttpResponse> {
    let registration = state.settings.registration;
    // A token is something that can be guessed.
    let attempt = match &new.invitation {
        Some(token) => Some(state.throttle.begin(network, &format!("invitation {token}")).await?),
        None => None,
    };
    let asker = (Origin::Stranger(network), request_id);
    let answered = idempotent.respond(created_without_location, async |store| {
        user::register(store, &state.passwords, registration, new, asker).await
    });
    let answered = answered.await;
    match attempt {
        Some(attempt) => judge(attempt, Success::Proves, &["not_found"], answered).await,
        None => answered,
    }
}

/// Get the current user
///
/// With `as_of`, returns the resource as it was at that time.
#[utoipa::path(
    tag = "users",
    params(AtQuery),
    responses(
        (status = 200, description = "State of the user", body = User),
        NotModified,
        problem::Read,
    ),
)]
#[get("/users/me")]
async fn get_current_user(
    state: web::Data<State>,
    session: InSession,
    Query(at): Query<AtQuery>,
) -> Result<ResourceResponse<At<User>>> {
    let now = user::get(&state.store, session.user_id);
    Ok(ResourceResponse(event::own_at(&state.store, session.user_id, at, now).await?))
}

/// List the current user's events
///
/// Latest first. What a user does in an organization is in the log of that organization.
#[utoipa::path(
    tag = "users",
    params(PageQuery),
    responses((status = 200, description = "Page of the list", body = EventPage), problem::Read),
)]
#[get("/users/me/history")]
async fn list_current_user_history(
    session: InSession,
    replica: ReplicaRead,
    listing: Listing,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse> {
    let work = async |store: &Store| {
        let read =
            async |page: &PageQuery| event::own_history::<User>(store, session.user_id, page).await;
        listing.answer(&page, read).await
    };
    replica.run(work).await
}

/// Revert the current user to an earlier version
///
/// Creates a new version, which must satisfy the current rules. The password is unchanged.
#[utoipa::path(
    tag = "users",
    request_body = Revert,
    responses(
        (status = 200, description = "State of the user", body = User),
        problem::Change,
        problem::Throttled,
    ),
)]
#[post("/users/me/revert")]
async fn revert_current_user(
    state: web::Data<State>,
    session: InSession,
    idempotent: Idempotent,
    Source(network): Source,
    IfMatch(precondition): IfMatch,
    Body(body): Body<Revert>,
) -> Result<HttpResponse> {
    let expected = Expected::of(body.version(), precondition);
    let attempt = ask_for_address(&state, network, &session).await?;
    let answered = idempotent
        .respond(ok, async |store| user::revert(store, session.author(), expected, body).await)
        .await;
    judge(attempt, Success::ProvesNothing, TAKEN, answered).await
}

/// Whoever takes an address is told whether it was free: nobody asks for many.
async fn ask_for_address(
    state: &State,
    network: Network,
    session: &InSession,
) -> service::Result<Attempt> {
    state.throttle.begin(network, &format!("address {}", session.user_id)).await
}

const TAKEN: &[&str] = &["duplicate"];

/// Update the current user
///
/// A JSON Merge Patch (RFC 7396): properties that are omitted stay as they are.
#[utoipa::path(
    tag = "users",
    request_body = UserUpdate,
    responses(
        (status = 200, description = "State of the user", body = User),
        problem::Change,
        problem::Throttled,
    ),
)]
#[patch("/users/me")]
async fn update_current_user(
    state: web::Data<State>,
    session: InSession,
    Source(network): Source,
    IfMatch(precondition): IfMatch,
    Body(change): Body<UserUpdate>,
) -> Result<ResourceResponse<User>> {
    let expected = Expected::of(change.version(), precondition);
    let attempt = ask_for_address(&state, network, &session).await?;
    let changed = user::change(&state.store, session.author(), expected, change).await;
    let changed = changed.map(ResourceResponse).map_err(Failure::from);
    judge(attempt, Success::ProvesNothing, TAKEN, changed).await
}

/// Change the current user's password
///
/// Ends all other sessions of the user.
#[utoipa::path(
    tag = "users",
    request_body = PasswordChange,
    responses(
        (status = 204, description = "Password changed"),
        problem::Create,
        problem::Throttled,
    ),
)]
#[post("/users/me/password")]
async fn change_password(
    state: web::Data<State>,
    session: InSession,
    idempotent: Idempotent,
    Source(network): Source,
    Body(Validated(change)): Body<Validated<PasswordChange>>,
) -> Result<HttpResponse> {
    let (author, session_id) = (session.author(), session.session_id);
    let attempt = state.throttle.begin(network, &format!("password {}", session.user_id)).await?;
    let answered = idempotent.respond(no_content, async |store| {
        user::change_password(store, &state.passwords, author, session_id, change).await
    });
    let wrong = ["invalid", "idempotency_key_reused"];
    judge(attempt, Success::Proves, &wrong, answered.await).await
}

//! Who asks, and in which organization.
//!
//! Two middlewares find that out, because it takes the database: [`identify`] around everything
//! below `/v1`, [`enter`] around everything of an organization. The extractors only look at what
//! they found, so that they answer before a body is read, and in the order of the signature.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{Path, Payload, ServiceRequest, ServiceResponse, Url},
    http::{
        Method,
        header::{self, HeaderMap},
    },
    middleware::Next,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use service::{
    Actor, error,
    identity::access::{AccessCache, Identity, Principal},
    random::Secret,
    store::log::EventContext,
};
use uuid::Uuid;

use super::{Source, replica::mark_position};
use crate::{influx, limit::Fields, permission::PermissionType, problem::Failure, state::State};

/// The variable of a path.
const ORGANIZATION: &str = "organization_id";

/// What [`identify`] found.
struct Identified(error::Result<Identity>);

/// What [`enter`] found.
struct Entered(error::Result<Actor>);

/// The id of the request, as [`crate::observe`] has given it.
#[derive(Debug, Clone, Copy)]
pub struct RequestId(pub Option<Uuid>);

fn request_id(request: &HttpRequest) -> Option<Uuid> {
    request.extensions().get::<RequestId>().and_then(|id| id.0)
}

impl FromRequest for RequestId {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request_id(request))))
    }
}

/// Finds out who asks, and says in the answer how far it shows the database.
pub async fn identify(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let state = State::of(&request);
    let identity = match bearer(request.headers()) {
        Some(token) => state.access_cache.principal(&token).await,
        None => {
            Err(error::Error::Unauthenticated("the header Authorization must have a bearer token"))
        }
    };
    let fields = match &identity {
        // In an organization, who they are there is to be found out first.
        Ok(_) if is_in_organization(&request) => Fields::default(),
        Ok(identity) => {
            state.limits.count_caller(&identity.principal, None, request.method()).await?
        }
        Err(error::Error::Unauthenticated(_)) if !is_login(&request) => {
            let Source(network) = Source::of(request.request())?;
            state.limits.count_network(network).await?
        }
        Err(_) => Fields::default(),
    };
    request.extensions_mut().insert(Identified(identity));
    let mut response = next.call(request).await?;
    mark_position(&state, &mut response).await;
    fields.write(response.headers_mut());
    Ok(response)
}

/// Whether [`enter`] is asked.
fn is_in_organization(request: &ServiceRequest) -> bool {
    let path = request.match_info().as_str();
    path.starts_with("/v1/organizations/")
        || (path.starts_with("/couch/") && path.contains('~'))
        || influx::is_in_organization(path)
}

/// What fails of these is counted by itself, so that nobody is kept from them by their neighbours.
fn is_login(request: &ServiceRequest) -> bool {
    request.method() == Method::POST && request.match_info().as_str() == "/v1/sessions"
}

fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::of(token.trim()))
}

/// The password of `Authorization: Basic`.
pub(crate) fn basic_password(headers: &HeaderMap) -> Option<String> {
    let (scheme, encoded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    // PouchDB's own tests write a colon after the scheme.
    if !scheme.trim_end_matches(':').eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}

/// Finds out what the caller is in the organization of the path.
pub async fn enter(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let state = State::of(&request);
    let identified = request.extensions_mut().remove::<Identified>();
    let (actor, fields) = match identified {
        Some(Identified(Ok(identity))) => {
            let actor = match (&identity.principal, organization_of(request.match_info())) {
                (_, Some(id)) => state.access_cache.actor(&identity, id).await,
                // Where the path says none, a key does.
                (Principal::Key(actor), None) if !names_organization(request.match_info()) => {
                    Ok(actor.clone())
                }
                (_, None) => Err(error::Error::NotFound("organization")),
            };
            let method = request.method();
            let fields =
                state.limits.count_caller(&identity.principal, actor.as_ref().ok(), method).await?;
            (actor, fields)
        }
        Some(Identified(Err(error))) => (Err(error), Fields::default()),
        None => (Err(error::Error::Internal("nobody was identified".into())), Fields::default()),
    };
    request.extensions_mut().insert(Entered(actor));
    let mut response = next.call(request).await?;
    fields.write(response.headers_mut());
    Ok(response)
}

fn names_organization(path: &Path<Url>) -> bool {
    path.get(ORGANIZATION).is_some()
}

fn organization_of(path: &Path<Url>) -> Option<Uuid> {
    path.get(ORGANIZATION).and_then(|id| Uuid::try_parse(id).ok())
}

/// The caller, for an answer that goes on: who they are and what they may do is asked again and again.
#[derive(Debug)]
pub struct StreamSession {
    token: Secret,
    organization_id: Uuid,
}

impl StreamSession {
    /// What the caller is now.
    ///
    /// # Errors
    /// Where they are nothing there any more, or cannot be looked up.
    pub async fn actor(&self, access_cache: &AccessCache) -> error::Result<Actor> {
        let identity = access_cache.principal(&self.token).await?;
        access_cache.actor(&identity, self.organization_id).await
    }
}

/// Stands behind a [`Require`], which answers those who are nothing there.
impl FromRequest for StreamSession {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = bearer(request.headers()).zip(organization_of(request.match_info()));
        let found = found.map(|(token, organization_id)| Self { token, organization_id });
        let nobody = || error::Error::Internal("nobody entered an organization".into());
        ready(found.ok_or_else(|| nobody().into()))
    }
}

/// A user in a session: what a program with a key cannot stand in for.
#[derive(Debug)]
pub struct InSession {
    /// The user.
    pub user_id: Uuid,
    /// The session.
    pub session_id: Uuid,
    /// The request.
    pub request_id: Option<Uuid>,
}

impl InSession {
    /// The user, and how the log says who they are.
    pub fn author(&self) -> (Uuid, EventContext) {
        (self.user_id, EventContext::user(self.user_id, self.request_id))
    }
}

impl FromRequest for InSession {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request_id = request_id(request);
        let identified = request.extensions_mut().remove::<Identified>();
        let principal = identified.map(|Identified(found)| found.map(|it| it.principal));
        let found = match principal {
            Some(Ok(Principal::User { user_id, session_id })) => {
                request.extensions_mut().insert(EventContext::user(user_id, request_id));
                Ok(Self { user_id, session_id, request_id })
            }
            Some(Ok(Principal::Key(_))) => Err(error::Error::forbidden(
                "session_required",
                "the operation requires a session, not an API key",
            )),
            Some(Err(error)) => Err(error),
            None => Err(error::Error::Internal("nobody was identified".into())),
        };
        ready(found.map_err(Failure::from))
    }
}

/// Someone in the organization of the path who has the permission.
#[derive(Debug)]
pub struct Require<P> {
    /// For whom, and in which organization.
    pub actor: Actor,
    permission: PhantomData<P>,
}

impl<P: PermissionType> FromRequest for Require<P> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request_id = request_id(request);
        let entered = request.extensions_mut().remove::<Entered>();
        let found = match entered {
            Some(Entered(Ok(mut actor))) => {
                actor.request_id = request_id;
                request.extensions_mut().insert(EventContext::from(&actor));
                actor.require(P::PERMISSION).map(|()| Self { actor, permission: PhantomData })
            }
            Some(Entered(Err(error))) => Err(error),
            None => Err(error::Error::Internal("nobody entered an organization".into())),
        };
        ready(found.map_err(Failure::from))
    }
}

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::{Payload, ServiceResponse},
    http::{
        StatusCode,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
    web,
};
use service::{
    Store,
    error::{self, Error},
    store::{NotAPosition, WalPosition},
};

use crate::{problem::Failure, response::Result, state::State};

/// How far a client was shown the database: what an answer says, and a request brings along.
pub(crate) const POSITION: &str = "X-Steward-Position";
const HEADER: HeaderName = HeaderName::from_static("x-steward-position");

/// A read that may be made on a replica ([`Store::read_from_replica`]).
#[derive(Debug)]
pub struct ReplicaRead {
    state: web::Data<State>,
    request: HttpRequest,
    /// What the client was shown, if it says so.
    shown: Option<WalPosition>,
}

impl FromRequest for ReplicaRead {
    type Error = Failure;
    type Future = Ready<std::result::Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = request.app_data::<web::Data<State>>().cloned();
        let found = match (shown(request.headers()), state) {
            (Ok(shown), Some(state)) => Ok(Self { state, request: request.clone(), shown }),
            (Err(NotAPosition), _) => {
                let message = format!("must be the {POSITION} of an earlier response");
                Err(Error::invalid(POSITION, "position", message).into())
            }
            (_, None) => Err(Error::Internal("there is no state".into()).into()),
        };
        ready(found)
    }
}

/// The highest, where there are several.
fn shown(headers: &HeaderMap) -> std::result::Result<Option<WalPosition>, NotAPosition> {
    let read = |value: &HeaderValue| value.to_str().map_err(|_| NotAPosition)?.parse();
    let all = headers.get_all(HEADER).map(read);
    let all: Vec<WalPosition> = all.collect::<std::result::Result<_, NotAPosition>>()?;
    Ok(all.into_iter().max())
}

impl ReplicaRead {
    /// What every request can reach.
    pub(crate) fn state(&self) -> &web::Data<State> {
        &self.state
    }

    /// The request that reads.
    pub(crate) fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// Reads, from the start again where the replica fails.
    ///
    /// # Errors
    /// Those of the primary.
    pub async fn run<T>(self, work: impl AsyncFn(&Store) -> error::Result<T>) -> Result<T> {
        let Self { state, request, shown } = self;
        let (result, position) = state.store.read_from_replica(shown, work).await;
        if let Some(position) = position {
            request.extensions_mut().insert(position);
        }
        Ok(result?)
    }
}

/// Says in an answer how far it shows the database, where there is a replica. One that nobody gets who is not known
/// says nothing, and so does one for which the database does not say it.
pub(super) async fn mark_position<B>(state: &State, response: &mut ServiceResponse<B>) {
    let status = response.status();
    let tells_nothing = status == StatusCode::UNAUTHORIZED || status.is_server_error();
    if !state.store.has_replica() || tells_nothing {
        return;
    }
    let replica = response.request().extensions().get::<WalPosition>().copied();
    let position = match replica {
        Some(position) => Some(position),
        None => state.store.wal_position().await,
    };
    let value = position.and_then(|it| HeaderValue::try_from(it.to_string()).ok());
    if let Some(value) = value {
        response.headers_mut().insert(HEADER, value);
    }
}

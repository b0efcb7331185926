use std::{
    cell::RefCell,
    future::{Ready, ready},
    rc::Rc,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse,
    dev::Payload,
    http::{StatusCode, header},
    web,
};
use service::{
    error,
    idempotency::{self, Key, Outcome, WriteOnce},
    store::log::EventContext,
};

use sha2::{Digest, Sha256};

use crate::{
    problem::Failure,
    response::{Response, Result},
    state::State,
};

/// The header with which a client makes a POST one that can be sent again.
const KEY: header::HeaderName = header::HeaderName::from_static("idempotency-key");
/// The header of a response that is replayed.
const REPLAYED: header::HeaderName = header::HeaderName::from_static("idempotent-replayed");
/// How long a key may be.
pub(crate) const MAX_KEY_LENGTH: usize = 255;

/// Does what a POST asks for: once for each `Idempotency-Key`, if there is one.
#[derive(Debug)]
pub struct Idempotent {
    state: web::Data<State>,
    request: HttpRequest,
    key: Option<String>,
}

impl FromRequest for Idempotent {
    type Error = Failure;
    type Future = Ready<std::result::Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = request.app_data::<web::Data<State>>().cloned();
        let found = match (key(request), state) {
            (Ok(key), Some(state)) => Ok(Self { state, request: request.clone(), key }),
            (Err(not_a_key), _) => Err(not_a_key.into()),
            (_, None) => Err(error::Error::Internal("there is no state".into()).into()),
        };
        ready(found)
    }
}

/// The header is there, and no key.
struct NotAKey;

impl From<NotAKey> for Failure {
    fn from(NotAKey: NotAKey) -> Self {
        let title = "Invalid idempotency key";
        Self::new(StatusCode::BAD_REQUEST, "idempotency_key_invalid", title).detail(
            "the request must have one Idempotency-Key of 1 to 255 visible ASCII characters",
        )
    }
}

fn key(request: &HttpRequest) -> std::result::Result<Option<String>, NotAKey> {
    let mut keys = request.headers().get_all(KEY);
    let Some(key) = keys.next() else { return Ok(None) };
    let sound = |text: &str| {
        (1..=MAX_KEY_LENGTH).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match (key.to_str(), keys.next()) {
        (Ok(text), None) if sound(text) => Ok(Some(text.to_owned())),
        _ => Err(NotAKey),
    }
}

impl Idempotent {
    /// Whether the request has a key: then it may have been done before, whatever stands against it now.
    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Does `work`, or replays the response of when it was done. `render` makes the response of what the
    /// write of `work` gives, and of the request's path.
    pub async fn respond<T: 'static>(
        self,
        render: impl Fn(&T, &str) -> error::Result<Response> + Clone + Send + Sync + 'static,
        work: impl AsyncFnOnce(WriteOnce<'_, T>) -> error::Result<T>,
    ) -> Result<HttpResponse> {
        let Self { state, request, key } = self;
        let Some(key) = key else {
            let value = work(WriteOnce::new(&state.store)).await?;
            return Ok(render(&value, request.path())?.into());
        };
        let (path, rendering) = (request.path().to_owned(), render.clone());
        let recorded = move |value: &T| rendering(value, &path)?.to_recorded();
        let key = scoped_key(&request, &key);
        match idempotency::run_once(&state.store, &state.in_flight, key, recorded, work).await? {
            Outcome::Fresh(value) => Ok(render(&value, request.path())?.into()),
            Outcome::Replayed(response) => {
                let mut response = HttpResponse::from(Response::from_recorded(&response)?);
                response.headers_mut().insert(REPLAYED, header::HeaderValue::from_static("true"));
                Ok(response)
            }
        }
    }
}

/// The key, with who sent it and what makes another request of it.
fn scoped_key(request: &HttpRequest, text: &str) -> Key {
    let extensions = request.extensions();
    let body = extensions.get::<BodyDigest>().map(BodyDigest::finish).unwrap_or_default();
    let if_match = request.headers().get(header::IF_MATCH);
    Key::new(
        extensions.get::<EventContext>().copied(),
        text,
        &[
            request.method().as_str().as_bytes(),
            request.path().as_bytes(),
            request.query_string().as_bytes(),
            if_match.map(header::HeaderValue::as_bytes).unwrap_or_default(),
            &body,
        ],
    )
}

/// What was read of the body of a request that has a key, for [`Idempotent`] to know it by.
#[derive(Clone)]
pub(super) struct BodyDigest(Option<Rc<RefCell<Sha256>>>);

impl BodyDigest {
    /// Of the body of this request, from its beginning.
    pub(super) fn of(request: &HttpRequest) -> Self {
        if !request.headers().contains_key(KEY) {
            return Self(None);
        }
        let digest = Self(Some(Rc::default()));
        request.extensions_mut().insert(digest.clone());
        digest
    }

    pub(super) fn update(&self, bytes: &[u8]) {
        if let Some(digest) = &self.0 {
            digest.borrow_mut().update(bytes);
        }
    }

    fn finish(&self) -> Vec<u8> {
        self.0
            .as_ref()
            .map(|digest| digest.borrow().clone().finalize().to_vec())
            .unwrap_or_default()
    }
}

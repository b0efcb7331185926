//! What is seen of every request from outside: an id, a line in the log, metrics, a deadline; and
//! what every answer has in common: problems are written down here.

use std::time::{Duration, Instant};

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{ConnectionType, Method, StatusCode, header},
    middleware::Next,
    web,
};
use uuid::Uuid;

use crate::{
    connections::Connection,
    cors::CrossOrigin,
    extract::{Reading, RequestId},
    paths::Paths,
    problem::{self, Failure},
    represent::Asked,
    span::{RequestSpan, UNMATCHED},
    state::State,
};

/// The header that says the request's id.
const REQUEST_ID: header::HeaderName = header::HeaderName::from_static("x-request-id");

/// Wraps the whole app.
pub async fn observe(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let state = State::of(&request);
    let request_id = state.store.random().id(state.store.now());
    request.extensions_mut().insert(RequestId(Some(request_id)));
    let paths = request.app_data::<web::Data<Paths>>().cloned();
    let known = paths.as_ref().and_then(|paths| paths.find(request.request()));
    // The pattern and not the path: paths hold ids and invitations' tokens.
    let route = known.map(|known| &*known.pattern);
    let method = method_label(request.method());
    let id = request_id.to_string();
    let span = RequestSpan::begin(&request, (request_id, &id), method, route);
    let route = route.unwrap_or(UNMATCHED).to_owned();
    let asked = Asked::of(&request);
    let cross_origin = CrossOrigin::of(&request, &state.settings.cors_origins);
    let deadline = state.settings.limits.request_timeout;
    let (is_safe, reading) = (request.method().is_safe(), Reading::default());
    request.extensions_mut().insert(reading.clone());
    let connections = state.connections.clone();
    let _under_way = connections.begin_request();
    let refused = request.conn_data::<Connection>().is_some_and(Connection::is_refused);
    if asked.is_head() {
        request.head_mut().method = Method::GET;
    }
    let answer = async {
        if refused {
            return Err(Error::from(too_many_connections()));
        }
        let Some(known) = known else { return Err(Error::from(unknown_path())) };
        match known.answer(request.method()) {
            Some(response) => Ok(request.into_response(response)),
            None => next.call(request).await.map(ServiceResponse::map_into_boxed_body),
        }
    };
    let answered = within(deadline, &reading, span.instrument(answer)).await;
    let (request, response) = match answered {
        Ok(Ok(response)) => {
            let (request, response) = response.into_parts();
            (Some(request), response)
        }
        Ok(Err(error)) => (None, HttpResponse::from_error(error)),
        Err(Late) => (None, HttpResponse::from_error(late(is_safe || reading.is_under_way()))),
    };
    let response = asked.unless_unchanged(response);
    let response = asked.compressed(document(request_id, response, &span));
    let mut response = asked.unless_head(response);
    cross_origin.mark(&mut response);
    let no_sniff = header::HeaderValue::from_static("nosniff");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, no_sniff);
    if let Ok(value) = header::HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if refused || connections.is_stopping() {
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    metrics::histogram!(
        "steward_http_request_seconds",
        "method" => method, "route" => route, "status" => status.to_string(),
    )
    .record(elapsed.as_secs_f64());
    span.answered(response.status());
    span.in_scope(|| tracing::info!(status, elapsed_us = elapsed.as_micros() as u64, "answered"));
    match request {
        Some(request) => Ok(ServiceResponse::new(request, response)),
        // The request went down with its handler: actix takes an answer without it only like this.
        None => Err(InternalError::from_response("", response).into()),
    }
}

/// It took too long.
struct Late;

/// How many bytes of a file are to come within a deadline for the request to have another.
const MIN_PROGRESS: u64 = 256 * 1024;

/// What an answer is, if it comes within the deadline, or as long as files come in.
async fn within<T>(
    deadline: Duration,
    reading: &Reading,
    answer: impl Future<Output = T>,
) -> Result<T, Late> {
    let mut answer = std::pin::pin!(answer);
    let mut received = 0;
    loop {
        if let Ok(answered) = tokio::time::timeout(deadline, &mut answer).await {
            return Ok(answered);
        }
        let before = std::mem::replace(&mut received, reading.received());
        if received < before + MIN_PROGRESS {
            return Err(Late);
        }
    }
}

/// A request that took too long. Once its body is there, one that changes something goes on
/// without its client.
fn late(does_nothing: bool) -> Failure {
    let why = "the request took too long".to_owned();
    let error = match does_nothing {
        true => service::Error::Unavailable(why),
        false => service::Error::OutcomeUnknown(why),
    };
    error.into()
}

fn unknown_path() -> Failure {
    Failure::of_status(StatusCode::NOT_FOUND).detail("the path does not exist")
}

fn too_many_connections() -> Failure {
    let title = "Too many connections";
    Failure::new(StatusCode::TOO_MANY_REQUESTS, "too_many_connections", title)
        .detail("the network has the maximum number of connections open")
}

/// Methods that anybody made up must not make up labels.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Every error becomes a problem document, the framework's own too.
fn document(request_id: Uuid, response: HttpResponse, span: &RequestSpan) -> HttpResponse {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let failure = response.extensions().get::<Failure>().cloned();
    span.failed(status, failure.as_ref().map(Failure::code));
    if failure.is_none() && has_own_body(&response) {
        return response;
    }
    let failure = failure.unwrap_or_else(|| Failure::of_status(status));
    if let Some(cause) = failure.cause() {
        span.in_scope(|| tracing::error!(code = failure.code(), cause, "failed"));
    }
    let problem = failure.document(request_id, span.trace_id());
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = response.set_body(BoxBody::new(body));
    let media_type = header::HeaderValue::from_static(problem::MEDIA_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}

/// Such as `/ready`, which answers 503 with a body of its own.
fn has_own_body(response: &HttpResponse) -> bool {
    let media_type = response.headers().get(header::CONTENT_TYPE);
    media_type.is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

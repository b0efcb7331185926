//! What is seen of every request from outside: an id, a line in the log, metrics, a deadline; and
//! what every answer has in common: problems are written down here, and an unchanged resource is
//! not sent again.

use std::time::Instant;

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        ConnectionType, Method, StatusCode,
        header::{self, EntityTag, IfNoneMatch},
    },
    middleware::Next,
};
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    connections::Connection,
    extract::{Reading, RequestId},
    problem::{self, Failure},
    state::State,
};

/// The header that says the request's id.
const REQUEST_ID: header::HeaderName = header::HeaderName::from_static("x-request-id");

/// Wraps the whole app.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let state = State::of(&request);
    let request_id = state.store.random().id(state.store.now());
    request.extensions_mut().insert(RequestId(Some(request_id)));
    // The pattern and not the path: paths hold ids and invitations' tokens.
    let route = request.match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let method = method_label(request.method());
    let id = request_id.to_string();
    let span = tracing::info_span!("request", request_id = id, method, route);
    let precondition = if_none_match(&request);
    let deadline = state.settings.limits.request_timeout;
    let (is_safe, reading) = (request.method().is_safe(), Reading::default());
    request.extensions_mut().insert(reading.clone());
    let connections = state.connections.clone();
    let _under_way = connections.begin_request();
    let refused = request.conn_data::<Connection>().is_some_and(Connection::is_refused);
    let answer = async {
        if refused { Err(too_many_connections().into()) } else { next.call(request).await }
    };
    let answered = tokio::time::timeout(deadline, answer.instrument(span.clone())).await;
    let (request, response) = match answered {
        Ok(Ok(response)) => {
            let (request, response) = response.into_parts();
            (Some(request), response.map_into_boxed_body())
        }
        Ok(Err(error)) => (None, HttpResponse::from_error(error)),
        Err(_) => (None, HttpResponse::from_error(late(is_safe || reading.is_under_way()))),
    };
    let response = unless_unchanged(precondition, response);
    let mut response = document(request_id, response, &span);
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
    span.in_scope(|| tracing::info!(status, elapsed_us = elapsed.as_micros() as u64, "answered"));
    match request {
        Some(request) => Ok(ServiceResponse::new(request, response)),
        // The request went down with its handler: actix takes an answer without it only like this.
        None => Err(InternalError::from_response("", response).into()),
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

fn too_many_connections() -> Failure {
    let title = "Too many connections";
    Failure::new(StatusCode::TOO_MANY_REQUESTS, "too_many_connections", title)
        .detail("the network has the maximum number of connections open")
}

/// Methods that anybody made up must not make up labels.
fn method_label(method: &Method) -> &'static str {
    [Method::GET, Method::POST, Method::PATCH, Method::DELETE, Method::PUT, Method::HEAD]
        .iter()
        .zip(["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD"])
        .find(|(known, _)| *known == method)
        .map_or("other", |(_, label)| label)
}

/// What a client has, by its entity tags: asked of a GET alone.
fn if_none_match(request: &ServiceRequest) -> Option<IfNoneMatch> {
    if request.method() == Method::GET { request.get_header() } else { None }
}

/// RFC 9110, section 13.1.2: 304 where the client has what it would get.
fn unless_unchanged(precondition: Option<IfNoneMatch>, response: HttpResponse) -> HttpResponse {
    let (Some(known), Some(etag)) = (precondition, response.headers().get(header::ETAG).cloned())
    else {
        return response;
    };
    if response.status() != StatusCode::OK || !includes(&known, &etag) {
        return response;
    }
    HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish()
}

/// Whether a tag is among those that a client has, by the weak comparison: a proxy that compresses makes
/// weak tags of strong ones.
fn includes(known: &IfNoneMatch, etag: &header::HeaderValue) -> bool {
    let IfNoneMatch::Items(known) = known else { return true };
    let current = etag.to_str().ok().and_then(|text| text.parse::<EntityTag>().ok());
    current.is_some_and(|current| known.iter().any(|tag| tag.weak_eq(&current)))
}

/// Every error becomes a problem document, the framework's own too.
fn document(request_id: Uuid, response: HttpResponse, span: &tracing::Span) -> HttpResponse {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let failure = response.extensions().get::<Failure>().cloned();
    if failure.is_none() && has_own_body(&response) {
        return response;
    }
    let failure = failure.unwrap_or_else(|| Failure::of_status(status));
    if let Some(cause) = failure.cause() {
        span.in_scope(|| tracing::error!(code = failure.code(), cause, "failed"));
    }
    let body = serde_json::to_vec(&failure.document(request_id)).unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// The status of a response to a request with these headers.
    fn status(request: TestRequest, headers: &[&str], response: HttpResponse) -> StatusCode {
        let with = |request: TestRequest, value: &&str| {
            request.append_header((header::IF_NONE_MATCH, *value))
        };
        let request = headers.iter().fold(request, with).to_srv_request();
        unless_unchanged(if_none_match(&request), response).status()
    }

    fn version_4() -> HttpResponse {
        HttpResponse::Ok().insert_header((header::ETAG, "\"4\"")).finish()
    }

    #[test]
    fn what_a_client_has_is_not_sent_again() {
        let unchanged: [&[&str]; 7] = [
            &["\"4\""],
            &["W/\"4\""],
            &["\"3\", \"4\""],
            &["\"3\",W/\"4\" , \"5\""],
            &["\"3\"", "\"4\""],
            &["\"4\", 5"],
            &["*"],
        ];
        for headers in unchanged {
            let status = status(TestRequest::get(), headers, version_4());
            assert_eq!(status, StatusCode::NOT_MODIFIED, "{headers:?}");
        }
    }

    #[test]
    fn what_a_client_does_not_have_is_sent() {
        let changed: [&[&str]; 8] =
            [&[], &[""], &["\"3\""], &["W/\"40\""], &["4"], &["w/\"4\""], &["\"4"], &["\"*\""]];
        for headers in changed {
            let status = status(TestRequest::get(), headers, version_4());
            assert_eq!(status, StatusCode::OK, "{headers:?}");
        }
    }

    #[test]
    fn only_a_get_that_succeeds_can_be_unchanged() {
        let known: &[&str] = &["\"4\""];
        assert_eq!(status(TestRequest::post(), known, version_4()), StatusCode::OK);
        let untagged = HttpResponse::Ok().finish();
        assert_eq!(status(TestRequest::get(), &["*"], untagged), StatusCode::OK);
        let stale = HttpResponse::Conflict().insert_header((header::ETAG, "\"4\"")).finish();
        assert_eq!(status(TestRequest::get(), known, stale), StatusCode::CONFLICT);
    }
}

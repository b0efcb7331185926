//! Answers as CouchDB gives them, to credentials as its clients send them.

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
    middleware::Next,
};
use serde_json::json;
use service::document::couch::Refusal;

use crate::{extract::basic_password, problem::Failure};

/// What a handler of the protocol gives.
pub(super) type Answer = Result<HttpResponse, Refused>;

/// Why something is not done, on its way to a client.
#[derive(Debug)]
pub(super) struct Refused(Failure);

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl From<service::Error> for Refused {
    fn from(error: service::Error) -> Self {
        Self(error.into())
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        if let Refusal::Other(error) = refusal {
            return error.into();
        }
        let status = match refusal.error() {
            "missing_stub" => StatusCode::PRECONDITION_FAILED,
            "not_found" => StatusCode::NOT_FOUND,
            "conflict" => StatusCode::CONFLICT,
            "forbidden" => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        };
        let reason = refusal.reason().into_owned();
        Self(Failure::new(status, refusal.error(), "Refused").detail(reason))
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        refused.0.into()
    }
}

/// Takes an API key as the password of whatever user, and says what fails as CouchDB does.
pub(super) async fn speak(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(bearer) = bearer_of_basic(request.headers()) {
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
    }
    match next.call(request).await {
        Ok(response) => {
            let (request, response) = response.map_into_boxed_body().into_parts();
            Ok(ServiceResponse::new(request, spoken(response)))
        }
        // The request went down with its handler: actix takes an answer without it only like this.
        Err(error) => {
            let response = spoken(HttpResponse::from_error(error));
            Err(InternalError::from_response("", response).into())
        }
    }
}

fn bearer_of_basic(headers: &HeaderMap) -> Option<HeaderValue> {
    let password = basic_password(headers)?;
    let mut bearer = HeaderValue::try_from(format!("Bearer {password}")).ok()?;
    bearer.set_sensitive(true);
    Some(bearer)
}

/// What only the operator may read of a failure, is left to who writes it down.
fn spoken(mut response: HttpResponse) -> HttpResponse {
    let failure = response.extensions_mut().remove::<Failure>();
    let Some(failure) = failure else { return response };
    if failure.cause().is_some() {
        response.extensions_mut().insert(failure);
        return response;
    }
    let status = match response.status() {
        StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
        status => status,
    };
    *response.status_mut() = status;
    let body = json!({ "error": word(status, failure.code()), "reason": failure.reason() });
    let mut response = response.set_body(BoxBody::new(body.to_string()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// CouchDB's word for a status, where it has one.
fn word(status: StatusCode, code: &'static str) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST if code == "doc_validation" => code,
        StatusCode::BAD_REQUEST => "bad_request",
        StatusCode::UNAUTHORIZED => "unauthorized",
        StatusCode::FORBIDDEN => "forbidden",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::CONFLICT => "conflict",
        StatusCode::PRECONDITION_FAILED if code == "missing_stub" => code,
        StatusCode::PRECONDITION_FAILED => "file_exists",
        _ => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_the_token_whoever_the_user_is() {
        let bearer = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            bearer_of_basic(&headers).map(|it| it.to_str().expect("ASCII").to_owned())
        };
        // `any:a:b` and `:k` in base64.
        assert_eq!(bearer("Basic YW55OmE6Yg==").as_deref(), Some("Bearer a:b"));
        assert_eq!(bearer("basic: Oms=").as_deref(), Some("Bearer k"));
        for other in ["Bearer x", "Basic", "Basic !", "Basic eA=="] {
            assert_eq!(bearer(other), None, "{other}");
        }
    }
}

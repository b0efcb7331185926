//! Answers as InfluxDB gives them, to credentials as its clients send them.

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
use serde_json::{Value, json};

use super::parameters::Parameters;
use crate::{extract::basic_password, problem::Failure};

/// Takes an API key as the token of version 2 or the password of version 1, whatever the user, and says what fails as
/// InfluxDB does.
pub(super) async fn speak(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let key = key_of(request.headers()).or_else(|| {
        let parameters = Parameters::of(request.query_string());
        parameters.text("p").map(str::to_owned)
    });
    if let Some(mut bearer) =
        key.and_then(|key| HeaderValue::try_from(format!("Bearer {key}")).ok())
    {
        bearer.set_sensitive(true);
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

/// The key of `Authorization: Token KEY`, and of a password.
fn key_of(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("token") => {
            // Clients of version 1 may send `Token user:password`.
            let token = token.trim();
            Some(token.split_once(':').map_or(token, |(_, password)| password).to_owned())
        }
        _ => basic_password(headers),
    }
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
    let mut response = response.set_body(BoxBody::new(told(status, &failure.reason()).to_string()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// An error of version 2 and of version 1: each client reads the members that it knows.
pub(super) fn told(status: StatusCode, message: &str) -> Value {
    json!({ "code": word(status), "message": message, "error": message })
}

/// InfluxDB's word for a status.
fn word(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "unauthorized",
        StatusCode::FORBIDDEN => "forbidden",
        StatusCode::NOT_FOUND => "not found",
        StatusCode::METHOD_NOT_ALLOWED => "method not allowed",
        StatusCode::CONFLICT => "conflict",
        StatusCode::PAYLOAD_TOO_LARGE => "request too large",
        StatusCode::TOO_MANY_REQUESTS => "too many requests",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable",
        status if status.is_server_error() => "internal error",
        _ => "invalid",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_token_or_a_password() {
        let key = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            key_of(&headers)
        };
        assert_eq!(key("Token k").as_deref(), Some("k"));
        assert_eq!(key("token  k").as_deref(), Some("k"));
        assert_eq!(key("Token ada:k").as_deref(), Some("k"));
        // `ada:k` in base64.
        assert_eq!(key("Basic YWRhOms=").as_deref(), Some("k"));
        assert_eq!(key("Bearer k"), None, "it is one already");
    }
}

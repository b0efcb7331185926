//! The one place that turns an error into HTTP: problem documents (RFC 9457).

mod error;
mod responses;

use std::{fmt, sync::Arc};

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;
use serde_json::{Map, Value};
use service::{
    error::{Stale, Violation},
    limit::Refused,
};
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::responses::*;
use crate::limit;

/// The media type of problem documents.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// The code of what is answered to a body in a coding: no coding is read.
const UNSUPPORTED_CODING: &str = "unsupported_content_coding";
/// How many seconds a client should wait before it tries again, where nothing better is known.
const RETRY_AFTER: u64 = 1;

/// Problem details of an error (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// URI of the type of problem: `urn:steward:problem:` followed by `code`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Human-readable summary of the type of problem.
    pub title: String,
    /// HTTP status code.
    pub status: u16,
    /// Human-readable description of this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// URI of this occurrence: `urn:uuid:` followed by `request_id`.
    pub instance: String,
    /// Stable, machine-readable code of the type of problem.
    pub code: String,
    /// Identifier of the request (UUID), as in the header `X-Request-Id` and in the server's log.
    pub request_id: Uuid,
    /// Identifier of the trace of the request (W3C Trace Context), where the server records traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub trace_id: Option<String>,
    /// Rules that the input violates, on status 422; what conflicts with the request, on 409.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub violations: Vec<Violation>,
    /// Version that the request named, on status 409 and 412.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expected_version: Option<i64>,
    /// Current version of the resource, on status 409 and 412.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub current_version: Option<i64>,
    /// Current state of the whole resource, on status 409 and 412.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Object>)]
    pub current: Option<Value>,
    /// Identifier of the resource that conflicts with the request, on status 409.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub conflicting_id: Option<Uuid>,
    /// Report of an aborted import, on status 422. Its properties are properties of the problem.
    #[serde(flatten)]
    #[schema(ignore)]
    pub report: Map<String, Value>,
}

/// An error on its way to a client: everything but the request's id, which [`crate::observe`] adds.
#[derive(Debug, Clone)]
pub struct Failure(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Option<String>,
    violations: Vec<Violation>,
    stale: Option<Arc<Stale>>,
    conflicting_id: Option<Uuid>,
    report: Map<String, Value>,
    /// After how many seconds the same may succeed.
    retry_after: Option<u64>,
    /// The limit that refuses, on status 429.
    refused: Option<Refused>,
    cause: Option<String>,
}

impl Failure {
    /// A failure without anything special to say.
    pub fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            title,
            detail: None,
            violations: Vec::new(),
            stale: None,
            conflicting_id: None,
            report: Map::new(),
            retry_after: [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS]
                .contains(&status)
                .then_some(RETRY_AFTER),
            refused: None,
            cause: None,
        }))
    }

    fn with(mut self, set: impl FnOnce(&mut Parts)) -> Self {
        set(&mut self.0);
        self
    }

    /// What the framework meant by a status that it chose itself.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::new(status, "not_found", "Not found"),
            StatusCode::METHOD_NOT_ALLOWED => {
                Self::new(status, "method_not_allowed", "Method not allowed")
            }
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(status, "too_large", "Content too large"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Self::new(status, "unsupported_media_type", "Unsupported media type")
            }
            StatusCode::REQUEST_TIMEOUT => Self::new(status, "timeout", "Request timeout"),
            status if status.is_client_error() => Self::new(status, "bad_request", "Bad request"),
            status => Self::new(status, "internal", "Internal error"),
        }
    }

    /// What is answered to a body in a coding, such as gzip (RFC 9110, section 8.4).
    pub(crate) fn unsupported_coding() -> Self {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let title = "Unsupported content coding";
        Self::new(status, UNSUPPORTED_CODING, title).detail("the body must not be compressed")
    }

    /// What is answered to who has sent too many requests.
    pub(crate) fn too_many_requests(refused: Refused) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let Refused { policy, quota, .. } = refused;
        let seconds = refused.seconds();
        let detail = format!("the limit {policy:?} is {quota}: retry after {seconds} s");
        Self::new(status, "too_many_requests", "Too many requests").waiting(refused).detail(detail)
    }

    fn waiting(self, refused: Refused) -> Self {
        self.with(|parts| {
            parts.retry_after = Some(refused.seconds());
            parts.refused = Some(refused);
        })
    }

    /// Says what went wrong this time.
    pub fn detail(self, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        self.with(|parts| parts.detail = Some(detail))
    }

    /// What nobody but the operator may read.
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// The code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// All that a client is told, in one text.
    pub(crate) fn reason(&self) -> String {
        let said = self.0.detail.clone().unwrap_or_else(|| self.0.title.to_owned());
        let violations =
            self.0.violations.iter().map(|it| format!("{} {}", it.pointer, it.message));
        std::iter::once(said).chain(violations).collect::<Vec<_>>().join("; ")
    }

    /// The document.
    pub fn document(&self, request_id: Uuid, trace_id: Option<&str>) -> Problem {
        Problem {
            kind: format!("urn:steward:problem:{}", self.0.code),
            title: self.0.title.to_owned(),
            status: self.0.status.as_u16(),
            detail: self.0.detail.clone(),
            instance: request_id.urn().to_string(),
            code: self.0.code.to_owned(),
            request_id,
            trace_id: trace_id.map(str::to_owned),
            violations: self.0.violations.clone(),
            expected_version: self.0.stale.as_ref().and_then(|stale| stale.expected),
            current_version: self.0.stale.as_ref().map(|stale| stale.current_version),
            current: self.0.stale.as_ref().map(|stale| stale.current.clone()),
            conflicting_id: self.0.conflicting_id,
            report: self.0.report.clone(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.0.status);
        if self.0.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        if self.0.code == UNSUPPORTED_CODING {
            response.insert_header((header::ACCEPT_ENCODING, "identity"));
        }
        if let Some(seconds) = self.0.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        let mut response = response.finish();
        if let Some(refused) = &self.0.refused {
            limit::Fields::of_refused(refused).write(response.headers_mut());
        }
        response.extensions_mut().insert(self.clone());
        response
    }
}

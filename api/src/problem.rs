//! The one place that turns an error into HTTP: problem documents (RFC 9457).

use std::{collections::BTreeMap, fmt, sync::Arc};

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;
use serde_json::{Map, Value};
use service::{
    error::{Error, Stale, Violation},
    limit::Refused,
};
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder},
};
use uuid::Uuid;

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
    /// Rules that the input violates, on status 422, and taken values on 409.
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

    fn invalid(violations: Vec<Violation>) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let failure = Self::new(status, "invalid", "Invalid input");
        failure.with(|parts| parts.violations = violations)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        use StatusCode as S;
        let code = error.code();
        match error {
            Error::NotFound(what) => Self::new(S::NOT_FOUND, code, "Not found")
                .detail(format!("the {what} does not exist")),
            Error::Unauthenticated(why) => {
                Self::new(S::UNAUTHORIZED, code, "Authentication failed").detail(why)
            }
            Error::Forbidden { detail, .. } => {
                Self::new(S::FORBIDDEN, code, "Permission denied").detail(detail)
            }
            Error::VersionRequired => Self::new(S::PRECONDITION_REQUIRED, code, "Version required")
                .detail("the request must name a version, as `version` or as If-Match"),
            Error::VersionsDiffer => Self::new(S::BAD_REQUEST, code, "Contradictory versions")
                .detail("`version` and If-Match name different versions"),
            Error::Stale(stale) => {
                let status = if stale.precondition { S::PRECONDITION_FAILED } else { S::CONFLICT };
                let failure = Self::new(status, code, "Stale version");
                failure
                    .with(|parts| parts.stale = Some(Arc::new(*stale)))
                    .detail("the resource has changed since the expected version")
            }
            Error::Duplicate { .. } => {
                let failure = Self::new(S::CONFLICT, code, "Unique constraint violated");
                failure.with(|parts| parts.violations = error.violations())
            }
            Error::Reference => Self::new(S::CONFLICT, code, "Invalid reference"),
            Error::InUse(what) => Self::new(S::CONFLICT, code, "Resource in use").detail(what),
            Error::Malformed(why) => Self::new(S::BAD_REQUEST, code, "Malformed JSON").detail(why),
            Error::Invalid(violations) => Self::invalid(violations),
            Error::Import(failed) => {
                let status = S::UNPROCESSABLE_ENTITY;
                let lines = bad_lines(&failed.report);
                let detail = format!("{} invalid rows: nothing was imported{lines}", failed.failed);
                let failure = Self::new(status, code, "Import failed");
                let report = match failed.report {
                    Value::Object(report) => report,
                    _ => Map::new(),
                };
                failure.with(|parts| parts.report = report).detail(detail)
            }
            Error::State { detail, conflicting_id, .. } => {
                let failure = Self::new(S::CONFLICT, code, "Conflict with the current state");
                failure.with(|parts| parts.conflicting_id = conflicting_id).detail(detail)
            }
            Error::TooManyAttempts(refused) => {
                let failure = Self::new(S::TOO_MANY_REQUESTS, code, "Too many attempts");
                let seconds = refused.seconds();
                let detail = format!("too many attempts have failed: retry after {seconds} s");
                failure.waiting(refused).detail(detail)
            }
            Error::Unavailable(cause) | Error::Retry(cause) => {
                let status = S::SERVICE_UNAVAILABLE;
                let failure = Self::new(status, code, "Service unavailable");
                failure
                    .with(|parts| parts.cause = Some(cause))
                    .detail("the request was not executed: retry it later")
            }
            // 503 as well, but no `Retry-After`: without a key, trying again could do it twice.
            Error::OutcomeUnknown(cause) => {
                let title = "Outcome unknown";
                let failure = Self::new(S::SERVICE_UNAVAILABLE, code, title);
                let failure = failure.with(|parts| {
                    parts.retry_after = None;
                    parts.cause = Some(cause);
                });
                failure.detail(
                    "the request may have been executed: check before you repeat it, or repeat it \
                     with the same Idempotency-Key",
                )
            }
            // The operator reads it too: nobody else can mend it.
            Error::NotConfigured { detail, .. } => {
                let failure = Self::new(S::SERVICE_UNAVAILABLE, code, "Not configured");
                failure.with(|parts| parts.cause = Some(detail.to_string())).detail(detail)
            }
            Error::KeyReused => {
                let title = "Idempotency key reused";
                Self::new(S::UNPROCESSABLE_ENTITY, code, title)
                    .detail("the key was used with another path, query, If-Match or body")
            }
            Error::KeyInUse => {
                let title = "Idempotency key in use";
                let failure = Self::new(S::CONFLICT, code, title);
                failure
                    .with(|parts| parts.retry_after = Some(RETRY_AFTER))
                    .detail("the first request with the key is in progress: retry it later")
            }
            error @ Error::Replayed(_) => Error::Internal(error.to_string()).into(),
            Error::Internal(cause) => {
                let failure = Self::of_status(S::INTERNAL_SERVER_ERROR);
                failure.with(|parts| parts.cause = Some(cause))
            }
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

/// A problem as the OpenAPI document tells it: once, under its name, for all operations that can answer with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    /// The name of the response in the document.
    pub name: &'static str,
    pub status: u16,
    pub description: &'static str,
}

const fn answer(name: &'static str, status: u16, description: &'static str) -> Answer {
    Answer { name, status, description }
}

impl Answer {
    /// Whether it says what the limits are: what is for operators has none.
    pub(crate) fn is_limited(&self) -> bool {
        OPERATORS.iter().all(|answer| answer.name != self.name)
    }
}

/// The problems that any operation can answer with.
const ALWAYS: &[Answer] = &[
    answer("InternalError", 500, "Internal error"),
    answer(
        "Unavailable",
        503,
        "Temporarily unavailable: retry after Retry-After seconds. With the code \
         `outcome_unknown`, the request may have been executed",
    ),
];

/// References to the problems of these groups. Where two have the same status, the last says more.
pub(crate) fn responses(groups: &[&[Answer]]) -> BTreeMap<String, RefOr<Response>> {
    let all = groups.iter().flat_map(|group| group.iter()).chain(ALWAYS);
    all.map(|it| (it.status.to_string(), Ref::from_response_name(it.name).into())).collect()
}

/// Every problem that operations can answer with, as a response to refer to.
pub(crate) fn shared() -> impl Iterator<Item = (Answer, Response)> {
    GROUPS.iter().flat_map(|group| group.iter()).map(|it| {
        let schema = Ref::from_schema_name(Problem::name());
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new().description(it.description);
        (*it, response.content(MEDIA_TYPE, content).build())
    })
}

const GROUPS: &[&[Answer]] = &[
    ALWAYS,
    LIMITED,
    RETRIED,
    THROTTLED,
    STREAMED,
    AUTHENTICATED,
    OPERATORS,
    FOUND,
    PARAMETERS,
    BODY,
    CONFLICT,
    VERSIONED,
];

/// What any POST can answer because of its Idempotency-Key.
pub(crate) const RETRIED: &[Answer] = &[
    answer("InvalidKey", 400, "The Idempotency-Key is invalid"),
    IN_CONFLICT,
    answer("KeyReused", 422, "The Idempotency-Key was used for another request"),
];
/// What any operation can answer whose requests are limited.
const LIMITED: &[Answer] =
    &[answer("TooManyRequests", 429, "Too many requests: retry after Retry-After seconds")];
const THROTTLED: &[Answer] = &[answer(
    "TooManyFailures",
    429,
    "Too many requests, or too many failures from this network: retry after Retry-After seconds",
)];
const STREAMED: &[Answer] = &[answer(
    "TooManyStreams",
    429,
    "Too many requests, or the organization has the maximum number of streams open",
)];
const AUTHENTICATED: &[Answer] =
    &[answer("Unauthenticated", 401, "No valid token"), answer("Forbidden", 403, "Not permitted")];
const OPERATORS: &[Answer] =
    &[answer("OperatorsOnly", 403, "The details are at the address for operators")];
const FOUND: &[Answer] = &[answer("NotFound", 404, "Not found, or hidden from the role")];
const INVALID: Answer = answer("InvalidInput", 422, "The input violates rules");
const PARAMETERS: &[Answer] = &[INVALID];
const BODY: &[Answer] = &[
    answer(
        "BadRequest",
        400,
        "The body is not valid JSON, `version` and If-Match differ, or the Idempotency-Key is invalid",
    ),
    answer("RequestTimeout", 408, "The body was not received in time"),
    answer("ContentTooLarge", 413, "The body is too large"),
    answer(
        "UnsupportedMediaType",
        415,
        "The media type of the body is not supported, or the body is compressed",
    ),
    INVALID,
];
const IN_CONFLICT: Answer = answer(
    "Conflict",
    409,
    "Conflict with the current state, or the first request with the Idempotency-Key is in progress",
);
const CONFLICT: &[Answer] = &[IN_CONFLICT];
const VERSIONED: &[Answer] = &[
    answer("VersionsDiffer", 400, "`version` and If-Match differ"),
    answer(
        "StaleVersion",
        409,
        "The version is stale, or the current state does not permit the operation",
    ),
    answer("PreconditionFailed", 412, "The version in If-Match is stale"),
    answer("VersionRequired", 428, "A version is required: `version` or If-Match"),
];

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident: $($group:ident),*;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                responses(&[$($group),*])
            }
        }
    )*};
}

problems! {
    /// What a public operation with a body, in which something can be guessed, can answer with besides
    /// its success.
    Guess: BODY, CONFLICT, AUTHENTICATED, THROTTLED;
    /// What an operation can answer with, too, in which something can be guessed.
    Throttled: THROTTLED;
    /// What a stream can answer with besides its success.
    Stream: AUTHENTICATED, FOUND, PARAMETERS, STREAMED;
    /// What an operation of a user's own can answer with besides its success.
    Own: AUTHENTICATED, PARAMETERS, LIMITED;
    /// What reading can answer with besides its success.
    Read: AUTHENTICATED, FOUND, PARAMETERS, LIMITED;
    /// What creating can answer with besides its success.
    Create: AUTHENTICATED, FOUND, BODY, CONFLICT, LIMITED;
    /// What taking up something that waits can answer with besides its success.
    Take: AUTHENTICATED, FOUND, CONFLICT, LIMITED;
    /// What changing can answer with besides its success.
    Change: AUTHENTICATED, FOUND, VERSIONED, BODY, LIMITED;
    /// What removing can answer with besides its success.
    Remove: AUTHENTICATED, FOUND, PARAMETERS, VERSIONED, LIMITED;
    /// What an operation of the server's own can answer with besides its success.
    Served:;
    /// What an operation that shows details to operators alone can answer with besides its success.
    Operators: OPERATORS;
}

/// Where to look, for whoever reads the detail alone: the lines of the first bad rows.
fn bad_lines(report: &Value) -> String {
    let errors = report["errors"].as_array().map_or(&[][..], |errors| errors);
    let lines = errors.iter().filter_map(|error| error["line"].as_u64());
    let lines: Vec<_> = lines.take(10).map(|line| line.to_string()).collect();
    match lines.len() {
        0 => String::new(),
        shown if shown < errors.len() => format!("; see lines {} and others", lines.join(", ")),
        1 => format!("; see line {}", lines[0]),
        _ => format!("; see lines {}", lines.join(", ")),
    }
}

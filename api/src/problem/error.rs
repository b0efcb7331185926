//! What each error of the service is in HTTP.

use std::sync::Arc;

use actix_web::http::StatusCode;
use serde_json::{Map, Value};
use service::error::{Error, Violation};

use super::{Failure, RETRY_AFTER};

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
            Error::Conflicts { detail, violations, .. } => {
                let failure = Self::new(S::CONFLICT, code, "Conflict with the current state");
                failure.with(|parts| parts.violations = violations).detail(detail)
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
            error @ Error::Behind { .. } => {
                let status = S::SERVICE_UNAVAILABLE;
                let failure = Self::new(status, code, "Service unavailable");
                failure
                    .with(|parts| parts.cause = Some(error.to_string()))
                    .detail("the document store does not take what is written: retry later")
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
            Error::UnsupportedMediaType(why) => {
                Self::of_status(S::UNSUPPORTED_MEDIA_TYPE).detail(why)
            }
            Error::StorageFull { detail, .. } => {
                Self::new(S::INSUFFICIENT_STORAGE, code, "Insufficient storage").detail(detail)
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
            error @ (Error::Replayed(_) | Error::Remote(_)) => {
                Error::Internal(error.to_string()).into()
            }
            Error::Internal(cause) => {
                let failure = Self::of_status(S::INTERNAL_SERVER_ERROR);
                failure.with(|parts| parts.cause = Some(cause))
            }
        }
    }
}

impl Failure {
    fn invalid(violations: Vec<Violation>) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let failure = Self::new(status, "invalid", "Invalid input");
        failure.with(|parts| parts.violations = violations)
    }
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

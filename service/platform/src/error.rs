//! The one error of the domain. `api::problem` is the one place that turns it into HTTP.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{idempotency::RecordedResponse, limit::Refused, store::Part};
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

/// What a function of the domain gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done. Nothing has been written when one of these comes back, but for
/// [`Error::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or not for the one who asks.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// Nobody is known by what was shown.
    #[error("not authenticated: {0}")]
    Unauthenticated(&'static str),
    /// The one who asks may not do this.
    #[error("forbidden: {detail}")]
    Forbidden {
        /// A stable code.
        code: &'static str,
        /// What is missing.
        detail: Cow<'static, str>,
    },
    /// A change names no version it was made against.
    #[error("no version was named")]
    VersionRequired,
    /// The version in the body and the one in `If-Match` differ.
    #[error("two different versions were named")]
    VersionsDiffer,
    /// The resource has changed since.
    #[error("stale: expected version {:?}, but it is {}", .0.expected, .0.current_version)]
    Stale(Box<Stale>),
    /// What must be unique is taken.
    #[error("already taken: {pointer}")]
    Duplicate {
        /// The field, as a JSON pointer.
        pointer: Cow<'static, str>,
    },
    /// The database refused a reference to a row that is not there, or the removal of one that is
    /// referred to.
    #[error("a reference was refused")]
    Reference,
    /// The thing is in use by others and stays.
    #[error("in use: {0}")]
    InUse(&'static str),
    /// The body is not JSON.
    #[error("malformed: {0}")]
    Malformed(String),
    /// The input breaks rules.
    #[error("invalid input: {}", listed(.0))]
    Invalid(Violations),
    /// The present state does not allow it, for reasons that have their places.
    #[error("{code}: {detail}: {}", listed(.violations))]
    Conflicts {
        /// A stable code.
        code: &'static str,
        /// What is in the way.
        detail: Cow<'static, str>,
        /// Where, as JSON pointers.
        violations: Violations,
    },
    /// An import with bad rows, of which nothing was written.
    #[error("the import has {} invalid rows", .0.failed)]
    Import(Box<ImportFailure>),
    /// Not in this state.
    #[error("{code}: {detail}")]
    State {
        /// A stable code.
        code: &'static str,
        /// What is in the way.
        detail: Cow<'static, str>,
        /// The resource that is in the way, where it is another one.
        conflicting_id: Option<Uuid>,
    },
    /// Whoever asks has failed too often, and has to wait (`throttle`).
    #[error("too many attempts: wait for {} s", .0.wait.as_secs_f64())]
    TooManyAttempts(Refused),
    /// Not now: the database is away, locked or full, or there is too much to do.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Nobody knows whether it was done: the database went away, or its disk failed, while it
    /// answered COMMIT; or it took too long.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(String),
    /// Not on this installation: something is missing in its configuration.
    #[error("{code}: {detail}")]
    NotConfigured {
        /// A stable code.
        code: &'static str,
        /// What is missing.
        detail: Cow<'static, str>,
    },
    /// A file is of a type that is not taken here.
    #[error("unsupported media type: {0}")]
    UnsupportedMediaType(String),
    /// There is no room for what was sent: the disk is full, or the organization has used its quota.
    #[error("{code}: {detail}")]
    StorageFull {
        /// A stable code.
        code: &'static str,
        /// What is full.
        detail: Cow<'static, str>,
    },
    /// What was sent has been done before, with this answer ([`crate::idempotency`]). Never leaves
    /// the service.
    #[error("done before")]
    Replayed(RecordedResponse),
    /// The key stands for another request.
    #[error("the key was used for another request")]
    KeyReused,
    /// The request of this key is still being worked on.
    #[error("the key is at work")]
    KeyInUse,
    /// Other transactions were in the way: the whole closure runs again. Never leaves the store.
    #[error("run again: {0}")]
    Retry(String),
    /// Another store has parts of rows that are needed: the whole closure runs again with them. Never leaves the store.
    #[error("run again with what another store has")]
    Remote(Vec<Part>),
    /// Another store has not taken for long what was written: no more is written until it has.
    #[error("{code}: what was written before waits for another store")]
    Behind {
        /// A stable code: why.
        code: &'static str,
    },
    /// A defect, or something that nobody foresaw.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// A rule of the domain that one field breaks.
    pub fn invalid(
        pointer: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::Invalid(vec![Violation::new(pointer, code, message)])
    }

    /// Something that the present state does not allow.
    pub fn state(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::State { code, detail: detail.into(), conflicting_id: None }
    }

    /// Something that another resource does not allow.
    pub fn conflict(
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
        conflicting_id: Uuid,
    ) -> Self {
        Self::State { code, detail: detail.into(), conflicting_id: Some(conflicting_id) }
    }

    /// Something that the role does not allow.
    pub fn forbidden(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Forbidden { code, detail: detail.into() }
    }

    /// Another transaction was faster: the whole closure runs again, on what that one wrote.
    pub fn lost_race(reason: impl Into<String>) -> Self {
        Self::Retry(reason.into())
    }

    /// The kind of error, for a program. Stable: it is the code of the problem document.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Unauthenticated(_) => "unauthenticated",
            Self::VersionRequired => "version_required",
            Self::VersionsDiffer => "versions_differ",
            Self::Stale(stale) if stale.precondition => "precondition_failed",
            Self::Stale(_) => "version_conflict",
            Self::Duplicate { .. } => "duplicate",
            Self::Reference => "reference",
            Self::InUse(_) => "in_use",
            Self::Malformed(_) => "malformed",
            Self::UnsupportedMediaType(_) => "unsupported_media_type",
            Self::Invalid(_) => "invalid",
            Self::Import(_) => "import_failed",
            Self::Forbidden { code, .. }
            | Self::State { code, .. }
            | Self::Conflicts { code, .. }
            | Self::NotConfigured { code, .. }
            | Self::Behind { code }
            | Self::StorageFull { code, .. } => code,
            Self::TooManyAttempts(_) => "too_many_attempts",
            Self::Unavailable(_) | Self::Retry(_) => "unavailable",
            Self::OutcomeUnknown(_) => "outcome_unknown",
            Self::KeyReused => "idempotency_key_reused",
            Self::KeyInUse => "idempotency_in_progress",
            Self::Replayed(_) | Self::Remote(_) | Self::Internal(_) => "internal",
        }
    }

    /// The rules of the input that are broken.
    pub fn violations(&self) -> Violations {
        match self {
            Self::Invalid(violations) | Self::Conflicts { violations, .. } => violations.clone(),
            Self::Duplicate { pointer } => {
                vec![Violation::new(&**pointer, "duplicate", "must be unique")]
            }
            _ => Vec::new(),
        }
    }

    /// The same, for the item of a batch with that index.
    pub fn at_index(self, index: usize) -> Self {
        match self {
            Self::State { code, detail, conflicting_id } => {
                let detail = format!("item {index}: {detail}").into();
                Self::State { code, detail, conflicting_id }
            }
            other => other.prefix_pointer(&format!("/items/{index}")),
        }
    }

    /// The same, for a part of the body: its pointers lead there.
    pub fn prefix_pointer(self, part: &str) -> Self {
        match self {
            Self::Invalid(mut found) => {
                for violation in &mut found {
                    violation.pointer = format!("{part}{}", violation.pointer);
                }
                Self::Invalid(found)
            }
            Self::Duplicate { pointer } => {
                Self::Duplicate { pointer: format!("{part}{pointer}").into() }
            }
            Self::Conflicts { code, detail, mut violations } => {
                for violation in &mut violations {
                    violation.pointer.insert_str(0, part);
                }
                Self::Conflicts { code, detail, violations }
            }
            other => other,
        }
    }

    /// Whether the whole transaction is lost, and not only the statement that failed.
    pub(crate) fn aborts_transaction(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_)
                | Self::OutcomeUnknown(_)
                | Self::Retry(_)
                | Self::Remote(_)
                | Self::Behind { .. }
        )
    }

    /// A refused reference, in a place where it can only mean that others use the row.
    pub fn reference_means_in_use(self, what: &'static str) -> Self {
        match self {
            Self::Reference => Self::InUse(what),
            other => other,
        }
    }
}

/// A change that was made against a version that is no longer.
#[derive(Debug)]
pub struct Stale {
    /// The version that the change was made against; none if it named one that never was.
    pub expected: Option<i64>,
    /// The version now.
    pub current_version: i64,
    /// The whole resource, as it is now.
    pub current: Value,
    /// Whether the version came as `If-Match`.
    pub precondition: bool,
}

/// The outcome of an import that was given up.
#[derive(Debug)]
pub struct ImportFailure {
    /// How many rows are bad.
    pub failed: u64,
    /// The import's whole report.
    pub report: Value,
}

/// All the rules that an input breaks.
pub type Violations = Vec<Violation>;

fn listed(violations: &[Violation]) -> String {
    let each = violations.iter().map(|v| format!("{} {}", v.pointer, v.message));
    each.collect::<Vec<_>>().join("; ")
}

/// Rule that the input violates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Violation {
    /// JSON pointer (RFC 6901) into the body, or `?name` for a query parameter.
    pub pointer: String,
    /// Stable, machine-readable code of the rule.
    pub code: Cow<'static, str>,
    /// Human-readable description of the violation.
    pub message: String,
}

impl Violation {
    /// A violation.
    pub fn new(
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self { pointer: pointer.into(), code: code.into(), message: message.into() }
    }
}

/// The validator's findings as violations, in the order of their pointers.
pub fn violations(errors: &ValidationErrors) -> Violations {
    let mut found = Vec::new();
    collect(errors, "", &mut found);
    found.sort_by(|a, b| a.pointer.cmp(&b.pointer).then_with(|| a.code.cmp(&b.code)));
    found
}

fn collect(errors: &ValidationErrors, at: &str, found: &mut Violations) {
    for (field, kind) in errors.errors() {
        let pointer = match field.as_ref() {
            "__all__" => at.to_owned(),
            name => format!("{at}/{name}"),
        };
        match kind {
            ValidationErrorsKind::Struct(inner) => collect(inner, &pointer, found),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    collect(inner, &format!("{pointer}/{index}"), found);
                }
            }
            ValidationErrorsKind::Field(errors) => {
                found.extend(errors.iter().map(|error| violation(&pointer, error)));
            }
        }
    }
}

/// A rule over a whole object says which of its fields is at fault in the parameter `field`.
fn violation(at: &str, error: &ValidationError) -> Violation {
    let field = error.params.get("field").and_then(Value::as_str);
    let pointer = field.map_or_else(|| at.to_owned(), |field| format!("{at}/{field}"));
    let message = match &error.message {
        Some(message) => message.to_string(),
        None => describe(error),
    };
    Violation::new(pointer, error.code.clone(), message)
}

fn describe(error: &ValidationError) -> String {
    let bound = |name: &'static str| error.params.get(name).map(ToString::to_string);
    let must = if error.code == "length" { "must have a length of" } else { "must be" };
    match (bound("min"), bound("max")) {
        (Some(min), Some(max)) => format!("{must} {min} to {max}"),
        (Some(min), None) => format!("{must} at least {min}"),
        (None, Some(max)) => format!("{must} at most {max}"),
        (None, None) => "is not valid".to_owned(),
    }
}

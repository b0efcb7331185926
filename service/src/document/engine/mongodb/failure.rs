//! Why MongoDB has not done something.

use mongodb::error::{Error as MongoError, ErrorKind, WriteFailure};

use super::super::CREDENTIALS_REFUSED;
use crate::error::Error;

/// `Unauthorized`, and `AuthenticationFailed`.
const REFUSALS: &[i32] = &[13, 18];
/// `DuplicateKey`.
const DUPLICATE: i32 = 11_000;

/// It holds nothing that the server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing was done.
    Unavailable(&'static str),
    /// What was asked for may have been done.
    Lost(&'static str),
    /// There is one of this `_id` already.
    Duplicate,
    /// The server does not let steward in.
    Refused,
}

impl Failure {
    /// The error, where the request wrote nothing.
    pub(super) fn of_read(self) -> Error {
        match self {
            Self::Lost(why) => Error::Unavailable(why.to_owned()),
            other => other.of_write(),
        }
    }

    /// The error, where the request may have written something.
    pub(super) fn of_write(self) -> Error {
        match self {
            Self::Unavailable(why) => Error::Unavailable(why.to_owned()),
            Self::Lost(why) => Error::OutcomeUnknown(why.to_owned()),
            Self::Duplicate => Error::Unavailable("too many write to MongoDB at once".to_owned()),
            Self::Refused => Error::NotConfigured {
                code: CREDENTIALS_REFUSED,
                detail: "the document store refuses the credentials of this installation".into(),
            },
        }
    }
}

impl From<MongoError> for Failure {
    fn from(error: MongoError) -> Self {
        match &*error.kind {
            ErrorKind::Authentication { .. } => Self::Refused,
            ErrorKind::Command(refusal) if REFUSALS.contains(&refusal.code) => Self::Refused,
            ErrorKind::Write(WriteFailure::WriteError(refusal)) if refusal.code == DUPLICATE => {
                Self::Duplicate
            }
            ErrorKind::ServerSelection { .. } | ErrorKind::ConnectionPoolCleared { .. } => {
                Self::Unavailable("there was no connection to MongoDB")
            }
            ErrorKind::DnsResolve { .. } | ErrorKind::InvalidArgument { .. } => {
                Self::Unavailable("no request was made to MongoDB")
            }
            _ => Self::Lost("MongoDB has failed, or did not answer"),
        }
    }
}

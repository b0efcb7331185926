//! Why Firestore has not done something.

use super::super::CREDENTIALS_REFUSED;
use crate::error::Error;

/// It holds nothing that the server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing was done.
    Unavailable(&'static str),
    /// What was asked for may have been done.
    Lost(&'static str),
    /// The answer is larger than what is read.
    AnswerTooLarge,
    /// The request is larger than what the server reads.
    RequestTooLarge,
    /// What a write stands on has changed: nothing was done.
    Raced,
    /// The server does not let steward in.
    Refused,
}

impl Failure {
    /// The error, where the request wrote nothing.
    pub(super) fn of_read(self) -> Error {
        match self {
            Self::Lost(why) => Error::Unavailable(why.to_owned()),
            Self::AnswerTooLarge => {
                Error::Unavailable("Firestore's answer was too large".to_owned())
            }
            other => other.of_write(),
        }
    }

    /// The error, where the request may have written something.
    pub(super) fn of_write(self) -> Error {
        match self {
            Self::Unavailable(why) => Error::Unavailable(why.to_owned()),
            Self::Lost(why) => Error::OutcomeUnknown(why.to_owned()),
            Self::Raced => Error::Unavailable("too many write to Firestore at once".to_owned()),
            Self::AnswerTooLarge => {
                Error::OutcomeUnknown("Firestore's answer was too large".to_owned())
            }
            Self::RequestTooLarge => {
                Error::invalid("/body", "too_large", "is larger than the document store takes")
            }
            Self::Refused => Error::NotConfigured {
                code: CREDENTIALS_REFUSED,
                detail: "the document store refuses the credentials of this installation".into(),
            },
        }
    }
}

//! Why DynamoDB has not done something.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use super::super::CREDENTIALS_REFUSED;
use crate::error::Error;

/// How DynamoDB calls its refusals of who asks.
const REFUSALS: &[&str] = &[
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// How it says that there is too much to do.
const TOO_MUCH: &[&str] = &[
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionInProgressException",
];

/// It holds nothing that the server said, but for the name of an error.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was done.
    Unavailable(String),
    /// What was asked for may have been done.
    Lost(String),
    /// The server does not let steward in.
    Refused,
    /// There is no such table.
    NoTable,
}

impl Failure {
    /// The error, where the request wrote nothing.
    pub(super) fn of_read(self) -> Error {
        match self {
            Self::Lost(why) => Error::Unavailable(why),
            other => other.of_write(),
        }
    }

    /// The error, where the request may have written something.
    pub(super) fn of_write(self) -> Error {
        match self {
            Self::Unavailable(why) => Error::Unavailable(why),
            Self::Lost(why) => Error::OutcomeUnknown(why),
            Self::NoTable => Error::Unavailable("DynamoDB does not have the table".to_owned()),
            Self::Refused => Error::NotConfigured {
                code: CREDENTIALS_REFUSED,
                detail: "the document store refuses the credentials of this installation".into(),
            },
        }
    }
}

impl<E: ProvideErrorMetadata, R> From<SdkError<E, R>> for Failure {
    fn from(error: SdkError<E, R>) -> Self {
        match &error {
            SdkError::ConstructionFailure(_) => Self::Unavailable("no request was made".to_owned()),
            SdkError::ServiceError(refusal) => of_code(refusal.err().code().unwrap_or_default()),
            SdkError::TimeoutError(_) => Self::Lost("DynamoDB did not answer in time".to_owned()),
            SdkError::DispatchFailure(_) => Self::Lost("DynamoDB was not reached".to_owned()),
            _ => Self::Lost("DynamoDB's answer was not understood".to_owned()),
        }
    }
}

fn of_code(code: &str) -> Failure {
    match code {
        "ResourceNotFoundException" => Failure::NoTable,
        _ if REFUSALS.contains(&code) => Failure::Refused,
        _ if TOO_MUCH.contains(&code) => {
            Failure::Unavailable("DynamoDB has too much to do".to_owned())
        }
        "ValidationException" => {
            Failure::Unavailable("DynamoDB did not take the request".to_owned())
        }
        _ => Failure::Lost("DynamoDB has failed".to_owned()),
    }
}

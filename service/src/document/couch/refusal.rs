//! Why something of CouchDB's is not done, in the words that its clients know.

use std::borrow::Cow;

use crate::{
    document::attachment::InvalidAttachment,
    error::{Error, Result},
};

/// Why something is not done.
#[derive(Debug)]
pub enum Refusal {
    /// There is no such revision.
    Missing,
    /// The document is deleted.
    Deleted,
    /// The document has another revision by now.
    Conflict,
    /// A text is no revision.
    Revision,
    /// The id begins with `_`.
    Id,
    /// CouchDB has the name of a member for itself, and it is none that steward knows.
    Member(String),
    /// There is no such attachment, or its bytes are gone.
    AttachmentMissing,
    /// The attachments cannot be kept.
    Attachment(InvalidAttachment),
    /// The design document says which documents others may write.
    Validation,
    /// What was sent makes no sense.
    BadRequest(Cow<'static, str>),
    /// What steward refuses whoever asks in whatever way.
    Other(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<InvalidAttachment> for Refusal {
    fn from(invalid: InvalidAttachment) -> Self {
        Self::Attachment(invalid)
    }
}

impl Refusal {
    /// CouchDB's word. Clients go on with their other documents after `forbidden`, and stop at any other.
    pub fn error(&self) -> &'static str {
        match self {
            Self::Missing
            | Self::AttachmentMissing
            | Self::Deleted
            | Self::Other(Error::NotFound(_)) => "not_found",
            Self::Conflict | Self::Other(Error::Stale(_)) => "conflict",
            Self::Revision
            | Self::Id
            | Self::BadRequest(_)
            | Self::Attachment(InvalidAttachment::Malformed(_)) => "bad_request",
            Self::Member(_) => "doc_validation",
            Self::Attachment(InvalidAttachment::Missing(_)) => "missing_stub",
            Self::Attachment(InvalidAttachment::TooLarge(_)) | Self::Validation => "forbidden",
            Self::Other(Error::Forbidden { .. } | Error::Invalid(_) | Error::State { .. }) => {
                "forbidden"
            }
            Self::Other(error) => error.code(),
        }
    }

    /// What it means, for a person.
    pub fn reason(&self) -> Cow<'static, str> {
        match self {
            Self::Missing => "missing".into(),
            Self::AttachmentMissing => "Document is missing attachment".into(),
            Self::Deleted => "deleted".into(),
            Self::Conflict => "Document update conflict.".into(),
            Self::Revision => "Invalid rev format".into(),
            Self::Id => "Only reserved document ids may start with underscore.".into(),
            Self::Member(name) => format!("Bad special document member: {name}").into(),
            Self::Attachment(InvalidAttachment::Malformed(reason)) => (*reason).into(),
            Self::Attachment(InvalidAttachment::TooLarge(reason)) => reason.clone().into(),
            Self::Attachment(InvalidAttachment::Missing(name)) => {
                format!("Invalid attachment stub: {name}").into()
            }
            Self::Validation => "validate_doc_update is not executed".into(),
            Self::BadRequest(reason) => reason.clone(),
            Self::Other(error) => error.to_string().into(),
        }
    }

    /// What is a matter of one document among many; or the error that ends them all.
    ///
    /// # Errors
    /// Where the database does not answer, or is to be asked again.
    pub fn of_one(self) -> Result<Self> {
        match self {
            Self::Other(
                error @ (Error::Unavailable(_)
                | Error::OutcomeUnknown(_)
                | Error::Retry(_)
                | Error::Remote(_)
                | Error::Behind { .. }
                | Error::Internal(_)
                | Error::NotConfigured { .. }),
            ) => Err(error),
            refusal => Ok(refusal),
        }
    }
}

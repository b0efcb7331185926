//! JSON of any shape under a key that clients choose, kept to the letter. docs/documents.md tells what is promised.

mod bulk;
mod changes;
mod commands;
mod effective;
mod example;
mod merge;
pub(crate) mod repository;
mod resource;
pub mod rules;
mod write;

use chrono::{DateTime, Utc};
use entity::document::Column;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use bulk::{
    DocumentBulk, DocumentBulkResult, DocumentWrite, DocumentWriteOperation, DocumentWriteResult,
    write_many,
};
pub use changes::{DocumentChange, DocumentChanges, DocumentChangesQuery, changes};
pub use commands::{Put, create, document_id, get_at, history, list, put};
pub use effective::{
    ConfigurationScope, EffectiveConfiguration, EffectiveConfigurationQuery,
    EffectiveConfigurations, effective,
};

pub(crate) use merge::{Content, merge};
pub(crate) use write::remove_some;

use crate::{
    document::{
        attachment::{Attachments, DocumentAttachment},
        collection::Collection,
    },
    error::Result,
    input::ExactObject,
    store::{page::paged, stored},
};

/// Writable properties of a document.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct DocumentInput {
    /// Identifier of the document in its collection. Immutable.
    #[validate(length(min = 1, max = 512), custom(function = rules::key))]
    pub id: String,
    /// Name of the collection. Immutable.
    #[validate(length(min = 1, max = 63))]
    pub collection: String,
    /// Content of the document: an object, at most 1 MiB of JSON. Numbers keep all their digits, and names their
    /// order.
    #[validate(custom(function = rules::body))]
    #[schema(value_type = Object)]
    pub body: ExactObject,
}

/// New document.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct NewDocument {
    /// Identifier of the document in its collection: 1 to 512 bytes of UTF-8 without control characters, but neither
    /// `.` nor `..`. Set by the server if it is omitted.
    #[validate(length(min = 1, max = 512), custom(function = rules::key))]
    pub id: Option<String>,
    /// Content of the document: an object, at most 1 MiB of JSON. Numbers keep all their digits, and names their
    /// order.
    #[validate(custom(function = rules::body))]
    #[schema(value_type = Object)]
    pub body: ExactObject,
}

/// New content of a document.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct DocumentReplacementInput {
    /// Content of the document: an object, at most 1 MiB of JSON. Numbers keep all their digits, and names their
    /// order.
    #[validate(custom(function = rules::body))]
    #[schema(value_type = Object)]
    pub body: ExactObject,
}

/// Document of a collection.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Document {
    /// Identifier in events, and of the row: a UUIDv8 that follows from the collection and the key.
    #[serde(skip)]
    pub uuid: Uuid,
    /// Identifier of the collection.
    #[serde(skip)]
    pub collection_id: Uuid,
    /// Identifier of the document in its collection, chosen by the client on creation or else set by the server.
    pub id: String,
    /// Name of the collection.
    pub collection: String,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change. A document that is
    /// created again after its deletion counts on.
    pub version: i64,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
    /// Content of the document, as it was written.
    #[schema(value_type = Object)]
    pub body: ExactObject,
    /// Files that clients of CouchDB's protocol have attached, by name. Omitted if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Vec<DocumentAttachment>>,
}

impl Document {
    /// The document of a row of a collection.
    pub(crate) fn of(collection: &Collection, row: entity::document::Model) -> Result<Self> {
        let entity::document::Model {
            organization_id: _,
            id: uuid,
            version,
            created_at,
            updated_at,
            collection_id,
            key,
            body,
            secrets: _,
            attachments,
        } = row;
        Ok(Self {
            uuid,
            collection_id,
            id: key,
            collection: collection.name.clone(),
            version,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
            body: stored::exact_object(Column::Body, uuid, &body)?.into(),
            attachments: Attachments::stored(attachments.as_deref())?.shown(),
        })
    }
}

/// Filter and page of a list of documents.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DocumentQuery {
    /// Return documents whose `id` begins with this text. At most 512 characters.
    #[validate(length(max = 512))]
    pub prefix: Option<String>,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(DocumentQuery);

//! What documents are in: it says who may read and write them, and what they have to be.

mod access;
mod commands;
mod example;
pub(crate) mod repository;
mod rules;
mod schema_check;
mod template;

use chrono::{DateTime, Utc};
use entity::collection::Column;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub(crate) use access::{readable, writable};
pub use commands::{CollectionUpdateQuery, SchemaApplication, update};
pub use schema_check::{SchemaCheck, SchemaCheckInput, check_schema};
pub use template::Template;

use crate::{
    document::schema::{Declared, State},
    error::{Error, Result},
    input::ExactObject,
    role::Role,
    store::stored,
    text,
};

/// Writable properties of a collection.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct CollectionInput {
    /// Name of the collection, unique in the organization: 1 to 63 lower-case ASCII letters, digits, `_` and `-`,
    /// beginning with a letter. No UUID.
    #[validate(length(min = 1, max = 63), custom(function = rules::name))]
    #[schema(pattern = "^[a-z][a-z0-9_-]*$")]
    pub name: String,
    /// Name of the collection for people, at most 200 characters.
    #[validate(length(max = 200), custom(function = text::visible))]
    pub title: Option<String>,
    /// JSON Schema (2020-12) that the bodies of the documents have to fit, at most 256 KiB of JSON, kept to the letter.
    #[validate(custom(function = rules::schema))]
    #[schema(value_type = Option<Object>)]
    pub schema: Option<ExactObject>,
    /// JSON Pointers (RFC 6901) to members of bodies, at most 16. Defaults to none.
    #[serde(default)]
    #[validate(length(max = 16), custom(function = rules::indexes))]
    pub indexes: Vec<String>,
    /// Lowest role that may read the documents. Defaults to `viewer`.
    #[serde(default = "viewer")]
    pub read_role: Role,
    /// Lowest role that may write the documents: `member` or higher, and not lower than `read_role`. Defaults to
    /// `member`.
    #[serde(default = "member")]
    pub write_role: Role,
    /// Version since which `read_role` is what it is, where that is new.
    #[serde(skip)]
    #[schema(ignore)]
    pub access_version: Option<i64>,
    /// Ready-made collection whose schema and indexes a new collection has where it is given none of its own. Not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
}

fn viewer() -> Role {
    Role::Viewer
}

fn member() -> Role {
    Role::Member
}

/// Collection of documents.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Collection {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Name of the collection, unique in the organization.
    pub name: String,
    /// Name of the collection for people.
    pub title: Option<String>,
    /// JSON Schema of the bodies of the documents, as it was written.
    #[schema(value_type = Option<Object>)]
    pub schema: Option<ExactObject>,
    /// JSON Pointers (RFC 6901) to members of bodies.
    pub indexes: Vec<String>,
    /// Lowest role that may read the documents.
    pub read_role: Role,
    /// Lowest role that may write the documents.
    pub write_role: Role,
    /// Whether an offline client has ever written into it, so that revisions are kept.
    #[serde(skip)]
    #[schema(ignore)]
    pub keeps_revisions: bool,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl Collection {
    /// The schema, with the state that it is known by.
    pub(crate) fn declared_schema(&self) -> Option<Declared<'_>> {
        let &Self { id: collection_id, version, updated_at, .. } = self;
        let state = State { collection_id, version, updated_at };
        self.schema.as_deref().map(|schema| Declared { state, schema })
    }
}

impl TryFrom<entity::collection::Model> for Collection {
    type Error = Error;

    fn try_from(row: entity::collection::Model) -> Result<Self> {
        let entity::collection::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            name,
            title,
            schema,
            indexes,
            read_role,
            write_role,
            access_version: _,
            keeps_revisions,
        } = row;
        let schema = schema.map(|schema| stored::exact_object(Column::Schema, id, &schema));
        Ok(Self {
            id,
            version,
            name,
            title,
            schema: schema.transpose()?.map(ExactObject),
            indexes: stored::json(Column::Indexes, id, indexes)?,
            read_role: stored::word(Column::ReadRole, id, &read_role)?,
            write_role: stored::word(Column::WriteRole, id, &write_role)?,
            keeps_revisions,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

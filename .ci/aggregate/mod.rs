//! __Texts__.

mod commands;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::{Uuid, uuid};
use validator::Validate;

use crate::{
    error::{Error, Result},
    example, text,
};

/// Writable properties of __one__.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct __Type__Input {
    /// Name of the __text__, not blank, at most 100 characters.
    #[validate(length(max = 100), custom(function = text::visible))]
    pub name: String,
    /// Free text, at most 5000 characters.
    #[validate(length(max = 5000))]
    pub note: Option<String>,
}

/// __Text__ of the organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct __Type__ {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Name of the __text__, not blank, at most 100 characters.
    pub name: String,
    /// Free text, at most 5000 characters.
    pub note: Option<String>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<entity::__snake__::Model> for __Type__ {
    type Error = Error;

    fn try_from(row: entity::__snake__::Model) -> Result<Self> {
        let entity::__snake__::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            name,
            name_key: _,
            note,
        } = row;
        Ok(Self {
            id,
            version,
            name,
            note,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

impl __Type__Input {
    fn example() -> Self {
        Self { name: "First".to_owned(), note: example::some("As an example.") }
    }
}

impl __Type__ {
    fn example() -> Self {
        let __Type__Input { name, note } = __Type__Input::example();
        Self {
            id: uuid!("__id__"),
            version: 1,
            name,
            note,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}

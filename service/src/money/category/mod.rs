//! What money is spent on: a tree.

mod commands;
mod example;
pub(crate) mod repository;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::{
    error::{Error, Result},
    store::stored,
    text,
};

/// Direction of the money that a category classifies.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = CategoryKind)]
pub enum Kind {
    /// Money that the organization spends.
    #[default]
    Expense,
    /// Money that the organization receives.
    Income,
}

/// Writable properties of a category.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct CategoryInput {
    /// Name of the category, not blank, at most 100 characters. Unique below its parent, ignoring
    /// case.
    #[validate(length(max = 100), custom(function = text::visible))]
    pub name: String,
    /// Direction of the money that the category classifies. Defaults to `expense`.
    #[serde(default)]
    pub kind: Kind,
    /// Identifier of the parent category; null for a top-level category.
    pub parent_id: Option<Uuid>,
}

/// Category of expenses. Categories form a tree.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Category {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Name of the category, not blank, at most 100 characters. Unique below its parent, ignoring
    /// case.
    pub name: String,
    /// Direction of the money that the category classifies.
    pub kind: Kind,
    /// Identifier of the parent category; null for a top-level category.
    pub parent_id: Option<Uuid>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<entity::category::Model> for Category {
    type Error = Error;

    fn try_from(row: entity::category::Model) -> Result<Self> {
        let entity::category::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            name,
            name_key: _,
            kind,
            parent_id,
            sibling_key: _,
        } = row;
        Ok(Self {
            id,
            version,
            name,
            kind: stored::word(entity::category::Column::Kind, id, &kind)?,
            parent_id,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

//! What money is spent on: a tree.

mod commands;
pub(crate) mod repository;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::text;

/// What a category is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CategoryKind)]
pub enum Kind {
    /// Money that goes out.
    #[default]
    Expense,
    /// Money that comes in.
    Income,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Expense => "expense",
            Self::Income => "income",
        }
    }

    fn of(word: &str) -> Self {
        if word == "income" { Self::Income } else { Self::Expense }
    }
}

/// What a client may write of a category.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryInput {
    /// The name, without regard to case the only one below its parent.
    #[validate(length(max = 100), custom(function = text::visible))]
    #[schema(max_length = 100)]
    pub name: String,
    /// `expense` or `income`.
    #[serde(default)]
    pub kind: Kind,
    /// The category above, if it is not one of the first.
    pub parent_id: Option<Uuid>,
}

/// A category.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Category {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// The name.
    pub name: String,
    /// `expense` or `income`.
    pub kind: Kind,
    /// The category above.
    pub parent_id: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<entity::category::Model> for Category {
    fn from(row: entity::category::Model) -> Self {
        Self {
            id: row.id,
            version: row.version,
            name: row.name,
            kind: Kind::of(&row.kind),
            parent_id: row.parent_id,
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}

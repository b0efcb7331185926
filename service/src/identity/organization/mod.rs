//! Households and companies: whose everything else is.

mod commands;
mod example;
pub(crate) mod repository;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

pub use commands::{create, delete, get, list};

use crate::{
    amount,
    error::{Error, Result},
    outbound::{self, OutboundError},
    store::stored,
    text,
};

/// Type of an organization. It determines the default of `approval_required`.
///
/// - `household`: People who live together. By default, expenses require no approval.
/// - `company`: People who work together. By default, expenses require the approval of another
///   member.
#[derive(
    Debug,
    Clone,
    Copy,
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
#[schema(as = OrganizationKind)]
pub enum Kind {
    /// People who live together. By default, expenses require no approval.
    Household,
    /// People who work together. By default, expenses require the approval of another member.
    Company,
}

/// Writable properties of an organization.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct OrganizationInput {
    /// Type of the organization: `household` or `company`.
    pub kind: Kind,
    /// Name of the organization, not blank, at most 100 characters.
    #[validate(length(max = 100), custom(function = text::visible))]
    pub name: String,
    /// Default currency: ISO 4217 code, such as `EUR`.
    #[validate(custom(function = amount::currency_code))]
    #[schema(example = "EUR")]
    pub currency: String,
    /// IANA time zone in which days begin, such as `Europe/Zurich`. Defaults to `UTC`.
    #[serde(default = "utc")]
    #[validate(length(max = 64), custom(function = text::time_zone))]
    #[schema(example = "Europe/Zurich")]
    pub time_zone: String,
    /// Whether expenses, timecards and daily reports require the approval of another member.
    /// Defaults to true for a company and to false for a household.
    pub approval_required: Option<bool>,
    /// Amount above which an expense counts as large, in minor units of `currency`, 1 to
    /// 9007199254740991; null for none. A large expense creates a task for managers.
    #[validate(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub large_expense_minor: Option<i64>,
    /// HTTP or HTTPS URL that executes payouts, at most 2000 characters; null for none.
    /// docs/ledger.md describes the request.
    #[validate(length(max = 2000), custom(function = callable))]
    pub payout_url: Option<String>,
    /// Whether time entries of one member may overlap. Defaults to false.
    #[serde(default)]
    pub overlap_allowed: bool,
}

fn callable(url: &str) -> Result<(), ValidationError> {
    match outbound::parse(url) {
        Ok(_) => Ok(()),
        Err(OutboundError::Url(why)) => Err(text::refusal("url", why)),
        Err(other) => Err(text::refusal("url", other.to_string())),
    }
}

fn utc() -> String {
    "UTC".to_owned()
}

/// Household or company: the tenant to which members and all their data belong.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Organization {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Type of the organization: `household` or `company`.
    pub kind: Kind,
    /// Name of the organization, not blank, at most 100 characters.
    pub name: String,
    /// Default currency: ISO 4217 code, such as `EUR`.
    pub currency: String,
    /// IANA time zone in which days begin, such as `Europe/Zurich`.
    pub time_zone: String,
    /// Whether expenses, timecards and daily reports require the approval of another member.
    pub approval_required: bool,
    /// Amount above which an expense counts as large, in minor units of `currency`, 1 to
    /// 9007199254740991; null for none. A large expense creates a task for managers.
    pub large_expense_minor: Option<i64>,
    /// HTTP or HTTPS URL that executes payouts; null for none. Returned only to those who may
    /// update the organization, and not in lists.
    pub payout_url: Option<String>,
    /// Whether time entries of one member may overlap.
    pub overlap_allowed: bool,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl Organization {
    /// Without what is shown to few.
    fn for_all(self) -> Self {
        Self { payout_url: None, ..self }
    }
}

impl TryFrom<entity::organization::Model> for Organization {
    type Error = Error;

    fn try_from(row: entity::organization::Model) -> Result<Self> {
        let entity::organization::Model {
            id,
            version,
            created_at,
            updated_at,
            kind,
            name,
            currency,
            time_zone,
            approval_required,
            large_expense_minor,
            payout_url,
            overlap_allowed,
            deleted_at: _,
        } = row;
        Ok(Self {
            id,
            version,
            kind: stored::word(entity::organization::Column::Kind, id, &kind)?,
            name,
            currency,
            time_zone,
            approval_required,
            large_expense_minor,
            payout_url,
            overlap_allowed,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

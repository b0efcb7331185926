//! Households and companies: whose everything else is.

mod commands;
pub(crate) mod repository;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

pub use commands::{create, delete, get, list};

use crate::{
    error::Error,
    money,
    outbound::{self, OutboundError},
    text,
    zone::{self, Zone},
};

/// What kind of organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrganizationKind)]
pub enum Kind {
    /// People who live together. A new expense is approved at once.
    Household,
    /// People who work together. Expenses take somebody else's approval.
    Company,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Household => "household",
            Self::Company => "company",
        }
    }

    fn of(text: &str) -> Self {
        if text == "household" { Self::Household } else { Self::Company }
    }
}

/// What a client may write of an organization.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationInput {
    /// `household` or `company`.
    pub kind: Kind,
    /// The name.
    #[validate(length(max = 100), custom(function = text::visible))]
    #[schema(max_length = 100)]
    pub name: String,
    /// The currency of amounts that do not say theirs: an ISO 4217 code.
    #[validate(custom(function = money::currency_code))]
    #[schema(example = "EUR")]
    pub currency: String,
    /// The time zone in which days begin; UTC if it is left out.
    #[serde(default = "utc")]
    #[validate(length(max = 64), custom(function = text::time_zone))]
    #[schema(example = "Europe/Zurich")]
    pub time_zone: String,
    /// Whether expenses take somebody else's approval. By default in a company, not in a household.
    pub approval_required: Option<bool>,
    /// Above which amount, in minor units of its currency, an expense counts as large.
    #[validate(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub large_expense_minor: Option<i64>,
    /// Where members are paid back: an HTTP(S) URL that takes payouts (docs/ledger.md).
    #[validate(length(max = 2000), custom(function = callable))]
    #[schema(max_length = 2000)]
    pub payout_url: Option<String>,
    /// Whether entries of time of one member may overlap; not if it is left out.
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

/// An organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Organization {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// `household` or `company`.
    pub kind: Kind,
    /// The name.
    pub name: String,
    /// The currency of amounts that do not say theirs.
    pub currency: String,
    /// The time zone in which days begin.
    pub time_zone: String,
    /// Whether expenses take somebody else's approval.
    pub approval_required: bool,
    /// Above which amount an expense counts as large.
    pub large_expense_minor: Option<i64>,
    /// Where members are paid back; shown to those who may change it, and not in lists.
    pub payout_url: Option<String>,
    /// Whether entries of time of one member may overlap.
    pub overlap_allowed: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Organization {
    /// Without what is shown to few.
    fn for_all(self) -> Self {
        Self { payout_url: None, ..self }
    }
}

impl From<entity::organization::Model> for Organization {
    fn from(row: entity::organization::Model) -> Self {
        Self {
            id: row.id,
            version: row.version,
            kind: Kind::of(&row.kind),
            name: row.name,
            currency: row.currency,
            time_zone: row.time_zone,
            approval_required: row.approval_required,
            large_expense_minor: row.large_expense_minor,
            payout_url: row.payout_url,
            overlap_allowed: row.overlap_allowed,
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}

/// What the rules ask of an organization. Remembered with the actor for a few seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The currency of amounts that do not say theirs.
    pub currency: String,
    /// Whether expenses take somebody else's approval.
    pub approval_required: bool,
    /// Whether entries of time of one member may overlap.
    pub overlap_allowed: bool,
    /// The time zone in which days begin.
    pub time_zone: Zone,
}

impl Settings {
    /// [`Zone::day_of`].
    pub fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        self.time_zone.day_of(at)
    }

    /// [`Zone::start_of`].
    pub fn start_of(&self, day: NaiveDate) -> DateTime<Utc> {
        self.time_zone.start_of(day)
    }
}

impl TryFrom<&entity::organization::Model> for Settings {
    type Error = Error;

    /// Fails where the data of time zones does not know the organization's: no other one would be right.
    fn try_from(row: &entity::organization::Model) -> Result<Self, Error> {
        let unknown = |error: zone::UnknownZone| Error::Internal(error.to_string());
        Ok(Self {
            currency: row.currency.clone(),
            approval_required: row.approval_required,
            overlap_allowed: row.overlap_allowed,
            time_zone: row.time_zone.parse().map_err(unknown)?,
        })
    }
}

//! Households and companies: whose everything else is.

mod commands;
pub(crate) mod repository;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

pub use commands::{create, delete, get, list};

use crate::{
    money,
    outbound::{self, OutboundError},
    text,
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
    pub time_zone: Tz,
}

impl Settings {
    /// The day on which an instant lies: the last that had begun by then. Where a clock is put back over
    /// midnight, a day that has begun goes on.
    pub fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        let day = at.with_timezone(&self.time_zone).date_naive();
        match day.succ_opt() {
            Some(next) if self.start_of(next) <= at => next,
            _ => day,
        }
    }

    /// The instant at which a day begins: the first one of it, where a clock that is put forward leaves
    /// midnight out; that of the next day, where it leaves out the whole of it.
    pub fn start_of(&self, day: NaiveDate) -> DateTime<Utc> {
        let midnight = day.and_time(NaiveTime::MIN);
        let first = self.time_zone.from_local_datetime(&midnight).earliest();
        let first = first.or_else(|| GapInfo::new(&midnight, &self.time_zone)?.end);
        first.map_or_else(|| midnight.and_utc(), |at| at.to_utc())
    }
}

impl From<&entity::organization::Model> for Settings {
    fn from(row: &entity::organization::Model) -> Self {
        Self {
            currency: row.currency.clone(),
            approval_required: row.approval_required,
            overlap_allowed: row.overlap_allowed,
            time_zone: row.time_zone.parse().unwrap_or(Tz::UTC),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    /// In this zone.
    fn settings(time_zone: Tz) -> Settings {
        Settings {
            currency: "EUR".into(),
            approval_required: false,
            overlap_allowed: false,
            time_zone,
        }
    }

    #[test]
    fn a_day_begins_where_the_organization_is() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        for (zone, on, begins) in [
            ("UTC", "2026-11-21", "2026-11-21T00:00:00Z"),
            ("Europe/Zurich", "2026-11-21", "2026-11-20T23:00:00Z"),
            ("Europe/Zurich", "2026-07-01", "2026-06-30T22:00:00Z"),
            // Midnight was left out there that day.
            ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"),
        ] {
            let settings = settings(zone.parse().expect("a time zone"));
            let start = settings.start_of(day(on));
            assert_eq!(start, begins.parse::<DateTime<Utc>>().expect("an instant"), "{zone}");
            assert_eq!(settings.day_of(start), day(on));
            let before = start - TimeDelta::microseconds(1);
            assert_eq!(settings.day_of(before), day(on).pred_opt().expect("a day"));
        }
    }

    /// Samoa had no 30 December 2011, and on Newfoundland the clock went back from 0:01 to 23:01.
    #[test]
    fn days_are_left_out_and_interrupted() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("an instant");
        let samoa = settings(Tz::Pacific__Apia);
        assert_eq!(samoa.start_of(day("2011-12-30")), at("2011-12-30T10:00:00Z"));
        assert_eq!(samoa.start_of(day("2011-12-31")), at("2011-12-30T10:00:00Z"));
        assert_eq!(samoa.day_of(at("2011-12-30T09:59:59Z")), day("2011-12-29"));
        assert_eq!(samoa.day_of(at("2011-12-30T10:00:00Z")), day("2011-12-31"));
        let newfoundland = settings(Tz::America__St_Johns);
        let begins = newfoundland.start_of(day("2010-11-07"));
        assert_eq!(begins, at("2010-11-07T02:30:00Z"));
        assert_eq!(newfoundland.day_of(begins + TimeDelta::minutes(30)), day("2010-11-07"));
        assert_eq!(newfoundland.day_of(begins - TimeDelta::minutes(1)), day("2010-11-06"));
    }
}

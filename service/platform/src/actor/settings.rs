use chrono::{DateTime, NaiveDate, Utc};

use crate::{
    error::Error,
    zone::{self, Zone},
};

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

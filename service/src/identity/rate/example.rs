use chrono::NaiveDate;

use super::{Rate, RateInput};
use crate::example;

impl RateInput {
    pub(super) fn example() -> Self {
        Self {
            member_id: example::MEMBER,
            starts_on: NaiveDate::from_ymd_opt(2025, 1, 1).unwrap_or_default(),
            hourly_rate_minor: Some(4200),
        }
    }
}

impl Rate {
    pub(super) fn example() -> Self {
        let RateInput { member_id, starts_on, hourly_rate_minor } = RateInput::example();
        Self {
            id: example::RATE,
            version: 1,
            member_id,
            starts_on,
            hourly_rate_minor,
            currency: Some("EUR".into()),
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}

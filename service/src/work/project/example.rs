use chrono::Days;

use super::{Project, ProjectInput, Status};
use crate::example;

impl ProjectInput {
    pub(super) fn example() -> Self {
        Self {
            job_number: example::some("26-014"),
            name: "Kitchen renovation".to_owned(),
            client: example::some("Charles Babbage"),
            status: Status::Active,
            starts_on: Some(example::day()),
            ends_on: example::day().checked_add_days(Days::new(25)),
            budget_minor: Some(2_500_000),
            currency: example::some("EUR"),
            address: example::some("Bahnhofstrasse 1, 8001 Zürich"),
            latitude: Some(47.3769),
            longitude: Some(8.5417),
            note: example::some("The key is with the neighbour."),
            details: None,
        }
    }
}

impl Project {
    pub(super) fn example() -> Self {
        let input = ProjectInput::example();
        Self {
            id: example::PROJECT,
            version: 1,
            job_number: input.job_number,
            name: input.name,
            client: input.client,
            status: input.status,
            starts_on: input.starts_on,
            ends_on: input.ends_on,
            budget_minor: input.budget_minor,
            currency: input.currency.unwrap_or_default(),
            address: input.address,
            latitude: input.latitude,
            longitude: input.longitude,
            note: input.note,
            details: input.details,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}

use super::{Kind, Organization, OrganizationInput};
use crate::example;

impl OrganizationInput {
    pub(super) fn example() -> Self {
        Self {
            kind: Kind::Company,
            name: "Lovelace Carpentry".to_owned(),
            currency: "EUR".to_owned(),
            time_zone: "Europe/Zurich".to_owned(),
            approval_required: Some(true),
            large_expense_minor: Some(500_000),
            payout_url: example::some("https://bank.example.org/payouts"),
            overlap_allowed: false,
        }
    }
}

impl Organization {
    pub(super) fn example() -> Self {
        let input = OrganizationInput::example();
        Self {
            id: example::ORGANIZATION,
            version: 1,
            kind: input.kind,
            name: input.name,
            currency: input.currency,
            time_zone: input.time_zone,
            approval_required: input.approval_required.unwrap_or_default(),
            large_expense_minor: input.large_expense_minor,
            payout_url: input.payout_url,
            overlap_allowed: input.overlap_allowed,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}

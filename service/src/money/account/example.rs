use super::{Account, AccountInput, Kind};
use crate::example;

impl AccountInput {
    pub(super) fn example() -> Self {
        Self {
            name: "Bank".to_owned(),
            kind: Kind::Asset,
            currency: example::some("EUR"),
            may_go_below_zero: true,
            closed: false,
        }
    }
}

impl Account {
    pub(super) fn example() -> Self {
        let input = AccountInput::example();
        Self {
            id: example::BANK,
            version: 1,
            name: input.name,
            kind: input.kind,
            currency: input.currency.unwrap_or_default(),
            may_go_below_zero: input.may_go_below_zero,
            closed: input.closed,
            purpose: None,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}

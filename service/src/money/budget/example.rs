use super::{Amount, Budget, BudgetInput, Period};
use crate::example;

impl BudgetInput {
    pub(super) fn example() -> Self {
        Self {
            name: "Materials".to_owned(),
            category_id: Some(example::CATEGORY),
            period: Period::Month,
            amount_minor: 500_000,
            amounts: None,
            currency: example::some("EUR"),
            starts_on: example::day(),
            ends_on: None,
        }
    }
}

impl Budget {
    pub(super) fn example() -> Self {
        let input = BudgetInput::example();
        Self {
            id: example::BUDGET,
            version: 1,
            name: input.name,
            category_id: input.category_id,
            period: input.period,
            amount_minor: input.amount_minor,
            amounts: vec![Amount { starts_on: input.starts_on, amount_minor: input.amount_minor }],
            currency: input.currency.unwrap_or_default(),
            starts_on: input.starts_on,
            ends_on: input.ends_on,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}

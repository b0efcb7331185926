use entity::budget;
use sea_orm::{ActiveValue::Set, ConnectionTrait};

use super::{Budget, BudgetInput, rules};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    resource::{Crud, Resource, versioned},
    role::Permission,
    store::{Tx, stored::StoredWord},
    text::fold,
};

versioned!(Budget);

impl Resource for Budget {
    const ENTITY: &'static str = "budget";
    const READ: Permission = Permission::ReadMoney;
    const VERBS: &'static [Verb] =
        &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::ThresholdReached, Verb::Deleted];
}

impl Crud for Budget {
    type Input = BudgetInput;
    const WRITE: Permission = Permission::ManageBudgets;
    const IN_USE: &'static str = "other resources refer to the budget";

    fn input(&self) -> BudgetInput {
        BudgetInput {
            name: self.name.clone(),
            category_id: self.category_id,
            period: self.period,
            amount_minor: self.amount_minor,
            amounts: Some(self.amounts.clone()),
            currency: Some(self.currency.clone()),
            starts_on: self.starts_on,
            ends_on: self.ends_on,
        }
    }

    fn with_defaults(actor: &Actor, mut input: BudgetInput) -> BudgetInput {
        input.currency.get_or_insert_with(|| actor.settings.currency.clone());
        with_amounts(input)
    }

    /// The amounts follow `amount_minor` and `starts_on`, or `amount_minor` follows amounts that are given.
    fn changed(tx: &Tx, actor: &Actor, current: &Self, input: BudgetInput) -> BudgetInput {
        let raised = input.amount_minor != current.amount_minor;
        let mut input = with_amounts(input);
        let Some(amounts) = &mut input.amounts else { return input };
        if *amounts == current.amounts {
            *amounts = rules::begin(std::mem::take(amounts), input.starts_on);
            if raised {
                let today = actor.settings.day_of(tx.now());
                let period = rules::period_of(input.period, input.starts_on, today);
                rules::set_amount(amounts, period, input.amount_minor);
            }
        } else if let Some(latest) = amounts.last().filter(|_| !raised) {
            input.amount_minor = latest.amount_minor;
        }
        input
    }

    fn columns(_: &Actor, input: BudgetInput) -> Result<budget::ActiveModel> {
        rules::check_amounts(&input)?;
        let BudgetInput {
            name,
            category_id,
            period,
            amount_minor,
            amounts,
            currency,
            starts_on,
            ends_on,
        } = input;
        if ends_on.is_some_and(|end| end < starts_on) {
            return Err(Error::invalid("/ends_on", "order", "must not be before starts_on"));
        }
        let amounts = amounts.filter(|amounts| amounts.len() > 1).map(serde_json::to_value);
        let currency =
            currency.ok_or_else(|| Error::invalid("/currency", "required", "is required"))?;
        Ok(budget::ActiveModel {
            name_key: Set(fold(&name)),
            name: Set(name),
            category_id: Set(category_id),
            period: Set(period.as_str().to_owned()),
            amount_minor: Set(amount_minor),
            amounts: Set(amounts
                .transpose()
                .map_err(|error| Error::Internal(error.to_string()))?),
            currency: Set(currency),
            starts_on: Set(starts_on),
            ends_on: Set(ends_on),
            ..Default::default()
        })
    }

    /// The only reference of a budget is its category.
    async fn unknown_reference<C: ConnectionTrait>(
        _: &C,
        _: &Actor,
        _: &BudgetInput,
    ) -> Result<Error> {
        Ok(Error::invalid(
            "/category_id",
            "unknown",
            "must identify a category of the organization",
        ))
    }
}

/// With one amount from the beginning where none are given.
fn with_amounts(mut input: BudgetInput) -> BudgetInput {
    let BudgetInput { starts_on, amount_minor, .. } = input;
    input.amounts.get_or_insert_with(|| rules::amounts(Vec::new(), starts_on, amount_minor));
    input
}

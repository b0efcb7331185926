use entity::budget;
use sea_orm::{ActiveValue::Set, ConnectionTrait};

use super::{Budget, BudgetInput};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    resource::{Crud, Resource, versioned},
    role::Permission,
    store::stored::StoredWord,
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
            currency: Some(self.currency.clone()),
            starts_on: self.starts_on,
            ends_on: self.ends_on,
        }
    }

    fn with_defaults(actor: &Actor, mut input: BudgetInput) -> BudgetInput {
        input.currency.get_or_insert_with(|| actor.settings.currency.clone());
        input
    }

    fn columns(_: &Actor, input: BudgetInput) -> Result<budget::ActiveModel> {
        let BudgetInput { name, category_id, period, amount_minor, currency, starts_on, ends_on } =
            input;
        if ends_on.is_some_and(|end| end < starts_on) {
            return Err(Error::invalid("/ends_on", "order", "must not be before starts_on"));
        }
        let currency =
            currency.ok_or_else(|| Error::invalid("/currency", "required", "is required"))?;
        Ok(budget::ActiveModel {
            name_key: Set(fold(&name)),
            name: Set(name),
            category_id: Set(category_id),
            period: Set(period.as_str().to_owned()),
            amount_minor: Set(amount_minor),
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

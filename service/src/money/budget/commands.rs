use entity::budget;
use sea_orm::{ActiveValue::Set, ConnectionTrait};
use uuid::Uuid;

use super::{Budget, BudgetInput, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    input::{Change, Create},
    resource::{Changeable, Readable, Resource, Writable, versioned},
    role::Permission,
    store::{
        Store, Tx, log,
        page::{Page, PageQuery},
        stored::StoredWord,
        versioned,
        versioned::Expected,
    },
    text::fold,
};

versioned!(Budget);

impl Resource for Budget {
    const ENTITY: &'static str = "budget";
    const READ: Permission = Permission::ReadMoney;
    const VERBS: &'static [Verb] =
        &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::ThresholdReached, Verb::Deleted];
}

impl Readable for Budget {
    type Query = PageQuery;

    /// The budget.
    async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        let row = repository::get(store.read(), actor.organization_id, id).await?;
        Self::try_from(row)
    }

    /// The budgets by name.
    async fn list(store: &Store, actor: &Actor, page: &PageQuery) -> Result<Page<Self>> {
        let page = repository::list(store.read(), actor.organization_id, page).await?;
        page.try_map(Self::try_from)
    }
}

impl Changeable for Budget {
    type Input = BudgetInput;
    const WRITE: Permission = Permission::ManageBudgets;

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

    async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Self> {
        Self::try_from(repository::get(tx, actor.organization_id, id).await?)
    }

    async fn change(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        change: &Change<BudgetInput>,
    ) -> Result<Self> {
        let row = repository::get(tx, actor.organization_id, id).await?;
        let current = Self::try_from(row.clone())?;
        expected.check(row.version, &current)?;
        let next = columns(change.apply(&current.input())?)?;
        versioned::update(tx, actor, change.verb(), &row, next, Self::try_from).await
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

impl Writable for Budget {
    const IN_USE: &'static str = "other resources refer to the budget";

    fn with_defaults(actor: &Actor, mut input: BudgetInput) -> BudgetInput {
        input.currency.get_or_insert_with(|| actor.settings.currency.clone());
        input
    }

    async fn create(tx: &Tx, actor: &Actor, new: &Create<BudgetInput>) -> Result<Self> {
        let now = tx.now().fixed_offset();
        let input = Self::with_defaults(actor, new.input.clone());
        let row = budget::ActiveModel {
            organization_id: Set(actor.organization_id),
            id: Set(log::new_id::<Self>(tx, actor.organization_id, new.id).await?),
            created_at: Set(now),
            updated_at: Set(now),
            ..columns(input)?
        };
        versioned::insert(tx, actor, row, Self::try_from).await
    }

    async fn delete(tx: &Tx, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
        let row = repository::get(tx, actor.organization_id, id).await?;
        let current = Self::try_from(row.clone())?;
        expected.check(row.version, &current)?;
        versioned::delete(tx, actor, &row, &current).await
    }
}

fn columns(input: BudgetInput) -> Result<budget::ActiveModel> {
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

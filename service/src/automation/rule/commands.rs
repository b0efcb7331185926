use entity::rule;
use sea_orm::{ActiveValue::Set, ConnectionTrait};
use uuid::Uuid;

use super::{Action, Rule, RuleInput, When, repository, task_creation};
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
        versioned,
        versioned::Expected,
    },
    text::fold,
};

/// How many rules an organization has at most: each is looked at after each event of its kind.
const MAX_RULES: u64 = 200;

versioned!(Rule);

impl Resource for Rule {
    const ENTITY: &'static str = "rule";
    const READ: Permission = Permission::ReadMoney;
    const VERBS: &'static [Verb] =
        &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::Skipped, Verb::Deleted];
}

impl Readable for Rule {
    type Query = PageQuery;

    /// The rule.
    async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        let row = repository::get(store.read(), actor.organization_id, id).await?;
        Self::try_from(row)
    }

    /// The rules by name: in the order in which they apply.
    async fn list(store: &Store, actor: &Actor, page: &PageQuery) -> Result<Page<Self>> {
        let page = repository::list(store.read(), actor.organization_id, page).await?;
        page.try_map(Self::try_from)
    }
}

impl Changeable for Rule {
    type Input = RuleInput;
    const WRITE: Permission = Permission::ManageRules;

    fn input(&self) -> RuleInput {
        RuleInput {
            name: self.name.clone(),
            enabled: self.enabled,
            when: self.when.clone(),
            then: self.then.clone(),
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
        change: &Change<RuleInput>,
    ) -> Result<Self> {
        let row = repository::get(tx, actor.organization_id, id).await?;
        let current = Self::try_from(row.clone())?;
        expected.check(row.version, &current)?;
        let input = change.apply(&current.input())?;
        task_creation::ensure_references_exist(
            tx,
            actor.organization_id,
            &current.then,
            &input.then,
        )
        .await?;
        let next = columns(input)?;
        versioned::update(tx, actor, change.verb(), &row, next, Self::try_from).await
    }

    /// The only reference that the database knows is the category that a rule sets;
    /// [`task_creation::ensure_references_exist`] looks at the others.
    async fn unknown_reference<C: ConnectionTrait>(
        _: &C,
        _: &Actor,
        input: &RuleInput,
    ) -> Result<Error> {
        Ok(unknown_category(&input.then))
    }
}

/// Says which action sets a category that is not there.
pub(super) fn unknown_category(then: &[Action]) -> Error {
    let sets = |action: &Action| matches!(action, Action::SetCategory(_));
    let index = then.iter().position(sets).unwrap_or_default();
    Error::invalid(
        format!("/then/{index}/set_category"),
        "unknown",
        "must identify a category of the organization",
    )
}

impl Writable for Rule {
    const IN_USE: &'static str = "other resources refer to the rule";

    async fn create(tx: &Tx, actor: &Actor, new: &Create<RuleInput>) -> Result<Self> {
        if repository::count(tx, actor.organization_id).await? >= MAX_RULES {
            return Err(Error::state(
                "too_many",
                format!("the organization has the maximum of {MAX_RULES} rules"),
            ));
        }
        task_creation::ensure_references_exist(tx, actor.organization_id, &[], &new.input.then)
            .await?;
        let now = tx.now().fixed_offset();
        let row = rule::ActiveModel {
            organization_id: Set(actor.organization_id),
            id: Set(log::new_id::<Self>(tx, actor.organization_id, new.id).await?),
            created_at: Set(now),
            updated_at: Set(now),
            ..columns(new.input.clone())?
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

fn columns(input: RuleInput) -> Result<rule::ActiveModel> {
    let RuleInput { name, enabled, when: When { kind, condition }, then } = input;
    let actions = serde_json::to_value(&then)
        .map_err(|error| Error::Internal(format!("actions cannot be written: {error}")))?;
    let category_id = then.iter().find_map(|action| match action {
        Action::SetCategory(id) => Some(*id),
        _ => None,
    });
    Ok(rule::ActiveModel {
        name_key: Set(fold(&name)),
        name: Set(name),
        enabled: Set(enabled),
        kind: Set(kind),
        condition: Set(condition),
        actions: Set(actions),
        category_id: Set(category_id),
        ..Default::default()
    })
}

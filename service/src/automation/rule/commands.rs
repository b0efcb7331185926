use entity::rule;
use sea_orm::{ActiveValue::Set, ConnectionTrait};

use super::{Action, Rule, RuleInput, When, repository, task_creation};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    resource::{Crud, Resource, versioned},
    role::Permission,
    store::Tx,
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

impl Crud for Rule {
    type Input = RuleInput;
    const WRITE: Permission = Permission::ManageRules;
    const IN_USE: &'static str = "other resources refer to the rule";

    fn input(&self) -> RuleInput {
        RuleInput {
            name: self.name.clone(),
            enabled: self.enabled,
            when: self.when.clone(),
            then: self.then.clone(),
        }
    }

    fn columns(_: &Actor, input: RuleInput) -> Result<rule::ActiveModel> {
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

    async fn check(
        tx: &Tx,
        actor: &Actor,
        current: Option<&Self>,
        input: &RuleInput,
    ) -> Result<()> {
        if current.is_none() {
            ensure_room(tx, actor).await?;
        }
        let before = current.map_or(&[][..], |rule| &rule.then);
        let organization_id = actor.organization_id;
        task_creation::ensure_references_exist(tx, organization_id, before, &input.then).await
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

async fn ensure_room(tx: &Tx, actor: &Actor) -> Result<()> {
    if repository::count(tx, actor.organization_id).await? < MAX_RULES {
        return Ok(());
    }
    let detail = format!("the organization has the maximum of {MAX_RULES} rules");
    Err(Error::state("too_many", detail))
}

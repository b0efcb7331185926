use entity::category;
use sea_orm::{ActiveValue::Set, ConnectionTrait};
use uuid::Uuid;

use super::{Category, CategoryInput, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    identity::organization,
    resource::{Crud, Resource, versioned},
    role::Permission,
    store::{Tx, stored::StoredWord},
    text::fold,
};

versioned!(Category);

impl Resource for Category {
    const ENTITY: &'static str = "category";
    const READ: Permission = Permission::ReadMoney;
    const VERBS: &'static [Verb] = &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::Deleted];
}

impl Crud for Category {
    type Input = CategoryInput;
    const WRITE: Permission = Permission::ManageCategories;
    const IN_USE: &'static str = "categories, budgets, rules or expenses refer to the category";

    fn input(&self) -> CategoryInput {
        CategoryInput { name: self.name.clone(), kind: self.kind, parent_id: self.parent_id }
    }

    fn columns(_: &Actor, input: CategoryInput) -> Result<category::ActiveModel> {
        let CategoryInput { name, kind, parent_id } = input;
        let name_key = fold(&name);
        let parent = parent_id.map(|id| id.simple().to_string()).unwrap_or_default();
        Ok(category::ActiveModel {
            name: Set(name),
            sibling_key: Set(format!("{parent}:{name_key}")),
            name_key: Set(name_key),
            kind: Set(kind.as_str().to_owned()),
            parent_id: Set(parent_id),
            ..Default::default()
        })
    }

    /// Never below itself.
    async fn check(
        tx: &Tx,
        actor: &Actor,
        current: Option<&Self>,
        input: &CategoryInput,
    ) -> Result<()> {
        match (current, input.parent_id) {
            (Some(current), Some(parent_id)) if current.parent_id != Some(parent_id) => {
                refuse_cycle(tx, actor.organization_id, current.id, parent_id).await
            }
            _ => Ok(()),
        }
    }

    /// The only reference of a category is its parent.
    async fn unknown_reference<C: ConnectionTrait>(
        _: &C,
        _: &Actor,
        _: &CategoryInput,
    ) -> Result<Error> {
        Ok(Error::invalid("/parent_id", "unknown", "must identify a category of the organization"))
    }
}

/// Two moves at once could make a cycle that neither makes alone: one organization's moves happen
/// one after the other.
async fn refuse_cycle(tx: &Tx, organization_id: Uuid, id: Uuid, parent_id: Uuid) -> Result<()> {
    organization::repository::lock(tx, organization_id).await?;
    if repository::is_within(tx, organization_id, parent_id, id).await? {
        return Err(Error::invalid(
            "/parent_id",
            "cycle",
            "must not be a descendant of the category",
        ));
    }
    Ok(())
}

use entity::category;
use sea_orm::{ActiveValue::Set, ConnectionTrait};
use uuid::Uuid;

use super::{Category, CategoryInput, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    identity::organization,
    input::{Change, Create},
    resource::{Changeable, Readable, Resource, Writable, versioned},
    role::Permission,
    store::{
        Store, Tx, log,
        page::{Page, PageQuery},
        stored::StoredWord,
        versioned::{self, Expected},
    },
    text::fold,
};

versioned!(Category);

impl Resource for Category {
    const ENTITY: &'static str = "category";
    const READ: Permission = Permission::ReadMoney;
    const VERBS: &'static [Verb] = &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::Deleted];
}

impl Readable for Category {
    type Query = PageQuery;

    /// The category.
    async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        let row = repository::get(store.read(), actor.organization_id, id).await?;
        Self::try_from(row)
    }

    /// The categories by name.
    async fn list(store: &Store, actor: &Actor, page: &PageQuery) -> Result<Page<Self>> {
        let page = repository::list(store.read(), actor.organization_id, page).await?;
        page.try_map(Self::try_from)
    }
}

impl Changeable for Category {
    type Input = CategoryInput;
    const WRITE: Permission = Permission::ManageCategories;

    fn input(&self) -> CategoryInput {
        CategoryInput { name: self.name.clone(), kind: self.kind, parent_id: self.parent_id }
    }

    async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Self> {
        Self::try_from(repository::get(tx, actor.organization_id, id).await?)
    }

    /// Never below itself.
    async fn change(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        change: &Change<CategoryInput>,
    ) -> Result<Self> {
        let row = repository::get(tx, actor.organization_id, id).await?;
        let current = Self::try_from(row.clone())?;
        expected.check(row.version, &current)?;
        let input = change.apply(&current.input())?;
        if input.parent_id != row.parent_id
            && let Some(parent_id) = input.parent_id
        {
            refuse_cycle(tx, &row, parent_id).await?;
        }
        versioned::update(tx, actor, change.verb(), &row, columns(input), Self::try_from).await
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

impl Writable for Category {
    const IN_USE: &'static str = "categories, budgets, rules or expenses refer to the category";

    async fn create(tx: &Tx, actor: &Actor, new: &Create<CategoryInput>) -> Result<Self> {
        let now = tx.now().fixed_offset();
        let row = category::ActiveModel {
            organization_id: Set(actor.organization_id),
            id: Set(log::new_id::<Self>(tx, actor.organization_id, new.id).await?),
            created_at: Set(now),
            updated_at: Set(now),
            ..columns(new.input.clone())
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

fn columns(input: CategoryInput) -> category::ActiveModel {
    let CategoryInput { name, kind, parent_id } = input;
    let name_key = fold(&name);
    let parent = parent_id.map(|id| id.simple().to_string()).unwrap_or_default();
    category::ActiveModel {
        name: Set(name),
        sibling_key: Set(format!("{parent}:{name_key}")),
        name_key: Set(name_key),
        kind: Set(kind.as_str().to_owned()),
        parent_id: Set(parent_id),
        ..Default::default()
    }
}

/// Two moves at once could make a cycle that neither makes alone: one organization's moves happen
/// one after the other.
async fn refuse_cycle(tx: &Tx, row: &category::Model, parent_id: Uuid) -> Result<()> {
    organization::repository::lock(tx, row.organization_id).await?;
    if repository::is_within(tx, row.organization_id, parent_id, row.id).await? {
        return Err(Error::invalid(
            "/parent_id",
            "cycle",
            "must not be a descendant of the category",
        ));
    }
    Ok(())
}

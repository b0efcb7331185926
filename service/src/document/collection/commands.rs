use entity::collection;
use sea_orm::ActiveValue::{NotSet, Set};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Collection, CollectionInput, repository, rules};
use crate::{
    actor::Actor,
    document::index::{self, Indexed},
    error::{Error, Result},
    event::Verb,
    resource::{Crud, Mapped, Resource, versioned},
    role::Permission,
    store::{
        Tx,
        page::{PageQuery, Sort},
        stored::StoredWord,
    },
};

/// How many collections an organization has at most.
const MAX_COLLECTIONS: u64 = 1_000;

versioned!(Collection);

impl Resource for Collection {
    const ENTITY: &'static str = "collection";
    const READ: Permission = Permission::ReadDocuments;
    const VERBS: &'static [Verb] = &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::Deleted];
    const VERBATIM: &'static [&'static str] = &["schema"];
}

/// By name.
impl Mapped for Collection {
    type Entity = collection::Entity;
    type Query = PageQuery;

    fn sort(_: &PageQuery) -> Sort<collection::Column> {
        Sort { name: "name", column: collection::Column::Name, descending: false }
    }
}

impl Crud for Collection {
    type Input = CollectionInput;
    const WRITE: Permission = Permission::ManageCollections;
    const IN_USE: &'static str = "the collection has documents; delete them first";

    fn input(&self) -> CollectionInput {
        CollectionInput {
            name: self.name.clone(),
            title: self.title.clone(),
            schema: self.schema.clone(),
            indexes: self.indexes.clone(),
            read_role: self.read_role,
            write_role: self.write_role,
            access_version: None,
        }
    }

    fn with_defaults(_: &Actor, input: CollectionInput) -> CollectionInput {
        CollectionInput { access_version: Some(1), ..input }
    }

    fn changed(_: &Tx, _: &Actor, current: &Self, input: CollectionInput) -> CollectionInput {
        let is_new = input.read_role != current.read_role;
        CollectionInput { access_version: is_new.then_some(current.version + 1), ..input }
    }

    fn columns(_: &Actor, input: CollectionInput) -> Result<collection::ActiveModel> {
        let CollectionInput { name, title, schema, indexes, read_role, write_role, access_version } =
            input;
        Ok(collection::ActiveModel {
            name: Set(name),
            title: Set(title),
            schema: Set(schema.map(|schema| Value::Object(schema.0).to_string())),
            indexes: Set(json!(indexes)),
            read_role: Set(read_role.as_str().to_owned()),
            write_role: Set(write_role.as_str().to_owned()),
            access_version: access_version.map_or(NotSet, Set),
            ..Default::default()
        })
    }

    async fn check(
        tx: &Tx,
        actor: &Actor,
        current: Option<&Self>,
        input: &CollectionInput,
    ) -> Result<()> {
        rules::roles(actor.role, current.map(|now| [now.read_role, now.write_role]), input)?;
        let is_new = current.is_none();
        let id = actor.organization_id;
        if is_new && repository::has_as_many(tx, id, MAX_COLLECTIONS).await? {
            let detail = format!("an organization has at most {MAX_COLLECTIONS} collections");
            return Err(Error::state("too_many_collections", detail));
        }
        match current {
            Some(current) if current.indexes != input.indexes => {
                let declared = indexed(actor, current.id, &input.indexes);
                index::declare(tx, declared, &current.indexes).await
            }
            _ => Ok(()),
        }
    }

    async fn after_create(tx: &Tx, actor: &Actor, created: &Self) -> Result<()> {
        index::declare_first(tx, created.indexed(actor)).await
    }

    async fn before_delete(_: &Tx, actor: &Actor, current: &Self) -> Result<()> {
        rules::within(actor.role, [current.read_role, current.write_role].into_iter())
    }
}

impl Collection {
    /// The collection as its indexes know it.
    pub(crate) fn indexed(&self, actor: &Actor) -> Indexed<'_> {
        indexed(actor, self.id, &self.indexes)
    }
}

fn indexed<'a>(actor: &Actor, collection_id: Uuid, pointers: &'a [String]) -> Indexed<'a> {
    Indexed { organization_id: actor.organization_id, collection_id, pointers }
}

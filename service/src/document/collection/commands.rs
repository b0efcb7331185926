use entity::collection;
use sea_orm::ActiveValue::{NotSet, Set};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{Collection, CollectionInput, repository, rules, schema_check};
use crate::{
    actor::Actor,
    document::{
        index::{self, Indexed},
        revision::Trees,
        schema::{Schema, look},
    },
    error::{Error, Result, Violation},
    event::Verb,
    input::{Change, escape},
    resource::{self, Crud, Mapped, Resource, versioned},
    role::Permission,
    store::{
        Store, Tx,
        page::{PageQuery, Sort},
        stored::StoredWord,
        versioned::{self, Expected},
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
            template: None,
        }
    }

    fn with_defaults(_: &Actor, mut input: CollectionInput) -> CollectionInput {
        if let Some(template) = input.template.take() {
            template.fill(&mut input);
        }
        CollectionInput { access_version: Some(1), ..input }
    }

    fn changed(_: &Tx, _: &Actor, current: &Self, input: CollectionInput) -> CollectionInput {
        let is_new = input.read_role != current.read_role;
        CollectionInput { access_version: is_new.then_some(current.version + 1), ..input }
    }

    fn columns(_: &Actor, input: CollectionInput) -> Result<collection::ActiveModel> {
        let CollectionInput {
            name,
            title,
            schema,
            indexes,
            read_role,
            write_role,
            access_version,
            template: _,
        } = input;
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
        let schema = check_but_for_documents(tx, actor, current, input).await?;
        let Some(current) = current else { return Ok(()) };
        if let Some(schema) = schema {
            refuse_misfits(tx, actor, current.id, &schema).await?;
        }
        declare_indexes(tx, actor, current, input).await
    }

    async fn after_create(tx: &Tx, actor: &Actor, created: &Self) -> Result<()> {
        index::declare_first(tx, created.indexed(actor)).await
    }

    async fn before_delete(tx: &Tx, actor: &Actor, current: &Self) -> Result<()> {
        rules::within(actor.role, [current.read_role, current.write_role].into_iter())?;
        repository::remove_rest(tx, (actor.organization_id, current.id)).await
    }
}

impl Collection {
    /// The collection as its indexes know it.
    pub(crate) fn indexed(&self, actor: &Actor) -> Indexed<'_> {
        indexed(actor, self.id, &self.indexes)
    }

    /// Where the trees of its documents are.
    pub(crate) fn trees(&self, actor: &Actor) -> Trees {
        Trees { organization_id: actor.organization_id, kept: self.keeps_revisions }
    }
}

fn indexed<'a>(actor: &Actor, collection_id: Uuid, pointers: &'a [String]) -> Indexed<'a> {
    Indexed { organization_id: actor.organization_id, collection_id, pointers }
}

async fn declare_indexes(
    tx: &Tx,
    actor: &Actor,
    current: &Collection,
    input: &CollectionInput,
) -> Result<()> {
    index::declare(tx, indexed(actor, current.id, &input.indexes), &current.indexes).await
}

/// Gives the schema, if it is another one than it was.
async fn check_but_for_documents(
    tx: &Tx,
    actor: &Actor,
    current: Option<&Collection>,
    input: &CollectionInput,
) -> Result<Option<Schema>> {
    rules::roles(actor.role, current.map(|now| [now.read_role, now.write_role]), input)?;
    let (is_new, id) = (current.is_none(), actor.organization_id);
    if is_new && repository::has_as_many(tx, id, MAX_COLLECTIONS).await? {
        let detail = format!("an organization has at most {MAX_COLLECTIONS} collections");
        return Err(Error::state("too_many_collections", detail));
    }
    let before = current.and_then(|current| current.schema.as_ref());
    let Some(schema) = input.schema.as_ref().filter(|schema| before != Some(*schema)) else {
        return Ok(None);
    };
    schema_check::compile(tx.keyring(), schema).map(Some)
}

/// Refuses a schema that documents of the collection do not fit, or that has more documents than are checked at once.
async fn refuse_misfits(tx: &Tx, actor: &Actor, id: Uuid, schema: &Schema) -> Result<()> {
    let place = (actor.organization_id, id);
    let found = look(tx, schema, place, None, schema_check::MAX_CHECKED).await?;
    let violations = found.invalid.into_iter().flat_map(|document| {
        let of_document = format!("/{}", escape(&document.id));
        document.violations.into_iter().map(move |violation| Violation {
            pointer: format!("{of_document}{}", violation.pointer),
            ..violation
        })
    });
    let violations: Vec<_> = violations.collect();
    if !violations.is_empty() {
        let detail = "documents of the collection do not fit the schema".into();
        return Err(Error::Conflicts { code: "schema_violated", detail, violations });
    }
    if found.last.is_some() {
        let detail = "the collection has more documents than are checked at once: check them with check-schema, and \
                      change the schema with apply=new";
        return Err(Error::state("too_many_documents", detail));
    }
    Ok(())
}

/// What another schema of a collection applies to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SchemaApplication {
    /// All documents: those that are there have to fit it.
    #[default]
    All,
    /// What is written from now on.
    New,
}

/// How a collection is changed.
#[crate::input::bounded]
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CollectionUpdateQuery {
    /// What another schema applies to: `all`, the default, checks the documents that are there, up to 1000 and 8 MiB;
    /// `new` checks what is written from now on.
    #[param(inline)]
    pub apply: Option<SchemaApplication>,
}

/// Changes a collection.
pub async fn update(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    change: Change<CollectionInput>,
    query: CollectionUpdateQuery,
) -> Result<Collection> {
    if query.apply.unwrap_or_default() == SchemaApplication::All {
        return resource::change::<Collection>(store, actor, id, expected, change).await;
    }
    let actor = actor.clone();
    store
        .write(async move |tx| {
            let (row, current) = resource::find::<Collection>(tx, &actor, id).await?;
            expected.clone().check(current.version, &current)?;
            let input = change.apply(&current.input())?;
            let input = Collection::changed(tx, &actor, &current, input);
            check_but_for_documents(tx, &actor, Some(&current), &input).await?;
            declare_indexes(tx, &actor, &current, &input).await?;
            let next = Collection::columns(&actor, input)?;
            versioned::update(tx, &actor, change.verb(), &row, next, Collection::try_from).await
        })
        .await
}

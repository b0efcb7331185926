use entity::{TenantEntity, Versioned as VersionedEntity, attachment};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait};
use uuid::Uuid;

use super::{
    Attachment, AttachmentInput, AttachmentList, HasAttachments, INCIDENTS, MAX_ATTACHMENTS,
    Parent, ParentKind, repository,
    stored::{self, Published},
};
use crate::{
    Actor,
    error::{Error, Result},
    event::Verb,
    fault,
    idempotency::WriteOnce,
    input::Change,
    objects::{ObjectName, Objects, Staged},
    resource::{Changeable, Resource, versioned},
    role::Permission,
    seal::{ATTACHMENT_CONTENT_KEY, content::ContentKey},
    store::{
        AttachmentAct, Store, Tx,
        page::{Page, PageQuery},
        stored::StoredWord,
        versioned::{self, Expected},
    },
};

versioned!(Attachment);

impl Resource for Attachment {
    const ENTITY: &'static str = "attachment";
    const READ: Permission = Permission::ReadAttachments;
    const VERBS: &'static [Verb] = &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::Deleted];
    const SCOPED: bool = true;

    fn scope(&self) -> Option<Uuid> {
        (self.parent_kind == ParentKind::Incident).then_some(INCIDENTS)
    }
}

impl Changeable for Attachment {
    type Input = AttachmentInput;
    const WRITE: Permission = Permission::RecordAttachments;

    fn input(&self) -> AttachmentInput {
        AttachmentInput { name: self.name.clone() }
    }

    async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Self> {
        Ok(find(tx, actor, id).await?.1)
    }

    async fn change(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        change: &Change<AttachmentInput>,
    ) -> Result<Self> {
        let (row, current) = find(tx, actor, id).await?;
        ensure(tx, actor, current.parent(), AttachmentAct::Change).await?;
        expected.check(row.version, &current)?;
        let AttachmentInput { name } = change.apply(&current.input())?;
        let next = attachment::ActiveModel { name: Set(name), ..Default::default() };
        versioned::update(tx, actor, change.verb(), &row, next, Self::try_from).await
    }

    async fn unknown_reference<C: ConnectionTrait>(
        _: &C,
        _: &Actor,
        _: &AttachmentInput,
    ) -> Result<Error> {
        Ok(Error::Reference)
    }
}

impl Attachment {
    /// As it is, for who may see it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for who may not.
    pub(super) fn shown_to(self, actor: &Actor) -> Result<Self> {
        let is_visible = self.parent_kind.is_visible_to(actor);
        if is_visible { Ok(self) } else { Err(Error::NotFound(Self::ENTITY)) }
    }

    /// The attachment, as far as the actor may see it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        let organization_id = actor.organization_id;
        let row = versioned::get::<attachment::Entity>(store.read(), organization_id, id).await?;
        Self::try_from(row)?.shown_to(actor)
    }

    /// A page of the attachments of a resource that the actor may see, the oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such resource.
    pub async fn list<R: HasAttachments>(
        store: &Store,
        actor: &Actor,
        id: Uuid,
        query: &PageQuery,
    ) -> Result<Page<Self>> {
        let (organization_id, parent) = (actor.organization_id, Parent { kind: R::KIND, id });
        let page = repository::list(store.read(), organization_id, parent, query).await?;
        if page.items.is_empty() {
            versioned::get::<R::Row>(store.read(), organization_id, id).await?;
        }
        page.try_map(Self::try_from)
    }
}

async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<(attachment::Model, Attachment)> {
    let row = versioned::get::<attachment::Entity>(tx, actor.organization_id, id).await?;
    let attachment = Attachment::try_from(row.clone())?.shown_to(actor)?;
    Ok((row, attachment))
}

/// Refuses what the resource does not let the actor do with its attachments.
async fn ensure(tx: &Tx, actor: &Actor, parent: Parent, act: AttachmentAct) -> Result<()> {
    let attachable = tx.catalogue().attachable(parent.kind.as_str())?;
    let ensured = (attachable.ensure)(tx, actor, parent.id, act).await;
    ensured.map_err(|error| match error {
        // The role has the permission that the operation names.
        Error::Forbidden { code: "role_insufficient", detail } => {
            Error::forbidden("parent_forbidden", detail)
        }
        other => other,
    })
}

/// What most resources ask for: that there is one, and a permission.
pub(crate) async fn ensure_row<E: TenantEntity + VersionedEntity>(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    permission: Permission,
) -> Result<()> {
    actor.require(permission)?;
    versioned::get::<E>(tx, actor.organization_id, id).await.map(drop)
}

/// Refuses a file before it is received, which the resource would not take.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::State`].
pub async fn ensure_accepts(store: &Store, actor: &Actor, parent: Parent) -> Result<()> {
    let actor = actor.clone();
    store
        .snapshot(async move |tx| {
            ensure(tx, &actor, parent, AttachmentAct::Add).await?;
            ensure_room(tx, &actor, parent, 1).await
        })
        .await
}

async fn ensure_room(tx: &Tx, actor: &Actor, parent: Parent, more: u64) -> Result<()> {
    let limit = MAX_ATTACHMENTS + 1;
    let count = repository::count(tx, actor.organization_id, parent, limit).await?;
    if count + more > MAX_ATTACHMENTS {
        let detail = format!("a resource can have {MAX_ATTACHMENTS} attachments at most");
        return Err(Error::state("too_many_attachments", detail));
    }
    Ok(())
}

/// A file that was received.
#[derive(Debug)]
pub struct NewFile {
    /// Its content.
    pub staged: Staged,
    /// The key that it is sealed with.
    pub key: Option<ContentKey>,
    /// What it is called: a safe name.
    pub name: String,
    /// What it is.
    pub media_type: &'static str,
}

/// A file whose content is published, as a transaction needs it that may run again.
struct PublishedFile {
    object: Published,
    key: Option<ContentKey>,
    name: String,
    media_type: &'static str,
    sha256: String,
    size: i64,
}

/// Adds files to a resource, all or none. Their contents are published before the rows are written, so that no row is
/// without; what is published for nothing is removed, by this function, or if the process ends here by `verify`.
///
/// # Errors
/// As of [`ensure_accepts`]; [`Error::StorageFull`].
pub async fn create(
    store: WriteOnce<'_, AttachmentList>,
    objects: &Objects,
    actor: &Actor,
    parent: Parent,
    files: Vec<NewFile>,
    quota: Option<u64>,
) -> Result<AttachmentList> {
    let mut published = Vec::new();
    for file in files {
        fault::point(format_args!("attachment staged"));
        match publish(objects, actor.organization_id, file).await {
            Ok(file) => published.push(file),
            Err(error) => {
                discard(objects, &names(&published)).await;
                return Err(error);
            }
        }
    }
    fault::point(format_args!("attachment published"));
    let names = names(&published);
    let actor = actor.clone();
    let written = store
        .write(async move |tx| {
            let items = insert(tx, &actor, parent, &published, quota).await?;
            fault::point(format_args!("attachment inserted"));
            Ok(AttachmentList { items })
        })
        .await;
    fault::point(format_args!("attachment written"));
    if written.as_ref().is_err_and(|error| !matches!(error, Error::OutcomeUnknown(_))) {
        discard(objects, &names).await;
    }
    written
}

async fn publish(objects: &Objects, organization_id: Uuid, file: NewFile) -> Result<PublishedFile> {
    let NewFile { mut staged, key, name, media_type } = file;
    let object_name = objects.publish(&mut staged, organization_id).await?;
    let bytes = |size| i64::try_from(size).map_err(|_| Error::Internal("a size of no file".into()));
    let object = Published {
        id: staged.id,
        name: object_name,
        sha256: staged.stored_sha256.clone(),
        size: bytes(staged.stored_size)?,
    };
    let (sha256, size) = (staged.sha256.clone(), bytes(staged.size)?);
    Ok(PublishedFile { object, key, name, media_type, sha256, size })
}

fn names(published: &[PublishedFile]) -> Vec<ObjectName> {
    published.iter().map(|file| file.object.name.clone()).collect()
}

/// Removes what no row names.
async fn discard(objects: &Objects, names: &[ObjectName]) {
    for name in names {
        if let Err(error) = objects.delete(name).await {
            tracing::warn!(%error, "an object of no row stays until `steward verify --repair`");
        }
    }
}

async fn insert(
    tx: &Tx,
    actor: &Actor,
    parent: Parent,
    files: &[PublishedFile],
    quota: Option<u64>,
) -> Result<Vec<Attachment>> {
    ensure(tx, actor, parent, AttachmentAct::Add).await?;
    ensure_room(tx, actor, parent, files.len() as u64).await?;
    let organization_id = actor.organization_id;
    let mut made = Vec::new();
    for PublishedFile { object, key, name, media_type, sha256, size } in files {
        let id = tx.new_id();
        let now = tx.now().fixed_offset();
        let object_id = stored::refer(tx, organization_id, object, quota).await?;
        let place = ATTACHMENT_CONTENT_KEY.at(organization_id, id);
        let seal = |key: &ContentKey| tx.keyring().seal(tx.random(), &place, key.reveal());
        let content_key = key.as_ref().map(seal).transpose()?;
        let mut row = attachment::ActiveModel {
            organization_id: Set(organization_id),
            id: Set(id),
            created_at: Set(now),
            updated_at: Set(now),
            name: Set(name.clone()),
            media_type: Set((*media_type).to_owned()),
            size: Set(*size),
            sha256: Set(sha256.clone()),
            object_id: Set(object_id),
            content_key: Set(content_key),
            ..Default::default()
        };
        row.set(repository::column(parent.kind), parent.id.into());
        made.push(versioned::insert(tx, actor, row, Attachment::try_from).await?);
    }
    Ok(made)
}

/// Deletes an attachment.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::State`], or those of [`Expected::check`].
pub async fn delete(store: &Store, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
    let actor = actor.clone();
    store
        .write(async move |tx| {
            let (row, current) = find(tx, &actor, id).await?;
            ensure(tx, &actor, current.parent(), AttachmentAct::Change).await?;
            expected.check(row.version, &current)?;
            remove(tx, &actor, &row, &current).await
        })
        .await
}

/// Deletes the attachments of a resource that goes.
pub(crate) async fn delete_all(tx: &Tx, actor: &Actor, kind: ParentKind, id: Uuid) -> Result<()> {
    let parent = Parent { kind, id };
    for row in repository::of_parent(tx, actor.organization_id, parent).await? {
        let current = Attachment::try_from(row.clone())?;
        remove(tx, actor, &row, &current).await?;
    }
    Ok(())
}

async fn remove(
    tx: &Tx,
    actor: &Actor,
    row: &attachment::Model,
    current: &Attachment,
) -> Result<()> {
    versioned::delete(tx, actor, row, current).await?;
    stored::release(tx, row.organization_id, row.object_id).await
}

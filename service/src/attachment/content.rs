//! The content of an attachment, as it comes and as it goes.

use std::ops::Range;

use bytes::Bytes;
use entity::attachment;
use futures_util::stream::BoxStream;
use uuid::Uuid;

use super::{Attachment, ParentKind};
use crate::{
    Actor,
    error::{Error, Result},
    objects::{Content, ObjectName, ObjectWriter},
    seal::{ATTACHMENT_CONTENT_KEY, content::ContentKey},
    store::{Store, versioned},
};

/// The content of an attachment, which can be read.
#[derive(Debug)]
pub struct AttachmentContent {
    /// The attachment.
    pub attachment: Attachment,
    name: ObjectName,
    key: Option<ContentKey>,
}

/// The content of an attachment, as far as the actor may see it.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotConfigured`] where it is sealed with a key that is not there.
pub async fn content(store: &Store, actor: &Actor, id: Uuid) -> Result<AttachmentContent> {
    let organization_id = actor.organization_id;
    let row = versioned::get::<attachment::Entity>(store.read(), organization_id, id).await?;
    let (object_id, sealed) = (row.object_id, row.content_key.clone());
    let attachment = Attachment::try_from(row)?.shown_to(actor)?;
    let key = match sealed {
        None => None,
        Some(sealed) => {
            let place = ATTACHMENT_CONTENT_KEY.at(organization_id, id);
            Some(ContentKey::from_kept(&store.keyring().open(&place, &sealed)?)?)
        }
    };
    let object = super::verify::object(store.read(), organization_id, object_id).await?;
    let gone = || Error::Internal(format!("attachment {id} has no stored object"));
    let object = object.ok_or_else(gone)?;
    let name = ObjectName::of(organization_id, &object.sha256, object_id);
    Ok(AttachmentContent { attachment, name, key })
}

impl AttachmentContent {
    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        u64::try_from(self.attachment.size).unwrap_or_default()
    }

    /// The bytes of a range, as they are read.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Internal`] where the object is not there.
    pub async fn read(
        &self,
        store: &Store,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        let content = Content { name: &self.name, size: self.size(), key: self.key.as_ref() };
        let read = store.objects()?.read(&content, range).await;
        read.map_err(|error| match error {
            // Somebody has removed it besides steward.
            Error::NotFound(_) => Error::Internal(format!("the object {} is gone", self.name)),
            other => other,
        })
    }
}

/// A file that is received for a kind of resource, with the key that it is sealed with, if it is.
///
/// # Errors
/// [`Error::NotConfigured`] where there is no place for files, or no key where one is needed.
pub fn writer(store: &Store, kind: ParentKind) -> Result<(ObjectWriter, Option<ContentKey>)> {
    let key = match kind.is_sealed() {
        true => {
            store.keyring().require()?;
            Some(ContentKey::new(store.random()))
        }
        false => None,
    };
    let id = store.random().id(store.now());
    Ok((store.objects()?.writer(id, key.as_ref())?, key))
}

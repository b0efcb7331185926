//! Files that belong to other resources: receipts of expenses, photos of daily reports, contracts of members.
//!
//! The row of an attachment says what the file is called and what it is; the bytes are an object
//! ([`crate::objects`]), which attachments with the same content have in common ([`stored`]). The object is there
//! before the row is, and longer than it: there is no row without bytes (docs/decisions/0054).
//!
//! An attachment is seen by those who see what it belongs to. What it takes to add one, rename it or delete it, that
//! resource says ([`crate::store::Attachable`]). Of an incident, the content is sealed.

mod commands;
mod content;
mod example;
pub mod media;
mod removal;
pub(crate) mod repository;
mod rules;
mod stored;
pub mod verify;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;
use uuid::{Uuid, uuid};
use validator::Validate;

pub use commands::{NewFile, create, delete, ensure_accepts};
pub(crate) use commands::{delete_all, ensure_row};
pub use content::{AttachmentContent, content, writer};
pub(crate) use removal::remove_organization;
pub use removal::run_once as remove_objects;
pub use rules::safe_name;
pub(crate) use stored::charge;

use crate::{
    error::{Error, Result},
    resource::Resource,
    role::Permission,
};

/// How many attachments a resource has at most.
pub const MAX_ATTACHMENTS: u64 = 100;
/// How many files one request can have.
pub const MAX_FILES: usize = 20;
/// How many characters a name has at most.
pub const MAX_NAME_LENGTH: usize = 255;

/// The scope of the events of what belongs to incidents: only those see it who manage incidents.
pub(crate) const INCIDENTS: Uuid = uuid!("6f1f5d0e-2f8e-8a31-9d5c-6a7d3c1b9e42");

/// Kind of the resource that an attachment belongs to.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ParentKind {
    /// Photo or plan of a day on a project.
    DailyReport,
    /// Receipt or invoice.
    Expense,
    /// Report or photo of an incident, encrypted and for admins only.
    Incident,
    /// Voucher of an entry.
    JournalEntry,
    /// Contract or certificate of a member.
    Member,
    /// Plan or contract of a project.
    Project,
    /// File of a task.
    Task,
}

impl ParentKind {
    /// Whether the content is sealed, as the resource itself is.
    pub fn is_sealed(self) -> bool {
        self == Self::Incident
    }

    /// Whether somebody with these permissions is told that there is one.
    fn is_visible_to(self, actor: &crate::Actor) -> bool {
        self != Self::Incident || actor.may(Permission::ManageIncidents)
    }
}

/// A kind of resource that has attachments.
pub trait HasAttachments: Resource {
    /// What its attachments call it.
    const KIND: ParentKind;
    /// Its table.
    type Row: entity::TenantEntity + entity::Versioned;
}

/// What an attachment belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// Its kind.
    pub kind: ParentKind,
    /// Its id.
    pub id: Uuid,
}

/// Writable properties of an attachment.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct AttachmentInput {
    /// Name of the file, 1 to 255 characters, without slashes and control characters.
    #[validate(length(min = 1, max = 255), custom(function = rules::name))]
    pub name: String,
}

/// File that belongs to another resource. Its content is at `…/attachments/{attachment_id}/content`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Attachment {
    /// Unique identifier (UUID), set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Kind of the resource that the file belongs to.
    pub parent_kind: ParentKind,
    /// Identifier of that resource.
    pub parent_id: Uuid,
    /// Name of the file.
    pub name: String,
    /// Media type of the content, determined from the content (RFC 6838).
    pub media_type: String,
    /// Number of bytes of the content.
    pub size: i64,
    /// SHA-256 of the content, as 64 hexadecimal digits. Equal contents have the same.
    pub sha256: String,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl Attachment {
    /// What it belongs to.
    pub fn parent(&self) -> Parent {
        Parent { kind: self.parent_kind, id: self.parent_id }
    }
}

/// Attachments that were made of the files of one request, in their order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttachmentList {
    /// Created attachments.
    pub items: Vec<Attachment>,
}

impl TryFrom<entity::attachment::Model> for Attachment {
    type Error = Error;

    fn try_from(row: entity::attachment::Model) -> Result<Self> {
        let parent = repository::parent(&row)?;
        let entity::attachment::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            daily_report_id: _,
            expense_id: _,
            incident_id: _,
            journal_entry_id: _,
            member_id: _,
            project_id: _,
            task_id: _,
            name,
            media_type,
            size,
            sha256,
            object_id: _,
            content_key: _,
        } = row;
        Ok(Self {
            id,
            version,
            parent_kind: parent.kind,
            parent_id: parent.id,
            name,
            media_type,
            size,
            sha256,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

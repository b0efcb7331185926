use futures_util::future::BoxFuture;
use sea_orm::sea_query::SelectStatement;
use uuid::Uuid;

use super::Tx;
use crate::{
    actor::Actor,
    error::{Error, Result},
    role::Role,
    saga::Kind,
    zone::Zone,
};

/// What is done in the transaction that gives an organization another time zone.
pub type OnTimeZoneChange = for<'a> fn(&'a Tx, &'a Actor, Zone) -> BoxFuture<'a, Result<()>>;

/// Whether an organization has amounts of a kind.
pub type HasAmounts = for<'a> fn(&'a Tx, Uuid) -> BoxFuture<'a, Result<bool>>;

/// A query of the ids of an organization's scopes that a role may read ([`crate::event::Visibility`]).
pub type ReadableScopes = fn(Uuid, Role) -> SelectStatement;

/// What is done with the attachments of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentAct {
    /// One is added.
    Add,
    /// One is renamed or deleted.
    Change,
}

/// Refuses an actor who may not do that, or a resource that is not there or does not allow it now.
pub type EnsureAttachable =
    for<'a> fn(&'a Tx, &'a Actor, Uuid, AttachmentAct) -> BoxFuture<'a, Result<()>>;

/// A kind of resource that has attachments.
#[derive(Debug, Clone, Copy)]
pub struct Attachable {
    /// Its name.
    pub kind: &'static str,
    /// Who may do what with them.
    pub ensure: EnsureAttachable,
}

/// What the domain hands in: what is called here by the name that a row has, and what one aggregate does
/// because of another that does not know it.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue {
    /// Every kind of saga.
    pub sagas: &'static [&'static Kind],
    /// What follows from another time zone.
    pub on_time_zone_change: &'static [OnTimeZoneChange],
    /// The kinds of amounts that stand in the way of another currency, by what clients call them.
    pub amounts: &'static [(&'static str, HasAmounts)],
    /// Which scopes a role may read.
    pub readable_scopes: ReadableScopes,
    /// What has attachments.
    pub attachable: &'static [Attachable],
}

impl Catalogue {
    /// The kind of saga of that name.
    ///
    /// # Errors
    /// [`Error::Internal`] where there is none: another version has written its name.
    pub fn saga(&self, name: &str) -> Result<&'static Kind> {
        let kind = self.sagas.iter().copied().find(|kind| kind.name == name);
        kind.ok_or_else(|| Error::Internal(format!("no kind of saga: {name}")))
    }

    /// The kind of resource of that name, if it has attachments.
    ///
    /// # Errors
    /// [`Error::Internal`] where it has none.
    pub fn attachable(&self, kind: &str) -> Result<&'static Attachable> {
        let found = self.attachable.iter().find(|attachable| attachable.kind == kind);
        found.ok_or_else(|| Error::Internal(format!("nothing with attachments: {kind}")))
    }
}

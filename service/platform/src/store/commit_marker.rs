//! What has become of a transaction whose COMMIT failed.
//!
//! An error of COMMIT says that its answer was not "made", and not that nothing was made: the
//! connection may have gone between the two, or the disk may have refused to say that it has written.
//! A transaction that records anything leaves an event whose id is known; so one can look.

use entity::event;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QuerySelect};
use uuid::Uuid;

/// The key of an event that is there if, and only if, its transaction was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CommitMarker {
    organization_id: Uuid,
    id: Uuid,
}

impl CommitMarker {
    pub(super) fn of(event: &event::Model) -> Self {
        Self { organization_id: event.organization_id, id: event.id }
    }

    /// Whether it is there, in what was committed before.
    pub(super) async fn exists(self, connection: &impl ConnectionTrait) -> Result<bool, DbErr> {
        let found = event::Entity::find_by_id((self.organization_id, self.id))
            .select_only()
            .column(event::Column::Id)
            .into_tuple::<Uuid>()
            .one(connection)
            .await?;
        Ok(found.is_some())
    }
}

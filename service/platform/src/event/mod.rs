//! The log: every change of every versioned resource, in the order in which it is told.
//!
//! An event is written in the transaction of its change ([`crate::store::log`]). Its position comes
//! afterwards, from one sequencer ([`sequencer`]): transactions do not commit in the order in which
//! they began, and a reader who has seen a position must never miss a lower one.

pub mod chain;
mod feed;
mod history;
pub mod repository;
pub(crate) mod sealed;
pub mod sequencer;
mod state;
pub(crate) mod verbatim;
pub mod verify;
mod visibility;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;
use uuid::Uuid;

pub use feed::{EventPage, EventQuery, Filter, head_position, list, page, require_reached};
pub use history::{At, AtQuery, Past, RevertInput, at, history, own_at, own_history};
pub use history::{of_verb, of_version, revert_to};
pub use state::{LogState, state};
pub use visibility::{Visibility, VisibleRow};

use crate::{
    actor::Actor, error::Result, json::canonical, resource::Descriptor, seal::Keyring,
    store::stored,
};

macro_rules! verbs {
    ($($name:ident $word:literal $what:literal),* $(,)?) => {
        /// What can happen to a resource. Its word is the second half of an event's kind.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Verb {
            $(#[doc = $what] $name),*
        }

        impl Verb {
            /// Every verb.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As it stands in an event's kind.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// What it means, for a person.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $what),* }
            }
        }
    };
}

verbs! {
    Created "created" "The resource was created.",
    Updated "updated" "The resource was updated.",
    Reverted "reverted" "The resource was reverted to an earlier version.",
    Deleted "deleted" "The resource was deleted. The data is its last state.",
    Submitted "submitted" "The resource was submitted, and approved if no approval is required.",
    Approved "approved" "The resource was approved.",
    Rejected "rejected" "The resource was rejected.",
    Reimbursed "reimbursed" "The expense was reimbursed.",
    Reopened "reopened" "The resource was reopened.",
    Stopped "stopped" "The timer was stopped.",
    PayoutStarted "payout_started" "The payout of the expense was started.",
    PayoutRefused "payout_refused" "The payout of the expense was refused. The expense remains approved.",
    Amended "amended" "The report was amended after its submission, with a reason.",
    Reversed "reversed" "The entry was reversed by another entry.",
    Advanced "advanced" "A step of the saga was completed or compensated.",
    Completed "completed" "All steps of the saga were completed.",
    Compensated "compensated" "The saga was compensated.",
    Failed "failed" "The saga failed and waits for a decision.",
    Retried "retried" "A retry of the saga was requested.",
    Cancelled "cancelled" "The resource was cancelled.",
    Finished "finished" "The task was finished.",
    MarkedPaid "marked_paid" "The payout was marked as paid manually.",
    Accepted "accepted" "The invitation was accepted.",
    Joined "joined" "The member received a login.",
    PasswordChanged "password_changed" "The password was changed.",
    ThresholdReached "threshold_reached" "Spending in a period reached a threshold of the budget.",
    Skipped "skipped" "The rule matched an expense that could not be changed.",
    SecretRotated "secret_rotated" "The secret was rotated.",
    Disabled "disabled" "The resource was disabled.",
    Enabled "enabled" "The resource was enabled.",
    Merged "merged" "A client has sent revisions that it had from elsewhere, and the document is as it was.",
    ReadingsAdded "readings_added" "Readings were added to the meter. The data says how many and of when.",
    ReadingsCorrected "readings_corrected" "Readings of the meter were replaced. The data says how many and of when.",
    ReadingsDeleted "readings_deleted" "Readings of the meter were deleted. The data says how many and of when.",
    ExchangeChanged "exchange_changed" "It was decided or entered where the counter began anew, or that it did not.",
    LimitPassed "limit_passed" "A value passed a limit of the meter.",
}

/// Effect of an event on its resource.
///
/// - `written`: The resource was created or changed; `data` is its new state.
/// - `removed`: The resource was deleted.
/// - `none`: The event does not change the resource.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, EnumString, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = EventEffect)]
pub enum Effect {
    /// The resource was created or changed; `data` is its new state.
    Written,
    /// The resource was deleted.
    Removed,
    /// The event does not change the resource.
    None,
}

/// Entry of the log: something that happened to a resource.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Event {
    /// Unique identifier (UUID), set by the server.
    pub id: Uuid,
    /// Position of the event in the log of the organization, from 1 without gaps; null until the
    /// server has assigned it.
    pub position: Option<i64>,
    /// Kind of the event: type of the resource and verb, such as `expense.approved`.
    pub kind: String,
    /// Type of the resource, such as `expense`.
    pub entity: String,
    /// Identifier of the resource.
    pub entity_id: Uuid,
    /// Version of the resource after the event; for a deletion, the last version plus one.
    pub version: i64,
    /// Effect of the event on the resource.
    pub effect: Effect,
    /// Time of the event (RFC 3339, UTC).
    pub at: DateTime<Utc>,
    /// Author of the event.
    pub author: EventAuthor,
    /// Identifier of the request that caused the event; null if no request did.
    pub request_id: Option<Uuid>,
    /// State of the resource after the event; for a deletion, its last state. Null if it has been
    /// erased since.
    #[schema(value_type = Option<Object>)]
    pub data: Option<Value>,
}

/// Author of an event.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventAuthor {
    /// Type of the author: `user`, `member`, `api_key`, `rule`, `operator` or `system`.
    pub kind: String,
    /// Identifier of the user, member, API key or rule; null for the operator and the system.
    pub id: Option<Uuid>,
}

impl Event {
    fn of(row: entity::event::Model) -> Result<Self> {
        let entity::event::Model {
            organization_id: _,
            id,
            at,
            ordinal: _,
            kind,
            entity,
            entity_id,
            entity_version,
            effect,
            author,
            author_id,
            request_id,
            data,
            data_digest: _,
            position,
            previous_chain: _,
            chain: _,
            sealed: _,
            scope_id: _,
        } = row;
        let mut data = data.map(canonical);
        if let Some(data) = &mut data {
            verbatim::expand(id, data)?;
        }
        Ok(Self {
            id,
            position,
            kind,
            entity,
            entity_id,
            version: entity_version,
            effect: stored::word(entity::event::Column::Effect, id, &effect)?,
            at: at.to_utc(),
            author: EventAuthor { kind: author, id: author_id },
            request_id,
            data,
        })
    }

    /// The event without what is sealed of it.
    ///
    /// # Errors
    /// Where this version does not know what it says.
    pub fn unsealed(row: VisibleRow) -> Result<Self> {
        let mut row = row.into_inner();
        sealed::strip(&mut row);
        Self::of(row)
    }

    /// The event without its data: for who may not see what it is about any more.
    ///
    /// # Errors
    /// Where this version does not know what it says.
    pub fn without_data(row: entity::event::Model) -> Result<Self> {
        Self::of(entity::event::Model { data: None, ..row })
    }

    /// The event as a whole.
    ///
    /// # Errors
    /// Where what is sealed does not open, or this version does not know what it says.
    pub fn decrypted(keyring: &Keyring, row: VisibleRow) -> Result<Self> {
        let mut row = row.into_inner();
        sealed::open(keyring, &mut row)?;
        Self::of(row)
    }

    /// The event as far as it opens. For lists of all that happens: they go on for what there is no key
    /// to, without what is sealed of it.
    ///
    /// # Errors
    /// Where this version does not know what it says.
    pub fn decrypted_lossy(keyring: &Keyring, row: VisibleRow) -> Result<Self> {
        let mut opened = row.clone().into_inner();
        if opened.sealed.is_none() {
            return Self::unsealed(row);
        }
        match sealed::open(keyring, &mut opened) {
            Ok(()) => Self::of(opened),
            Err(error) => {
                tracing::warn!(event = %row.id, %error, "what is sealed of an event does not open");
                Self::unsealed(row)
            }
        }
    }

    /// The event as the actor may see it, who may see this kind of resource.
    pub fn redacted_for(mut self, actor: &Actor, resource: &Descriptor) -> Self {
        if let Some(Value::Object(data)) = &mut self.data {
            (resource.redact)(actor, data);
        }
        self
    }
}

//! How a change gets into the log: with the statement that makes it ([`super::versioned`]), in its
//! transaction. What was recorded is written in one statement, before the transaction ends.

use chrono::{DateTime, Utc};
use entity::event;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Tx, commit_marker::CommitMarker, signal::Signal, stored::StoredWord};
use crate::{
    actor::{Actor, Author},
    error::{Error, Result},
    event::{Effect, Verb, sealed, verbatim},
    json::canonical,
    random::hexadecimal,
    resource::Resource,
};

/// How many events wait before they are written: an import must not keep all of its own in memory.
const BATCH_SIZE: usize = 128;

/// Whose log, and who does it.
#[derive(Debug, Clone, Copy)]
pub struct EventContext {
    /// The organization; nil for what happens to users.
    pub organization_id: Uuid,
    /// Who does it.
    pub author: Author,
    /// The request in which it is done.
    pub request_id: Option<Uuid>,
}

impl EventContext {
    /// A user, in what is of no organization.
    pub fn user(id: Uuid, request_id: Option<Uuid>) -> Self {
        Self { organization_id: NO_ORGANIZATION, author: Author::User(id), request_id }
    }

    /// The operator, in what is of no organization.
    pub fn operator() -> Self {
        Self { organization_id: NO_ORGANIZATION, author: Author::Operator, request_id: None }
    }
}

impl From<&Actor> for EventContext {
    fn from(actor: &Actor) -> Self {
        let Actor { organization_id, author, request_id, .. } = *actor;
        Self { organization_id, author, request_id }
    }
}

/// The log of what happens to users and is of no organization.
pub const NO_ORGANIZATION: Uuid = Uuid::nil();

/// What an event is about.
struct About {
    id: Uuid,
    version: i64,
    scope: Option<Uuid>,
}

impl Tx {
    /// Records what has happened to a resource: the resource as it is now, or was last.
    pub(super) async fn record_at<R: Resource>(
        &self,
        at: DateTime<Utc>,
        context: &EventContext,
        verb: Verb,
        effect: Effect,
        resource: &R,
    ) -> Result<()> {
        let version = resource.version() + i64::from(effect == Effect::Removed);
        let data = serde_json::to_value(resource)
            .map_err(|error| Error::Internal(format!("a resource cannot be shown: {error}")))?;
        let about = About { id: resource.id(), version, scope: resource.scope() };
        self.record_data::<R>(at, context, verb, effect, about, data).await
    }

    /// Records something about a resource that is not the resource itself.
    pub async fn record_notice<R: Resource>(
        &self,
        context: &EventContext,
        verb: Verb,
        (id, version): (Uuid, i64),
        data: Value,
    ) -> Result<()> {
        if R::SCOPED {
            return Err(Error::Internal(format!("a notice about {} has no scope", R::ENTITY)));
        }
        let about = About { id, version, scope: None };
        self.record_data::<R>(self.now(), context, verb, Effect::None, about, data).await
    }

    /// [`Self::record_notice`] about what is in a scope.
    pub async fn record_notice_in<R: Resource>(
        &self,
        context: &EventContext,
        scope: Uuid,
        verb: Verb,
        (id, version): (Uuid, i64),
        data: Value,
    ) -> Result<()> {
        let about = About { id, version, scope: Some(scope) };
        self.record_data::<R>(self.now(), context, verb, Effect::None, about, data).await
    }

    async fn record_data<R: Resource>(
        &self,
        at: DateTime<Utc>,
        context: &EventContext,
        verb: Verb,
        effect: Effect,
        About { id: entity_id, version, scope }: About,
        mut data: Value,
    ) -> Result<()> {
        if !R::VERBS.contains(&verb) {
            let (entity, verb) = (R::ENTITY, verb.as_str());
            return Err(Error::Internal(format!("{entity}.{verb} is not in the catalogue")));
        }
        let log = context.organization_id;
        let is_first_of_client_id = verb == Verb::Created && self.is_client_id(entity_id);
        let id = if is_first_of_client_id {
            creation_event_id(R::ENTITY, entity_id, version)
        } else {
            self.new_id()
        };
        verbatim::keep::<R>(&mut data)?;
        let sealed = sealed::seal::<R>((self.keyring(), self.random()), (log, id), &mut data)?;
        self.event_buffer().add(event::Model {
            organization_id: log,
            id,
            at: at.fixed_offset(),
            ordinal: self.next_ordinal(),
            kind: format!("{}.{}", R::ENTITY, verb.as_str()),
            entity: R::ENTITY.to_owned(),
            entity_id,
            entity_version: version,
            effect: effect.as_str().to_owned(),
            author: context.author.as_str().to_owned(),
            author_id: context.author.id(),
            request_id: context.request_id,
            data_digest: digest(&data),
            data: Some(data),
            sealed,
            scope_id: scope,
            position: None,
            previous_chain: None,
            chain: None,
        });
        Ok(self.write_events_if_many().await?)
    }

    /// Writes what was recorded if much waits.
    pub(super) async fn write_events_if_many(&self) -> Result<(), DbErr> {
        if self.event_buffer().len() >= BATCH_SIZE { self.write_events().await } else { Ok(()) }
    }

    /// Writes what was recorded.
    pub(super) async fn write_events(&self) -> Result<(), DbErr> {
        let mut events = self.event_buffer().drain();
        let Some(marker) = events.first().map(CommitMarker::of) else { return Ok(()) };
        let sequenced = self.assign_positions(&mut events).await?;
        self.signal(if sequenced { Signal::Sequenced } else { Signal::Recorded });
        while !events.is_empty() {
            let rest = events.split_off(rows_per_statement(events.len()));
            let rows = events.into_iter().map(|event| event.into_active_model().reset_all());
            event::Entity::insert_many(rows).exec_without_returning(self).await?;
            events = rest;
        }
        self.set_commit_marker(marker);
        Ok(())
    }
}

/// The id of the event that tells that something was made whose id a client chose: only one can be of each version, in
/// whatever transactions it is tried, also where what was made is gone again. Nobody finds two ids with the same (RFC
/// 9562, version 8).
fn creation_event_id(entity: &str, id: Uuid, version: i64) -> Uuid {
    let hash = Sha256::new().chain_update(entity).chain_update(id.as_bytes());
    let hash = match version {
        1 => hash,
        again => hash.chain_update(again.to_be_bytes()),
    };
    hashed_id(hash)
}

/// The id that follows from a hash (RFC 9562, version 8): nobody finds what else has the same.
pub fn hashed_id(hash: Sha256) -> Uuid {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.finalize()).for_each(|(byte, hashed)| *byte = hashed);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// How many of so many rows one statement writes: a few, or a power of two. A connection keeps the statement of each
/// number.
fn rows_per_statement(waiting: usize) -> usize {
    const SMALL_BATCH: usize = 8;
    if waiting <= SMALL_BATCH { waiting } else { 1 << waiting.min(BATCH_SIZE).ilog2() }
}

/// The SHA-256 of data as it is stored, in hexadecimal.
pub(crate) fn digest(data: &Value) -> String {
    hexadecimal(&Sha256::digest(canonical(data.clone()).to_string()))
}

/// The ids of new resources: the client's choice where there is one. An id that was ever taken stays
/// so, or the history of two would be one.
///
/// # Errors
/// The index of the first choice that is taken.
pub async fn new_ids<R: Resource>(
    tx: &Tx,
    organization_id: Uuid,
    chosen: &[Option<Uuid>],
) -> Result<std::result::Result<Vec<Uuid>, usize>> {
    let asked: Vec<Uuid> = chosen.iter().flatten().copied().collect();
    if !asked.is_empty() {
        let taken: Vec<Uuid> = event::Entity::find()
            .select_only()
            .column(event::Column::EntityId)
            .filter(event::COLUMN.organization_id.eq(organization_id))
            .filter(event::COLUMN.entity.eq(R::ENTITY))
            .filter(event::Column::EntityId.is_in(asked))
            .into_tuple()
            .all(tx)
            .await?;
        let first = chosen.iter().position(|id| id.is_some_and(|id| taken.contains(&id)));
        if let Some(index) = first {
            return Ok(Err(index));
        }
        tx.add_client_ids(chosen.iter().flatten());
    }
    Ok(Ok(chosen.iter().map(|id| id.unwrap_or_else(|| tx.new_id())).collect()))
}

/// The id of a new resource.
///
/// # Errors
/// [`Error::Duplicate`] where the client chose one that is or was taken.
pub async fn new_id<R: Resource>(
    tx: &Tx,
    organization_id: Uuid,
    chosen: Option<Uuid>,
) -> Result<Uuid> {
    match new_ids::<R>(tx, organization_id, &[chosen]).await? {
        Ok(ids) => ids.first().copied().ok_or_else(|| Error::Internal("no id was made".into())),
        Err(_) => Err(Error::Duplicate { pointer: "/id".into() }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_event_follows_from_what_is_made() {
        let id = Uuid::from_u128(7);
        assert_eq!(creation_event_id("task", id, 1), creation_event_id("task", id, 1));
        assert_ne!(creation_event_id("task", id, 1), creation_event_id("expense", id, 1));
        assert_ne!(
            creation_event_id("task", id, 1),
            creation_event_id("task", Uuid::from_u128(8), 1)
        );
        assert_ne!(creation_event_id("task", id, 1), creation_event_id("task", id, 3));
        assert_eq!(creation_event_id("task", id, 1).get_version_num(), 8);
    }

    #[test]
    fn a_digest_does_not_depend_on_the_order_of_names() {
        let one: Value =
            serde_json::from_str(r#"{"a":1,"b":{"x":[1.5,null],"y":"é"}}"#).expect("JSON");
        let other: Value =
            serde_json::from_str(r#"{"b":{"y":"é","x":[1.5,null]},"a":1}"#).expect("JSON");
        assert_eq!(digest(&one), digest(&other));
        assert_ne!(digest(&one), digest(&json!({ "a": 2 })));
    }
}

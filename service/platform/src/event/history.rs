//! What was: the versions of one resource, and the resource as it was.
//!
//! Read by the resource and not by position, so that a change shows at once.

use std::future::Future;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{Effect, Event, Verb, Visibility, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    input::{Change, TransitionBody},
    resource::{Descriptor, Resource, Versioned},
    store::{
        Store, Tx,
        log::NO_ORGANIZATION,
        page::{Page, PageQuery},
    },
    text,
};

/// Time of the state to return.
#[crate::input::bounded]
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AtQuery {
    /// Return the resource as it was at this instant (RFC 3339, UTC). Defaults to its current
    /// state.
    #[validate(custom(function = text::instant))]
    pub as_of: Option<DateTime<Utc>>,
}

/// A resource as it is, or as it was.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum At<R> {
    /// As it is.
    Now(R),
    /// As it was.
    Then(Past),
}

/// A resource as the API showed it once. It may have had other fields then.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Past {
    #[serde(skip)]
    id: Uuid,
    #[serde(skip)]
    version: i64,
    data: Map<String, Value>,
}

impl<R: Versioned> Versioned for At<R> {
    fn id(&self) -> Uuid {
        match self {
            Self::Now(resource) => resource.id(),
            Self::Then(past) => past.id,
        }
    }

    fn version(&self) -> i64 {
        match self {
            Self::Now(resource) => resource.version(),
            Self::Then(past) => past.version,
        }
    }
}

/// A resource as it was at the instant that the query names; as `now` finds it if it names none.
pub async fn at<R: Resource>(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    query: AtQuery,
    now: impl Future<Output = Result<R>>,
) -> Result<At<R>> {
    let Some(instant) = query.as_of else { return now.await.map(At::Now) };
    R::require_keys(store.keyring())?;
    let visibility = store.visibility_of::<R>(actor);
    let mut past = past::<R>(store, &visibility, actor.organization_id, id, instant).await?;
    R::redact(actor, &mut past.data);
    Ok(At::Then(past))
}

/// The same of a user, for themselves.
pub async fn own_at<R: Resource>(
    store: &Store,
    user_id: Uuid,
    query: AtQuery,
    now: impl Future<Output = Result<R>>,
) -> Result<At<R>> {
    let Some(instant) = query.as_of else { return now.await.map(At::Now) };
    let visibility = Visibility::unscoped();
    past::<R>(store, &visibility, NO_ORGANIZATION, user_id, instant).await.map(At::Then)
}

async fn past<R: Resource>(
    store: &Store,
    visibility: &Visibility,
    log: Uuid,
    id: Uuid,
    instant: DateTime<Utc>,
) -> Result<Past> {
    let event = repository::at(store.read(), visibility, log, (R::ENTITY, id), instant).await?;
    let event = Event::decrypted(store.keyring(), event.ok_or(Error::NotFound(R::ENTITY))?)?;
    if event.effect != Effect::Written {
        return Err(Error::NotFound(R::ENTITY));
    }
    match event.data {
        Some(Value::Object(data)) => Ok(Past { id, version: event.version, data }),
        _ => Err(erased()),
    }
}

fn erased() -> Error {
    Error::state("erased", "the data of the version was erased")
}

/// What has happened to a resource, the latest first; also to one that is gone.
///
/// # Errors
/// [`Error::NotFound`] where nothing was ever known of it.
pub async fn history<R: Resource>(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    query: &PageQuery,
) -> Result<Page<Event>> {
    let visibility = store.visibility_of::<R>(actor);
    let page = versions::<R>(store, &visibility, actor.organization_id, id, query).await?;
    Ok(page.map(|event| event.redacted_for(actor, &Descriptor::of::<R>())))
}

/// What a resource was in one of its versions. Nothing where it never had that version, or it was erased since.
pub async fn of_version<R: Resource>(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    version: i64,
) -> Result<Option<Map<String, Value>>> {
    let (visibility, log) = (tx.visibility_of::<R>(actor), actor.organization_id);
    let row = repository::visible_version(tx, &visibility, log, (R::ENTITY, id), version).await?;
    let event = row.map(|row| Event::decrypted(tx.keyring(), row)).transpose()?;
    Ok(event.and_then(|event| match event.data {
        Some(Value::Object(data)) => Some(data),
        _ => None,
    }))
}

/// How often one thing has happened to a resource, the latest first.
pub async fn of_verb<R: Resource>(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    verb: Verb,
    query: &PageQuery,
) -> Result<Page<Event>> {
    R::require_keys(store.keyring())?;
    let log = actor.organization_id;
    let (connection, visibility) = (store.read(), store.visibility_of::<R>(actor));
    let about = (R::ENTITY, id);
    let page = repository::of_verb(connection, &visibility, log, about, verb, query).await?;
    page.try_map(|row| Event::decrypted(store.keyring(), row))
}

/// The same of a user, for themselves.
pub async fn own_history<R: Resource>(
    store: &Store,
    user_id: Uuid,
    query: &PageQuery,
) -> Result<Page<Event>> {
    versions::<R>(store, &Visibility::unscoped(), NO_ORGANIZATION, user_id, query).await
}

async fn versions<R: Resource>(
    store: &Store,
    visibility: &Visibility,
    log: Uuid,
    id: Uuid,
    query: &PageQuery,
) -> Result<Page<Event>> {
    R::require_keys(store.keyring())?;
    let about = (R::ENTITY, id);
    let page = repository::visible_history(store.read(), visibility, log, about, query).await?;
    // Only what nobody has made up has a page beyond its last.
    if page.items.is_empty() {
        return Err(Error::NotFound(R::ENTITY));
    }
    page.try_map(|row| Event::decrypted(store.keyring(), row))
}

/// Target of a revert.
#[crate::input::bounded]
#[derive(Debug, Clone, Copy, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "to_version": 1 })))]
pub struct RevertInput {
    /// Number of the version whose state the resource gets again.
    #[validate(range(min = 1))]
    pub to_version: i64,
}

/// The change that makes a resource what it was at a version.
///
/// # Errors
/// [`Error::Invalid`] where it never had that version, [`Error::State`] where that was erased.
pub async fn revert_to<R: Resource, T>(
    tx: &Tx,
    visibility: &Visibility,
    log: Uuid,
    id: Uuid,
    body: &TransitionBody<RevertInput>,
) -> Result<Change<T>> {
    let RevertInput { to_version } = body.input()?;
    let about = (R::ENTITY, id);
    let event = repository::visible_version(tx, visibility, log, about, to_version).await?;
    let unknown =
        || Error::invalid("/to_version", "unknown", "must be a version that the resource has had");
    match Event::decrypted(tx.keyring(), event.ok_or_else(unknown)?)?.data {
        Some(Value::Object(data)) => Ok(Change::revert_to(data)),
        _ => Err(erased()),
    }
}

//! The log of an organization, in the order in which it is told.

use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{Event, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    resource::Descriptor,
    store::{
        Store,
        page::{DEFAULT_LIMIT, MAX_LIMIT},
    },
};

/// How many positions one look goes through at most, whatever it finds: events that a filter leaves
/// out are read all the same.
const MAX_POSITIONS_SCANNED: i64 = 5_000;

/// Position, filters and limit of a list of events.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// Return events after this position: `next_after` of the previous response. Omit it to start
    /// with the first event.
    #[validate(range(min = 0))]
    pub after: Option<i64>,
    /// Return events of these kinds, separated by commas: `expense.approved,budget.*`. At most 2000
    /// characters.
    #[validate(length(max = 2000))]
    pub kinds: Option<String>,
    /// Return events of this type of resource, or of one resource: `expense`, `expense/ID`. At most
    /// 100 characters.
    #[validate(length(max = 100))]
    pub entity: Option<String>,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
}

/// Events of the organization in the order of their positions.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = EventFeed)]
pub struct EventPage {
    /// Events after the requested position.
    pub items: Vec<Event>,
    /// Position to pass as `after` in the next request. It equals the requested position if there
    /// were no further events.
    pub next_after: i64,
}

/// What of a log somebody wants to see.
#[derive(Debug, Clone)]
pub struct Filter {
    resources: &'static [Descriptor],
    kinds: Vec<String>,
    entities: Vec<&'static str>,
    about: Option<(&'static str, Option<Uuid>)>,
}

impl Filter {
    /// The filter of a query over the events of these resources.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it names a kind that there is not.
    pub fn of(resources: &'static [Descriptor], query: &EventQuery) -> Result<Self> {
        let mut filter = Self { resources, kinds: Vec::new(), entities: Vec::new(), about: None };
        for kind in query.kinds.iter().flat_map(|kinds| kinds.split(',')) {
            let unknown = || {
                Error::invalid("?kinds", "unknown", "must consist of kinds of events that exist")
            };
            let (entity, verb) = kind.trim().split_once('.').ok_or_else(unknown)?;
            let resource = filter.resource(entity).ok_or_else(unknown)?;
            if verb == "*" {
                filter.entities.push(resource.entity);
            } else if resource.has_kind(kind.trim()) {
                filter.kinds.push(kind.trim().to_owned());
            } else {
                return Err(unknown());
            }
        }
        if let Some(about) = &query.entity {
            let unknown = |what| Error::invalid("?entity", "unknown", what);
            let (name, id) = match about.split_once('/') {
                Some((name, id)) => (name, Some(id)),
                None => (&**about, None),
            };
            let resource = filter
                .resource(name)
                .ok_or_else(|| unknown("must name a type of resource that exists"))?;
            let id = id.map(Uuid::try_parse).transpose();
            filter.about = Some((
                resource.entity,
                id.map_err(|_| unknown("must have a UUID after the slash"))?,
            ));
        }
        Ok(filter)
    }

    fn resource(&self, entity: &str) -> Option<&'static Descriptor> {
        self.resources.iter().find(|resource| resource.entity == entity)
    }

    pub(super) fn kinds(&self) -> &[String] {
        &self.kinds
    }

    pub(super) fn entities(&self) -> &[&'static str] {
        &self.entities
    }

    pub(super) fn about(&self) -> Option<(&'static str, Option<Uuid>)> {
        self.about
    }
}

/// The events that a query asks for, as far as the actor may see them.
pub async fn list(
    store: &Store,
    resources: &'static [Descriptor],
    actor: &Actor,
    query: &EventQuery,
) -> Result<EventPage> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let filter = Filter::of(resources, query)?;
    page(store, actor, &filter, query.after.unwrap_or(0), limit).await
}

/// That a client does not continue after a position which the log has not reached: it was restored, or is another.
///
/// # Errors
/// [`Error::Invalid`] at `pointer`, where the client named the position.
pub fn require_reached(after: i64, end: i64, pointer: &str) -> Result<()> {
    if after <= end {
        return Ok(());
    }
    let message = format!("must be a position of this log, which ends at {end}; start again at 0");
    Err(Error::invalid(pointer, "cursor", message))
}

/// Where the log of an organization ends.
pub async fn head_position(store: &Store, actor: &Actor) -> Result<i64> {
    head_position_of(store.read(), actor.organization_id).await
}

async fn head_position_of(connection: &impl ConnectionTrait, log: Uuid) -> Result<i64> {
    Ok(repository::head(connection, log).await?.map_or(0, |head| head.position))
}

/// The events after a position that pass a filter, as far as the actor may see them.
///
/// # Errors
/// [`Error::Invalid`] where the log ends before the position.
pub async fn page(
    store: &Store,
    actor: &Actor,
    filter: &Filter,
    after: i64,
    limit: u64,
) -> Result<EventPage> {
    let end = head_position_of(store.read(), actor.organization_id).await?;
    require_reached(after, end, "?after")?;
    if end == after {
        return Ok(EventPage { items: Vec::new(), next_after: after });
    }
    // What is known of one resource has an index of its own.
    let one = filter.about.is_some_and(|(_, id)| id.is_some());
    let until = if one { end } else { end.min(after.saturating_add(MAX_POSITIONS_SCANNED)) };
    let readable = filter.resources.iter().filter(|resource| actor.may(resource.read));
    let readable: Vec<&str> = readable.map(|resource| resource.entity).collect();
    let positions = (after, until);
    let log = actor.organization_id;
    let visibility = store.visibility(actor);
    let rows = repository::visible_between(
        store.read(),
        &visibility,
        log,
        positions,
        &readable,
        filter,
        limit,
    );
    let shown = |event: Event| {
        let resource = filter.resource(&event.entity)?;
        Some(event.redacted_for(actor, resource))
    };
    let read = |row| Event::decrypted_lossy(store.keyring(), row).map(shown).transpose();
    let items = rows.await?.into_iter().filter_map(read).collect::<Result<Vec<Event>>>()?;
    let full = items.len() as u64 == limit;
    let last = items.last().and_then(|event| event.position);
    Ok(EventPage { next_after: last.filter(|_| full).unwrap_or(until), items })
}

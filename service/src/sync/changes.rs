use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Changed, Changes, ChangesQuery, repository};
use crate::{
    actor::Actor,
    catalogue::{self, RESOURCES},
    document::collection::repository::access_state,
    error::{Error, Result},
    event::{Effect, Event, chain},
    resource::Descriptor,
    role::Role,
    store::{
        Store,
        page::{DEFAULT_LIMIT, MAX_CURSOR_LENGTH, MAX_LIMIT},
        stored::StoredWord,
    },
};

/// How many events one answer looks at. Most of a long log may be of other kinds, or of states that
/// are long past: what an answer takes must not depend on that.
const BATCH_SIZE: i64 = 5_000;
/// How much of a hash a cursor holds.
const MARK_LENGTH: usize = 16;

/// The latest state of what has changed since a cursor, as far as the actor may see it.
pub async fn changes(store: &Store, actor: &Actor, query: &ChangesQuery) -> Result<Changes> {
    let (log, connection) = (actor.organization_id, store.read());
    let (entities, mut scope) = scope(actor, query.entities.as_deref())?;
    if actor.role != Role::Owner && entities.iter().any(|entity| entity.scoped) {
        let state = access_state(connection, log).await?;
        scope.extend(state.map(|state| format!("+{state}")));
    }
    let since = query.since.as_deref().map(Cursor::decode).transpose()?;
    let after = since.as_ref().map_or(0, |since| since.position);
    // Before the events: what is later than this end comes in the next answer.
    let end = repository::end(connection, log).await?;
    let until = end.min(after.saturating_add(BATCH_SIZE));
    let chains = repository::chains(connection, log, [after, until]).await?;
    let chain = |position| chains.get(&position).map_or(chain::START, String::as_str);
    if let Some(since) = since
        && (after > end || since != Cursor::new(after, chain(after), &scope))
    {
        return Err(unknown());
    }
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let names = entities.iter().map(|entity| entity.entity);
    let visibility = store.visibility(actor);
    let mut events =
        repository::latest(connection, &visibility, log, (after, until), names, limit + 1).await?;
    let cut = events.len() as u64 > limit;
    events.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let last = events.last().and_then(|last| Some((last.position?, last.chain.as_deref()?)));
    let cursor = match last {
        Some((position, chain)) if cut => Cursor::new(position, chain, &scope),
        _ => Cursor::new(until, chain(until), &scope),
    };
    let shown = |event| shown(actor, &entities, event);
    let read = |event| Event::decrypted_lossy(store.keyring(), event).map(shown).transpose();
    let items = events.into_iter().filter_map(read).collect::<Result<_>>()?;
    Ok(Changes { items, cursor: cursor.encode()?, more: cut || until < end })
}

/// The kinds that are asked for and that the actor may see, and a word for them: who may see more
/// than before, or less, has to begin anew.
fn scope(actor: &Actor, asked: Option<&str>) -> Result<(Vec<&'static Descriptor>, String)> {
    let role = actor.role.as_str();
    let (mut entities, scope) = match asked {
        None => (RESOURCES.iter().collect(), role.to_owned()),
        Some(names) => {
            let named = |name| catalogue::resource(name).ok_or_else(unknown_entity);
            let mut entities = names.split(',').map(named).collect::<Result<Vec<_>>>()?;
            entities.sort_unstable_by_key(|entity| entity.entity);
            entities.dedup_by_key(|entity| entity.entity);
            let names: Vec<_> = entities.iter().map(|entity| entity.entity).collect();
            (entities, format!("{role}:{}", names.join(",")))
        }
    };
    entities.retain(|entity| actor.may(entity.read));
    Ok((entities, scope))
}

fn unknown_entity() -> Error {
    let known: Vec<_> = RESOURCES.iter().map(|entity| entity.entity).collect();
    Error::invalid(
        "?entities",
        "unknown",
        format!("must be a comma-separated list of {}", known.join(",")),
    )
}

fn shown(actor: &Actor, entities: &[&Descriptor], event: Event) -> Option<Changed> {
    let deleted = event.effect == Effect::Removed;
    let mut data = event.data.filter(|_| !deleted);
    if let Some(Value::Object(fields)) = &mut data {
        let entity = entities.iter().find(|entity| entity.entity == event.entity)?;
        (entity.redact)(actor, fields);
    }
    let (entity, id, version) = (event.entity, event.entity_id, event.version);
    Some(Changed { entity, id, version, position: event.position?, deleted, data })
}

/// How far a client has read, of which log and of what in it. A log that was put back from a backup
/// and went on from there is another one: its hashes tell.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Cursor {
    #[serde(rename = "p")]
    position: i64,
    #[serde(rename = "c")]
    chain: String,
    #[serde(rename = "s")]
    scope: String,
}

impl Cursor {
    fn new(position: i64, chain: &str, scope: &str) -> Self {
        Self { position, chain: chain.chars().take(MARK_LENGTH).collect(), scope: scope.to_owned() }
    }

    fn encode(&self) -> Result<String> {
        let json = serde_json::to_vec(self)
            .map_err(|error| Error::Internal(format!("a cursor cannot be written: {error}")))?;
        Ok(URL_SAFE_NO_PAD.encode(json))
    }

    fn decode(text: &str) -> Result<Self> {
        let text = Some(text).filter(|text| text.len() <= MAX_CURSOR_LENGTH);
        let cursor = text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let cursor = cursor.and_then(|json| serde_json::from_slice::<Self>(&json).ok());
        cursor.filter(|cursor| cursor.position >= 0).ok_or_else(unknown)
    }
}

fn unknown() -> Error {
    let message =
        "must be a cursor for this organization, role and entities; start again without it";
    Error::invalid("?since", "cursor", message)
}

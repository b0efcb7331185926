//! `_changes`: at once, or once there are any.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde_json::Value;
use service::{
    document::couch::{self, Changes, ChangesQuery, MAX_CHANGES, Seq},
    event,
    role::Permission,
    store::signal::Signal,
};
use tokio::time::{Instant, timeout_at};

use super::{
    answer::{Answer, Refused},
    continuous::{self, Until},
    document::Exact,
    parameters::{Database, LAST_EVENT_ID, Parameters, invalid},
};
use crate::{
    extract::{Body, Require, StreamSession},
    permission,
    state::State,
};

type Reader = Require<permission::ReadDocuments>;

/// How long a client waits at most that does not say: CouchDB's default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a sign of life is sent at most.
const LEAST_HEARTBEAT: Duration = Duration::from_secs(1);
/// How long a look waits that nothing wakes: what a signal that was lost can cost.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

pub(super) async fn changes(
    state: web::Data<State>,
    caller: Reader,
    reader: StreamSession,
    Database(collection): Database,
    parameters: Parameters,
) -> Answer {
    let none = Exact(Value::Null);
    told(&state, &caller, reader, collection, &parameters, none).await
}

/// Those of documents that are named in the body.
pub(super) async fn changes_of(
    state: web::Data<State>,
    caller: Reader,
    reader: StreamSession,
    Database(collection): Database,
    parameters: Parameters,
    Body(body): Body<Exact>,
) -> Answer {
    told(&state, &caller, reader, collection, &parameters, body).await
}

async fn told(
    state: &State,
    caller: &Reader,
    reader: StreamSession,
    collection: String,
    parameters: &Parameters,
    mut body: Exact,
) -> Answer {
    let ids = match (parameters.text("filter"), body.take("doc_ids")) {
        (None, _) => None,
        (Some("_doc_ids"), ids) => {
            let ids = serde_json::from_value(ids).ok().or_else(|| {
                serde_json::from_str(parameters.text("doc_ids").unwrap_or_default()).ok()
            });
            Some(ids.ok_or_else(|| invalid("doc_ids", "must be an array of texts"))?)
        }
        (Some(_), _) => return Err(invalid("filter", "must be `_doc_ids`, if it is there")),
    };
    let query = ChangesQuery {
        since: since(state, caller, parameters).await?,
        limit: limit(parameters, MAX_CHANGES)?,
        descending: parameters.is_on("descending"),
        all_leaves: parameters.text("style") == Some("all_docs"),
        documents: parameters.is_on("include_docs").then(|| parameters.with()),
        ids,
    };
    let changes = match parameters.text("feed") {
        None | Some("normal") => {
            couch::changes(&state.store, &caller.actor, &collection, query).await?
        }
        Some("longpoll") => wait(state, caller, &reader, &collection, parameters, query).await?,
        Some("continuous") => {
            let until = until(parameters)?;
            let query =
                ChangesQuery { descending: false, limit: limit(parameters, u64::MAX)?, ..query };
            return continuous::open(state, &caller.actor, reader, collection, query, until).await;
        }
        Some(_) => {
            return Err(invalid("feed", "must be `normal`, `longpoll` or `continuous`"));
        }
    };
    Ok(HttpResponse::Ok().json(Value::from(changes)))
}

fn limit(parameters: &Parameters, most: u64) -> Result<u64, Refused> {
    Ok(parameters.number("limit")?.unwrap_or(most).max(1))
}

/// How long a feed goes on. A client that wants signs of life sets no time.
fn until(parameters: &Parameters) -> Result<Until, Refused> {
    let heartbeat = match parameters.text("heartbeat") {
        Some("true") => Some(DEFAULT_TIMEOUT),
        Some("false") | None => None,
        Some(_) => parameters.number("heartbeat")?.map(Duration::from_millis),
    };
    if let Some(heartbeat) = heartbeat {
        return Ok(Until::Gone(heartbeat.max(LEAST_HEARTBEAT)));
    }
    let asked = parameters.number("timeout")?.map_or(DEFAULT_TIMEOUT, Duration::from_millis);
    Ok(Until::Quiet(asked.min(DEFAULT_TIMEOUT)))
}

/// After which change. A client may send what it was told as JSON.
async fn since(state: &State, caller: &Reader, parameters: &Parameters) -> Result<Seq, Refused> {
    let since = parameters.text("since").or_else(|| parameters.text(LAST_EVENT_ID));
    match since.map(|text| text.trim_matches('"')) {
        None | Some("") => Ok(Seq::START),
        Some("now") => {
            let end = event::head_position(&state.store, &caller.actor).await?;
            Ok(Seq::from_position(end))
        }
        Some(text) => Seq::parse(text).ok_or_else(|| invalid("since", "must be a `seq`, or `now`")),
    }
}

/// The changes once there are any, or none when the time is up. Who asks, and what they may see, is asked again at
/// every look.
async fn wait(
    state: &State,
    caller: &Reader,
    reader: &StreamSession,
    collection: &str,
    parameters: &Parameters,
    query: ChangesQuery,
) -> Result<Changes, Refused> {
    let asked = parameters.number("timeout")?.map_or(DEFAULT_TIMEOUT, Duration::from_millis);
    // The answer comes before the server gives the request up.
    let longest = state.settings.limits.request_timeout / 2;
    let deadline = Instant::now() + asked.min(longest);
    let mut ended = state.streams.watch_end();
    let mut wake = state.store.watch(Signal::Sequenced);
    let mut actor = caller.actor.clone();
    loop {
        wake.borrow_and_update();
        let changes = couch::changes(&state.store, &actor, collection, query.clone()).await?;
        if !changes.results.is_empty() || Instant::now() >= deadline || *ended.borrow() {
            return Ok(changes);
        }
        let next = deadline.min(Instant::now() + POLL_INTERVAL);
        let woken = async {
            tokio::select! {
                _ = wake.changed() => {}
                _ = ended.changed() => {}
            }
        };
        // Nothing woke it: it looks all the same.
        let _ = timeout_at(next, woken).await;
        actor = reader.actor(&state.access_cache).await?;
        actor.require(Permission::ReadDocuments)?;
    }
}

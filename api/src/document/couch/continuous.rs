//! `_changes?feed=continuous`: one change a line, as long as the client reads.

use std::{convert::Infallible, time::Duration};

use actix_web::{HttpResponse, http::header, web::Bytes};
use futures_util::stream;
use serde_json::{Value, json};
use service::{
    Actor,
    document::couch::{self, ChangesQuery, Refusal},
    role::Permission,
    store::signal::Signal,
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use super::answer::Refused;
use crate::{extract::StreamSession, state::State, stream::StreamPermit};

/// How long a look waits that nothing wakes: what a signal that was lost can cost.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How many changes are read at once.
const BATCH_SIZE: u64 = 50;
/// How many lines wait for a client that reads slowly, besides those of a look.
const BUFFER_SIZE: usize = 16;

/// How long a feed goes on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Until {
    /// Until nothing has happened for so long.
    Quiet(Duration),
    /// Until the client goes, with a sign of life so often.
    Gone(Duration),
}

/// Answers with a feed. It has a place among the streams of the organization.
pub(super) async fn open(
    state: &State,
    actor: &Actor,
    reader: StreamSession,
    collection: String,
    query: ChangesQuery,
    until: Until,
) -> Result<HttpResponse, Refused> {
    let permit = state.streams.acquire(actor.organization_id, state.settings.streams)?;
    // What cannot be read is said before anything else.
    let first = ChangesQuery { limit: 1, ..query.clone() };
    couch::changes(&state.store, actor, &collection, first).await?;
    let (out, mut lines) = mpsc::channel(BUFFER_SIZE);
    let feed = Feed {
        state: state.clone(),
        actor: actor.clone(),
        reader,
        collection,
        query,
        out,
        last_sent_at: Instant::now(),
        _permit: permit,
    };
    // What it reads stays on this thread.
    actix_web::rt::spawn(feed.run(until));
    let body = stream::poll_fn(move |context| lines.poll_recv(context).map(|line| line.map(Ok)));
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // What stands between must not gather it.
        .insert_header(("x-accel-buffering", "no"))
        .streaming::<_, Infallible>(body))
}

/// A feed, on its way.
struct Feed {
    state: State,
    /// Who reads, as they were when they were last asked.
    actor: Actor,
    reader: StreamSession,
    collection: String,
    /// What is left to be told.
    query: ChangesQuery,
    out: mpsc::Sender<Bytes>,
    /// When something was last sent.
    last_sent_at: Instant,
    _permit: StreamPermit,
}

/// The client is gone, or may not go on.
struct Ended;

impl Feed {
    async fn run(mut self, until: Until) {
        if self.tell(until).await.is_ok() {
            // Nobody may be there any more.
            let _ = self.send(&json!({ "last_seq": self.query.since.to_string() })).await;
        }
    }

    /// Goes on until all is told that was asked for, the time is up, or the server stops.
    async fn tell(&mut self, until: Until) -> Result<(), Ended> {
        let mut ended = self.state.streams.watch_end();
        let mut wake = self.state.store.watch(Signal::Sequenced);
        while !*ended.borrow() && !self.out.is_closed() && self.query.limit > 0 {
            wake.borrow_and_update();
            if self.look().await? {
                continue;
            }
            let quiet = self.last_sent_at.elapsed();
            let rest = match until {
                Until::Quiet(longest) if quiet >= longest => return Ok(()),
                Until::Quiet(longest) => longest - quiet,
                Until::Gone(heartbeat) if quiet >= heartbeat => {
                    self.send_text("\n".to_owned()).await?;
                    heartbeat
                }
                Until::Gone(heartbeat) => heartbeat - quiet,
            };
            tokio::select! {
                _ = wake.changed() => {}
                () = tokio::time::sleep(rest.min(POLL_INTERVAL)) => {}
                () = self.out.closed() => {}
                _ = ended.changed() => {}
            }
        }
        Ok(())
    }

    /// Sends what is new, and says whether there may be more. Who reads, and what they may see, is asked before.
    async fn look(&mut self) -> Result<bool, Ended> {
        self.actor = match self.reader.actor(&self.state.access_cache).await {
            Ok(actor) if actor.may(Permission::ReadDocuments) => actor,
            _ => return Err(Ended),
        };
        let limit = self.query.limit.min(BATCH_SIZE);
        let query = ChangesQuery { limit, ..self.query.clone() };
        let found = couch::changes(&self.state.store, &self.actor, &self.collection, query).await;
        let changes = match found {
            Ok(changes) => changes,
            Err(Refusal::Other(error)) => {
                tracing::warn!(%error, "a feed of changes ends");
                return Err(Ended);
            }
            Err(_) => return Err(Ended),
        };
        for change in &changes.results {
            self.send(change).await?;
        }
        let told = changes.results.len() as u64;
        self.query.limit -= told.min(self.query.limit);
        let moved = changes.last.position > self.query.since.position;
        self.query.since = changes.last;
        Ok(moved && told == limit)
    }

    async fn send(&mut self, line: &Value) -> Result<(), Ended> {
        self.send_text(format!("{line}\n")).await
    }

    async fn send_text(&mut self, text: String) -> Result<(), Ended> {
        let stall = self.state.settings.streams.stall;
        match timeout(stall, self.out.send(Bytes::from(text))).await {
            Ok(Ok(())) => {
                self.last_sent_at = Instant::now();
                Ok(())
            }
            _ => Err(Ended),
        }
    }
}

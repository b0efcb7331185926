//! The log of an organization, live: server-sent events.
//!
//! A stream reads pages of the log from the table, as `GET …/events` does; a signal only wakes it. Who
//! reads it, and what they may see, is asked again at every look, before it is told.

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web::Bytes,
};
use futures_util::stream;
use service::{
    Actor, error,
    event::{self, Event, Filter},
    role::Permission,
    store::signal::Signal,
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, timeout},
};
use uuid::Uuid;

use crate::{extract::StreamSession, problem::Failure, state::State};

/// The media type.
pub(crate) const MEDIA_TYPE: &str = "text/event-stream";
/// How long a stream waits that nothing wakes: what a signal that was lost can cost.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How many events are read at once.
const BATCH_SIZE: u64 = 50;
/// How many events wait for a client that reads slowly, besides those of a page.
const BUFFER_SIZE: usize = 16;

/// How streams are held.
#[derive(Debug, Clone, Copy)]
pub struct StreamLimits {
    /// How many an organization has open at once on this node.
    pub for_each_organization: usize,
    /// How often a sign of life is sent where nothing happens.
    pub heartbeat: Duration,
    /// How long a client that does not read is waited for.
    pub stall: Duration,
}

/// The streams of this process.
#[derive(Debug, Clone)]
pub struct Streams {
    open: Arc<Mutex<HashMap<Uuid, usize>>>,
    ended: watch::Sender<bool>,
}

impl Default for Streams {
    fn default() -> Self {
        Self { open: Arc::default(), ended: watch::Sender::new(false) }
    }
}

impl Streams {
    /// Ends them all: a stop waits for answers under way, and these would go on for ever.
    pub fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Becomes true when all that waits is to end.
    pub(crate) fn watch_end(&self) -> watch::Receiver<bool> {
        self.ended.subscribe()
    }

    /// A place for one more of an organization.
    ///
    /// # Errors
    /// Where it has as many as it may have.
    pub(crate) fn acquire(
        &self,
        organization_id: Uuid,
        limits: StreamLimits,
    ) -> Result<StreamPermit, Failure> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(organization_id).or_default();
        if *count >= limits.for_each_organization {
            let status = StatusCode::TOO_MANY_REQUESTS;
            let failure = Failure::new(status, "too_many_streams", "Too many streams");
            return Err(failure.detail("the organization has the maximum number of streams open"));
        }
        *count += 1;
        metrics::gauge!("steward_event_streams").increment(1.0);
        Ok(StreamPermit { streams: self.clone(), organization_id })
    }
}

/// The place of one stream among those of its organization.
pub(crate) struct StreamPermit {
    streams: Streams,
    organization_id: Uuid,
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.organization_id) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.organization_id);
            }
        }
        metrics::gauge!("steward_event_streams").decrement(1.0);
    }
}

/// What a stream is about.
pub(crate) struct Subscription {
    /// Which events.
    pub(crate) filter: Filter,
    /// After which position, and where the client has named it; from now on if it is left out.
    pub(crate) after: Option<(i64, &'static str)>,
}

/// Answers with a stream.
pub(crate) async fn open(
    state: &State,
    actor: &Actor,
    reader: StreamSession,
    subscription: Subscription,
) -> Result<HttpResponse, Failure> {
    let permit = state.streams.acquire(actor.organization_id, state.settings.streams)?;
    // Before the end of the log is looked up: nothing falls between.
    let wake = state.store.watch(Signal::Sequenced);
    let end = event::head_position(&state.store, actor).await?;
    let after = match subscription.after {
        Some((after, pointer)) => {
            event::require_reached(after, end, pointer)?;
            after
        }
        None => end,
    };
    let (out, mut chunks) = mpsc::channel(BUFFER_SIZE);
    // One that waits can never be full.
    let _ = out.try_send(Bytes::from(format!("retry: 1000\nid: {after}\n: open\n\n")));
    let stream = Stream {
        state: state.clone(),
        actor: actor.clone(),
        reader,
        filter: subscription.filter,
        after,
        out,
        last_sent_at: Instant::now(),
        _permit: permit,
    };
    tokio::spawn(stream.run(wake, subscription.after.is_some()));
    let body = stream::poll_fn(move |context| chunks.poll_recv(context).map(|chunk| chunk.map(Ok)));
    Ok(HttpResponse::Ok()
        .content_type(MEDIA_TYPE)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // What stands between must not gather it.
        .insert_header(("x-accel-buffering", "no"))
        .streaming::<_, Infallible>(body))
}

/// One stream, on its way.
struct Stream {
    state: State,
    /// Who reads, as they were when they were last asked.
    actor: Actor,
    reader: StreamSession,
    filter: Filter,
    after: i64,
    out: mpsc::Sender<Bytes>,
    /// When something was last sent.
    last_sent_at: Instant,
    _permit: StreamPermit,
}

/// The client is gone, or may not go on.
struct Ended;

impl Stream {
    /// Goes on until the client goes, may not read on or does not, or the server stops.
    async fn run(mut self, mut wake: watch::Receiver<u64>, mut look: bool) {
        let mut ended = self.state.streams.ended.subscribe();
        let interval = POLL_INTERVAL.min(self.state.settings.streams.heartbeat);
        while !*ended.borrow() && !self.out.is_closed() {
            if look {
                wake.borrow_and_update();
                match self.look().await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(Ended) => return,
                }
            }
            if self.last_sent_at.elapsed() >= self.state.settings.streams.heartbeat
                && self.send(format!("id: {}\n: alive\n\n", self.after)).await.is_err()
            {
                return;
            }
            tokio::select! {
                _ = wake.changed() => {}
                () = tokio::time::sleep(interval) => {}
                () = self.out.closed() => {}
                _ = ended.changed() => {}
            }
            look = true;
        }
    }

    /// Sends what is new, and says whether there may be more.
    ///
    /// Whether they may read on is asked after the page was read: what it shows has then happened before their access
    /// ended, however long the answer took.
    async fn look(&mut self) -> Result<bool, Ended> {
        let page =
            event::page(&self.state.store, &self.actor, &self.filter, self.after, BATCH_SIZE).await;
        let actor = match self.reader.actor(&self.state.access_cache).await {
            Ok(actor) if actor.may(Permission::ReadOrganization) => actor,
            Err(error @ (error::Error::Unavailable(_) | error::Error::Internal(_))) => {
                tracing::warn!(%error, "a stream of events waits");
                return Ok(false);
            }
            _ => return Err(Ended),
        };
        let role_before = std::mem::replace(&mut self.actor, actor).role;
        let page = match page {
            Ok(_) if role_before != self.actor.role => return Ok(true),
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(%error, "a stream of events waits");
                return Ok(false);
            }
        };
        for event in &page.items {
            self.send(to_sse(event)).await?;
        }
        let moved = page.next_after > self.after;
        self.after = page.next_after;
        Ok(moved)
    }

    async fn send(&mut self, text: String) -> Result<(), Ended> {
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

fn to_sse(event: &Event) -> String {
    let mut text = String::new();
    let data = serde_json::to_string(event).unwrap_or_default();
    let position = event.position.unwrap_or_default();
    // Writing to a string does not fail.
    let _ = write!(text, "id: {position}\nevent: {}\ndata: {data}\n\n", event.kind);
    text
}

//! The stop: what is under way is finished, and nobody meets a connection that breaks.
//!
//! First each answer says `Connection: close`, while new connections are still taken: clients and
//! load balancers go elsewhere by themselves, and no connection that is kept alive is closed under a
//! request. Then the listener is closed; who still stood in its line is told 503. Then the last
//! answers are given, and connections on which nothing has been said for a while are closed.

use std::{
    io::{self, ErrorKind},
    net::{self, TcpListener},
    time::{Duration, Instant},
};

use actix_web::dev::ServerHandle;
use service::{Store, error::Error};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    connections::Connections,
    problem::{self, Failure},
    state::State,
    stream::Streams,
};

/// How long nothing must have been said on a connection that is closed from here.
const QUIET: Duration = Duration::from_secs(2);
/// How often it is looked whether all is done.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How long somebody who comes too late may take to hear of it.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// The way to stop a server.
#[derive(Debug)]
pub struct Shutdown {
    handle: ServerHandle,
    listener: TcpListener,
    connections: Connections,
    streams: Streams,
    store: Store,
    delay: Duration,
    limit: Duration,
}

impl Shutdown {
    /// Of a server that listens there: connections are taken for `delay` more, and what is under way may
    /// take `limit` in all.
    pub(crate) fn new(
        (handle, listener): (ServerHandle, TcpListener),
        state: &State,
        (delay, limit): (Duration, Duration),
    ) -> Self {
        let (connections, streams) = (state.connections.clone(), state.streams.clone());
        let store = state.store.clone();
        Self { handle, listener, connections, streams, store, delay, limit }
    }

    /// Stops once all is answered, or at the latest after the limit.
    pub async fn gracefully(&self) {
        let started = Instant::now();
        self.connections.stop();
        // They would go on for ever.
        self.streams.end();
        sleep(self.delay).await;
        let mut late = self.close().await;
        let done = loop {
            while late.try_join_next().is_some() {}
            if late.is_empty() && self.connections.is_idle(QUIET) {
                break true;
            }
            if started.elapsed() >= self.limit {
                break false;
            }
            sleep(POLL_INTERVAL).await;
        };
        if !done {
            tracing::warn!("requests are still under way, and end unanswered");
        }
        self.handle.stop(done).await;
    }

    /// Stops whatever is under way.
    pub async fn at_once(&self) {
        self.connections.stop();
        self.streams.end();
        self.handle.stop(false).await;
    }

    /// Closes the listener. The kernel has said yes to those who stand in its line, and would break
    /// their connections: they are answered from here, with 503.
    async fn close(&self) -> JoinSet<()> {
        self.handle.pause().await;
        // The thread that accepts hears of it a moment later, and takes what it has begun to take.
        sleep(POLL_INTERVAL).await;
        let mut late = JoinSet::new();
        if self.listener.set_nonblocking(true).is_ok() {
            loop {
                match self.listener.accept() {
                    Ok((stream, _)) => {
                        late.spawn(refuse(stream, self.refusal()));
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
        }
        // Where the system does not know that, the listener closes with the server.
        let _ = SockRef::from(&self.listener).shutdown(net::Shutdown::Both);
        late
    }

    fn refusal(&self) -> String {
        let id = self.store.random().id(self.store.now());
        let failure = Failure::from(Error::Unavailable("the server stops".into()));
        let body = serde_json::to_string(&failure.document(id, None)).unwrap_or_default();
        format!(
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {}\r\nretry-after: 1\r\n\
             x-request-id: {id}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            problem::MEDIA_TYPE,
            body.len(),
        )
    }
}

/// Answers without having read, as RFC 9112, section 9.6, says it: the other side reads the answer before
/// it is told that nobody reads what it sends.
async fn refuse(stream: net::TcpStream, refusal: String) {
    let answer = async {
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream)?;
        let mut sent = [0; 4096];
        if stream.read(&mut sent).await? == 0 {
            return Ok(());
        }
        stream.write_all(refusal.as_bytes()).await?;
        stream.shutdown().await?;
        while stream.read(&mut sent).await? > 0 {}
        io::Result::Ok(())
    };
    // Who has gone or stays silent gets none.
    let _ = timeout(REFUSAL_TIMEOUT, answer).await;
}

//! Redis, where there is one. What needs it does without it as well: a call ends within [`TIMEOUT`], twice
//! that if it connects first, and after a few failures in a row calls are refused at once for a while.
//!
//! There is one connection, over which all calls go at the same time. It is given up after a call that had no
//! answer, and made anew by the next one.

mod breaker;

use std::{
    fmt,
    future::Future,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use ::redis::{AsyncConnectionConfig, Client, RedisError, aio::MultiplexedConnection};
pub use ::redis::{FromRedisValue, RedisResult, ToRedisArgs, cmd};
use tokio::{runtime::Handle, sync::Mutex, time::timeout};

use breaker::{Breaker, Change};

/// How long a call waits for its answer, and for a connection.
pub const TIMEOUT: Duration = Duration::from_millis(100);

/// What a call sends its commands over: `cmd("GET").arg(key).query_async(&mut connection)`.
pub type Connection = MultiplexedConnection;

/// A server. Cheap to clone; every clone has the same connection.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    client: Client,
    config: AsyncConnectionConfig,
    /// Where connections are read: not on the thread of the request that was the first to need one.
    runtime: Handle,
    slot: Mutex<Slot>,
    breaker: Breaker,
}

#[derive(Default)]
struct Slot {
    connection: Option<Connection>,
    /// How many there have been.
    generation: u64,
}

/// A URL that names no server. What it is does not show: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "REDIS_URL must be as redis://USER:PASSWORD@HOST:6379/0, rediss://… for TLS, or \
     unix:///run/redis/redis.sock"
)]
pub struct NotARedisUrl;

/// Why a call had no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// It was not tried: those before it failed.
    #[error("Redis has not answered of late")]
    Refused,
    /// It took too long.
    #[error("Redis did not answer within {} ms", TIMEOUT.as_millis())]
    Timeout,
    /// There is no connection, or Redis refused the command.
    #[error("{0}")]
    Failed(#[from] RedisError),
}

impl Redis {
    /// The server of a URL. It is connected to when it is first used, from the tokio runtime in which this is called.
    ///
    /// # Errors
    /// If the URL is none of Redis.
    pub fn new(url: &str) -> Result<Self, NotARedisUrl> {
        let client = Client::open(url).map_err(|_| NotARedisUrl)?;
        // TLS is that of steward: the libraries below do not choose.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT));
        let (runtime, slot, breaker) = (Handle::current(), Mutex::default(), Breaker::default());
        Ok(Self(Arc::new(Inner { client, config, runtime, slot, breaker })))
    }

    /// Calls Redis. A future that is dropped midway harms nothing.
    ///
    /// # Errors
    /// [`Unavailable`], within twice [`TIMEOUT`].
    pub async fn run<T, F>(&self, call: impl FnOnce(Connection) -> F) -> Result<T, Unavailable>
    where
        F: Future<Output = RedisResult<T>>,
    {
        if !self.0.breaker.admits(Instant::now()) {
            metrics::counter!("steward_redis_refused_total").increment(1);
            return Err(Unavailable::Refused);
        }
        let begun = Instant::now();
        let result = self.0.call(call).await;
        self.0.record(&result, begun);
        result
    }

    /// Runs a script, which Redis does as one step. It is sent once, and by its hash from then on.
    ///
    /// # Errors
    /// [`Unavailable`], within twice [`TIMEOUT`].
    pub async fn script<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: impl ToRedisArgs,
        arguments: impl ToRedisArgs,
    ) -> Result<T, Unavailable> {
        self.run(|mut connection: Connection| async move {
            script.0.key(keys).arg(arguments).invoke_async(&mut connection).await
        })
        .await
    }

    /// Whether calls are given up for a while, because those before them failed.
    pub fn is_given_up(&self) -> bool {
        self.0.breaker.is_open()
    }

    /// Whether Redis answers.
    ///
    /// # Errors
    /// [`Unavailable`], within twice [`TIMEOUT`].
    pub async fn ping(&self) -> Result<(), Unavailable> {
        let ping = |mut connection: Connection| async move {
            cmd("PING").query_async(&mut connection).await
        };
        self.run(ping).await
    }
}

impl Inner {
    async fn call<T, F>(&self, call: impl FnOnce(Connection) -> F) -> Result<T, Unavailable>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let connected = timeout(TIMEOUT, self.connection()).await;
        let (connection, generation) = connected.map_err(|_| Unavailable::Timeout)??;
        let result = match timeout(TIMEOUT, call(connection)).await {
            Ok(answer) => answer.map_err(Unavailable::from),
            Err(_) => Err(Unavailable::Timeout),
        };
        if result.as_ref().is_err_and(|error| !error.is_answer()) {
            self.give_up(generation).await;
        }
        result
    }

    /// The connection, and which it is.
    async fn connection(&self) -> RedisResult<(Connection, u64)> {
        let mut slot = self.slot.lock().await;
        if let Some(connection) = &slot.connection {
            return Ok((connection.clone(), slot.generation));
        }
        let (client, config) = (self.client.clone(), self.config.clone());
        let connecting = self.runtime.spawn(async move {
            client.get_multiplexed_async_connection_with_config(&config).await
        });
        let connection = connecting.await.map_err(io::Error::other)??;
        slot.generation += 1;
        slot.connection = Some(connection.clone());
        Ok((connection, slot.generation))
    }

    /// Uses a connection no more. What others have asked over it, they still hear.
    async fn give_up(&self, generation: u64) {
        let mut slot = self.slot.lock().await;
        if slot.generation == generation {
            slot.connection = None;
        }
    }

    fn record<T>(&self, result: &Result<T, Unavailable>, begun: Instant) {
        let now = Instant::now();
        let (word, change) = match result {
            Ok(_) => ("ok", self.breaker.succeeded()),
            Err(_) => ("error", self.breaker.failed(now)),
        };
        metrics::histogram!("steward_redis_request_seconds", "result" => word)
            .record((now - begun).as_secs_f64());
        match (change, result) {
            (Some(Change::Opened), Err(error)) => {
                tracing::warn!(%error, "Redis does not answer: steward goes on without it");
                metrics::counter!("steward_redis_circuit_opened_total").increment(1);
            }
            (Some(_), _) => tracing::info!("Redis answers again"),
            (None, _) => {}
        }
    }
}

impl Unavailable {
    /// Whether Redis said so itself: then its connection is sound.
    fn is_answer(&self) -> bool {
        matches!(self, Self::Failed(error) if error.code().is_some())
    }
}

impl fmt::Debug for Redis {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redis")
    }
}

/// A Lua script.
pub struct Script(::redis::Script);

impl Script {
    /// The script of a text.
    pub fn new(code: &str) -> Self {
        Self(::redis::Script::new(code))
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Script").field(&self.0.get_hash()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_url_of_something_else_is_refused_and_not_shown() {
        for url in ["", "redis", "http://:s3cr3t@localhost", "postgres://:s3cr3t@db/steward"] {
            let error = Redis::new(url).expect_err("no URL of Redis");
            assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
        }
        for url in ["redis://:s3cr3t@localhost/1", "rediss://localhost", "unix:///run/redis.sock"] {
            let redis = Redis::new(url).expect("a URL of Redis");
            assert!(!format!("{redis:?}").contains("s3cr3t"));
        }
    }

    #[tokio::test]
    async fn where_nobody_listens_calls_fail_and_are_refused_before_long() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("redis://{}", listener.local_addr().expect("an address"));
        drop(listener);
        let redis = Redis::new(&url).expect("a URL");
        for _ in 0..5 {
            assert!(matches!(redis.ping().await, Err(Unavailable::Failed(_))));
        }
        assert!(matches!(redis.ping().await, Err(Unavailable::Refused)));
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_not_waited_for() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("redis://{}", listener.local_addr().expect("an address"));
        let redis = Redis::new(&url).expect("a URL");
        let begun = Instant::now();
        assert!(redis.ping().await.is_err());
        assert!(begun.elapsed() < 20 * TIMEOUT, "{:?}", begun.elapsed());
    }
}

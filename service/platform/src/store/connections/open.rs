//! A connection that is out of the pool: whether it is still good for something.

use std::{
    io,
    time::{Duration, Instant},
};

use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{self, Connection as _, Postgres, Row as _, Sqlite, pool::PoolConnection},
};
use tokio::sync::watch;

use super::acquire_error;

/// How long an idle session of PostgreSQL's is trusted without asking it. SQLite's do not go away.
const PING_AFTER_IDLE: Duration = Duration::from_secs(10);
/// How long a session of PostgreSQL's that is asked, or closed, may take to answer.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer is waited for once another did not come in time.
const PATIENCE_AFTER_SILENCE: Duration = Duration::from_secs(1);
/// For how long a session of PostgreSQL's is kept: it grows with what it has done.
const MAX_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// A connection that is out of the pool.
#[derive(Debug)]
pub(super) struct OpenConnection {
    pub(super) connection: Connection,
    opened_at: Instant,
    last_used_at: Instant,
    /// How often the server had been lost when this was opened.
    losses: u64,
    /// Whether it is closed when it is dropped.
    is_closing: bool,
}

/// That of either database.
#[derive(Debug)]
pub(super) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl OpenConnection {
    pub(super) fn new(connection: Connection, losses: u64) -> Self {
        let now = Instant::now();
        Self { connection, opened_at: now, last_used_at: now, losses, is_closing: false }
    }

    pub(super) fn losses(&self) -> u64 {
        self.losses
    }

    /// Whether it can be used. One that was idle for long is asked, and closed where it is not there any more.
    pub(super) async fn is_alive(&mut self) -> bool {
        let is_alive = match &mut self.connection {
            Connection::Postgres(connection) if self.last_used_at.elapsed() >= PING_AFTER_IDLE => {
                answers(connection, PING_TIMEOUT).await
            }
            _ => true,
        };
        if !is_alive {
            self.close_on_drop();
        }
        is_alive
    }

    /// Closes it when it is dropped.
    pub(super) fn close_on_drop(&mut self) {
        self.is_closing = true;
        match &mut self.connection {
            Connection::Sqlite(connection) => connection.close_on_drop(),
            Connection::Postgres(connection) => connection.close_on_drop(),
        }
    }

    /// Gives a connection whose last statement nobody has waited for back to the pool, once that has ended. The pool
    /// would ask it without an end, and count it meanwhile; so it is asked here before, and closed where it does not
    /// answer in time.
    pub(super) fn ask_and_return(self, timeout: Option<Duration>) {
        if self.is_closing {
            return;
        }
        let timeout = timeout.unwrap_or(PING_TIMEOUT);
        let Connection::Postgres(mut connection) = self.connection else { return };
        tokio::spawn(async move {
            if !answers(&mut connection, timeout).await {
                connection.close_on_drop();
            }
        });
    }

    /// Whether the next one may have it, from now on.
    pub(super) fn reuse(&mut self) -> bool {
        self.last_used_at = Instant::now();
        matches!(self.connection, Connection::Sqlite(_)) || self.opened_at.elapsed() < MAX_LIFETIME
    }
}

async fn answers(connection: &mut PoolConnection<Postgres>, timeout: Duration) -> bool {
    matches!(tokio::time::timeout(timeout, connection.ping()).await, Ok(Ok(())))
}

/// For how long an answer is waited for.
pub(super) struct Patience {
    pub(super) timeout: Duration,
    /// Told when an answer did not come in time.
    pub(super) silence: watch::Sender<()>,
}

/// What a server answers, if it does in time. Where another answer did not come in time, the server is gone without a
/// word: whoever began to wait later than that one would find out later, too, and need not.
pub(super) async fn within<T>(
    patience: Option<Patience>,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let Some(Patience { timeout, silence }) = patience else { return answer.await };
    let mut other = silence.subscribe();
    let silence_of_another = async {
        // The sender is held here, and so not dropped.
        let _ = other.changed().await;
        tokio::time::sleep(PATIENCE_AFTER_SILENCE).await;
    };
    tokio::select! {
        biased;
        answer = answer => return answer,
        () = tokio::time::sleep(timeout) => silence.send_replace(()),
        () = silence_of_another => {}
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "the server does not answer").into())
}

/// Closes a connection whose server is a standby: the primary is expected at its address.
pub(super) async fn refuse_standby(connection: &mut PoolConnection<Postgres>) -> Result<(), DbErr> {
    let asked = sqlx::raw_sql("SELECT pg_is_in_recovery()").fetch_one(&mut **connection);
    let answered = tokio::time::timeout(PING_TIMEOUT, asked).await;
    let answered = answered.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut));
    let refusal = match answered.and_then(|row| row.try_get(0)) {
        Ok(false) => return Ok(()),
        Ok(true) => DbErr::Conn(RuntimeErr::Internal(STANDBY.into())),
        Err(error) => acquire_error(error),
    };
    connection.close_on_drop();
    Err(refusal)
}

const STANDBY: &str = "the server is a standby, where the primary is expected";

//! PostgreSQL: a pool, and each write in a transaction of its own.
//!
//! Transactions run at REPEATABLE READ: a closure sees one state of the database, as it does on
//! SQLite, and where another transaction was faster, the whole closure runs again on the new state.
//! Those that move running sums run at READ COMMITTED ([`super::Isolation`]). The level is said in
//! BEGIN, and what else a session must have is read back at the start ([`session`]).

pub(super) mod session;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ConnectionTrait, DbErr, RuntimeErr, TransactionTrait,
    sea_query::{Expr, Query},
    sqlx::{
        self,
        postgres::{PgListener, PgPoolOptions},
    },
};
use tracing::Instrument;

use session::ServerRole;

use super::{
    ConnectError, Context, Options, Schema, Tx,
    connections::Connections,
    failure::is_answer,
    job::{Job, JobOutcome},
    local,
    signal::{Signal, Signals},
    telemetry::Telemetry,
    transaction::{Begin, Transaction},
};
use crate::{
    backoff::{Backoff, Jitter},
    clock::Clock,
    error::{Error, Result},
    random::Random,
};

/// How often a closure runs at most.
const MAX_ATTEMPTS: u32 = 5;
/// How long to wait before it runs again.
const BACKOFF: Backoff =
    Backoff { initial: TimeDelta::milliseconds(5), max: TimeDelta::milliseconds(80) };
/// How long to look for what a COMMIT without an answer has made.
const MARKER_TIMEOUT: Duration = Duration::from_secs(2);
/// How long to wait before looking again.
const MARKER_POLL_INTERVAL: Duration = Duration::from_millis(100);
/// A commit of nothing, which waits for what commits wait for, such as synchronous standbys: all that was committed
/// before is there, too. Of one whose wait was broken off, PostgreSQL shows what it made all the same. Where the role
/// may not call it, nothing is waited for.
const AWAIT_STANDBYS: &str = "SELECT pg_logical_emit_message(true, 'steward', '')";
/// Serializes the migrations of several nodes: any number that nobody else locks.
const MIGRATION_LOCK: i64 = 0x0073_7465_7761_7264;
/// How many connections without a pooler between: one that migrates, and one to spare.
const DIRECT_CONNECTIONS: u32 = 2;

/// The connections of a store.
#[derive(Debug, Clone)]
pub(super) struct Pools {
    /// For all but what follows.
    pub(super) shared: Connections,
    /// For what needs a session of its own. The same one where there is no pooler.
    pub(super) direct: Connections,
}

pub(super) async fn connect(
    url: &str,
    options: &Options,
    telemetry: &Telemetry,
) -> Result<Pools, ConnectError> {
    let (role, size) = (ServerRole::Primary, options.max_connections);
    let shared = session::connect("read", url, options, role, size, telemetry).await?;
    let is_pooled = session::check(&shared).await?;
    let Some(direct_url) = &options.direct_url else {
        if is_pooled {
            return Err(ConnectError::Session(session::NO_DIRECT_URL.into()));
        }
        return Ok(Pools { direct: shared.clone(), shared });
    };
    let direct =
        session::connect("direct", direct_url, options, role, DIRECT_CONNECTIONS, telemetry)
            .await?;
    if session::check(&direct).await? {
        return Err(ConnectError::Session(session::NOT_DIRECT.into()));
    }
    Ok(Pools { shared, direct })
}

/// Whether it can be written: a standby cannot, and divides by zero here.
pub(super) async fn ping(pools: &Pools) -> Result<()> {
    let sql = "SELECT 1 / (current_setting('transaction_read_only') = 'off')::int";
    let cannot = |error: DbErr| Error::Unavailable(format!("away, or read-only: {error}"));
    pools.shared.execute_unprepared(sql).await.map(drop).map_err(cannot)
}

fn driver_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

/// What a write needs.
pub(super) struct Writer {
    pub(super) connections: Connections,
    pub(super) begin: Begin,
    pub(super) context: Context,
}

impl Writer {
    /// Runs a job in a task of its own: a request that goes away takes nothing with it.
    pub(super) fn start(self, job: Box<dyn Job>) {
        let span = job.span().clone();
        local::spawn(move || self.run(job).instrument(span));
    }

    async fn run(self, mut job: Box<dyn Job>) {
        let mut reason = String::new();
        for attempt in 1..=MAX_ATTEMPTS {
            match self.attempt(&mut *job).await {
                Err(Error::Retry(why)) => {
                    metrics::counter!("steward_transaction_retries_total").increment(1);
                    reason = why;
                    // Not of the transaction's randomness: who waits must not change ids.
                    let pause = BACKOFF.delay(attempt.into(), Jitter::Full, &Random::system());
                    tokio::time::sleep(pause.to_std().unwrap_or_default()).await;
                }
                ended => return job.answer(ended),
            }
        }
        job.answer(Err(Error::Unavailable(format!(
            "gave up after {MAX_ATTEMPTS} tries: {reason}"
        ))));
    }

    async fn attempt(&self, job: &mut dyn Job) -> Result<()> {
        let transaction = Transaction::begin(&self.connections, self.begin).await?;
        let tx = Tx::new(transaction, self.context.clone());
        match job.run(&tx).await {
            JobOutcome::Done => self.commit(tx).await,
            JobOutcome::Conflict(reason) => {
                tx.rollback().await;
                Err(Error::Retry(reason))
            }
            JobOutcome::Failed | JobOutcome::Broken(_) => {
                tx.rollback().await;
                Ok(())
            }
        }
    }

    async fn commit(&self, tx: Tx) -> Result<()> {
        let error = match tx.commit().await {
            Ok(()) => {
                tx.close().publish();
                return Ok(());
            }
            Err(error) => error,
        };
        if is_answer(&error) {
            tx.rollback().await;
            return Err(error.into());
        }
        let marker = tx.commit_marker();
        let announcement = tx.close();
        let unknown = Error::OutcomeUnknown(error.to_string());
        let Some(marker) = marker else { return Err(unknown) };
        if !self.appears(marker).await {
            return Err(unknown);
        }
        tracing::warn!(%error, "a COMMIT was made although its answer was lost");
        announcement.publish();
        Ok(())
    }

    /// Looks for what a COMMIT without an answer would have made. What is not there may still come.
    async fn appears(&self, marker: super::commit_marker::CommitMarker) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < MARKER_TIMEOUT {
            if matches!(marker.exists(&self.connections).await, Ok(true)) {
                let waited = self.connections.execute_unprepared(AWAIT_STANDBYS).await;
                return waited.map_or_else(|error| is_answer(&error), |_| true);
            }
            tokio::time::sleep(MARKER_POLL_INTERVAL).await;
        }
        false
    }
}

/// A transaction in which the schema can be changed, while other nodes that want to do so wait. It has
/// no time limits: an index over a large table takes its time.
pub(super) async fn lock_schema(pools: &Pools) -> Result<Schema, DbErr> {
    let permit = pools.direct.reserve().await?;
    let holder = permit.pool.begin().await?;
    // Who has waited for the lock must see what was done meanwhile.
    holder.execute_unprepared("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
    for setting in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
        holder.execute_unprepared(&format!("SET LOCAL {setting} = 0")).await?;
    }
    holder.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
    Ok(Schema { transaction: holder, _permit: permit })
}

/// By how much the clock of the server is ahead of this one: nothing, if that is no more than asking takes.
pub(super) async fn clock_ahead(connections: &Connections, clock: &Clock) -> Result<TimeDelta> {
    let asked = clock.now();
    let theirs = Query::select().expr(Expr::cust("clock_timestamp()")).to_owned();
    let row = connections.query_one(&theirs).await?;
    let theirs: DateTime<Utc> = match row {
        Some(row) => row.try_get_by_index(0)?,
        None => return Err(Error::Internal("the server tells no time".into())),
    };
    let told = clock.now();
    Ok(if theirs > told { theirs - told } else { (theirs - asked).min(TimeDelta::zero()) })
}

/// Where nodes tell each other.
const CHANNEL: &str = "steward";
/// How long signals are gathered before they are told: a NOTIFY makes every COMMIT that carries one
/// wait for the others.
const NOTIFY_DEBOUNCE: Duration = Duration::from_millis(10);
/// How often the connection that listens is asked whether it is still there.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How long opening the connection that listens may take, and an answer on it.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(3);
/// How long to wait before trying to listen again.
const RECONNECT_DELAY: Duration = Duration::from_secs(1);

/// Tells and hears signals (LISTEN and NOTIFY), on a connection of its own.
pub(super) async fn relay_notifications(pools: &Pools, signals: &Signals) {
    let node = Random::system().secret().hash();
    loop {
        if let Err(error) = relay_until_lost(pools, signals, &node[..16]).await {
            tracing::warn!(%error, "other nodes cannot be heard just now");
        }
        tokio::time::sleep(RECONNECT_DELAY).await;
    }
}

async fn relay_until_lost(pools: &Pools, signals: &Signals, node: &str) -> Result<(), DbErr> {
    let options = pools.direct.postgres_options();
    // What cannot be opened in this time is tried again: sqlx would wait longer and longer.
    let own = PgPoolOptions::new().max_connections(1).acquire_timeout(LISTEN_TIMEOUT);
    let own = own.connect_with(options).await;
    let own = own.map_err(driver_error)?;
    let mut listener = PgListener::connect_with(&own).await.map_err(driver_error)?;
    // Or it would do so in the middle of a wait that is given up, and nobody would hear of it.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await.map_err(driver_error)?;
    // Nobody knows what was said while nobody listened.
    Signal::ALL.into_iter().for_each(|signal| signals.receive(signal));
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    loop {
        tokio::select! {
            outgoing = signals.outgoing() => {
                send_notifications(&pools.shared, outgoing, node).await?;
                tokio::time::sleep(NOTIFY_DEBOUNCE).await;
            }
            _ = heartbeat.tick() => ask(&mut listener).await?,
            received = listener.try_recv() => match received.map_err(driver_error)? {
                None => return Ok(()),
                Some(sent) => receive_notification(sent.payload(), signals, node),
            },
        }
    }
}

/// Finds out that the server is gone without a word: what only listens would wait for ever.
async fn ask(listener: &mut PgListener) -> Result<(), DbErr> {
    let asked = tokio::time::timeout(LISTEN_TIMEOUT, sqlx::query("SELECT 1").execute(listener));
    let answered = asked.await.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut));
    answered.map(drop).map_err(driver_error)
}

async fn send_notifications(
    connections: &Connections,
    outgoing: impl IntoIterator<Item = Signal>,
    node: &str,
) -> Result<(), DbErr> {
    for signal in outgoing {
        let payload = format!("{} {node}", signal.as_str());
        connections.execute_unprepared(&format!("NOTIFY {CHANNEL}, '{payload}'")).await?;
    }
    Ok(())
}

/// Tells what there is to tell, once: for a process that ends before it would be told by
/// [`relay_notifications`].
pub(super) async fn notify(connections: &Connections, signals: &Signals) -> Result<(), DbErr> {
    let node = Random::system().secret().hash();
    send_notifications(connections, signals.take_outgoing(), &node[..16]).await
}

/// Notifies other nodes of every signal: nobody knows what was not sent when the relay ended.
pub(super) async fn notify_shutdown(connections: &Connections) -> Result<()> {
    Ok(send_notifications(connections, Signal::ALL, "leaving").await?)
}

fn receive_notification(payload: &str, signals: &Signals, node: &str) {
    let Some((word, from)) = payload.split_once(' ') else { return };
    if from == node {
        return;
    }
    if let Some(signal) = Signal::ALL.into_iter().find(|signal| signal.as_str() == word) {
        signals.receive(signal);
    }
}
